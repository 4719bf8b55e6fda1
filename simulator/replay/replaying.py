"""Replays files of foreign rows or own events, one after the other, as messages."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from simulator.message import Message
from simulator.replay.card_masking import CardMasking
from simulator.replay.columns import check_columns, columns_used
from simulator.replay.errors import InvalidMapping, TooManyBadRows
from simulator.replay.mapping import FileType, ReplayMapping
from simulator.replay.packing import Packer
from simulator.replay.readers.byte_files import reading
from simulator.replay.readers.opening import file_type
from simulator.replay.rejects import Redactor, RejectFile
from simulator.replay.rows import BadRow
from simulator.replay.sources import EventSource, Item, ReadyMessage, SkippedRow, open_source
from simulator.replay.summary import Summary
from simulator.replay.translation import ReadyEvent


class Anchor(StrEnum):
    """Which event is moved to the given time; all others are moved alike."""

    newest = "newest"
    oldest = "oldest"


class ShiftTo(NamedTuple):
    """Moves events in time: the anchor to ``moment``, which is aware."""

    moment: datetime
    anchor: Anchor = Anchor.newest


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How files are replayed.

    Attributes:
        pack: most events in a message.
        linger: how long an event waits for its message to fill, in time of the events; None for
            as long as it takes, which is right unless messages are paced.
        shift_to: where to move the events in time; None leaves their times as they are.
        limit: most events; None for all. A captured message is never parted.
        max_rejects: most bad rows that are put up with; None for any number.
        rejects: file for bad rows; None keeps none.
        pii_hash_key: key of the fingerprints of card numbers; None makes none.
    """

    pack: int = 50
    linger: timedelta | None = None
    shift_to: ShiftTo | None = None
    limit: int | None = None
    max_rejects: int | None = None
    rejects: Path | None = None
    pii_hash_key: bytes | None = None


