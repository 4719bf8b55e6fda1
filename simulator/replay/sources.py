"""Files as sources of events: foreign rows, own events by the line, or captured messages."""

from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from shared_code.domain.decoding import split_body
from simulator.replay.card_masking import CardMasking
from simulator.replay.mapping import FileType, ReplayMapping
from simulator.replay.own_events import changed_body, event_time_of, own_key, ready_event
from simulator.replay.readers.byte_files import ByteFile
from simulator.replay.readers.capture_rows import CapturedMessage, captured_messages
from simulator.replay.readers.json_rows import json_lines, shown
from simulator.replay.readers.opening import open_rows
from simulator.replay.rows import BadRow, Row, RowRefused, RowSource
from simulator.replay.translation import EventMapper, ReadyEvent


class ReadyMessage(NamedTuple):
    """A captured message; of each of its events the time, None if unreadable."""

    partition_key: str
    body: bytes
    event_times: tuple[datetime | None, ...]
    sent_at: datetime | None


class SkippedRow(NamedTuple):
    """A row that is no payment, by the mapping."""

    number: int


type Item = ReadyEvent | ReadyMessage | BadRow | SkippedRow


class EventSource(Protocol):
    """One file, read once, either its items or its times, and to be closed."""

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size."""

    def items(self, shift: timedelta, rows_before: int) -> Generator[Item]:
        """Yield one item for each row, its event moved in time.

        Args:
            shift: to add to every time.
            rows_before: rows of the files before this one.

        Raises:
            UnreadableData: the file is damaged.
        """

    def times(self) -> Generator[datetime]:
        """Yield the times that can be read, without making events.

        Raises:
            UnreadableData: the file is damaged.
        """

    def close(self) -> None:
        """Close the file."""


def open_source(
    path: Path, mapping: ReplayMapping, kind: FileType, masking: CardMasking
) -> EventSource:
    """Open a file for reading it once.

    Raises:
        UnreadableData: it cannot be opened.
        MissingLibrary: its kind needs a library that is not installed.
    """
    if mapping.fields is not None:
        mapper = EventMapper(mapping, mapping.fields, masking)
        return _ForeignRows(open_rows(path, mapping.format), mapper)
    masking_own = masking if mapping.card_numbers == "mask" else None
    file = ByteFile(path)
    return _Captured(file, masking_own) if kind == "capture" else _OwnLines(file, masking_own)


class _ForeignRows:
    """Rows of a foreign layout, mapped."""

    def __init__(self, source: RowSource, mapper: EventMapper) -> None:
        self._source = source
        self._mapper = mapper

    @property
    def bytes_read(self) -> int:
        return self._source.bytes_read

    def close(self) -> None:
        self._source.close()

    def items(self, shift: timedelta, rows_before: int) -> Generator[Item]:
        mapper = self._mapper
        for number, row in enumerate(self._source.rows(), start=rows_before + 1):
            if isinstance(row, BadRow):
                yield row
            elif mapper.skips(row.cells):
                yield SkippedRow(row.number)
            else:
                try:
                    ready = mapper.ready(mapper.event(row.cells, number), shift)
                except RowRefused as refusal:
                    yield BadRow(row.number, refusal.reason, refusal.detail, row.cells)
                else:
                    yield ready

    def times(self) -> Generator[datetime]:
        for row in self._source.rows():
            if isinstance(row, Row) and not self._mapper.skips(row.cells):
                try:
                    event_time = self._mapper.event_time(row.cells)
                except RowRefused:
                    # The pass that makes events tells it.
                    continue
                yield event_time


class _OwnLines:
    """Payment events, one a line, as they are."""

    def __init__(self, file: ByteFile, masking: CardMasking | None) -> None:
        self._file = file
        self._masking = masking

    @property
    def bytes_read(self) -> int:
        return self._file.bytes_read

    def close(self) -> None:
        self._file.close()

    def items(self, shift: timedelta, rows_before: int) -> Generator[Item]:  # noqa: ARG002 - lines have numbers of their own
        for line in json_lines(self._file):
            if isinstance(line, BadRow):
                yield line
                continue
            try:
                ready = ready_event(line.text, shift, self._masking)
            except RowRefused as refusal:
                content = shown(line.text)
                yield BadRow(line.number, refusal.reason, refusal.detail, content)
            else:
                yield ready

    def times(self) -> Generator[datetime]:
        for line in json_lines(self._file):
            moment = None if isinstance(line, BadRow) else event_time_of(line.text)
            if moment is not None:
                yield moment


class _Captured:
    """Messages as Event Hubs had them, byte for byte unless their events are changed."""

    def __init__(self, file: ByteFile, masking: CardMasking | None) -> None:
        self._file = file
        self._masking = masking

    @property
    def bytes_read(self) -> int:
        return self._file.bytes_read

    def close(self) -> None:
        self._file.close()

    def items(self, shift: timedelta, rows_before: int) -> Generator[Item]:  # noqa: ARG002 - records have numbers of their own
        for message in captured_messages(self._file):
            yield message if isinstance(message, BadRow) else self._item(message, shift)

    def times(self) -> Generator[datetime]:
        for message in captured_messages(self._file):
            for event in () if isinstance(message, BadRow) else split_body(message.body):
                moment = event_time_of(event)
                if moment is not None:
                    yield moment

    def _item(self, message: CapturedMessage, shift: timedelta) -> Item:
        try:
            body = changed_body(message.body, shift, self._masking)
            sent_at = None if message.enqueued_at is None else message.enqueued_at + shift
        except (RowRefused, OverflowError) as error:
            reason = error.reason if isinstance(error, RowRefused) else "invalid_event_time"
            return BadRow(message.number, reason, str(error), shown(message.body))
        events = split_body(body)
        return ReadyMessage(
            message.partition_key or own_key(events[0] if events else body),
            body,
            tuple(event_time_of(event) for event in events),
            sent_at,
        )
