"""Converts amounts by the exchange rates of a rule document, exactly and for whole columns."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache, partial
from typing import Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCIES, CURRENCY_BY_NUMBER
from shared_code.domain.money import MAX_MINOR_UNITS
from shared_code.rules.columns import Columns, Integers, Mask
from shared_code.rules.document import Rates

# Products below this bound do not overflow 64 bits, twice a remainder included.
_SAFE_PRODUCT: Final = 2**62
_RATE_DIGITS: Final = Context(prec=18, rounding=ROUND_HALF_EVEN)


class Converted(NamedTuple):
    """Amounts in minor units of one currency; 0 where ``known`` is false."""

    minor_units: Integers
    known: Mask


class Conversion:
    """Converts amounts of any currency that has a rate into one currency.

    A converted amount is rounded, half to even, to the minor unit. It is unknown where a currency
    has no rate, or where the result does not fit 64 bits of minor units.

    Args:
        rates: of the document.
        target: alphabetic code of the currency asked for; it has a rate.
    """

    def __init__(self, rates: Rates, target: str) -> None:
        self.target = CURRENCIES[target]
        worth: Mapping[str, Fraction] = {
            rates.base: Fraction(1),
            **{code: Fraction(rate) for code, rate in rates.per_base.items()},
        }
        self._rates = {CURRENCIES[code].number: worth[target] / own for code, own in worth.items()}
        self._of_column: dict[str, Callable[[Columns], Converted]] = {}

    def of(self, columns: Columns, column: str, currency_column: str) -> Converted:
        """Return a column of amounts, converted once however many rules ask for it."""
        build = self._of_column.setdefault(
            column, partial(self._convert_column, column, currency_column)
        )
        return columns.once(build)

    def _convert_column(self, column: str, currency_column: str, columns: Columns) -> Converted:
        if columns.parts:
            parts = [self.of(part, column, currency_column) for part in columns.parts]
            return Converted(*map(np.concatenate, zip(*parts, strict=True)))
        amounts = columns.minor_units(column, currency_column)
        converted, known = self.convert(amounts, columns.codes(currency_column))
        return Converted(converted, known & columns.present(column))

    def rate(self, currency: int) -> Decimal | None:
        """Return what one unit of a currency is worth, to 18 digits; None if nothing is converted.

        Args:
            currency: numeric code.
        """
        rate = self._rates.get(currency)
        if rate is None or currency == self.target.number:
            return None
        return _RATE_DIGITS.divide(Decimal(rate.numerator), Decimal(rate.denominator))

    def convert(self, minor_units: Integers, currencies: Integers) -> Converted:
        """Convert a column of amounts.

        Args:
            minor_units: amounts in minor units of their own currencies.
            currencies: their numeric codes.
        """
        converted = np.zeros(minor_units.size, dtype=np.int64)
        known = np.zeros(minor_units.size, dtype=np.bool_)
        for number in np.unique(currencies).tolist():
            if number in self._rates:
                rows = np.flatnonzero(currencies == number)
                converted[rows], known[rows] = self._of_one(minor_units[rows], number)
        return Converted(converted, known)

    def _of_one(self, minor_units: Integers, number: int) -> Converted:
        decimals = self.target.minor_unit - CURRENCY_BY_NUMBER[number].minor_unit
        factor = self._rates[number] * Fraction(10) ** decimals
        over, under = factor.numerator, factor.denominator
        if max(int(minor_units.max()), 1) * over >= _SAFE_PRODUCT or under >= _SAFE_PRODUCT:
            return _one_by_one(minor_units, factor)
        product = minor_units * over
        quotient, rest = product // under, product % under
        up = (2 * rest > under) | ((2 * rest == under) & (quotient % 2 == 1))
        return Converted(quotient + up, np.ones(minor_units.size, dtype=np.bool_))


def _one_by_one(minor_units: Integers, factor: Fraction) -> Converted:
    """Convert amounts that are too large for 64-bit arithmetic; Python rounds half to even."""
    exact = [round(amount * factor) for amount in minor_units.tolist()]
    known = np.array([amount <= MAX_MINOR_UNITS for amount in exact], dtype=np.bool_)
    fits = [amount if amount <= MAX_MINOR_UNITS else 0 for amount in exact]
    return Converted(np.array(fits, dtype=np.int64), known)


class Converter:
    """The conversions that one document can make, each made once."""

    def __init__(self, rates: Rates | None) -> None:
        self._rates = rates
        self.to = cache(self._to)

    def _to(self, target: str) -> Conversion:
        if self._rates is None:
            message = f"the document has no rates to convert to {target}"
            raise ValueError(message)
        return Conversion(self._rates, target)
