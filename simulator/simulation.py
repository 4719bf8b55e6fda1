"""A simulation: an iterable of messages, and the ledger of what they hold."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from simulator.arrivals import arrange, duplicate_thirds
from simulator.errors import LedgerNotReady
from simulator.ledger import Bookkeeper, Ledger
from simulator.packing import PackedMessage, pack
from simulator.parameters import Parameters
from simulator.payments import generate_payments

_REPEATED_AFTER: Final = 5
"""So many messages after the first time, a whole message is sent again."""


class Message(NamedTuple):
    """One Event Hubs message: its partition key, its body and the number of events in it."""

    partition_key: str
    body: bytes
    events: int


class Simulation:
    """The messages of one simulation; iterating again yields the same ones again."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._ledger: Ledger | None = None

    @property
    def expected_events(self) -> int:
        """About how many events the messages hold, known before the first is made."""
        parameters = self.parameters
        shares = parameters.bad_share + parameters.duplicate_share + parameters.conflict_share
        return parameters.payments + parameters.count(shares)

    @property
    def ledger(self) -> Ledger:
        """The account of all messages.

        Raises:
            LedgerNotReady: the last message has not been taken yet.
        """
        if self._ledger is None:
            msg = "take every message of the simulation before asking for its ledger"
            raise LedgerNotReady(msg)
        return self._ledger

    def __iter__(self) -> Iterator[Message]:
        self._ledger = None
        book = Bookkeeper(self.parameters)
        arrivals = arrange(generate_payments(self.parameters), self.parameters)
        packed_messages = pack(arrivals, self.parameters.pack)
        for packed, repeated in _with_repetitions(packed_messages, len(arrivals), self.parameters):
            book.record(packed.events, repeated=repeated)
            yield Message(packed.partition_key, packed.body, len(packed.events))
        self._ledger = book.close()


def simulate(parameters: Parameters) -> Simulation:
    """Return the simulation that ``parameters`` describe; nothing is generated before it is read.

    Equal parameters give byte-identical messages in the same order.
    """
    return Simulation(parameters)


def _with_repetitions(
    messages: Iterator[PackedMessage], events: int, parameters: Parameters
) -> Iterator[tuple[PackedMessage, bool]]:
    """Yield all messages, and some of them again, spread evenly, as whole repeated messages.

    Yields:
        The message, and whether it is a repetition.
    """
    _, _, copies = duplicate_thirds(parameters)
    # A full message's worth must be due, so that small messages are not preferred.
    enough = min(parameters.pack, copies)
    due = enough / 2
    waiting: deque[tuple[int, PackedMessage]] = deque()
    for number, message in enumerate(messages):
        yield message, False
        while waiting and waiting[0][0] <= number:
            yield waiting.popleft()[1], True
        due += len(message.events) * copies / events
        if copies and due >= enough:
            due -= len(message.events)
            waiting.append((number + _REPEATED_AFTER, message))
    for _, message in waiting:
        yield message, True
