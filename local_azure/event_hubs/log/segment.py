"""One file of a partition's log, with an index of its records in memory."""

import mmap
import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from local_azure.event_hubs.errors import LogDamaged
from local_azure.event_hubs.log.records import (
    FILE_HEADER_SIZE,
    RECORD_HEADER_SIZE,
    LogEnd,
    decode_file_header,
    encode_file_header,
    encode_record,
    read_record,
)

SUFFIX = ".log"


class Segment:
    """A run of records with consecutive sequence numbers in one file.

    Attributes:
        path: The file.
        base: Where the log stood when the file was begun.
    """

    def __init__(self, path: Path, base: LogEnd, descriptor: int) -> None:
        self.path = path
        self.base = base
        self._descriptor = descriptor
        self._size = FILE_HEADER_SIZE
        # 16 bytes in memory for each event; offsets are relative to base.next_offset.
        self._offsets = array("Q")
        self._times = array("q")

    @classmethod
    def create(cls, folder: Path, base: LogEnd) -> Self:
        """Begin a new file; it is there whole, header and all, or not at all.

        Raises:
            OSError: The disk refuses.
        """
        path = folder / f"{base.next_offset:020d}{SUFFIX}"
        draft = path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(encode_file_header(base))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        sync_folder(folder)
        return cls(path, base, os.open(path, os.O_RDWR))

    @classmethod
    def open(cls, path: Path, *, is_last: bool) -> Self:
        """Open a file and rebuild its index.

        Args:
            path: The file.
            is_last: Whether it is the newest: only there may a record be cut short, by a process
                that was killed while it wrote. That tail was never acknowledged and is cut off.

        Raises:
            LogDamaged: The header or, but in the newest file, a record is damaged.
            OSError: The file cannot be read.
        """
        descriptor = os.open(path, os.O_RDWR)
        try:
            return cls._recover(path, descriptor, is_last=is_last)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def _recover(cls, path: Path, descriptor: int, *, is_last: bool) -> Self:
        base = decode_file_header(os.pread(descriptor, FILE_HEADER_SIZE, 0))
        if base is None:
            raise LogDamaged(path, 0, "its header is incomplete or has a wrong checksum")
        segment = cls(path, base, descriptor)
        total = os.fstat(descriptor).st_size
        segment._index(total)
        if segment.size < total:
            if not is_last:
                reason = "a record is incomplete or has a wrong checksum"
                raise LogDamaged(path, segment.size, reason)
            os.ftruncate(descriptor, segment.size)
            os.fsync(descriptor)
        return segment

    def _index(self, total: int) -> None:
        if total == FILE_HEADER_SIZE:
            return
        with (
            mmap.mmap(self._descriptor, total, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as raw,
        ):
            sequence = self.base.next_sequence
            while (record := read_record(raw, self._size, sequence)) is not None:
                end, enqueued_time = record
                self._offsets.append(self._size - FILE_HEADER_SIZE)
                self._times.append(enqueued_time)
                self._size = end
                sequence += 1

    @property
    def count(self) -> int:
        """Number of records."""
        return len(self._offsets)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    @property
    def end(self) -> LogEnd:
        """Where the log stands behind this file's last record."""
        if not self.count:
            return self.base
        return LogEnd(
            next_offset=self.base.next_offset + self._size - FILE_HEADER_SIZE,
            next_sequence=self.base.next_sequence + self.count,
            last_offset=self.base.next_offset + self._offsets[-1],
            last_time=self._times[-1],
        )

    @property
    def first_time(self) -> int | None:
        """Enqueued time of the first record in milliseconds, None without records."""
        return self._times[0] if self.count else None

    @staticmethod
    def record_size(message: bytes) -> int:
        """Bytes that a message takes in the log: the distance to the next offset."""
        return RECORD_HEADER_SIZE + len(message)

    def append(self, messages: Sequence[bytes], enqueued_time: int) -> None:
        """Write records; a failed write leaves the file as it was.

        The bytes are safe from a kill of the process at once, from a loss of power only after
        ``sync``.

        Raises:
            OSError: The disk refuses, for example because it is full.
        """
        sequence = self.base.next_sequence + self.count
        records = [
            encode_record(sequence + number, enqueued_time, message)
            for number, message in enumerate(messages)
        ]
        raw = b"".join(records)
        try:
            written = os.pwrite(self._descriptor, raw, self._size)
            while written < len(raw):
                written += os.pwrite(self._descriptor, raw[written:], self._size + written)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        position = self._size - FILE_HEADER_SIZE
        for record in records:
            self._offsets.append(position)
            self._times.append(enqueued_time)
            position += len(record)
        self._size += len(raw)

    def sync(self) -> None:
        """Wait until all that was appended is on the disk.

        Raises:
            OSError: The disk failed.
        """
        os.fsync(self._descriptor)

    def read(self, sequence: int, max_events: int, max_bytes: int) -> list[memoryview]:
        """Read messages from ``sequence`` on.

        Args:
            sequence: A sequence number that this file holds.
            max_events: At most so many messages.
            max_bytes: No message that begins behind so many bytes, but at least one.

        Raises:
            OSError: The file cannot be read.
        """
        first = sequence - self.base.next_sequence
        start = self._offsets[first]
        last = min(first + max_events, self.count)
        last = bisect_right(self._offsets, start + max_bytes, first + 1, last)
        stop = self._offsets[last] if last < self.count else self._size - FILE_HEADER_SIZE
        raw = memoryview(os.pread(self._descriptor, stop - start, FILE_HEADER_SIZE + start))
        edges = [*self._offsets[first:last], stop]
        return [
            raw[edges[i] - start + RECORD_HEADER_SIZE : edges[i + 1] - start]
            for i in range(last - first)
        ]

    def first_sequence_from_offset(self, offset: int) -> int:
        """Give the sequence number of the first record at or behind ``offset``."""
        relative = max(offset - self.base.next_offset, 0)
        return self.base.next_sequence + bisect_left(self._offsets, relative)

    def first_sequence_from_time(self, enqueued_time: int) -> int:
        """Give the sequence number of the first record enqueued at or after a time in ms."""
        return self.base.next_sequence + bisect_left(self._times, enqueued_time)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def delete(self) -> None:
        """Close the file and remove it.

        Raises:
            OSError: The file system refuses.
        """
        self.close()
        self.path.unlink()


def sync_folder(folder: Path) -> None:
    """Make created, renamed and removed names in a folder durable.

    Raises:
        OSError: The disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
