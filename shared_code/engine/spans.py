"""Spans of event time that are judged again: whole windows that have ended."""

from datetime import datetime

from shared_code.domain.windows import Window, window_of, window_start
from shared_code.errors import PaymentsError


class SpanNotEnded(PaymentsError):
    """A span that holds no window, or one that has not ended."""

    def __init__(self, start: datetime, end: datetime, now: datetime) -> None:
        problem = "is empty" if end <= start else "has not ended yet"
        super().__init__(
            f"the span from {start.isoformat()} to {end.isoformat()} {problem};"
            f" give an end after its start and before {now.isoformat()}"
        )


def whole_windows(start: datetime, end: datetime, now: datetime) -> Window:
    """Return the whole windows that overlap ``[start, end)``.

    Raises:
        SpanNotEnded: there is none, or one has not ended.
    """
    if not start < end <= now:
        raise SpanNotEnded(start, end, now)
    last = window_of(end - datetime.resolution)
    if last.end > now:
        raise SpanNotEnded(start, end, now)
    return Window(window_start(start), last.end)
