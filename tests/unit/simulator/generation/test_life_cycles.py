"""Ordinary payments: by whom, where, how, and through which statuses they pass."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from unit.simulator.generation.simulation_samples import (
    LEVEL,
    chi_square,
    configuration,
    likely,
    world,
)

from simulator.configuration.population_settings import (
    DEFAULT_CATEGORIES,
    Channels,
    Country,
    Population,
)
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import LifeCycle, Outcomes, TimeSpan
from simulator.generation.ordinary import (
    COMPLETED,
    METHODS,
    PENDING,
    REFUNDED,
    STATUSES,
    PaymentEvents,
    Payments,
    draw_channels,
    draw_payments,
    live,
)
from simulator.generation.population import Integers
from simulator.generation.span import MICROSECONDS
from simulator.generation.world import World

SIZE = 30_000
LIFE_CYCLE = LifeCycle(
    outcomes=Outcomes(completed=70, failed=20, cancelled=10),
    pending_share=0.2,
    refund_share=0.1,
)
CONFIGURATION = configuration(
    time=TimeSpan(start=datetime(2026, 3, 2, tzinfo=UTC), duration="7d"), life_cycle=LIFE_CYCLE
)
SLOW = [METHODS.index("bank_transfer"), METHODS.index("cryptocurrency")]


class _Drawn(NamedTuple):
    world: World
    payments: Payments
    events: PaymentEvents


def _draw(asked: Configuration, size: int, seed: int = 5) -> _Drawn:
    built = world(asked)
    columns = np.random.default_rng(seed)
    (plan,) = [plan for plan in built.timeline.blocks() if plan.number == 0]
    payments = draw_payments(built, plan, size, columns)
    return _Drawn(built, payments, live(built, payments, 3 * size, columns))


@pytest.fixture(scope="module")
def drawn() -> _Drawn:
    return _draw(CONFIGURATION, SIZE)


@pytest.fixture(scope="module")
def first(drawn: _Drawn) -> Integers:
    """The position of each payment's first event."""
    return np.unique(drawn.events.payment, return_index=True)[1]


def _of_status(events: PaymentEvents, status: int) -> Integers:
    return np.flatnonzero(events.status == status)


def test_categories_have_their_shares_and_each_its_methods(drawn: _Drawn) -> None:
    payments = drawn.payments
    weights = [category.weight for category in DEFAULT_CATEGORIES]
    assert chi_square(np.bincount(payments.category), weights) > LEVEL
    for at, category in enumerate(DEFAULT_CATEGORIES):
        methods = np.bincount(payments.method[payments.category == at], minlength=len(METHODS))
        assert chi_square(methods, msgspec.structs.astuple(category.methods)) > LEVEL


def test_each_category_has_its_channels(drawn: _Drawn) -> None:
    channels = draw_channels(drawn.world, drawn.payments, np.random.default_rng(1))
    for at, category in enumerate(DEFAULT_CATEGORIES):
        of_category = channels[drawn.payments.category == at]
        found = np.bincount(of_category, minlength=len(Channels.__struct_fields__))
        assert chi_square(found, msgspec.structs.astuple(category.channels)) > LEVEL


