"""Events that follow an ordinary one: copies of it, and conflicts with it."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from shared_code.domain.currencies import CURRENCIES
from simulator.generation.events import CONFLICT, REASON_NUMBERS, Row
from simulator.generation.population import Integers, Keys
from simulator.generation.span import MICROSECONDS
from simulator.generation.streams import letters
from simulator.generation.timeline import BlockPlan
from simulator.generation.world import World
from simulator.wire import Label, to_json

# A copy comes later than a message waits for its fill, so that it meets another message than its
# original's.
_COPY_AFTER_LINGER: Final = (1.0, 2.0)
_CONFLICT_SECONDS: Final = (0.001, 120.0)
# A number keeps its text: amounts are exact.
_ANY: Final = msgspec.json.Decoder(float_hook=str)


def due(share: float, begin: int, end: int) -> int:
    """Return how many of the payments from ``begin`` to ``end`` a share is.

    Over all blocks of a simulation none gets lost.
    """
    return int(end * share + 0.5) - int(begin * share + 0.5)


class Originals(NamedTuple):
    """Ordinary events, as far as those that come after them have to know them."""

    bodies: list[bytes]
    arrival: Integers
    key: Keys


class Followers:
    """Copies and conflicts: each comes after an ordinary event, with its partition key."""

    def __init__(
        self, world: World, plan: BlockPlan, originals: Originals, columns: np.random.Generator
    ) -> None:
        self._world = world
        self._plan = plan
        self._originals = originals
        self._columns = columns

    def copies(self) -> Iterator[Row]:
        """Yield copies beside their originals, and as many that come later.

        The third third are whole repeated messages: ``packing`` makes those.
        """
        third = self._world.configuration.arrival.duplicate_share / 3
        linger = self._world.span.linger
        if self._world.configuration.messages.pack > 1:
            for at in self._some(third):
                yield self._follower(at, 0)
            later = third
        else:
            later = 2 * third
        least, most = (times * linger for times in _COPY_AFTER_LINGER)
        for at in self._some(later):
            yield self._follower(at, round(self._columns.uniform(least, most)))

    def conflicts(self) -> Iterator[Row]:
        """Yield events of an earlier one's identity with a larger amount."""
        least, most = (seconds * MICROSECONDS for seconds in _CONFLICT_SECONDS)
        for at in self._some(self._world.configuration.arrival.conflict_share):
            incident = letters(self._columns.bytes(6))
            steps = int(self._columns.integers(1, 5001))
            body = _with_larger_amount(self._originals.bodies[at], steps, incident)
            delay = round(self._columns.uniform(least, most))
            reason = REASON_NUMBERS[CONFLICT]
            row = self._follower(at, delay)
            yield row._replace(body=body, reason=reason, kind=CONFLICT)

    def _some(self, share: float) -> list[int]:
        size = len(self._originals.arrival)
        plan = self._plan
        number = min(due(share, plan.first, plan.first + plan.payments), size)
        chosen: list[int] = self._columns.choice(size, number, replace=False).tolist()
        return chosen

    def _follower(self, at: int, delay: int) -> Row:
        originals = self._originals
        arrival = int(originals.arrival[at]) + delay
        return Row(arrival, int(originals.key[at]), originals.bodies[at])


def _with_larger_amount(body: bytes, steps: int, incident: str) -> bytes:
    event: dict[str, Any] = _ANY.decode(body)
    unit = CURRENCIES[event["currency"]].minor_unit
    minor = int(str(event["amount"]).replace(".", "")) + steps
    text = f"{minor:0{unit + 1}d}"
    event["amount"] = f"{text[:-unit]}.{text[-unit:]}" if unit else text
    event["simulation"] = Label(CONFLICT, incident)
    return to_json(event)
