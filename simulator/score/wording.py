"""How numbers and times of a score are shown to people."""

from collections.abc import Mapping
from datetime import UTC, datetime

from simulator.score.rates import Delay, Rate

_MINUTE = 60
_HOUR = 60 * _MINUTE


def share(value: float | None) -> str:
    """Return a share with two decimals, cut off so that 1.00 is all and nothing less."""
    return "" if value is None else f"{int(value * 100 + 1e-9) / 100:.2f}"


def interval(rate: Rate) -> str:
    """Return a rate with its interval, such as ``0.96 .87-.99`` or ``1.00 .96-1``."""
    if rate.value is None or rate.low is None or rate.high is None:
        return ""
    return f"{share(rate.value)} {_bound(rate.low)}-{_bound(rate.high)}"


def _bound(value: float) -> str:
    """Return a bound as short as it can be told: ``0``, ``.87``, ``1``."""
    shown = f"{value:.2f}"
    return shown[0] if shown.endswith(".00") else shown.removeprefix("0")


def counts(rate: Rate) -> str:
    """Return a part and its whole."""
    return f"{rate.part}/{rate.whole}"


def delay(found: Delay | None) -> str:
    """Return median and 90th percentile, such as ``4m 11m``."""
    return "" if found is None else f"{duration(found.median)} {duration(found.p90)}"


def duration(seconds: float) -> str:
    """Return a length of time in the one unit that says most."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f}s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f}m"
    return f"{seconds / _HOUR:.1f}h" if seconds < 10 * _HOUR else f"{seconds / _HOUR:.0f}h"


def subject(fields: Mapping[str, str | None]) -> str:
    """Return whom something is about."""
    return " ".join(f"{name}={value}" for name, value in fields.items())


def when(first: datetime | None, last: datetime | None) -> str:
    """Return a time, or from when to when, in UTC."""
    if first is None or last is None:
        return ""
    begin, end = (time.astimezone(UTC) for time in (first, last))
    shown = f"{begin:%Y-%m-%d %H:%M:%S}"
    if begin == end:
        return shown
    same_day = begin.date() == end.date()
    return f"{shown} to {end:%H:%M:%S}" if same_day else f"{shown} to {end:%Y-%m-%d %H:%M:%S}"
