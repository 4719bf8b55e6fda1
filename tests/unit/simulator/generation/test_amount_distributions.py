"""Amounts are distributed as they were asked for, cut at the maximum."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from unit.simulator.generation.simulation_samples import (
    LEVEL,
    NO_FOLLOW_UPS,
    UNUSUAL_COUNTRIES,
    configuration,
    world,
)

from simulator.configuration.amount_settings import (
    Amounts,
    Bimodal,
    Exponential,
    LogNormal,
    Normal,
    Pareto,
    Uniform,
)
from simulator.configuration.population_settings import Category, Segment
from simulator.generation.amounts import draw_amounts
from simulator.generation.ordinary import draw_payments

SIZE = 20_000
type Cumulative = Callable[[Any], Any]


def _log_normal(median: float, sigma: float) -> Cumulative:
    from scipy.stats import lognorm  # type: ignore[import-untyped]  # noqa: PLC0415

    return lognorm(s=sigma, scale=median).cdf  # type: ignore[no-any-return]


def _theory(amounts: Amounts) -> Cumulative:
    """Return the cumulative distribution that was asked for, not yet cut."""
    from scipy import stats  # type: ignore[import-untyped]  # noqa: PLC0415

    found: Cumulative
    match amounts:
        case LogNormal():
            found = _log_normal(amounts.median, amounts.sigma)
        case Normal():
            found = stats.norm(amounts.mean, amounts.deviation).cdf
        case Uniform():
            found = stats.uniform(amounts.minimum, amounts.maximum - amounts.minimum).cdf
        case Exponential():
            found = stats.expon(scale=amounts.mean).cdf
        case Bimodal():
            lower = _log_normal(amounts.median, amounts.sigma)
            upper = _log_normal(amounts.upper_median, amounts.sigma)
            share = amounts.upper_share
            found = lambda x: (1 - share) * lower(x) + share * upper(x)  # noqa: E731
        case Pareto():
            found = stats.pareto(amounts.alpha, scale=amounts.minimum).cdf
    return found


@pytest.mark.parametrize(
    "amounts",
    [
        LogNormal(median=32, sigma=0.7),
        LogNormal(median=32, sigma=1.5, maximum=60),
        Normal(mean=50, deviation=10),
        Normal(mean=20, deviation=30, maximum=60),
        Uniform(minimum=5, maximum=9),
        Exponential(mean=40),
        Exponential(mean=40, maximum=50),
        Bimodal(median=35, upper_median=520),
        Bimodal(median=35, upper_median=520, sigma=0.8, upper_share=0.7, maximum=900),
        Pareto(minimum=90, alpha=1.2),
        Pareto(minimum=90, alpha=0.6, maximum=400),
        # Mostly larger than any number: drawn again without a warning.
        Pareto(minimum=1, alpha=0.002, maximum=1e9),
    ],
    ids=str,
)
def test_amounts_are_distributed_as_asked_for_and_cut_at_the_maximum(amounts: Amounts) -> None:
    from scipy.stats import kstest  # noqa: PLC0415

    drawn = draw_amounts(amounts, SIZE, np.random.default_rng(1))
    assert len(drawn) == SIZE
    assert drawn.min() > 0
    assert drawn.max() <= amounts.maximum
    theory = _theory(amounts)
    low, high = theory(0.0), theory(amounts.maximum)
    assert kstest(drawn, lambda x: (theory(x) - low) / (high - low)).pvalue > LEVEL


def test_amounts_are_in_minor_units_of_the_customers_currency_times_what_the_segment_spends() -> (
    None
):
    category = Category(name="tax", mcc="9311", amounts=Uniform(minimum=99.999, maximum=100.001))
    asked = configuration(
        payments=SIZE // 4,
        countries=UNUSUAL_COUNTRIES,
        categories=(category,),
        segments=(Segment(name="one"), Segment(name="twice", spending=2)),
        life_cycle=NO_FOLLOW_UPS,
    )
    built = world(asked)
    payments = draw_payments(built, built.timeline.block(0), 2_000, np.random.default_rng(1))
    by_currency = {
        country.currency: {
            round(minor / scale / country.per_dollar)
            for minor in payments.minor[payments.country == at].tolist()
        }
        for at, (country, scale) in enumerate(
            zip(UNUSUAL_COUNTRIES, (10**4, 1, 10**3, 10**2), strict=True)
        )
    }
    assert by_currency == {each.currency: {100, 200} for each in UNUSUAL_COUNTRIES}


def test_the_smallest_amount_is_one_minor_unit() -> None:
    category = Category(name="gum", mcc="5499", amounts=Uniform(minimum=0.00001, maximum=0.00002))
    built = world(configuration(payments=500, categories=(category,)))
    payments = draw_payments(built, built.timeline.block(0), 500, np.random.default_rng(1))
    assert set(payments.minor.tolist()) == {1}
