"""Computes what a window rule measures, for each group of the payments of one window."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns, Integers, Mask
from shared_code.rules.conditions import CompiledCondition
from shared_code.rules.document import Measure
from shared_code.rules.fields import FIELDS, Field, Kind

_QUOTIENT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_LOW_BITS: Final = 32


class Group(NamedTuple):
    """Payments of one window that share their dimensions.

    ``dimensions`` maps field names to values as they stand in rules; None for a missing one.
    ``rows`` are positions in the columns.
    """

    dimensions: Mapping[str, str | None]
    rows: Integers


type CompiledMeasure = Callable[[Columns, Group], Decimal]


def groups_of(columns: Columns, matching: Mask, group_by: Sequence[str]) -> Iterator[Group]:
    """Yield the groups of the matching payments, by dimension values in ascending order."""
    rows = np.flatnonzero(matching).tolist()
    fields = [FIELDS[name] for name in group_by]
    stored = [columns.values(field.column) for field in fields]
    picked = [[column[row] for row in rows] for column in stored]
    keys = zip(*picked, strict=True) if picked else repeat(())
    members: dict[tuple[Any, ...], list[int]] = {}
    for row, key in zip(rows, keys, strict=False):
        members.setdefault(key, []).append(row)
    named = {
        tuple(map(_value_in_rules, fields, key)): np.array(group, dtype=np.int64)
        for key, group in members.items()
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


def compile_measure(measure: Measure, of: CompiledCondition) -> CompiledMeasure:
    """Return the operation that measures one group, which is never empty.

    Args:
        measure: checked, so that amounts are only combined within one currency.
        of: the condition of a ratio's or percentage's numerator.
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
                values = columns.values(column)
                present = {values[row] for row in group.rows.tolist()} - {None}
                return Decimal(len(present))

            return distinct
        case _:
            return _money_measure(measure)


def _money_measure(measure: Measure) -> CompiledMeasure:
    """Return a measure of amounts. All payments of a group have one currency."""
    share = Fraction(measure.percentile or 0) / 100

    def compute(columns: Columns, group: Group) -> Decimal:
        amounts = columns.minor_units()[group.rows]
        numbers: Sequence[int] = columns.values("currency")
        exponent = CURRENCY_BY_NUMBER[numbers[int(group.rows[0])]].minor_unit
        match measure.function:
            case "sum":
                return Decimal(exact_sum(amounts)).scaleb(-exponent)
            case "average":
                total = Decimal(exact_sum(amounts)).scaleb(-exponent)
                return _QUOTIENT.divide(total, Decimal(amounts.size))
            case "minimum":
                return Decimal(int(amounts.min())).scaleb(-exponent)
            case "maximum":
                return Decimal(int(amounts.max())).scaleb(-exponent)
            case _:
                return Decimal(nearest_rank(amounts, share)).scaleb(-exponent)

    return compute


def exact_sum(amounts: Integers) -> int:
    """Return the sum of 64-bit integers without overflow, for up to 2**31 of them."""
    high = int((amounts >> _LOW_BITS).sum())
    low = int((amounts & (2**_LOW_BITS - 1)).sum())
    return (high << _LOW_BITS) + low


def nearest_rank(amounts: Integers, share: Fraction) -> int:
    """Return the smallest amount that at least ``share`` of all do not exceed.

    This is SQL's ``percentile_disc``: an amount that was really paid, never one between two.

    Args:
        amounts: at least one.
        share: above 0, at most 1.
    """
    rank = math.ceil(Fraction(share) * amounts.size)
    return int(np.partition(amounts, rank - 1)[rank - 1])
