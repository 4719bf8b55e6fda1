"""A batch of payments as columns, made on demand: what compiled rules read."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCY_BY_NUMBER

type Mask = NDArray[np.bool_]
type Integers = NDArray[np.int64]

ABSENT: Final = -1
HOURS_OF_DAY: Final = 24

_EXPONENT_BY_NUMBER: Final = np.zeros(1000, dtype=np.int64)
for _currency in CURRENCY_BY_NUMBER.values():
    _EXPONENT_BY_NUMBER[_currency.number] = _currency.minor_unit
_FACTORS: Final = {
    currency.number: 10**currency.minor_unit for currency in CURRENCY_BY_NUMBER.values()
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_OF_MINUTE: Final = 60_000_000


class Columns:
    """Columns of ``size`` payments, each built once when first asked for.

    Args:
        size: number of payments.
        values: gives the values of one stored column by name, in the payments' order.
    """

    def __init__(self, size: int, values: Callable[[str], Sequence[Any]]) -> None:
        self.size = size
        self._values = values
        self._built: dict[Hashable, Any] = {}

    def once[Built](self, build: Callable[["Columns"], Built]) -> Built:
        """Return what ``build`` makes of these columns; it is called the first time only."""
        return self._once(build, lambda: build(self))

    def values(self, column: str) -> Sequence[Any]:
        """Return a column as it is stored; None where a payment lacks the field."""
        return self._once(("values", column), lambda: self._values(column))

    def present(self, column: str) -> Mask:
        """Return where payments have the field that is stored in a column."""
        return self._once(
            ("present", column),
            lambda: np.array([value is not None for value in self.values(column)], dtype=np.bool_),
        )

    def codes(self, column: str) -> Integers:
        """Return a column of stored numbers; -1 where a payment lacks the field."""
        return self._once(
            ("codes", column),
            lambda: np.array(
                [ABSENT if value is None else value for value in self.values(column)],
                dtype=np.int64,
            ),
        )

    def minor_units(self, column: str = "amount", currency_column: str = "currency") -> Integers:
        """Return amounts in minor units of their currencies; 0 where a payment has none."""
        return self._once(
            ("minor units", column), lambda: self._minor_units(column, currency_column)
        )

    def exponents(self, currency_column: str = "currency") -> Integers:
        """Return the number of decimals of each amount's currency; 0 where there is none."""
        return self._once(
            ("exponents", currency_column),
            lambda: _EXPONENT_BY_NUMBER[np.maximum(self.codes(currency_column), 0)],
        )

    def microseconds(self, column: str = "event_time") -> Integers:
        """Return times in microseconds since the Unix epoch; 0 where a payment has none."""
        return self._once(("microseconds", column), lambda: self._microseconds(column))

    def labels(self, column: str) -> Integers:
        """Return a column as numbers from 0: equal numbers, equal values; -1 for absent ones."""
        return self._once(("labels", column), lambda: self._labels(column))

    def picked(self, rows: Integers) -> "Columns":
        """Return the columns of some of the payments, in the order of ``rows``."""
        positions: Sequence[int] = rows.tolist()

        def values(column: str) -> Sequence[Any]:
            every = self.values(column)
            return [every[position] for position in positions]

        return Columns(len(positions), values)

    def hours_of_week(self, time_zone: str, column: str = "event_time") -> Integers:
        """Return the local hour of each time: 0 to 167, from Monday's first hour in that zone."""
        return self._once(
            ("hours", time_zone, column),
            lambda: self._hours_of_week(ZoneInfo(time_zone), column),
        )

    def _minor_units(self, column: str, currency_column: str) -> Integers:
        amounts: Sequence[Decimal | None] = self.values(column)
        numbers: Sequence[int] = self.values(currency_column)
        return np.array(
            [
                0 if amount is None else int(amount * _FACTORS[number])
                for amount, number in zip(amounts, numbers, strict=True)
            ],
            dtype=np.int64,
        )

    def _hours_of_week(self, zone: ZoneInfo, column: str) -> Integers:
        # Payments of a batch share few minutes. Since 1972 every zone is a whole number of minutes
        # from UTC and changes on a whole minute.
        minutes, positions = np.unique(
            self.microseconds(column) // _MICROSECONDS_OF_MINUTE, return_inverse=True
        )
        local = [(_EPOCH + minute * _MINUTE).astimezone(zone) for minute in minutes.tolist()]
        hours = np.array(
            [time.weekday() * HOURS_OF_DAY + time.hour for time in local], dtype=np.int64
        )
        return hours[positions]

    def _microseconds(self, column: str) -> Integers:
        times: Sequence[datetime | None] = self.values(column)
        return np.array(
            [0 if time is None else (time - _EPOCH) // _MICROSECOND for time in times],
            dtype=np.int64,
        )

    def _labels(self, column: str) -> Integers:
        # Without a step of Python for each payment: history has many.
        values = self.values(column)
        found = dict.fromkeys(values)
        found.pop(None, None)
        numbers: dict[Any, int] = dict(zip(found, count()))
        numbers[None] = ABSENT
        return np.fromiter(map(numbers.__getitem__, values), dtype=np.int64, count=len(values))

    def _once[Built](self, key: Hashable, build: Callable[[], Built]) -> Built:
        if key not in self._built:
            self._built[key] = build()
        built: Built = self._built[key]
        return built
