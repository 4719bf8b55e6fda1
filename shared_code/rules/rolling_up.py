"""Adds up what window rules measured in five-minute windows, exactly, where that can be done."""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, NamedTuple

from shared_code.rules.document import Function, Measure

_QUOTIENT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
# No currency has more decimals (ISO 4217).
_MINOR_UNIT: Final = Decimal("0.0001")
_ONE: Final = Decimal(1)
_HUNDRED: Final = Decimal(100)


class Measured(NamedTuple):
    """What a window rule measured of one group: its value, and of how many payments."""

    value: Decimal
    payment_count: int


def can_be_added_up(measure: Measure) -> bool:
    """Tell whether a measure of a longer time follows from those of its windows.

    Percentiles, distinct counts and standard deviations do not; an average does not where amounts
    without a rate were left out, since of how many is not known.
    """
    if measure.function == "average" and measure.in_currency is not None:
        return False
    return measure.function in _ADDED_UP


def added_up(measure: Measure, windows: Sequence[Measured]) -> Measured:
    """Return what a measure that can be added up is over several windows together.

    Args:
        measure: of the rule.
        windows: at least one, of the same group.
    """
    payment_count = sum(window.payment_count for window in windows)
    return Measured(_ADDED_UP[measure.function](windows, payment_count), payment_count)


def _total(windows: Sequence[Measured], _payment_count: int) -> Decimal:
    return sum((window.value for window in windows), Decimal(0))


def _least(windows: Sequence[Measured], _payment_count: int) -> Decimal:
    return min(window.value for window in windows)


def _greatest(windows: Sequence[Measured], _payment_count: int) -> Decimal:
    return max(window.value for window in windows)


def _quotient(unit: Decimal) -> Callable[[Sequence[Measured], int], Decimal]:
    """Return how quotients over payments add up whose dividends are whole multiples of a unit."""

    def of_all(windows: Sequence[Measured], payment_count: int) -> Decimal:
        # A quotient of 28 digits, times its divisor and rounded, is what was divided.
        dividends = (
            (window.value * window.payment_count / unit).to_integral_value() * unit
            for window in windows
        )
        return _QUOTIENT.divide(sum(dividends, Decimal(0)), Decimal(payment_count))

    return of_all


_ADDED_UP: Final[Mapping[Function, Callable[[Sequence[Measured], int], Decimal]]] = {
    "count": _total,
    "sum": _total,
    "minimum": _least,
    "maximum": _greatest,
    "average": _quotient(_MINOR_UNIT),
    "ratio": _quotient(_ONE),
    "percentage": _quotient(_HUNDRED),
}
