"""What a replay has done so far."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Summary:
    """Counts of a replay, kept up to date while its messages are taken.

    Attributes:
        rows: that were read, bad and skipped ones included; of a Capture taken as it is, messages.
        skipped: rows that are no payments, by the mapping.
        bad: rows that gave no event, by reason.
        events: that were given out in messages.
        messages: that were given out.
        unmoved: events that could not be moved in time, since their own cannot be read.
        oldest: event time that was given out, aware UTC, after moving.
        newest: likewise.
        shift: by which all events are moved.
    """

    rows: int = 0
    skipped: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    events: int = 0
    messages: int = 0
    unmoved: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    shift: timedelta = timedelta()

    @property
    def bad_rows(self) -> int:
        """All bad rows, whatever the reason."""
        return self.bad.total()

    def saw(self, event_time: datetime | None) -> None:
        """Take in the time of an event that is given out."""
        if event_time is None:
            self.unmoved += bool(self.shift)
            return
        if self.oldest is None or event_time < self.oldest:
            self.oldest = event_time
        if self.newest is None or event_time > self.newest:
            self.newest = event_time

    def lines(self) -> Iterator[str]:
        """Yield the summary as lines of text."""
        yield f"{self.events} events in {self.messages} messages, of {self.rows} rows"
        if self.oldest is not None and self.newest is not None:
            yield f"event times from {self.oldest.isoformat()} to {self.newest.isoformat()}"
        if self.shift:
            yield f"moved in time by {self.shift}"
        if self.unmoved:
            yield f"{self.unmoved} events have no time that can be read, and were not moved"
        if self.skipped:
            yield f"{self.skipped} rows skipped, being no payments"
        for reason, rows in sorted(self.bad.items(), key=lambda item: (-item[1], item[0])):
            yield f"{rows} bad rows: {reason}"
