"""Cuts payments into their five-minute windows."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from shared_code.domain.windows import EPOCH, WINDOW_LENGTH
from shared_code.rules.columns import Columns

_MICROSECOND: Final = timedelta(microseconds=1)
WINDOW_MICROSECONDS: Final = WINDOW_LENGTH // _MICROSECOND


class WindowSlice(NamedTuple):
    """The payments of one window; ``first`` is the position of the first one in their span."""

    start: datetime
    columns: Columns
    first: int = 0


def window_slices(columns: Columns) -> Iterator[WindowSlice]:
    """Yield the windows that have payments, oldest first.

    Args:
        columns: payments in the order of event time.
    """
    numbers = columns.microseconds() // WINDOW_MICROSECONDS
    for number in np.unique(numbers).tolist():
        rows = np.flatnonzero(numbers == number)
        inside = columns if rows.size == columns.size else columns.picked(rows)
        yield WindowSlice(start_of_window(number), inside, int(rows[0]))


def start_of_window(number: int) -> datetime:
    """Return the start of a window by its number since the Unix epoch."""
    return EPOCH + number * WINDOW_LENGTH
