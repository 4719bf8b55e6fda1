"""Event time: RFC 3339 text to an aware UTC instant of microsecond precision."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

# RFC 3339 section 5.6, with at most nine decimals. datetime.fromisoformat alone would take far
# more: week dates, missing seconds, missing offsets, offsets of 75 minutes.
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)
# Many of them, a comma behind each; small letters are rare.
_MANY: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:[0-5]\d),)*+", re.ASCII
)


def parse_event_time(text: str) -> datetime:
    """Return the instant that RFC 3339 ``text`` names, in UTC.

    Digits beyond the microsecond are cut off, never rounded: ``00:04:59.9999999`` belongs to the
    window that ends at ``00:05:00``. PostgreSQL and msgspec both round.

    Raises:
        ValueError: not RFC 3339, no offset, an impossible date, or a leap second.
    """
    if _RFC_3339.fullmatch(text) is None:
        msg = (
            f"expected an RFC 3339 time with offset such as 2026-01-31T23:59:59.5Z, found {text!r}"
        )
        raise ValueError(msg)
    try:
        event_time = datetime.fromisoformat(text.upper())
        return event_time if event_time.tzinfo is UTC else event_time.astimezone(UTC)
    except OverflowError as error:
        msg = f"{text!r} lies outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from error


def parse_event_times(texts: Sequence[str]) -> list[datetime] | None:
    """Return what ``parse_event_time`` does of each text; None if one is no ordinary one."""
    if _MANY.fullmatch(f"{','.join(texts)},") is None:
        return None
    try:
        times = map(datetime.fromisoformat, texts)
        return [time if time.tzinfo is UTC else time.astimezone(UTC) for time in times]
    except (ValueError, OverflowError):
        return None
