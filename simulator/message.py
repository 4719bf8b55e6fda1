"""One Event Hubs message."""

from typing import NamedTuple


class Message(NamedTuple):
    """A message on its way: its partition key, its body and the number of events in it.

    ``at`` is the simulated time at which it is sent, in microseconds since 1970 (UTC).
    """

    partition_key: str
    body: bytes
    events: int
    at: int = 0
