"""Checks that amounts can be drawn before long, and are of a size that a payment can have."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from simulator.configuration.amount_settings import Amounts, Pareto
from simulator.configuration.errors import Path
from simulator.configuration.findings import Finding
from simulator.configuration.structure import Configuration

_LARGEST: Final = 1e11
"""Amounts have at most 15 digits, of which up to four are decimals."""
_WIDEST_SIGMA: Final = 5.0
_RAREST: Final = 0.01
# Of each distribution, the values that have to ascend.
_ASCENDING: Final[Mapping[str, Sequence[str]]] = {
    "LogNormal": ("median", "maximum"),
    "Normal": ("mean", "maximum"),
    "Uniform": ("minimum", "maximum"),
    "Exponential": ("mean", "maximum"),
    "Bimodal": ("median", "upper_median", "maximum"),
    "Pareto": ("minimum", "maximum"),
}


def amount_findings(configuration: Configuration) -> Iterator[Finding]:
    """Yield what is wrong with the amounts of categories, and with thresholds."""
    for position, category in enumerate(configuration.categories):
        yield from _of_distribution(("categories", position, "amounts"), category.amounts)
    yield from _too_large(configuration)


def _of_distribution(path: Path, amounts: Amounts) -> Iterator[Finding]:
    fields = _ASCENDING[type(amounts).__name__]
    for lower, higher in pairwise(fields):
        if getattr(amounts, lower) >= getattr(amounts, higher):
            about = [(*path, lower), (*path, higher)]
            message = f"the {lower}, {{}}, is not below the {higher}, {{}}"
            yield Finding(about[0], message, about, f"raise the {higher}")
    deviation: float = getattr(amounts, "deviation", 0.0)
    if deviation > amounts.maximum:
        about = [(*path, "deviation"), (*path, "maximum")]
        message = "the deviation, {}, is above the maximum, {}: hardly any amount lies below"
        yield Finding(about[0], message, about, "lower the deviation")
    if getattr(amounts, "sigma", 0.0) > _WIDEST_SIGMA:
        about = [(*path, "sigma")]
        message = f"a sigma of {{}} is above {_WIDEST_SIGMA:g}: hardly any amount can be paid"
        yield Finding(about[0], message, about, "lower it; 0.4 to 1.2 are usual")
    if isinstance(amounts, Pareto) and amounts.minimum < amounts.maximum:
        below = 1 - (amounts.minimum / amounts.maximum) ** amounts.alpha
        if below < _RAREST:
            about = [(*path, "alpha"), (*path, "minimum"), (*path, "maximum")]
            message = "with an alpha of {} hardly any amount lies between {} and {}"
            yield Finding(about[0], message, about, "raise alpha or the maximum")


def _too_large(configuration: Configuration) -> Iterator[Finding]:
    countries = configuration.countries
    dearest = max(range(len(countries)), key=lambda position: countries[position].per_dollar)
    rate: Path = ("countries", dearest, "per_dollar")
    factor = countries[dearest].per_dollar
    spending = max(segment.spending for segment in configuration.segments)
    spendings: list[Path] = [
        ("segments", position, "spending") for position in range(len(configuration.segments))
    ]
    message = f"{{}} dollars at {{}} a dollar can come to more than {_LARGEST:.0f} of a currency"
    advice = "payments cannot be as large; lower one of them, or a segment's spending"
    for position, category in enumerate(configuration.categories):
        if category.amounts.maximum * factor * spending > _LARGEST:
            path: Path = ("categories", position, "amounts", "maximum")
            yield Finding(path, message, [path, rate, *spendings], advice)
    if configuration.violations.large_amount.threshold * factor > _LARGEST:
        path = ("violations", "large_amount", "threshold")
        yield Finding(path, message, [path, rate], advice)
    if configuration.violations.orphan_refund.minimum * factor > _LARGEST:
        path = ("violations", "orphan_refund", "minimum")
        yield Finding(path, message, [path, rate], advice)
    if configuration.violations.structuring.threshold > _LARGEST:
        path = ("violations", "structuring", "threshold")
        yield Finding(path, f"{{}} is more than {_LARGEST:.0f}", [path], "lower it")
