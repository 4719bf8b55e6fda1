"""A partition's log: segments in order, appended to at the end, dropped from the beginning."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from local_azure.event_hubs.errors import LogDamaged
from local_azure.event_hubs.log.records import LogEnd
from local_azure.event_hubs.log.segment import SUFFIX, Segment, sync_folder

HOUR_MS = 3_600_000

type EncodeMessage = Callable[[int, int, int], bytes]
"""Gives a message's final bytes from its sequence number, offset and enqueued time (ms)."""


@dataclass(frozen=True, slots=True)
class LogLimits:
    """When segments end and when they go.

    Attributes:
        retention_ms: How long an event is kept at least, in milliseconds.
        segment_bytes: A segment that has reached this size is followed by a new one.
    """

    retention_ms: int
    segment_bytes: int = 64 * 1024 * 1024

    @property
    def segment_ms(self) -> int:
        """Longest time that one segment spans: whole segments go, so this is the surplus kept."""
        return max(self.retention_ms // 8, HOUR_MS // 8)


class PartitionLog:
    """An append-only log in one folder. Not safe for use by several threads, but for ``sync``."""

    def __init__(self, folder: Path, limits: LogLimits, segments: list[Segment]) -> None:
        self._folder = folder
        self._limits = limits
        self._segments = segments

    @classmethod
    def open(cls, folder: Path, limits: LogLimits) -> Self:
        """Open a log, or begin one if the folder has none.

        Raises:
            LogDamaged: A file is damaged, or one is missing between two others.
            OSError: The disk refuses.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for draft in folder.glob("*.new"):
            draft.unlink()
        paths = sorted(folder.glob(f"*{SUFFIX}"))
        segments: list[Segment] = []
        try:
            for path in paths:
                segment = Segment.open(path, is_last=path == paths[-1])
                segments.append(segment)
            _check_gaps(segments)
            if not segments:
                segments.append(Segment.create(folder, LogEnd()))
        except BaseException:
            for segment in segments:
                segment.close()
            raise
        return cls(folder, limits, segments)

    @property
    def first_sequence(self) -> int:
        """Sequence number of the oldest event that is kept, or of the next if there is none."""
        return self._segments[0].base.next_sequence

    @property
    def end(self) -> LogEnd:
        """Where the log stands behind its last event."""
        return self._segments[-1].end

    def append(self, events: Sequence[EncodeMessage], now_ms: int) -> int:
        """Append events, all or none.

        Args:
            events: Each gives its bytes once its place in the log is known.
            now_ms: The time, in milliseconds since the epoch. An event is never older than the
                one before it, whatever the clock does.

        Returns:
            The sequence number behind the last event.

        Raises:
            OSError: The disk refuses; the log is as it was.
        """
        self._begin_segment_if_due(now_ms)
        segment = self._segments[-1]
        end = segment.end
        enqueued_time = max(now_ms, end.last_time)
        sequence, offset = end.next_sequence, end.next_offset
        messages = []
        for encode in events:
            message = encode(sequence, offset, enqueued_time)
            messages.append(message)
            sequence += 1
            offset += segment.record_size(message)
        segment.append(messages, enqueued_time)
        return sequence

    def _begin_segment_if_due(self, now_ms: int) -> None:
        segment = self._segments[-1]
        first_time = segment.first_time
        if first_time is None:
            return
        if (
            segment.size >= self._limits.segment_bytes
            or now_ms - first_time >= self._limits.segment_ms
        ):
            # Only the newest segment may end in a torn record.
            segment.sync()
            self._segments.append(Segment.create(self._folder, segment.end))

    def sync(self) -> None:
        """Wait until all that was appended is on the disk; may run in another thread.

        Raises:
            OSError: The disk failed.
        """
        self._segments[-1].sync()

    def read(
        self, sequence: int, until: int, max_events: int, max_bytes: int
    ) -> tuple[int, list[memoryview]]:
        """Read messages.

        Args:
            sequence: Where to begin; if that event is gone, the oldest one stands in for it.
            until: The sequence number to stop before.
            max_events: At most so many messages.
            max_bytes: No message that begins behind so many bytes, but at least one.

        Returns:
            The sequence number of the first message, and the messages.

        Raises:
            OSError: A file cannot be read.
        """
        sequence = max(sequence, self.first_sequence)
        if sequence >= until:
            return sequence, []
        bases = [segment.base.next_sequence for segment in self._segments]
        segment = self._segments[bisect_right(bases, sequence) - 1]
        return sequence, segment.read(sequence, min(max_events, until - sequence), max_bytes)

    def first_sequence_from_offset(self, offset: int) -> int:
        """Give the sequence number of the first event at or behind an offset."""
        for segment in self._segments:
            if offset < segment.end.next_offset:
                return segment.first_sequence_from_offset(offset)
        return self.end.next_sequence

    def first_sequence_from_time(self, enqueued_time: int) -> int:
        """Give the sequence number of the first event enqueued at or after a time in ms."""
        for segment in self._segments:
            if segment.count and enqueued_time <= segment.end.last_time:
                return segment.first_sequence_from_time(enqueued_time)
        return self.end.next_sequence

    def drop_expired(self, now_ms: int) -> int:
        """Drop the oldest segments whose every event is past retention.

        Returns:
            How many segments went.

        Raises:
            OSError: The disk refuses.
        """
        limit = now_ms - self._limits.retention_ms
        newest = self._segments[-1]
        if newest.count and newest.end.last_time < limit:
            # An empty segment takes over the numbering before the last events go.
            self._segments.append(Segment.create(self._folder, newest.end))
        dropped = 0
        while len(self._segments) > 1 and self._segments[0].end.last_time < limit:
            self._segments.pop(0).delete()
            dropped += 1
        if dropped:
            sync_folder(self._folder)
        return dropped

    def close(self) -> None:
        """Close the files; a second time changes nothing."""
        segments, self._segments = self._segments, []
        for segment in segments:
            segment.close()


def _check_gaps(segments: Sequence[Segment]) -> None:
    for older, newer in pairwise(segments):
        if older.end.next_offset != newer.base.next_offset:
            raise LogDamaged(newer.path, 0, f"it does not go on where {older.path} ends")
