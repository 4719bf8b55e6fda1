"""Computes what a window rule measures, for each group of the payments of one window."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns, Integers, Mask
from shared_code.rules.conditions import CompiledCondition
from shared_code.rules.document import Measure
from shared_code.rules.fields import FIELDS, Kind

_QUOTIENT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_LOW_BITS: Final = 32


class Group(NamedTuple):
    """Payments of one window that share their dimensions.

    ``dimensions`` maps field names to values as they stand in rules; None for a missing one.
    ``rows`` are positions in the columns.
    """

    dimensions: Mapping[str, str | None]
    rows: Integers


def groups_of(columns: Columns, matching: Mask, group_by: Sequence[str]) -> Iterator[Group]:
    """Yield the groups of the matching payments, by dimension values in ascending order."""
    rows = np.flatnonzero(matching)
    if not rows.size:
        return
    keys = [_key_column(columns, name) for name in group_by]
    members: dict[tuple[str | None, ...], list[int]] = {}
    for row in rows.tolist():
        members.setdefault(tuple(key[row] for key in keys), []).append(row)
    for values in sorted(
        members, key=lambda group: [(value is None, value or "") for value in group]
    ):
        dimensions = dict(zip(group_by, values, strict=True))
        yield Group(dimensions, np.array(members[values], dtype=np.int64))


def _missing_last(group: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in group]


def _key_column(columns: Columns, name: str) -> Sequence[str | None]:
    field = FIELDS[name]
    values: Sequence[Any] = columns.values(field.column)
    if field.kind is Kind.text:
        return values
    names = {number: value for value, number in field.numbers.items()}
    return [None if value is None else names[value] for value in values]


def compile_measure(
    measure: Measure, of: CompiledCondition
) -> Callable[[Columns, Group], Decimal | None]:
    """Return the operation that measures one group; None where the group has nothing to measure.

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
                hits = int(np.count_nonzero(of(columns).true[group.rows]))
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


def _money_measure(measure: Measure) -> Callable[[Columns, Group], Decimal]:
    """Return a measure of amounts. All payments of a group have one currency."""

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
                share = (measure.percentile or Decimal(50)) / 100
                return Decimal(nearest_rank(amounts, share)).scaleb(-exponent)

    return compute


def exact_sum(amounts: Integers) -> int:
    """Return the sum of 64-bit integers without overflow, for up to 2**31 of them."""
    high = int((amounts >> _LOW_BITS).sum())
    low = int((amounts & (2**_LOW_BITS - 1)).sum())
    return (high << _LOW_BITS) + low


def nearest_rank(amounts: Integers, share: Decimal) -> int:
    """Return the smallest amount that at least ``share`` of all do not exceed.

    This is SQL's ``percentile_disc``: an amount that was really paid, never one between two.
    """
    rank = max(-(-share * amounts.size // 1), Decimal(1))
    return int(np.partition(amounts, int(rank) - 1)[int(rank) - 1])
