"""Sets of numbers as ranges, to tell whether comparisons of numbers leave anything possible."""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple

type Number = int | Decimal
# A place between numbers: -1 or 1 for the ends of the line, and 0 or 1 for just before or after.
type _Cut = tuple[int, Number, int]

_FIRST: Final[_Cut] = (-1, 0, 0)
_LAST: Final[_Cut] = (1, 0, 0)
# Numbers of documents have at most 18 digits on either side of the point, so this is exact.
_EXACT: Final = Context(prec=120)


class NumberSet(NamedTuple):
    """Ascending ranges between cuts, that do not touch each other."""

    ranges: tuple[tuple[_Cut, _Cut], ...]

    @property
    def is_empty(self) -> bool:
        """Whether no number is in the set."""
        return not self.ranges

    def meet(self, other: "NumberSet") -> "NumberSet":
        """Return the numbers that are in both sets."""
        met = (
            (max(first, other_first), min(last, other_last))
            for first, last in self.ranges
            for other_first, other_last in other.ranges
        )
        return NumberSet(tuple((first, last) for first, last in met if first < last))

    def complement(self) -> "NumberSet":
        """Return the numbers that are not in the set."""
        firsts = [_FIRST, *(last for _, last in self.ranges)]
        lasts = [*(first for first, _ in self.ranges), _LAST]
        gaps = zip(firsts, lasts, strict=True)
        return NumberSet(tuple((first, last) for first, last in gaps if first < last))


def between(low: Number, high: Number) -> NumberSet:
    """Return the numbers from ``low`` to ``high``, both included."""
    return NumberSet((((0, low, 0), (0, high, 1)),))


def band(at_least: Number | None, below: Number | None) -> NumberSet:
    """Return the numbers in ``[at_least, below)``; an end that is None is open."""
    first = _FIRST if at_least is None else (0, at_least, 0)
    last = _LAST if below is None else (0, below, 0)
    return NumberSet(((first, last),) if first < last else ())


EVERY_NUMBER: Final = band(None, None)
NEVER_NEGATIVE: Final = band(0, None)


def _above(bound: Number) -> NumberSet:
    return NumberSet((((0, bound, 1), _LAST),))


_THAT: Final[Mapping[str, Callable[[Number], NumberSet]]] = {
    "eq": lambda bound: between(bound, bound),
    "ne": lambda bound: between(bound, bound).complement(),
    "gt": _above,
    "gte": lambda bound: band(bound, None),
    "lt": lambda bound: band(None, bound),
    "lte": lambda bound: _above(bound).complement(),
    # The least multiple above zero is the number itself.
    "is_round_amount": lambda bound: band(bound, None),
}


def numbers_that(operator: str, operand: Any, within_percent: Number | None = None) -> NumberSet:
    """Return numbers that include all of which a comparison can be true.

    Args:
        operator: one for numbers or amounts.
        operand: a number; for ``between`` the two ends.
        within_percent: of ``near_threshold``.
    """
    if operator == "between":
        return between(*operand)
    if within_percent is not None:
        share = _EXACT.subtract(Decimal(100), Decimal(within_percent))
        return band(_EXACT.multiply(Decimal(operand), share).scaleb(-2, _EXACT), operand)
    return _THAT[operator](operand)
