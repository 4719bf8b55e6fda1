"""Computes what a window rule measures, for each group of the payments of one window."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.conditions import CompiledCondition
from shared_code.rules.document import Measure
from shared_code.rules.fields import FIELDS, Field, Kind
from shared_code.rules.ordering import ascending, numbered
from shared_code.rules.rates import Conversion, Converter

_QUOTIENT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
# A root is taken to more digits than are kept, so that the quotient is rounded once.
_ROOT: Final = Context(prec=60)
_LOW_BITS: Final = 32


class Group(NamedTuple):
    """Payments of one window that share their dimensions.

    ``dimensions`` maps field names to values as they stand in rules; None for a missing one.
    ``rows`` are positions in the columns.
    """

    dimensions: Mapping[str, str | None]
    rows: Integers


# None where there is nothing to measure: no amount of the group could be converted.
type CompiledMeasure = Callable[[Columns, Group], Decimal | None]


def groups_of(columns: Columns, matching: Mask, group_by: Sequence[str]) -> Iterator[Group]:
    """Yield the groups of the matching payments, by dimension values in ascending order."""
    rows = np.flatnonzero(matching)
    if not rows.size:
        return
    fields = [FIELDS[name] for name in group_by]
    codes = np.zeros(rows.size, dtype=np.int64)
    for field in fields:
        labels = columns.labels(field.column)[rows].astype(np.int64)
        codes = numbered(codes * (int(labels.max()) + 2) + labels + 1)
    # Rows stay ascending within each group.
    order = ascending(codes)
    members = np.split(rows[order], np.flatnonzero(np.diff(codes[order])) + 1)
    named = {
        tuple(
            _value_in_rules(field, columns.values(field.column)[int(group[0])]) for field in fields
        ): group
        for group in members
    }
    for values in sorted(named, key=_missing_last):
        yield Group(dict(zip(group_by, values, strict=True)), named[values])


def _value_in_rules(field: Field, stored: Any) -> str | None:
    if stored is None or field.kind is Kind.text:
        text: str | None = stored
        return text
    return field.names[stored]


def _missing_last(group: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in group]


def compile_measure(
    measure: Measure, of: CompiledCondition, converter: Converter
) -> CompiledMeasure:
    """Return the operation that measures one group, which is never empty.

    Args:
        measure: checked, so that amounts are only combined within one currency.
        of: the condition of a ratio's or percentage's numerator.
        converter: makes the conversion that the measure may ask for.
    """
    match measure.function:
        case "count":
            return lambda _columns, group: Decimal(group.rows.size)
        case "ratio" | "percentage":
            scale = 100 if measure.function == "percentage" else 1

            def share(columns: Columns, group: Group) -> Decimal:
                hits = int(np.count_nonzero(columns.once(of).true[group.rows]))
                return _QUOTIENT.divide(Decimal(hits * scale), Decimal(int(group.rows.size)))

            return share
        case "distinct_count":
            column = FIELDS[measure.field or ""].column

            def distinct(columns: Columns, group: Group) -> Decimal:
                present = np.unique(columns.labels(column)[group.rows])
                return Decimal(int((present != ABSENT).sum()))

            return distinct
        case _:
            target = measure.in_currency
            return _money_measure(measure, None if target is None else converter.to(target))


def _money_measure(measure: Measure, conversion: Conversion | None) -> CompiledMeasure:
    """Return a measure of amounts of one currency, the group's own or that of the conversion."""

    def compute(columns: Columns, group: Group) -> Decimal | None:
        amounts, decimals = _amounts(columns, group, conversion)
        return _of_amounts(measure, amounts).scaleb(-decimals) if amounts.size else None

    return compute


def _amounts(columns: Columns, group: Group, conversion: Conversion | None) -> tuple[Integers, int]:
    """Return a group's amounts in minor units of one currency, and the currency's decimals."""
    if conversion is None:
        numbers: Sequence[int] = columns.values("currency")
        currency = CURRENCY_BY_NUMBER[numbers[int(group.rows[0])]]
        return columns.minor_units()[group.rows], currency.minor_unit
    converted, known = conversion.of(columns, "amount", "currency")
    return converted[group.rows][known[group.rows]], conversion.target.minor_unit


def _of_amounts(measure: Measure, amounts: Integers) -> Decimal:
    match measure.function:
        case "sum":
            value = Decimal(exact_sum(amounts))
        case "average":
            value = _QUOTIENT.divide(Decimal(exact_sum(amounts)), Decimal(amounts.size))
        case "minimum":
            value = Decimal(int(amounts.min()))
        case "maximum":
            value = Decimal(int(amounts.max()))
        case "standard_deviation":
            value = standard_deviation(amounts)
        case _:
            share = Fraction(measure.percentile or 0) / 100
            value = Decimal(nearest_rank(amounts, share))
    return value


def exact_sum(amounts: Integers) -> int:
    """Return the sum of 64-bit integers without overflow, for up to 2**31 of them."""
    high = int((amounts >> _LOW_BITS).sum())
    low = int((amounts & (2**_LOW_BITS - 1)).sum())
    return (high << _LOW_BITS) + low


def exact_sums(amounts: Integers, begins: Integers) -> list[int]:
    """Return the sum of each group of amounts that lie side by side, as ``exact_sum`` does.

    Args:
        amounts: at least one.
        begins: where each group begins, ascending, the first at 0.
    """
    high = np.add.reduceat(amounts >> _LOW_BITS, begins).tolist()
    low = np.add.reduceat(amounts & (2**_LOW_BITS - 1), begins).tolist()
    return [(upper << _LOW_BITS) + lower for upper, lower in zip(high, low, strict=True)]


def standard_deviation(amounts: Integers) -> Decimal:
    """Return the square root of the mean squared distance from the mean, to 28 digits.

    The divisor is n, as in SQL's ``stddev_pop``: a group is all that is measured, no sample. The
    sums are exact: ``n * sum(x**2) - sum(x)**2`` cancels badly in floating point.
    """
    count, total = amounts.size, exact_sum(amounts)
    squares = sum(amount * amount for amount in amounts.tolist())
    root = _ROOT.sqrt(Decimal(count * squares - total * total))
    return _QUOTIENT.divide(root, Decimal(count))


def nearest_rank(amounts: Integers, share: Fraction) -> int:
    """Return the smallest amount that at least ``share`` of all do not exceed.

    This is SQL's ``percentile_disc``: an amount that was really paid, never one between two.

    Args:
        amounts: at least one.
        share: above 0, at most 1.
    """
    rank = math.ceil(Fraction(share) * amounts.size)
    return int(np.partition(amounts, rank - 1)[rank - 1])
