"""One Event Hubs message."""

from typing import Final, NamedTuple

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
