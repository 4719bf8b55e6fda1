"""Turns what rules say of amounts, in major units, into whole numbers of minor units.

An amount is a whole number of minor units of its currency. What a rule compares it with need not
be: 99.5 JPY lies between two amounts. So each comparison becomes the range of amounts that it lets
through, by number of decimals, reckoned in fractions and without rounding.
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.money import MAX_MINOR_UNITS
from shared_code.rules.columns import Integers

_EXPONENTS: Final = range(max(item.minor_unit for item in CURRENCY_BY_NUMBER.values()) + 1)
# Amounts are zero or more and fit 64 bits: what lies outside can be cut off and changes nothing.
_BELOW_ALL: Final = -1
_BELOW: Final = frozenset({"lt", "near_threshold"})


class Ranges(NamedTuple):
    """Lowest and highest amount in minor units, both included, by the currency's decimals."""

    lowest: Integers
    highest: Integers


def amount_ranges(operator: str, operand: Any, within_percent: Any = None) -> Ranges:
    """Return the amounts for which a comparison holds; for ``ne``, those for which it fails.

    Args:
        operator: checked to be one of those of amounts, but not is_round_amount.
        operand: a number of major units; two of them for ``between``.
        within_percent: for near_threshold alone: how far below the operand is still near.
    """
    bounds = [_bounds(operator, operand, within_percent, 10**decimals) for decimals in _EXPONENTS]
    return Ranges(
        np.array([min(max(low, 0), MAX_MINOR_UNITS) for low, _ in bounds], dtype=np.int64),
        np.array(
            [
                _BELOW_ALL if low > MAX_MINOR_UNITS else max(min(high, MAX_MINOR_UNITS), _BELOW_ALL)
                for low, high in bounds
            ],
            dtype=np.int64,
        ),
    )


def _bounds(operator: str, operand: Any, within_percent: Any, factor: int) -> tuple[int, int]:
    """Return the lowest and the highest amount for which a comparison holds, of any size."""
    first, last = operand if operator == "between" else (operand, operand)
    bound, upper = _exactly(first) * factor, _exactly(last) * factor
    if operator == "near_threshold":
        bound *= 1 - _exactly(within_percent) / 100
    lowest = math.floor(bound) + 1 if operator == "gt" else math.ceil(bound)
    highest = math.ceil(upper) - 1 if operator in _BELOW else math.floor(upper)
    return (
        0 if operator in {"lt", "lte"} else lowest,
        MAX_MINOR_UNITS if operator in {"gt", "gte"} else highest,
    )


def round_steps(multiple: Any) -> Integers:
    """Return which whole numbers of minor units divide just the multiples of ``multiple``.

    An amount is a whole multiple of p/q minor units, in lowest terms, if and only if p divides it:
    0.015 USD is 3/2 cents, so the amounts that are whole multiples of it are 0.03, 0.06 and so on.
    """
    steps = [(_exactly(multiple) * 10**decimals).numerator for decimals in _EXPONENTS]
    # No amount of 15 digits reaches the greatest 64-bit number, so that as a step it divides none.
    return np.array([min(step, MAX_MINOR_UNITS) for step in steps], dtype=np.int64)


def _exactly(number: int | Decimal) -> Fraction:
    return Fraction(number)
