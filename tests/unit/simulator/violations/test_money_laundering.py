"""Laundering by single customers is realistic, found when plain, and overlooked when hidden."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import (
    CONFIGURATION,
    REMAINING,
    Trial,
    assert_sound,
    distinct_amounts,
    kind_named,
    mean_size,
    occurrence,
    small_population,
    trials,
)

from simulator.configuration.violation_settings import LargeAmount, Structuring
from simulator.generation.population import Population
from simulator.violations.kind import Kind
from simulator.violations.money_laundering import KINDS

NAMES: Final = [kind.name for kind in KINDS]
# What lies above a threshold or in a listed country is found however small it is.
HIDES: Final = {"structuring": "structuring_by_customer", "rapid_fire": "customer_rapid_fire"}
PER_DOLLAR: Final = {each.currency: each.per_dollar for each in CONFIGURATION.countries}


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS)


@pytest.fixture(scope="module")
def hidden() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS, subtlety=1.0)


@pytest.fixture(scope="module")
def village() -> Population:
    return small_population(customers=10, merchants=10)


@pytest.mark.parametrize("name", [*HIDES, "high_risk_country"])
def test_shipped_rules_find_what_is_plain_to_see(
    name: str, plain: Mapping[str, Sequence[Trial]]
) -> None:
    rule = HIDES.get(name, name)
    assert sum(rule in trial.alerts for trial in plain[name]) >= 97


def test_large_amounts_are_recorded_as_such_however_hidden(
    plain: Mapping[str, Sequence[Trial]], hidden: Mapping[str, Sequence[Trial]]
) -> None:
    for tried in (plain["large_amount"], hidden["large_amount"]):
        assert sum("high_value_payment" in trial.matches for trial in tried) >= 97


@pytest.mark.parametrize(("name", "rule"), HIDES.items())
def test_shipped_rules_hardly_find_what_is_hidden(
    name: str, rule: str, hidden: Mapping[str, Sequence[Trial]]
) -> None:
    assert sum(rule in trial.alerts for trial in hidden[name]) <= 10


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), subtlety=st.floats(0, 1), seconds=st.floats(10, 200_000))
def test_occurrences_are_valid_and_lie_in_the_simulation(
    kind: Kind, seed: int, subtlety: float, seconds: float
) -> None:
    remaining = timedelta(seconds=seconds)
    assert_sound(
        occurrence(kind, seed, subtlety=subtlety, remaining=remaining), remaining=remaining
    )


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_occurrences_are_possible_among_a_handful_of_people(
    kind: Kind, village: Population
) -> None:
    for seed in range(20):
        assert occurrence(kind, seed, people=village).payments


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_amounts_and_channels_give_nothing_away(kind: Kind) -> None:
    assert distinct_amounts(kind) > 0.5
    channels = {
        payment.event.channel for seed in range(40) for payment in occurrence(kind, seed).payments
    }
    assert len(channels) > 1


@pytest.mark.parametrize("subtlety", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_sizes_are_as_announced(kind: Kind, subtlety: float) -> None:
    assert mean_size(kind, subtlety) == pytest.approx(kind.events(subtlety), rel=0.05)


def test_structuring_stays_below_the_threshold_that_is_asked_for() -> None:
    kind = kind_named("structuring", KINDS)
    for seed in range(60):
        incident = occurrence(kind, seed, settings=Structuring(threshold=3_000.0))
        assert all(2_715 <= payment.amount < 3_000 for payment in incident.payments)
        assert len({payment.event.customer for payment in incident.payments}) == 1


def test_structuring_takes_as_long_as_is_asked_for_and_left() -> None:
    kind = kind_named("structuring", KINDS)
    for remaining, most in ((REMAINING, timedelta(hours=3)), (timedelta(minutes=9),) * 2):
        spans = [
            each[-1].event_time - each[0].event_time
            for seed in range(30)
            if (
                each := occurrence(
                    kind, seed, remaining=remaining, settings=Structuring(within="3h")
                ).payments
            )
        ]
        assert most * 0.7 < max(spans) <= most


def test_large_amounts_lie_above_their_threshold() -> None:
    kind = kind_named("large_amount", KINDS)
    for subtlety, most in ((0.0, 500_000), (1.0, 60_000)):
        for seed in range(100):
            asked = LargeAmount(threshold=40_000.0)
            (payment,) = occurrence(kind, seed, subtlety=subtlety, settings=asked).payments
            dollars = payment.amount / Decimal(PER_DOLLAR[payment.event.currency])
            assert 40_000 <= dollars < most


def test_somebody_is_in_a_country_to_avoid() -> None:
    kind = kind_named("high_risk_country", KINDS)
    roles = set()
    for seed in range(100):
        ((payment,), subject, _) = occurrence(kind, seed)
        event = payment.event
        assert event.customer
        assert event.merchant
        parties = {
            "customer": event.customer.country,
            "merchant": event.merchant.country,
            "counterparty": event.counterparty and event.counterparty.country,
        }
        there = {role for role, country in parties.items() if country in {"IR", "KP", "MM"}}
        assert len(there) == 1
        assert subject == {"customer.id": event.customer.id}
        roles |= there
    assert roles == {"customer", "merchant", "counterparty"}
