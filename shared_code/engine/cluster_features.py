"""A sample of a window's payments as rows of numbers that distances can be taken between.

A distance of 1 is one standard deviation of a numeric feature.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import ceil, log10
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.windows import EPOCH, WINDOW_LENGTH
from shared_code.engine.cluster_settings import ClusterSettings, NumericFeature
from shared_code.rules.columns import ABSENT, Columns, Integers
from shared_code.rules.fields import FIELDS

type Matrix = NDArray[np.float64]
type Positions = NDArray[np.intp]

_NAMES: Final = {field.column: field.names for field in FIELDS.values()}
# Payments whose features differ by less are the same: sums in another order differ by that much.
_DECIMALS: Final = 9


class Sample(NamedTuple):
    """Payments of one window, picked evenly, in the order of their key."""

    columns: Columns
    positions: Sequence[int]
    window_start: datetime

    def values(self, column: str) -> list[Any]:
        """Return a column of the sampled payments as it is stored."""
        values = self.columns.values(column)
        return [values[position] for position in self.positions]

    def of(self, rows: Sequence[int]) -> "Sample":
        """Return some of the sampled payments, in the order given."""
        return self._replace(positions=[self.positions[row] for row in rows])

    def categories(self, feature: str) -> list[str | None]:
        """Return a categorical feature as people read it; None where a payment lacks it."""
        if feature == "cross_border":
            pairs = zip(
                self.values("customer_country"), self.values("merchant_country"), strict=True
            )
            return [_cross_border(*pair) for pair in pairs]
        names = _NAMES[feature]
        return [names.get(value, value) for value in self.values(feature)]

    def customer_payments(self) -> list[int]:
        """Return how many payments of the whole window each payment's customer made."""
        made = self.columns.once(_payments_of_customer)
        payments: list[int] = made[np.array(self.positions, dtype=np.int64)].tolist()
        return payments

    def window_position(self) -> list[float]:
        """Return how many seconds into the window each payment was made."""
        times: list[datetime] = self.values("event_time")
        return [(time - self.window_start).total_seconds() for time in times]


def random_generator(settings: ClusterSettings, window_start: datetime) -> np.random.Generator:
    """Return the randomness of one window, the same whenever it is computed."""
    return np.random.default_rng([settings.seed, (window_start - EPOCH) // WINDOW_LENGTH])


def draw_sample(
    columns: Columns, window_start: datetime, size: int, random: np.random.Generator
) -> Sample:
    """Return at most ``size`` payments, each as likely as any other."""
    positions: Sequence[int] = range(columns.size)
    if columns.size > size:
        positions = sorted(random.choice(columns.size, size, replace=False).tolist())
    return Sample(columns, positions, window_start)


def feature_matrix(sample: Sample, settings: ClusterSettings) -> Matrix:
    """Return a row for each payment of a sample: numbers scaled, then categories one-hot.

    A number has mean 0 and standard deviation 1 over the sample. Payments that differ in one
    category, and in nothing else, are ``category_weight`` apart.
    """
    # Imported where needed: it costs seconds of every cold start.
    from sklearn.preprocessing import (  # type: ignore[import-untyped]  # noqa: PLC0415
        OneHotEncoder,
        StandardScaler,
    )

    parts: list[Matrix] = []
    if settings.numeric_features:
        numbers = [_NUMBERS[feature](sample) for feature in settings.numeric_features]
        parts.append(StandardScaler().fit_transform(np.array(numbers, dtype=np.float64).T))
    if settings.categorical_features:
        codes = [_codes(sample.categories(feature)) for feature in settings.categorical_features]
        # Fewer payments than that are grouped as one category.
        least = max(1, ceil(settings.rare_category_share * len(sample.positions)))
        encoder = OneHotEncoder(min_frequency=least, sparse_output=False)
        # Two one-hot rows that differ are the square root of 2 apart.
        scale = settings.category_weight / np.sqrt(2)
        parts.append(encoder.fit_transform(np.array(codes, dtype=np.int64).T) * scale)
    # Adding zero makes -0.0 into 0.0, so that equal rows are equal bytes.
    return np.round(np.hstack(parts), _DECIMALS) + 0.0


def _codes(categories: Sequence[str | None]) -> list[int]:
    known = {name: code for code, name in enumerate(sorted({*categories} - {None}, key=str))}
    return [ABSENT if name is None else known[name] for name in categories]


def _cross_border(customer: int | None, merchant: int | None) -> str | None:
    if customer is None or merchant is None:
        return None
    return "domestic" if customer == merchant else "cross_border"


def _payments_of_customer(columns: Columns) -> Integers:
    """Return how many payments each one's customer made; 1 where that is not known."""
    labels = columns.labels("customer_id")
    # The first place is that of payments without a customer.
    made = np.bincount(labels + 1)
    made[0] = 1
    return made[labels + 1]


def _log_amounts(sample: Sample) -> list[float]:
    """Return how many powers of ten an amount lies above the median of its currency.

    An exchange rate multiplies every amount of a currency, which moves its logarithms alike, so
    that taking the median off makes currencies comparable without rates. A zero amount counts as
    the smallest unit of its currency.
    """
    amounts: list[Decimal] = sample.values("amount")
    currencies: list[int] = sample.values("currency")
    logs = np.array(
        [
            log10(max(amount, Decimal(1).scaleb(-CURRENCY_BY_NUMBER[currency].minor_unit)))
            for amount, currency in zip(amounts, currencies, strict=True)
        ],
        dtype=np.float64,
    )
    numbers = np.array(currencies)
    for currency in set(currencies):
        mine = numbers == currency
        logs[mine] -= np.median(logs[mine])
    centred: list[float] = logs.tolist()
    return centred


_NUMBERS: Final[Mapping[NumericFeature, Callable[[Sample], list[float]]]] = {
    NumericFeature.log_amount: _log_amounts,
    NumericFeature.customer_payments: lambda sample: list(map(log10, sample.customer_payments())),
    NumericFeature.window_position: Sample.window_position,
}
