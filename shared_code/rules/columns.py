"""A batch of payments as columns, made on demand: what compiled rules read."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.money import to_minor_units

type Mask = NDArray[np.bool_]
type Integers = NDArray[np.int64]

ABSENT: Final = -1

_EXPONENT_BY_NUMBER: Final = np.zeros(1000, dtype=np.int64)
for _currency in CURRENCY_BY_NUMBER.values():
    _EXPONENT_BY_NUMBER[_currency.number] = _currency.minor_unit


class Columns:
    """Columns of ``size`` payments, each built once when first asked for.

    Args:
        size: number of payments.
        values: gives the values of one stored column by name, in the payments' order.
    """

    def __init__(self, size: int, values: Callable[[str], Sequence[Any]]) -> None:
        self.size = size
        self._values = values
        self._cache: dict[str, Any] = {}

    def values(self, column: str) -> Sequence[Any]:
        """Return a column as it is stored; None where a payment lacks the field."""
        if column not in self._cache:
            self._cache[column] = self._values(column)
        values: Sequence[Any] = self._cache[column]
        return values

    def codes(self, column: str) -> Integers:
        """Return a column of stored numbers; -1 where a payment lacks the field."""
        return self._built(
            f"codes {column}",
            lambda: np.array(
                [ABSENT if value is None else value for value in self.values(column)],
                dtype=np.int64,
            ),
        )

    def minor_units(self) -> Integers:
        """Return the amounts in minor units of their currencies."""
        return self._built("minor units", self._minor_units)

    def exponents(self) -> Integers:
        """Return the number of decimals of each amount's currency."""
        return self._built("exponents", lambda: _EXPONENT_BY_NUMBER[self.codes("currency")])

    def event_seconds(self) -> Integers:
        """Return the event times in whole seconds since the Unix epoch, rounded down."""
        return self._built(
            "event seconds",
            lambda: np.array(
                [time.timestamp() // 1 for time in self.values("event_time")], dtype=np.int64
            ),
        )

    def _minor_units(self) -> Integers:
        numbers: Sequence[int] = self.values("currency")
        amounts: Sequence[Decimal] = self.values("amount")
        return np.array(
            [
                to_minor_units(amount, CURRENCY_BY_NUMBER[number])
                for amount, number in zip(amounts, numbers, strict=True)
            ],
            dtype=np.int64,
        )

    def _built(self, key: str, build: Callable[[], Integers]) -> Integers:
        if key not in self._cache:
            self._cache[key] = build()
        column: Integers = self._cache[key]
        return column
