"""What only looks like a violation comes near the thresholds of rules, and raises no alert."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import (
    CONFIGURATION,
    Trial,
    assert_sound,
    distinct_amounts,
    kind_named,
    mean_size,
    occurrence,
    small_population,
    trials,
)

from simulator.generation.population import Population
from simulator.violations.kind import Kind
from simulator.violations.lookalikes import KINDS
from simulator.wire import Payment

NAMES: Final = [kind.name for kind in KINDS]
PER_DOLLAR: Final = {each.currency: each.per_dollar for each in CONFIGURATION.countries}


@pytest.fixture(scope="module")
def tried() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS, number=200)


@pytest.fixture(scope="module")
def village() -> Population:
    return small_population(customers=10, merchants=10)


def payments_of(name: str, seed: int, remaining: timedelta = timedelta(days=2)) -> list[Payment]:
    incident = occurrence(kind_named(name, KINDS), seed, remaining=remaining)
    return sorted(incident.payments, key=lambda each: each.event_time)


def dollars(payment: Payment) -> float:
    return float(payment.amount) / PER_DOLLAR[payment.event.currency]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_raise_no_alert(name: str, tried: Mapping[str, Sequence[Trial]]) -> None:
    assert [trial.alerts for trial in tried[name] if trial.alerts] == []


def test_invoices_are_neither_reportable_nor_just_below(
    tried: Mapping[str, Sequence[Trial]],
) -> None:
    for trial in tried["large_invoice"]:
        assert not trial.matches & {"high_value_payment", "below_reporting_threshold"}


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), seconds=st.floats(10, 200_000))
def test_occurrences_are_valid_and_lie_in_the_simulation(
    kind: Kind, seed: int, seconds: float
) -> None:
    remaining = timedelta(seconds=seconds)
    assert_sound(occurrence(kind, seed, remaining=remaining), remaining=remaining)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_occurrences_are_possible_among_a_handful_of_people(
    kind: Kind, village: Population
) -> None:
    for seed in range(20):
        assert occurrence(kind, seed, people=village).payments


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_nobody_is_suspected_and_amounts_vary(kind: Kind) -> None:
    assert not occurrence(kind).subject
    assert distinct_amounts(kind) > 0.25


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_sizes_are_as_announced_whatever_the_subtlety(kind: Kind) -> None:
    assert kind.events(0.0) == kind.events(1.0)
    assert mean_size(kind, 0.0) == pytest.approx(kind.events(0.0), rel=0.05)


def test_a_business_pays_its_few_people() -> None:
    for seed in range(30):
        payments = payments_of("pay_run", seed)
        assert 3 <= len({each.event.counterparty for each in payments}) == len(payments) <= 6
        assert len({each.customer_id for each in payments}) == 1


def test_many_small_payments_are_collected_or_few_larger_ones() -> None:
    sizes = set()
    for seed in range(60):
        payments = payments_of("collector", seed)
        many = len(payments) > 6
        sizes.add(many)
        assert len({each.event.counterparty for each in payments}) == 1
        assert len({each.customer_id for each in payments}) == len(payments)
        assert all((dollars(each) < 400) or not many for each in payments)
    assert sizes == {True, False}


def test_a_spree_takes_no_longer_than_some_minutes() -> None:
    for seed in range(30):
        payments = payments_of("shopping_spree", seed)
        assert 6 <= len(payments) <= 12
        assert payments[-1].event_time - payments[0].event_time < timedelta(minutes=3.5)


def test_a_mistyped_card_pays_the_same_sum_in_the_end() -> None:
    for seed in range(30):
        *failed, paid = payments_of("mistyped_card", seed)
        assert 1 <= len(failed) <= 2
        assert {each.event.payment_status for each in failed} == {"failed"}
        assert paid.event.payment_status == "completed"
        assert {each.amount for each in failed} == {paid.amount}


@pytest.mark.parametrize("remaining", [timedelta(minutes=1), timedelta(days=2)])
def test_a_traveller_takes_time_between_two_tills(remaining: timedelta) -> None:
    at_tills = 0
    for seed in range(60):
        payments = payments_of("traveller", seed, remaining)
        for before, after in pairwise(payments):
            assert before.event.merchant
            assert after.event.merchant
            assert before.event.merchant.country != after.event.merchant.country
            if {before.event.channel, after.event.channel} == {"point_of_sale"}:
                at_tills += 1
                assert after.event_time - before.event_time >= timedelta(minutes=40)
    assert bool(at_tills) is (remaining > timedelta(hours=1))


def test_a_refund_names_the_payment_that_it_gives_back() -> None:
    for seed in range(30):
        payments = payments_of("repeat_refund", seed)
        bought = {
            each.event.transaction_id: each
            for each in payments
            if each.event.payment_status == "completed"
        }
        returned = [each for each in payments if each.event.payment_status == "refunded"]
        assert len(bought) == len(returned)
        for refund in returned:
            original = bought.pop(str(refund.event.original_transaction_id))
            assert refund.amount == original.amount
            assert refund.event_time > original.event_time


def test_a_family_has_two_cards() -> None:
    for seed in range(30):
        payments = payments_of("family_card", seed)
        assert len({each.event.card for each in payments}) == 2
        assert len({each.customer_id for each in payments}) == 1
