"""Durations as configurations write them: a number and a unit."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

_UNITS: Final[Mapping[str, int]] = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_SPELLINGS: Final[Mapping[str, str]] = {
    "ms": r"ms|msec(?:ond)?s?|millis?|milliseconds?",
    "s": r"s|secs?|seconds?",
    "m": r"m|mins?|minutes?",
    "h": r"h|hrs?|hours?",
    "d": r"d|days?",
}
_DURATION: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|[smhd])")
LONGEST: Final = 3_660 * _UNITS["d"]


def microseconds(duration: str) -> int:
    """Return the length of a duration such as ``250ms``, ``90s``, ``5m``, ``24h`` or ``7d``.

    What is below a microsecond is cut off; what is beyond ``LONGEST`` counts as a bit more.

    Raises:
        ValueError: it is no duration.
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        msg = f"expected a duration such as 90s or 24h, found {duration!r}"
        raise ValueError(msg)
    number = Decimal(found["number"])
    return int(min(number * _UNITS[found["unit"]], Decimal(LONGEST + 1)))


def likely_duration(text: str) -> str:
    """Return the duration that somebody meant, such as ``30m`` for ``30 min``; empty if unknown."""
    for unit, spellings in _SPELLINGS.items():
        found = re.fullmatch(
            rf"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:{spellings})\s*", text, re.IGNORECASE | re.ASCII
        )
        if found:
            return f"{found[1]}{unit}"
    return ""
