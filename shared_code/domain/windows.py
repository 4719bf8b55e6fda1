"""Tumbling windows of five minutes, and the hours and days that they add up to.

All are half-open ``[start, end)`` and aligned to the Unix epoch in UTC, so that every window lies
in exactly one hour, and every hour in exactly one day.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

WINDOW_LENGTH: Final = timedelta(minutes=5)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PeriodLength(StrEnum):
    """How long a period is, spelt as the database has it."""

    five_minutes = "5m"
    hour = "1h"
    day = "1d"

    @property
    def duration(self) -> timedelta:
        """The length as a span of time; a day of UTC always has 24 hours."""
        return _DURATIONS[self]


_DURATIONS: Final = {
    PeriodLength.five_minutes: WINDOW_LENGTH,
    PeriodLength.hour: timedelta(hours=1),
    PeriodLength.day: timedelta(hours=24),
}


class Period(NamedTuple):
    """A five-minute window, an hour or a day of event time; ``start`` is aware and in UTC."""

    length: PeriodLength
    start: datetime

    @property
    def end(self) -> datetime:
        """The first instant after the period."""
        return self.start + self.length.duration


class Window(NamedTuple):
    """A half-open interval of event time, both ends aware and in UTC."""

    start: datetime
    end: datetime


def period_of(instant: datetime, length: PeriodLength) -> Period:
    """Return the period of a length that holds an aware ``instant``."""
    return Period(length, _start(instant, length.duration))


def window_start(event_time: datetime) -> datetime:
    """Return the start of the window that holds an aware ``event_time``, in UTC."""
    return _start(event_time, WINDOW_LENGTH)


def window_of(event_time: datetime) -> Window:
    """Return the window that holds an aware ``event_time``."""
    start = window_start(event_time)
    return Window(start, start + WINDOW_LENGTH)


def windows_between(start: datetime, end: datetime) -> list[Window]:
    """Return every window that overlaps the half-open interval ``[start, end)``, oldest first."""
    windows: list[Window] = []
    edge = window_start(start)
    while edge < end:
        windows.append(Window(edge, edge + WINDOW_LENGTH))
        edge += WINDOW_LENGTH
    return windows


def _start(instant: datetime, duration: timedelta) -> datetime:
    """Return the last edge at or before an aware ``instant``, in UTC.

    Integer arithmetic on microseconds: an instant one microsecond before an edge stays before it.
    """
    return instant.astimezone(UTC) - (instant - EPOCH) % duration
