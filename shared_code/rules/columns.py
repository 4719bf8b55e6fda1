"""A batch of payments as columns, made on demand: what compiled rules read."""

from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.joined_texts import JoinedTexts, in_both
from shared_code.rules.packed import (
    ABSENT,
    Amounts,
    Codes,
    Integers,
    Mask,
    Packed,
    Texts,
    Times,
)

__all__ = ["ABSENT", "HOURS_OF_DAY", "Columns", "Integers", "Mask"]

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
        values: gives the values of one stored column by name, in the payments' order: objects, or
            a packed column, which takes no step of Python for each payment.
        parts: columns that these consist of, one behind the other, if there are several.
    """

    def __init__(
        self,
        size: int,
        values: Callable[[str], Sequence[Any]],
        parts: Sequence["Columns"] = (),
    ) -> None:
        self.size = size
        self.parts = parts
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
        return self._once(("present", column), lambda: present(self.values(column)))

    def codes(self, column: str) -> Integers:
        """Return a column of stored numbers; -1 where a payment lacks the field."""
        return self._once(("codes", column), lambda: _codes(self.values(column)))

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
        return self._once(("labels", column), lambda: _labels(self.values(column)))

    def distinct(self, column: str) -> Sequence[Any]:
        """Return what each label of a column stands for."""
        return self._once(("distinct", column), lambda: self._distinct(column))

    def distinct_where(self, column: str, wanted: Mask) -> Collection[Any]:
        """Return the values, each once, that a column has where payments are wanted."""
        values = self.values(column)
        if isinstance(values, Packed):
            rows = np.flatnonzero(wanted & values.present)
            # A row of each label; which one does not matter.
            one_of = np.full(len(values), ABSENT, dtype=np.int64)
            one_of[values.labels[rows]] = rows
            return values.taken(one_of[one_of != ABSENT])
        return frozenset(values[row] for row in np.flatnonzero(wanted).tolist()) - {None}

    def holds_of(self, column: str, holds: Callable[[Any], bool]) -> Mask:
        """Return for which payments something holds that a column's value alone decides.

        Args:
            column: a stored one.
            holds: is asked of None, too.
        """
        values = self.values(column)
        if not isinstance(values, Packed):
            answers = {value: holds(value) for value in dict.fromkeys(values)}
            return np.fromiter(map(answers.__getitem__, values), dtype=np.bool_, count=len(values))
        # The last place is that of the label of an absent value.
        found = np.array([*map(holds, self.distinct(column)), holds(None)], dtype=np.bool_)
        return found[self.labels(column)]

    def among(self, column: str, wanted: Collection[str]) -> Mask:
        """Return which payments have one of some texts in a column."""
        values = self.values(column)
        if not isinstance(values, Texts):
            return np.array([value in wanted for value in values], dtype=np.bool_)
        # No stored text holds a NUL, nor could an array of fixed width hold it at a text's end.
        texts = [text.encode() for text in wanted if "\0" not in text]
        labels = in_both(Texts(np.array(texts, dtype=np.bytes_)), values)
        # The last place is that of the label of an absent value.
        found = np.zeros(values.examples.size + 1, dtype=np.bool_)
        found[labels[labels != ABSENT]] = True
        return found[values.labels]

    def same(self, column: str, other: str) -> Mask:
        """Return where two columns hold the same value."""
        left, right = self.values(column), self.values(other)
        if isinstance(left, Texts) and isinstance(right, Texts):
            return left.equals(right)
        return np.array([one == two for one, two in zip(left, right, strict=True)], dtype=np.bool_)

    def followed_by(self, other: "Columns") -> "Columns":
        """Return the columns of these payments and then of others."""

        def values(column: str) -> Sequence[Any]:
            first, second = self.values(column), other.values(column)
            if isinstance(first, Texts) and isinstance(second, Texts):
                return JoinedTexts(first, second)
            if isinstance(first, Packed) and isinstance(second, Packed):
                return first.followed_by(second)
            return [*first, *second]

        return Columns(self.size + other.size, values, (self, other))

    def picked(self, rows: Integers) -> "Columns":
        """Return the columns of some of the payments, in the order of ``rows``."""
        return Columns(rows.size, lambda column: taken(self.values(column), rows))

    def hours_of_week(self, time_zone: str, column: str = "event_time") -> NDArray[np.uint8]:
        """Return the local hour of each time: 0 to 167, from Monday's first hour in that zone."""
        return self._once(
            ("hours", time_zone, column),
            lambda: self._hours_of_week(ZoneInfo(time_zone), column),
        )

    def _minor_units(self, column: str, currency_column: str) -> Integers:
        amounts: Sequence[Decimal | None] = self.values(column)
        if isinstance(amounts, Amounts):
            return np.maximum(amounts.minor_units, 0)
        numbers: Sequence[int] = self.values(currency_column)
        return np.array(
            [
                0 if amount is None else int(amount * _FACTORS[number])
                for amount, number in zip(amounts, numbers, strict=True)
            ],
            dtype=np.int64,
        )

    def _hours_of_week(self, zone: ZoneInfo, column: str) -> NDArray[np.uint8]:
        # Payments of a batch share few minutes. Since 1972 every zone is a whole number of minutes
        # from UTC and changes on a whole minute.
        minutes, positions = np.unique(
            self.microseconds(column) // _MICROSECONDS_OF_MINUTE, return_inverse=True
        )
        local = [(_EPOCH + minute * _MINUTE).astimezone(zone) for minute in minutes.tolist()]
        hours = np.array(
            [time.weekday() * HOURS_OF_DAY + time.hour for time in local], dtype=np.uint8
        )
        return hours[positions]

    def _microseconds(self, column: str) -> Integers:
        times: Sequence[datetime | None] = self.values(column)
        if isinstance(times, Times):
            if times.present.all():
                return times.microseconds
            return np.where(times.present, times.microseconds, 0)
        return np.array(
            [0 if time is None else (time - _EPOCH) // _MICROSECOND for time in times],
            dtype=np.int64,
        )

    def _distinct(self, column: str) -> Sequence[Any]:
        values = self.values(column)
        if isinstance(values, Packed):
            return list(values.taken(values.examples))
        return list(_first_seen(values))

    def _once[Built](self, key: Hashable, build: Callable[[], Built]) -> Built:
        if key not in self._built:
            self._built[key] = build()
        built: Built = self._built[key]
        return built


def taken(values: Sequence[Any], rows: Integers) -> Sequence[Any]:
    """Return the values of some payments; a row of -1 stands for no payment."""
    if isinstance(values, Packed):
        return values.taken(rows)
    return [None if row == ABSENT else values[row] for row in rows.tolist()]


def present(values: Sequence[Any]) -> Mask:
    """Return which values are there."""
    if isinstance(values, Packed):
        return values.present
    return np.array([value is not None for value in values], dtype=np.bool_)


def _codes(values: Sequence[Any]) -> Integers:
    if isinstance(values, Codes):
        return values.numbers
    return np.array([ABSENT if value is None else value for value in values], dtype=np.int64)


def _labels(values: Sequence[Any]) -> Integers:
    if isinstance(values, Packed):
        return values.labels
    # Without a step of Python for each payment: history has many.
    numbers: dict[Any, int] = dict(zip(_first_seen(values), count()))
    numbers[None] = ABSENT
    return np.fromiter(map(numbers.__getitem__, values), dtype=np.int64, count=len(values))


def _first_seen(values: Sequence[Any]) -> dict[Any, None]:
    found = dict.fromkeys(values)
    found.pop(None, None)
    return found