class Replay:
    """Files and a mapping, checked against each other and ready to be made messages.

    Iterate over ``messages`` once; ``summary`` and ``bytes_read`` are right at any time.

    Attributes:
        summary: what has been done so far.
        total_bytes: all that is to be read, twice if events are moved in time.
    """

    def __init__(
        self,
        files: Sequence[Path],
        mapping: ReplayMapping,
        options: ReplayOptions | None = None,
        *,
        name: str = "the mapping",
    ) -> None:
        """Check a mapping against the files.

        Args:
            files: in the order of their events.
            mapping: what becomes what; without fields events are taken as they are.
            options: how to replay.
            name: what messages call the mapping.

        Raises:
            InvalidMapping: it does not fit a file.
            UnreadableData: a file cannot be read.
            MissingLibrary: the kind of a file needs a library that is not installed.
        """
        self.summary = Summary()
        self._mapping = mapping
        self._options = options or ReplayOptions()
        self._masking = CardMasking(self._options.pii_hash_key)
        self._kinds = {path: _checked_kind(path, mapping, name) for path in files}
        self._files = tuple(files)
        passes = 1 if self._options.shift_to is None else 2
        self._sizes = {path: _size(path) for path in files}
        self.total_bytes = passes * sum(self._sizes[path] for path in self._files)
        self._bytes_before = 0
        self._source: EventSource | None = None
        self._redactor = Redactor(_card_columns(mapping))
        self._rejects: RejectFile | None = None

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of ``total_bytes``."""
        return self._bytes_before + (self._source.bytes_read if self._source is not None else 0)

    def messages(self) -> Iterator[Message]:
        """Yield the messages, in the order of the files and their rows.

        ``at`` is event time, or enqueued time of messages taken as they are, and never goes back.

        Raises:
            TooManyBadRows: there were more than ``max_rejects``.
            UnreadableData: a file is damaged.
            OutputFailed: the rejects cannot be written.
        """
        with ExitStack() as stack:
            if self._options.rejects is not None:
                self._rejects = stack.enter_context(
                    RejectFile(self._options.rejects, self._redactor)
                )
            self.summary.shift = self._shift()
            for message in self._packed():
                self.summary.messages += 1
                self.summary.events += message.events
                yield message

    def _packed(self) -> Iterator[Message]:
        packer = Packer(self._options.pack, self._options.linger)
        for path, item in self._items(self.summary.shift):
            self.summary.rows += 1
            match item:
                case BadRow():
                    self._refuse(path, item)
                case SkippedRow():
                    self.summary.skipped += 1
                case ReadyEvent():
                    self.summary.saw(item.event_time)
                    yield from packer.add(item)
                case ReadyMessage():
                    for moment in item.event_times:
                        self.summary.saw(moment)
                    at = packer.advance(item.sent_at)
                    yield Message(item.partition_key, item.body, len(item.event_times), at)
        yield from packer.close()

    def _items(self, shift: timedelta) -> Iterator[tuple[Path, Item]]:
        """Yield what the files hold, up to the limit of events."""
        limit = self._options.limit
        events = rows = 0
        for path in self._files:
            if limit is not None and events >= limit:
                return
            with self._opened(path) as source, closing(source.items(shift, rows)) as items:
                for item in items:
                    yield path, item
                    rows += 1
                    events += len(_event_times(item))
                    if limit is not None and events >= limit:
                        return

    def _shift(self) -> timedelta:
        """Return by how much all events are to be moved, from a pass over the files."""
        if self._options.shift_to is None:
            return timedelta()
        to, anchor = self._options.shift_to
        chosen = max if anchor is Anchor.newest else min
        moment = chosen(self._times(), default=None)
        return timedelta() if moment is None else to - moment

    def _times(self) -> Iterator[datetime]:
        if self._options.limit is not None:
            # Only making the events tells which are the first so many.
            for _, item in self._items(timedelta()):
                yield from (moment for moment in _event_times(item) if moment is not None)
            return
        for path in self._files:
            with self._opened(path) as source, closing(source.times()) as times:
                yield from times

    @contextmanager
    def _opened(self, path: Path) -> Iterator[EventSource]:
        with closing(open_source(path, self._mapping, self._kinds[path], self._masking)) as source:
            self._source = source
            try:
                yield source
            finally:
                self._source = None
                self._bytes_before += self._sizes[path]

    def _refuse(self, path: Path, bad: BadRow) -> None:
        self.summary.bad[bad.reason] += 1
        if self._rejects is not None:
            self._rejects.write(path, bad)
        most = self._options.max_rejects
        if most is not None and self.summary.bad_rows > most:
            detail = self._redactor.detail(bad.detail)
            raise TooManyBadRows(most, f"{path.name}:{bad.number}: {bad.reason}: {detail}")


def _event_times(item: Item) -> Sequence[datetime | None]:
    """Return the time of each event of an item, None if unreadable."""
    match item:
        case ReadyEvent(event_time=moment):
            return (moment,)
        case ReadyMessage(event_times=moments):
            return moments
        case _:
            return ()


def _checked_kind(path: Path, mapping: ReplayMapping, name: str) -> FileType:
    """Return the kind of a file that fits the mapping.

    Raises:
        InvalidMapping: it does not fit.
    """
    kind = mapping.format.type or file_type(path)
    if mapping.fields is not None:
        check_columns(mapping, path, name)
    elif kind in {"csv", "parquet"}:
        mistake = f"fields: missing; {path.name} is {kind}, which holds no events as they are"
        raise InvalidMapping(name, [mistake])
    return kind


def _card_columns(mapping: ReplayMapping) -> frozenset[str]:
    """Return the columns that hold full card numbers by the mapping's own word."""
    return frozenset(
        use.column for use in columns_used(mapping) if use.path.startswith("fields.card.number.")
    )


def _size(path: Path) -> int:
    with reading(path):
        return path.stat().st_size
