"""Shares with what they are worth, and delays: the numbers that a score is made of."""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import median
from typing import Final

import msgspec

# Standard normal quantile of a two-sided interval of 95 %.
_Z: Final = 1.959963984540054
_HIGH_PERCENTILE: Final = 0.9


class Rate(msgspec.Struct, frozen=True):
    """A part of a whole, with the Wilson interval of 95 %; all None but the counts of nothing."""

    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None


class Delay(msgspec.Struct, frozen=True):
    """How long something took, in seconds; ``p90`` is a delay that was seen (nearest rank)."""

    count: int
    median: float
    p90: float


def rate(part: int, whole: int) -> Rate:
    """Return a part of a whole as a rate (Wilson 1927: sound for few, and near 0 and 1)."""
    if whole == 0:
        return Rate(part, whole, None, None, None)
    value = part / whole
    centre = (part + _Z**2 / 2) / (whole + _Z**2)
    reach = _Z * sqrt(part * (whole - part) / whole + _Z**2 / 4) / (whole + _Z**2)
    # At the ends the interval is closed exactly; rounding must not say otherwise.
    low = 0.0 if part == 0 else centre - reach
    high = 1.0 if part == whole else centre + reach
    return Rate(part, whole, value, low, high)


def f1(recall: Rate, precision: Rate) -> float | None:
    """Return the harmonic mean of two rates, None if either is one of nothing."""
    if recall.value is None or precision.value is None:
        return None
    both = recall.value + precision.value
    return 2 * recall.value * precision.value / both if both else 0.0


def delay(seconds: Sequence[float]) -> Delay | None:
    """Return median and 90th percentile of some delays, None if there are none."""
    if not seconds:
        return None
    ranked = sorted(seconds)
    high = ranked[ceil(_HIGH_PERCENTILE * len(ranked)) - 1]
    return Delay(len(ranked), median(ranked), high)
