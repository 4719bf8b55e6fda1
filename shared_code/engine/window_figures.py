"""The exact figures of a window's payments, group by group, from their columns.

One sort by group and amount gives counts, least and greatest amounts and every percentile. The
payments are in memory for the rules, anyway; PostgreSQL would sort them once for each figure.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns, Integers
from shared_code.rules.measures import exact_sum
from shared_code.store.window_close import GroupFigures

_GROUPED_BY: Final = ("payment_method", "currency", "payment_status")
_COUNTED: Final = ("customer_id", "merchant_id")
# The columns that figures are made of.
FIGURE_COLUMNS: Final = frozenset({*_GROUPED_BY, *_COUNTED, "amount"})
# More than any code.
_CODES: Final = 1 << 16


def figures_of(columns: Columns) -> Iterator[GroupFigures]:
    """Yield the figures of each group of payments, in the order of the group's numbers."""
    if not columns.size:
        return
    keys = np.column_stack([columns.codes(name) for name in _GROUPED_BY])
    groups, codes = np.unique(_one_number(keys), return_inverse=True)
    order = np.lexsort((columns.minor_units(), codes))
    ends = np.searchsorted(codes[order], np.arange(groups.size), side="right").tolist()
    amounts = columns.minor_units()[order]
    distinct = [_distinct(columns, name, codes, groups.size) for name in _COUNTED]
    start = 0
    for number, end in enumerate(ends):
        yield _figures(
            keys[order[start]].tolist(),
            amounts[start:end],
            *(counts[number] for counts in distinct),
        )
        start = end


def _one_number(keys: Integers) -> Integers:
    """Return one number for each row of codes, in the order of the rows."""
    number = np.zeros(len(keys), dtype=np.int64)
    for codes in keys.T:
        number = number * _CODES + codes
    return number


def _figures(group: list[int], ascending: Integers, customers: int, merchants: int) -> GroupFigures:
    method, currency, status = group
    decimals = CURRENCY_BY_NUMBER[currency].minor_unit

    def in_units(minor_units: int) -> Decimal:
        return Decimal(minor_units).scaleb(-decimals)

    def percentile(share: float) -> Decimal:
        # As percentile_disc has it, in floats; an amount that was paid, exactly.
        return in_units(int(ascending[max(math.ceil(share * ascending.size), 1) - 1]))

    return GroupFigures(
        payment_method=method,
        currency=currency,
        payment_status=status,
        payment_count=ascending.size,
        amount_sum=in_units(exact_sum(ascending)),
        amount_min=in_units(int(ascending[0])),
        amount_max=in_units(int(ascending[-1])),
        amount_p50=percentile(0.50),
        amount_p95=percentile(0.95),
        amount_p99=percentile(0.99),
        distinct_customers=customers,
        distinct_merchants=merchants,
    )


def _distinct(columns: Columns, name: str, codes: Integers, groups: int) -> list[int]:
    """Return how many different values of a column each group has."""
    labels = columns.labels(name)
    present = labels >= 0
    width = int(labels.max(initial=0)) + 1
    pairs = np.unique(codes[present] * width + labels[present])
    counts: list[int] = np.bincount(pairs // width, minlength=groups).tolist()
    return counts
