"""What a batch adds to its windows, appended for the next fold, and the windows' marks."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from shared_code.domain.windows import EPOCH, WINDOW_LENGTH
from shared_code.rules.columns import Columns, Integers
from shared_code.rules.measures import exact_sums
from shared_code.store.array_text import array_text

_APPEND: Final = """
    WITH deltas AS (
        INSERT INTO window_deltas
            (window_start, payment_method, currency, payment_status,
             payment_count, amount_sum, amount_min, amount_max)
        SELECT * FROM unnest(
            CAST(%(starts)s AS timestamptz[]), CAST(%(methods)s AS smallint[]),
            CAST(%(currencies)s AS smallint[]), CAST(%(statuses)s AS smallint[]),
            CAST(%(counts)s AS bigint[]), CAST(%(sums)s AS numeric[]),
            CAST(%(lowest)s AS numeric[]), CAST(%(highest)s AS numeric[]))
        RETURNING window_start
    )
    INSERT INTO window_marks (window_start) SELECT DISTINCT window_start FROM deltas
"""
_WINDOW_MICROSECONDS: Final = WINDOW_LENGTH // timedelta(microseconds=1)


def append_deltas(cursor: Any, columns: Columns) -> None:
    """Append what payments add to each window and group, and one mark for each window.

    Args:
        cursor: of the driver, in the transaction that stores the payments.
        columns: of the payments, at least one.
    """
    windows = columns.microseconds() // _WINDOW_MICROSECONDS
    keys = (
        windows,
        *(columns.codes(name) for name in ("payment_method", "currency", "payment_status")),
    )
    order = np.lexsort(keys[::-1])
    begins = _group_begins([key[order] for key in keys])
    amounts = columns.minor_units()[order]
    starts, methods, currencies, statuses = (key[order][begins].tolist() for key in keys)
    exponents = columns.exponents()[order][begins].tolist()

    def money(minor_units: Sequence[int]) -> str:
        return array_text(
            Decimal(amount).scaleb(-exponent)
            for amount, exponent in zip(minor_units, exponents, strict=True)
        )

    cursor.execute(
        _APPEND,
        {
            "starts": array_text((EPOCH + start * WINDOW_LENGTH).isoformat() for start in starts),
            "methods": array_text(methods),
            "currencies": array_text(currencies),
            "statuses": array_text(statuses),
            "counts": array_text(np.diff(begins, append=columns.size).tolist()),
            "sums": money(exact_sums(amounts, begins)),
            "lowest": money(np.minimum.reduceat(amounts, begins).tolist()),
            "highest": money(np.maximum.reduceat(amounts, begins).tolist()),
        },
    )


def _group_begins(sorted_keys: Sequence[Integers]) -> Integers:
    """Return at which rows a new group begins."""
    changes = np.zeros(len(sorted_keys[0]), dtype=np.bool_)
    changes[0] = True
    for key in sorted_keys:
        changes[1:] |= key[1:] != key[:-1]
    return changes.nonzero()[0]
