"""Packs events into Event Hubs messages, each of one partition key."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from simulator.arrivals import LINGER, Arrival

# Event Hubs takes 1 MiB at most (Basic and Standard tier), properties and batch frame included.
MAX_BODY_BYTES: Final = 900 * 1024


class PackedMessage(NamedTuple):
    """One message and the events that it carries, in order, repeated ones repeated."""

    partition_key: str
    events: tuple[Arrival, ...]

    @property
    def body(self) -> bytes:
        """One JSON value, or an array of several."""
        bodies = [event.body for event in self.events]
        return bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"


class _Open:
    """A message that waits for more events."""

    __slots__ = ("events", "since", "size")

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.events: list[Arrival] = []
        self.size = 2

    def add(self, arrival: Arrival) -> None:
        self.events += [arrival] * arrival.times
        self.size += _size(arrival)


def _size(arrival: Arrival) -> int:
    """Return the bytes that an event adds to an array, commas included."""
    return arrival.times * (len(arrival.body) + 1)


def pack(
    arrivals: Iterable[Arrival], limit: int, max_bytes: int = MAX_BODY_BYTES
) -> Iterator[PackedMessage]:
    """Yield messages of up to ``limit`` events, in order of arrival within a partition key.

    A message is sent when it is full, or when its first event has waited for ``LINGER`` of
    simulated time. Copies that belong into one message are never parted.

    Args:
        arrivals: in order of arrival.
        limit: most events in a message.
        max_bytes: most bytes in a body; a single larger event still makes a message.
    """
    # By partition key; a dictionary keeps the order of insertion, so the oldest stands first.
    waiting: dict[str, _Open] = {}

    def close(key: str) -> PackedMessage:
        return PackedMessage(key, tuple(waiting.pop(key).events))

    for arrival in arrivals:
        while waiting:
            oldest = next(iter(waiting))
            if arrival.at - waiting[oldest].since < LINGER:
                break
            yield close(oldest)
        key = arrival.partition_key
        if arrival.alone:
            yield PackedMessage(key, (arrival,) * arrival.times)
            continue
        message = waiting.get(key)
        if message is not None and (
            len(message.events) + arrival.times > limit or message.size + _size(arrival) > max_bytes
        ):
            yield close(key)
            message = None
        if message is None:
            message = waiting[key] = _Open(arrival.at)
        message.add(arrival)
        if len(message.events) >= limit:
            yield close(key)
    while waiting:
        yield close(next(iter(waiting)))
