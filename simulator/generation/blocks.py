"""Generates a block of payments: ordinary ones, violations, what arrives late, twice or altered.

A block depends on nothing but the world and its number, so that blocks are generated in any order
by any number of processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import RejectReason
from simulator.generation.account import Account
from simulator.generation.encoding import Written, write_events
from simulator.generation.injection import Injected, injections
from simulator.generation.ordinary import draw_payments, live
from simulator.generation.partition_keys import key_bucket
from simulator.generation.population import Integers, Keys
from simulator.generation.span import MICROSECONDS, microseconds, moment, seconds_of
from simulator.generation.streams import column_stream, letters
from simulator.generation.timeline import BlockPlan
from simulator.generation.world import World
from simulator.ledger import InjectedViolation
from simulator.violations.money_laundering import HIGH_RISK_COUNTRIES
from simulator.wire import Event, Label, Payment, to_json

CONFLICT: Final = RejectReason.conflicting_duplicate.value
REASONS: Final = ("", *(reason.value for reason in RejectReason))
"""Reject reasons by the number that columns of events have; the first is that of valid events."""

_REASON_NUMBERS: Final = {reason: number for number, reason in enumerate(REASONS)}
# A copy comes later than a message waits for its fill, so that it meets another message than its
# original's.
_COPY_AFTER_LINGER: Final = (1.0, 2.0)
_CONFLICT_SECONDS: Final = (0.001, 120.0)
_LONGEST_DELAY: Final = 7


class _Read(Event, frozen=True):
    """An event of which only the other fields are read: an amount may be a JSON number."""

    amount: Any


# A number keeps its text: amounts are exact.
_EVENT: Final = msgspec.json.Decoder(_Read)
_ANY: Final = msgspec.json.Decoder(float_hook=str)


class Events(NamedTuple):
    """Events on their way into messages, in columns; times in microseconds since 1970.

    Attributes:
        arrival: when each arrives.
        key: its key bucket.
        alone: it must not share its message.
        reason: number of its reject reason, 0 if it is valid.
        kind: number of its kind of violation in ``names``, 0 if it is of none.
        bodies: JSON texts, or what stands in for them.
        names: kinds of violations, the first one empty.
    """

    arrival: Integers
    key: Keys
    alone: NDArray[np.bool]
    reason: Keys
    kind: Keys
    bodies: list[bytes]
    names: tuple[str, ...]


class Ahead(NamedTuple):
    """What is made with a block but happens after it; ``payment`` is None if it is no valid one."""

    time: int
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Block:
    """What a block consists of: its events in order of arrival, its account, its violations.

    ``ahead`` holds by its JSON text what happens after the block, if the simulation keeps pace with
    a clock: when it is stopped, that has not happened yet.
    """

    plan: BlockPlan
    events: Events
    account: Account
    injected: tuple[InjectedViolation, ...]
    ahead: Mapping[bytes, Ahead] = field(default_factory=dict)


class _Row(NamedTuple):
    """One event of those that are made one by one."""

    arrival: int
    key: int
    body: bytes
    alone: bool = False
    reason: int = 0
    kind: str = ""


def generate_block(world: World, plan: BlockPlan) -> Block:
    """Return the block; the same for the same world and plan, in whatever process."""
    columns = column_stream(world.configuration.seed, f"block/{plan.number}")
    account = Account()
    made = injections(world, plan)
    valid = sum(len(each.incident.payments) for each in made)
    payments = draw_payments(world, plan, plan.payments - valid, columns)
    events = live(world, payments, plan.payments - valid, columns)
    written = write_events(world, payments, events, columns)
    account.enter_columns(world.population, payments, events, written.times)
    account.enter(
        chain.from_iterable(each.incident.payments for each in made), known_countries(world)
    )
    arrival = written.times + _delays(world, len(written.times), columns)
    late = _late(world, plan, written.times, columns)
    arrival[late] = _late_arrivals(world, written.times[late], columns)
    account.late += len(late)
    keys = world.population.keys_of(payments.customer[events.payment])
    single = list(_single_events(world, made, columns))
    follow = _Followers(world, plan, _Originals(written.bodies, arrival, keys), columns)
    conflicts = list(follow.conflicts())
    rows = [*single, *follow.copies(), *conflicts]
    names = ("", *sorted({row.kind for row in rows} - {""}))
    numbers = {name: number for number, name in enumerate(names)}
    bulk = len(written.bodies)
    events_in_all = Events(
        arrival=np.concatenate([arrival, np.array([row.arrival for row in rows], dtype=np.int64)]),
        key=np.concatenate([keys, np.array([row.key for row in rows], dtype=np.uint8)]),
        alone=np.concatenate([np.zeros(bulk, bool), np.array([row.alone for row in rows], bool)]),
        reason=_padded(bulk, [row.reason for row in rows]),
        kind=_padded(bulk, [numbers[row.kind] for row in rows]),
        bodies=written.bodies + [row.body for row in rows],
        names=names,
    )
    ahead: Mapping[bytes, Ahead] = {}
    if world.span.speed_up is not None:
        ahead = {
            **_ordinary_ahead(plan, written, events.minor),
            **_single_ahead(world, plan, made),
            **{row.body: Ahead(row.arrival, None) for row in conflicts if row.arrival >= plan.end},
        }
    injected = tuple(each.entry for each in made if each.entry)
    return Block(plan, events_in_all, account, injected, ahead)


def known_countries(world: World) -> frozenset[str]:
    """Return the codes of all countries that valid payments may name."""
    return frozenset([*(each.code for each in world.population.countries), *HIGH_RISK_COUNTRIES])


def _ordinary_ahead(plan: BlockPlan, written: Written, minor: Integers) -> dict[bytes, Ahead]:
    """Return the outcomes and refunds that come after a block."""
    ahead = {}
    for at in np.flatnonzero(written.times >= plan.end).tolist():
        body, time = written.bodies[at], int(written.times[at])
        event = _EVENT.decode(body)
        amount = Decimal(int(minor[at])).scaleb(-CURRENCIES[event.currency].minor_unit)
        customer_id = (event.customer and event.customer.id) or ""
        ahead[body] = Ahead(time, Payment(event, moment(time), amount, customer_id))
    return ahead


def _single_ahead(world: World, plan: BlockPlan, made: list[Injected]) -> dict[bytes, Ahead]:
    """Return the payments of violations, and of what resembles them, that come after a block."""
    payments = chain.from_iterable(each.incident.payments for each in made)
    timed = ((microseconds(payment.event_time), payment) for payment in payments)
    return {
        to_json(payment.event): Ahead(time, payment)
        for time, payment in timed
        # What claims to be of the future has arrived all the same.
        if plan.end <= time < world.span.end
    }


def _padded(zeros: int, values: list[int]) -> Keys:
    return np.concatenate([np.zeros(zeros, dtype=np.uint8), np.array(values, dtype=np.uint8)])


def _delays(world: World, size: int, columns: np.random.Generator) -> Integers:
    """Return the time from each event to its arrival."""
    mean = seconds_of(world.configuration.arrival.delay) * MICROSECONDS
    delays = np.minimum(columns.exponential(1.0, size), _LONGEST_DELAY) * mean
    drawn: Integers = delays.astype(np.int64)
    return drawn


def _due(share: float, begin: int, end: int) -> int:
    """Return how many of the payments from ``begin`` to ``end`` a share is.

    Over all blocks of a simulation none gets lost.
    """
    return int(end * share + 0.5) - int(begin * share + 0.5)


def _late(world: World, plan: BlockPlan, times: Integers, columns: np.random.Generator) -> Integers:
    """Return positions of events that are to arrive late, of those that can before the end."""
    wait = round(seconds_of(world.configuration.arrival.late_by[0]) * MICROSECONDS)
    timeline = world.timeline
    able_in_all = timeline.payments_before(world.span.end - wait)
    if able_in_all < 1:
        return np.zeros(0, dtype=np.int64)
    # All of the share falls to those that can be late.
    share = min(world.configuration.arrival.late_share * timeline.payments / able_in_all, 1.0)
    begin, end = (min(edge, able_in_all) for edge in (plan.first, plan.first + plan.payments))
    able = np.flatnonzero(times + wait < world.span.end)
    number = min(_due(share, begin, end), len(able))
    chosen: Integers = columns.choice(able, number, replace=False)
    return chosen


def _late_arrivals(world: World, times: Integers, columns: np.random.Generator) -> Integers:
    least, most = (seconds_of(each) * MICROSECONDS for each in world.configuration.arrival.late_by)
    latest = np.minimum(times + most, world.span.end)
    arrivals = times + least + columns.random(len(times)) * (latest - times - least)
    drawn: Integers = arrivals.astype(np.int64)
    return drawn


def _single_events(
    world: World, made: list[Injected], columns: np.random.Generator
) -> Iterator[_Row]:
    """Yield the events of violations and of what resembles them."""
    end = world.span.end
    for each in made:
        incident, begin = each.incident, each.at
        delays = _delays(world, len(incident.payments) + len(incident.refused), columns).tolist()
        for payment, delay in zip(incident.payments, delays, strict=False):
            happened = microseconds(payment.event_time)
            # A payment that claims to be of the future arrives all the same.
            at = happened if happened < end else begin
            key = key_bucket(payment.customer_id)
            yield _Row(at + delay, key, to_json(payment.event), kind=each.kind)
        for refusal, delay in zip(incident.refused, delays[len(incident.payments) :], strict=True):
            yield _Row(
                microseconds(refusal.at) + delay,
                key_bucket(refusal.customer_id),
                refusal.body,
                refusal.alone,
                _REASON_NUMBERS[refusal.reason.value],
                each.kind,
            )


class _Originals(NamedTuple):
    bodies: list[bytes]
    arrival: Integers
    key: Keys


class _Followers:
    """Copies and conflicts: each comes after an ordinary event, with its partition key."""

    def __init__(
        self, world: World, plan: BlockPlan, originals: _Originals, columns: np.random.Generator
    ) -> None:
        self._world = world
        self._plan = plan
        self._originals = originals
        self._columns = columns

    def copies(self) -> Iterator[_Row]:
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

    def conflicts(self) -> Iterator[_Row]:
        """Yield events of an earlier one's identity with a larger amount."""
        least, most = (seconds * MICROSECONDS for seconds in _CONFLICT_SECONDS)
        for at in self._some(self._world.configuration.arrival.conflict_share):
            incident = letters(self._columns.bytes(6))
            steps = int(self._columns.integers(1, 5001))
            body = _with_larger_amount(self._originals.bodies[at], steps, incident)
            delay = round(self._columns.uniform(least, most))
            reason = _REASON_NUMBERS[CONFLICT]
            row = self._follower(at, delay)
            yield row._replace(body=body, reason=reason, kind=CONFLICT)

    def _some(self, share: float) -> list[int]:
        size = len(self._originals.arrival)
        plan = self._plan
        number = min(_due(share, plan.first, plan.first + plan.payments), size)
        chosen: list[int] = self._columns.choice(size, number, replace=False).tolist()
        return chosen

    def _follower(self, at: int, delay: int) -> _Row:
        originals = self._originals
        arrival = int(originals.arrival[at]) + delay
        return _Row(arrival, int(originals.key[at]), originals.bodies[at])


def _with_larger_amount(body: bytes, steps: int, incident: str) -> bytes:
    event: dict[str, Any] = _ANY.decode(body)
    unit = CURRENCIES[event["currency"]].minor_unit
    minor = int(str(event["amount"]).replace(".", "")) + steps
    text = f"{minor:0{unit + 1}d}"
    event["amount"] = f"{text[:-unit]}.{text[-unit:]}" if unit else text
    event["simulation"] = Label(CONFLICT, incident)
    return to_json(event)
