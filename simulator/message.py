"""One Event Hubs message."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

# Event Hubs takes 1 MiB at most (Basic and Standard tier), properties and batch frame included.
MAX_BODY_BYTES: Final = 900 * 1024


class Message(NamedTuple):
    """A message on its way: its partition key, its body and the number of events in it.

    ``at`` is the simulated time at which it is sent, in microseconds since 1970 (UTC).
    """

    partition_key: str
    body: bytes
    events: int
    at: int = 0

    @classmethod
    def of(cls, partition_key: str, bodies: Sequence[bytes], at: int) -> Self:
        """Return a message of one event as it is, or of several as an array."""
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        return cls(partition_key, body, len(bodies), at)
