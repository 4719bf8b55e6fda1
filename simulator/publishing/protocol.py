"""What every destination of messages has in common."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from simulator.message import Message
from simulator.publishing.counters import Counters


class Sent(NamedTuple):
    """What has been acknowledged so far; ``bytes`` as encoded for the wire or the file."""

    messages: int
    events: int
    bytes: int

    @classmethod
    def by(cls, counters: Counters, since: "Sent | None" = None) -> Self:
        """Return what a publisher counted, all of it or since then."""
        before = since or (0, 0, 0)
        return cls(
            counters.messages - before[0], counters.events - before[1], counters.bytes - before[2]
        )


type Progress = Callable[[Sent], None]


class Publisher(Protocol):
    """A destination, open within a ``with`` statement.

    Messages of one partition key arrive in the order in which they were sent, each at least once.
    Left without an exception, the ``with`` statement flushes; with one, only closes.

    Attributes:
        counters: what it has done so far.
    """

    counters: Counters

    def __enter__(self) -> Self:
        """Open the destination; what is wrong with it from the start shows here."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the destination."""

    def send(self, message: Message) -> None:
        """Take a message; it may wait for others of its partition key."""

    def flush(self) -> None:
        """Send everything that was taken, and return when it has been acknowledged."""

    def unacknowledged(self) -> Sequence[Message]:
        """Return what was taken and may not have arrived, in order within a partition key."""
