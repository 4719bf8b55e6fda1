"""Packs replayed events into messages, each of one partition key."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.generation.span import microseconds
from simulator.message import MAX_BODY_BYTES, Message
from simulator.replay.translation import ReadyEvent


class _Open:
    """A message that waits for more events; ``since`` is microseconds since 1970."""

    __slots__ = ("bodies", "since", "size")

    def __init__(self, since: int) -> None:
        self.since = since
        self.bodies: list[bytes] = []
        self.size = 2


class Packer:
    """Packs events in the order of the file, which need not be that of their times.

    Time is as late as the latest event so far, so that messages never go back in it.
    """

    def __init__(
        self, pack: int, linger: timedelta | None, max_bytes: int = MAX_BODY_BYTES
    ) -> None:
        """Take in how to pack.

        Args:
            pack: most events in a message.
            linger: how long an event waits for its message to fill, by the time of the events;
                None for as long as it takes.
            max_bytes: most bytes in a body.
        """
        self._pack = pack
        self._linger = None if linger is None else linger // timedelta(microseconds=1)
        self._max_bytes = max_bytes
        # By partition key; a dictionary keeps the order of insertion, so the oldest stands first.
        self._waiting: dict[str, _Open] = {}
        self._now: int | None = None

    def add(self, event: ReadyEvent) -> Iterator[Message]:
        """Take one event, and yield the messages that are full or have waited long enough."""
        now = self.advance(event.event_time)
        yield from self._overdue(now)
        key = event.partition_key
        message = self._waiting.get(key)
        if message is not None and message.size + len(event.body) + 1 > self._max_bytes:
            yield self._close(key, now)
            message = None
        if message is None:
            message = self._waiting[key] = _Open(now)
        message.bodies.append(event.body)
        message.size += len(event.body) + 1
        if len(message.bodies) >= self._pack:
            yield self._close(key, now)

    def close(self) -> Iterator[Message]:
        """Yield what still waits."""
        while self._waiting:
            yield self._close(next(iter(self._waiting)), self._now or 0)

    def advance(self, moment: datetime | None) -> int:
        """Return what time it is once there was an event of ``moment``, in microseconds."""
        if moment is not None:
            at = microseconds(moment)
            self._now = at if self._now is None else max(self._now, at)
        return self._now or 0

    def _overdue(self, now: int) -> Iterator[Message]:
        if self._linger is None:
            return
        while self._waiting:
            key, oldest = next(iter(self._waiting.items()))
            if now - oldest.since < self._linger:
                return
            yield self._close(key, oldest.since + self._linger)

    def _close(self, key: str, at: int) -> Message:
        return Message.of(key, self._waiting.pop(key).bodies, at)
