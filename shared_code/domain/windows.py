"""Tumbling windows of five minutes, half-open ``[start, end)``, aligned to the Unix epoch."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

WINDOW_LENGTH: Final = timedelta(minutes=5)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """A half-open interval of event time, both ends aware and in UTC."""

    start: datetime
    end: datetime


def window_start(event_time: datetime) -> datetime:
    """Return the start of the window that holds an aware ``event_time``, in UTC.

    Integer arithmetic on microseconds: an instant one microsecond before an edge stays before it.
    """
    return event_time.astimezone(UTC) - (event_time - EPOCH) % WINDOW_LENGTH


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