def test_payer_country_and_merchant_belong_together(drawn: _Drawn) -> None:
    people, payments = drawn.world.population, drawn.payments
    countries = len(people.countries)
    assert (people.group_of_customer[payments.customer] % countries == payments.country).all()
    assert (people.cell_of_merchant[payments.merchant] // countries == payments.category).all()


def test_merchants_are_at_home_but_for_the_share_that_may_be_anywhere() -> None:
    weights = (5, 3, 2)
    countries = tuple(
        Country(code=code, currency="EUR", per_dollar=1, weight=weight)
        for code, weight in zip(("DE", "FR", "ES"), weights, strict=True)
    )
    shares = [0.0, 0.3, 1.0]
    for share in shares:
        asked = configuration(
            countries=countries, population=Population(merchants=2_000, abroad_share=share)
        )
        built, payments, _ = _draw(asked, 10_000)
        where = built.population.cell_of_merchant[payments.merchant] % 3
        for home in range(3):
            found = np.bincount(where[payments.country == home], minlength=3)
            expected = share * np.array(weights) / 10
            expected[home] += 1 - share
            assert chi_square(found, expected) > LEVEL


def test_a_category_without_a_merchant_at_home_is_paid_abroad() -> None:
    # Fourteen categories and twenty countries share ten merchants.
    asked = configuration(population=Population(merchants=10, abroad_share=0))
    built, payments, _ = _draw(asked, 2_000)
    cells = built.population.cell_of_merchant[payments.merchant]
    at_home = built.population.merchant_ranges.sizes[payments.category * 20 + payments.country] > 0
    assert (cells % 20 == payments.country)[at_home].all()
    assert at_home.any()
    assert not at_home.all()


def test_outcomes_have_their_shares(drawn: _Drawn) -> None:
    assert chi_square(np.bincount(drawn.payments.outcome), [70, 20, 10]) > LEVEL


def test_what_takes_time_is_pending_first(drawn: _Drawn, first: Integers) -> None:
    pending = drawn.events.status[first] == PENDING
    slow = np.isin(drawn.payments.method, SLOW)
    assert likely(int(pending[slow].sum()), int(slow.sum()), 0.55)
    assert likely(int(pending[~slow].sum()), int((~slow).sum()), 0.2)


def test_a_payment_settles_after_a_delay_within_its_limits(drawn: _Drawn, first: Integers) -> None:
    from scipy.stats import kstest, uniform  # type: ignore[import-untyped]  # noqa: PLC0415

    payments, events = drawn.payments, drawn.events
    early = payments.time < drawn.world.span.end - 3_600 * MICROSECONDS
    pending = np.flatnonzero((events.status[first] == PENDING) & early)
    settled = first[pending] + 1
    assert (events.payment[settled] == pending).all()
    assert (events.status[settled] == payments.outcome[pending]).all()
    delays = (events.time[settled] - payments.time[pending]) / MICROSECONDS
    slow = np.isin(payments.method[pending], SLOW)
    for of_kind, least, most in ((~slow, 2, 120), (slow, 30, 900)):
        assert kstest(delays[of_kind], uniform(least, most - least).cdf).pvalue > LEVEL


def test_what_is_not_pending_has_its_outcome_at_once(drawn: _Drawn, first: Integers) -> None:
    at_once = drawn.events.status[first] != PENDING
    assert (drawn.events.status[first] == drawn.payments.outcome)[at_once].all()
    assert (drawn.events.time[first] == drawn.payments.time).all()


def test_a_share_of_completed_payments_is_given_back_later_and_a_third_of_those_by_half(
    drawn: _Drawn,
) -> None:
    from scipy.stats import kstest, uniform  # noqa: PLC0415

    payments, events = drawn.payments, drawn.events
    early = payments.time < drawn.world.span.end - 2 * 3_600 * MICROSECONDS
    refunds = _of_status(events, REFUNDED)
    refunds = refunds[early[events.payment[refunds]]]
    given_back = events.payment[refunds]
    assert (payments.outcome[given_back] == COMPLETED).all()
    assert (events.status[refunds - 1] == COMPLETED).all()
    assert (events.payment[refunds - 1] == given_back).all()
    completed = int((early & (payments.outcome == COMPLETED)).sum())
    assert likely(len(refunds), completed, 0.1)
    delays = (events.time[refunds] - events.time[refunds - 1]) / MICROSECONDS
    assert kstest(delays, uniform(60, 1_140).cdf).pvalue > LEVEL
    whole = events.minor[refunds] == payments.minor[given_back]
    half = events.minor[refunds] == np.maximum(payments.minor[given_back] // 2, 1)
    assert (whole | half).all()
    assert likely(int((~whole).sum()), len(refunds), 0.33)


def test_only_refunds_are_payments_of_their_own(drawn: _Drawn) -> None:
    events = drawn.events
    assert (events.original == (events.status == REFUNDED)).all()
    assert set(events.status.tolist()) == set(range(len(STATUSES)))
    others = ~events.original
    assert (events.minor[others] == drawn.payments.minor[events.payment[others]]).all()


def test_what_would_come_after_the_end_does_not_come() -> None:
    life_cycle = LifeCycle(pending_share=1, slow_pending_share=1, refund_share=1)
    asked = configuration(time=TimeSpan(duration="10m"), life_cycle=life_cycle)
    built, payments, events = _draw(asked, 5_000)
    assert (events.time < built.span.end).all()
    assert (events.time >= built.span.start).all()
    counts = np.bincount(events.payment, minlength=5_000)
    # Pending, settled, refunded: as many payments got as far as each as there was time for.
    assert set(counts.tolist()) == {1, 2, 3}
    assert (payments.time[counts == 1] > built.span.end - 900 * MICROSECONDS).all()


@pytest.mark.parametrize("number", [1, 2, 3, 500, 1_000])
def test_there_are_exactly_as_many_events_as_asked_for_and_each_follows_its_own(
    number: int,
) -> None:
    built = world(CONFIGURATION)
    columns = np.random.default_rng(2)
    payments = draw_payments(built, built.timeline.block(0), number, columns)
    events = live(built, payments, number, columns)
    assert len(events.payment) == number
    assert (np.diff(events.payment) >= 0).all()
    assert (np.diff(events.time)[np.diff(events.payment) == 0] > 0).all()
    statuses = [
        events.status[events.payment == payment].tolist()
        for payment in range(int(events.payment.max()) + 1)
    ]
    for each in statuses:
        assert each[0] != REFUNDED
        assert each[1:] in ([], [REFUNDED]) if each[0] == COMPLETED else PENDING not in each[1:]
