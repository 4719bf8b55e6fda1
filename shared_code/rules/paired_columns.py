"""Payments beside the one that each is compared with: what ``where`` of a sequence rule reads."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np

from shared_code.rules.columns import ABSENT, Columns, Integers, taken
from shared_code.rules.fields import GAP_COLUMN, RATIO_COLUMN
from shared_code.rules.packed import Fractions

_MINUTE: Final = timedelta(minutes=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_OF_MINUTE: Final = _MINUTE // _MICROSECOND


def paired(columns: Columns, rows: Sequence[int], partners: Sequence[int], prefix: str) -> Columns:
    """Return columns of pairs: the fields of one payment, and those of its partner by a prefix.

    Args:
        columns: all payments.
        rows: positions of the payments that are judged.
        partners: for each the position of the payment that it is compared with; -1 for none.
        prefix: ``previous`` or ``original``.
    """
    of_partner = f"{prefix}."
    own, beside = np.array(rows, dtype=np.int64), np.array(partners, dtype=np.int64)

    def values(column: str) -> Sequence[Any]:
        if column == GAP_COLUMN:
            return _gaps(columns, own, beside)
        if column == RATIO_COLUMN:
            return _ratios(columns, own, beside)
        if column.startswith(of_partner):
            return taken(columns.values(column.removeprefix(of_partner)), beside)
        return taken(columns.values(column), own)

    return Columns(len(rows), values)


def _gaps(columns: Columns, own: Integers, beside: Integers) -> Fractions:
    """Return the minutes from each partner to its payment, exactly."""
    times = columns.microseconds()
    known = beside != ABSENT
    return Fractions(
        np.where(known, times[own] - times[beside], 0),
        np.where(known, _MICROSECONDS_OF_MINUTE, 0),
    )


def _ratios(columns: Columns, own: Integers, beside: Integers) -> Fractions:
    """Return each amount divided by its partner's; None across currencies, or if that is zero."""
    amounts, currencies = columns.minor_units(), columns.codes("currency")
    known = (beside != ABSENT) & (currencies[own] == currencies[beside])
    return Fractions(amounts[own], np.where(known, amounts[beside], 0))
