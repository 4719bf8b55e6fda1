"""Payments beside the one that each is compared with: what ``where`` of a sequence rule reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np

from shared_code.rules.columns import ABSENT, Columns, taken
from shared_code.rules.fields import GAP_COLUMN, RATIO_COLUMN

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
            return _gaps(columns.values("event_time"), rows, partners)
        if column == RATIO_COLUMN:
            return _ratios(columns, rows, partners)
        if column.startswith(of_partner):
            return taken(columns.values(column.removeprefix(of_partner)), beside)
        return taken(columns.values(column), own)

    return Columns(len(rows), values)


def _gaps(
    times: Sequence[datetime], rows: Sequence[int], partners: Sequence[int]
) -> list[Fraction | None]:
    """Return the minutes from each partner to its payment, exactly."""
    return [
        None
        if partner == ABSENT
        else Fraction((times[row] - times[partner]) // _MICROSECOND, _MICROSECONDS_OF_MINUTE)
        for row, partner in zip(rows, partners, strict=True)
    ]


def _ratios(
    columns: Columns, rows: Sequence[int], partners: Sequence[int]
) -> list[Fraction | None]:
    """Return each amount divided by its partner's; None across currencies, or if that is zero."""
    amounts: Sequence[Decimal] = columns.values("amount")
    currencies = columns.values("currency")
    return [
        None
        if partner == ABSENT or currencies[row] != currencies[partner] or not amounts[partner]
        else Fraction(amounts[row]) / Fraction(amounts[partner])
        for row, partner in zip(rows, partners, strict=True)
    ]
