"""Puts blocks into one order of arrival and packs their events into Event Hubs messages."""

from collections import Counter, deque
from collections.abc import Container, Iterator
from typing import Final, NamedTuple

import numpy as np

from simulator.generation.blocks import Block
from simulator.generation.events import REASONS, Events
from simulator.generation.population import Integers
from simulator.message import MAX_BODY_BYTES, Message

_REPEATED_AFTER: Final = 5
"""So many messages after the first time, a whole message is sent again."""


class _Packed(NamedTuple):
    message: Message
    refused: Counter[str]
    """Refused events by reject reason."""
    spoilt: Counter[str]
    """Refused events by kind of violation."""


class Packer:
    """Holds back what has not arrived yet or waits for its message to fill; counts what it sends.

    Attributes:
        messages: given out, repeated ones included.
        repeated: those that were given out a second time as they were.
        events: in all of them.
        rejected: refused events by reason, each time they were given out.
        violations: refused events by kind of violation, each time they were given out.
    """

    def __init__(
        self, *, pack: int, linger: int, repeated_share: float, max_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self.change(pack=pack, linger=linger, repeated_share=repeated_share)
        self._max_bytes = max_bytes
        # A full message's worth must be due, so that small messages are not preferred.
        self._due = pack / 2
        self._waiting: deque[tuple[int, _Packed]] = deque()
        self._held: Events | None = None
        self._number = 0
        # Time at which the last message was sent. What was held for a message that turns out full,
        # or is packed in another way by now, should have been sent before; repeats were.
        self._now = 0
        self.messages = 0
        self.repeated = 0
        self.events = 0
        self.rejected: Counter[str] = Counter()
        self.violations: Counter[str] = Counter()

    def change(self, *, pack: int, linger: int, repeated_share: float) -> None:
        """Go on in another way; what is held goes by it, too."""
        self._pack = pack
        self._linger = linger
        self._repeated_share = repeated_share

    def take(self, block: Block) -> Iterator[Message]:
        """Yield the messages that are full, or have waited long enough, by the end of a block."""
        return self._send(_joined(self._held, block.events), block.plan.end)

    def drop(self, bodies: Container[bytes]) -> None:
        """Forget what is held of some events, their copies included."""
        if self._held is not None:
            kept = [at for at, body in enumerate(self._held.bodies) if body not in bodies]
            self._held = _chosen(self._held, np.array(kept, dtype=np.int64))

    def close(self) -> Iterator[Message]:
        """Yield all messages that are left."""
        if self._held is not None:
            yield from self._send(self._held, None)
        while self._waiting:
            yield self._repeat()

    def _send(self, events: Events, until: int | None) -> Iterator[Message]:
        packed, held = self._packed(events, until)
        self._held = held
        for each in sorted(packed, key=lambda one: one.message.at):
            self._now = max(self._now, each.message.at)
            yield self._count(each)
            while self._waiting and self._waiting[0][0] <= self._number:
                yield self._repeat()
            self._due += each.message.events * self._repeated_share
            if self._repeated_share and self._due >= self._pack:
                self._due -= each.message.events
                self._waiting.append((self._number + _REPEATED_AFTER, each))
            self._number += 1

    def _repeat(self) -> Message:
        _, packed = self._waiting.popleft()
        self.repeated += 1
        return self._count(packed)

    def _count(self, packed: _Packed) -> Message:
        self.messages += 1
        self.events += packed.message.events
        self.rejected.update(packed.refused)
        self.violations.update(packed.spoilt)
        return packed.message._replace(at=self._now)

    def _packed(self, events: Events, until: int | None) -> tuple[list[_Packed], Events | None]:
        """Return messages that may go, and events that have to wait; all of them if None."""
        # Stable: equal arrivals stay in the order in which they were generated.
        order = np.lexsort((events.arrival, events.key))
        begins = np.flatnonzero(np.diff(events.key[order], prepend=-1))
        packed: list[_Packed] = []
        held: list[Integers] = []
        for of_key in np.split(order, begins[1:]) if len(order) else ():
            arrived = of_key
            if until is not None:
                there = int(np.searchsorted(events.arrival[of_key], until))
                arrived, future = of_key[:there], of_key[there:]
                held.append(future)
            alone = events.alone[arrived]
            packed += [
                _message(events, arrived[at : at + 1], int(events.arrival[arrived[at]]))
                for at in np.flatnonzero(alone).tolist()
            ]
            rest = arrived[~alone]
            begin = 0
            while begin < len(rest):
                end, sent_at = self._message_end(events, rest, begin, until)
                if sent_at is None:
                    held.append(rest[begin:])
                    break
                packed.append(_message(events, rest[begin:end], sent_at))
                begin = end
        return packed, _chosen(events, np.sort(np.concatenate(held))) if held else None

    def _message_end(
        self, events: Events, rows: Integers, begin: int, until: int | None
    ) -> tuple[int, int | None]:
        """Return where a message ends that begins at ``begin``, and when it is sent.

        The time is None if it still waits for more.
        """
        arrival = events.arrival[rows]
        patience = int(arrival[begin]) + self._linger
        limit = min(begin + self._pack, len(rows))
        size = 0
        end = begin
        for at in rows[begin:limit].tolist():
            size += len(events.bodies[at]) + 1
            if end > begin and (size >= self._max_bytes or events.arrival[at] >= patience):
                break
            end += 1
        if end < len(rows) and end < begin + self._pack:
            # The next one does not fit, or comes too late.
            too_large = events.arrival[rows[end]] < patience
            return end, int(arrival[end - 1]) if too_large else patience
        if end == begin + self._pack:
            return end, int(arrival[end - 1])
        if until is None or patience < until:
            return end, patience
        return end, None


def _message(events: Events, rows: Integers, sent_at: int) -> _Packed:
    bodies = [events.bodies[at] for at in rows.tolist()]
    refused: Counter[str] = Counter()
    spoilt: Counter[str] = Counter()
    for at in rows[events.reason[rows] > 0].tolist():
        refused[REASONS[events.reason[at]]] += 1
        spoilt[events.names[events.kind[at]]] += 1
    key = str(int(events.key[rows[0]]))
    return _Packed(Message.of(key, bodies, sent_at), refused, spoilt)


def _joined(held: Events | None, events: Events) -> Events:
    if held is None:
        return events
    names = {name: number for number, name in enumerate(held.names)}
    for name in events.names:
        names.setdefault(name, len(names))
    renumbered = np.array([names[name] for name in events.names], dtype=np.uint8)[events.kind]
    return Events(
        arrival=np.concatenate([held.arrival, events.arrival]),
        key=np.concatenate([held.key, events.key]),
        alone=np.concatenate([held.alone, events.alone]),
        reason=np.concatenate([held.reason, events.reason]),
        kind=np.concatenate([held.kind, renumbered]),
        bodies=held.bodies + events.bodies,
        names=tuple(names),
    )


def _chosen(events: Events, rows: Integers) -> Events:
    return Events(
        arrival=events.arrival[rows],
        key=events.key[rows],
        alone=events.alone[rows],
        reason=events.reason[rows],
        kind=events.kind[rows],
        bodies=[events.bodies[at] for at in rows.tolist()],
        names=events.names,
    )
