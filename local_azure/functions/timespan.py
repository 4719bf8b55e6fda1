"""Time spans as host.json and function.json write them."""

import re
from datetime import timedelta

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?")


def parse_timespan(text: str) -> timedelta:
    """Parse ``[d.]hh:mm:ss[.fffffff]``, the constant format of .NET's TimeSpan.

    Raises:
        ValueError: when it has another shape, or a part is out of range. .NET reads ``24:00:00``
            as 24 *days*; that surprise is refused here.
    """
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        msg = "it does not have the shape [d.]hh:mm:ss"
        raise ValueError(msg)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    if hours > 23:
        msg = f"it has {hours} hours (write whole days in front: 1.00:00:00)"
        raise ValueError(msg)
    if minutes > 59 or seconds > 59:
        msg = "minutes and seconds go up to 59"
        raise ValueError(msg)
    microseconds = int((match[5] or "0").ljust(7, "0")) // 10
    return timedelta(days, seconds, microseconds, hours=hours, minutes=minutes)
