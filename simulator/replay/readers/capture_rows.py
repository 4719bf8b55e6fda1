"""Messages and events of Event Hubs Capture files (Avro)."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared_code.domain.decoding import split_body
from simulator.errors import MissingLibrary
from simulator.replay.errors import UnreadableData
from simulator.replay.readers.byte_files import ByteFile, reading
from simulator.replay.readers.json_rows import row_of, shown
from simulator.replay.rows import BadRow, Row, RowFault

# As Capture writes it; IoT Hub and others write ISO 8601.
_CAPTURE_TIME: Final = "%m/%d/%Y %I:%M:%S %p"
_PARTITION_KEY: Final = "x-opt-partition-key"
_NO_BODY: Final = "expected a record with bytes in Body, as Event Hubs Capture writes it"
# What fastavro raises for files that are cut off or are none of its.
_DAMAGED: Final = (ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)


class CapturedMessage(NamedTuple):
    """One message as Event Hubs had it; ``enqueued_at`` is aware UTC, None if unreadable."""

    number: int
    body: bytes
    enqueued_at: datetime | None
    partition_key: str | None


def captured_messages(file: ByteFile) -> Iterator[CapturedMessage | BadRow]:
    """Yield the messages of a Capture file in its order.

    Raises:
        UnreadableData: it is no Avro file, or damaged.
        MissingLibrary: fastavro is not installed.
    """
    try:
        from fastavro import reader  # noqa: PLC0415 - an optional library
    except ImportError as error:
        raise MissingLibrary("fastavro", "reading Event Hubs Capture") from error
    with reading(file.path):
        with _understanding(file.path):
            records = iter(reader(file.stream))
        number = 0
        while True:
            with _understanding(file.path):
                record: Any = next(records, None)
            if record is None:
                return
            number += 1
            body = record.get("Body") if isinstance(record, Mapping) else None
            if not isinstance(body, bytes):
                yield BadRow(number, RowFault.unreadable, _NO_BODY, shown(str(record).encode()))
                continue
            yield CapturedMessage(
                number,
                body,
                _enqueued_at(record.get("EnqueuedTimeUtc")),
                _partition_key(record.get("SystemProperties")),
            )


class CapturedRows:
    """The events in the messages of one Capture file; each has the number of its record."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            UnreadableData: it cannot be opened.
        """
        self.file = ByteFile(path)
        self.columns: tuple[str, ...] | None = None

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size."""
        return self.file.bytes_read

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the events; bodies that are no JSON give bad rows.

        Raises:
            UnreadableData: the file is no Avro file, or damaged.
        """
        for message in captured_messages(self.file):
            if isinstance(message, BadRow):
                yield message
                continue
            for text in split_body(message.body):
                yield row_of(message.number, text)


@contextmanager
def _understanding(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise UnreadableData(path, f"it is no Avro file, or damaged: {error}") from error


def _enqueued_at(text: Any) -> datetime | None:
    if isinstance(text, datetime):
        return text.astimezone(UTC)
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = datetime.strptime(text, _CAPTURE_TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _partition_key(properties: Any) -> str | None:
    key = properties.get(_PARTITION_KEY) if isinstance(properties, Mapping) else None
    if isinstance(key, bytes):
        return key.decode("utf-8", "backslashreplace")
    return str(key) if key is not None else None
