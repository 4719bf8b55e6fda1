"""Fraud and outages are realistic, found when plain, and overlooked when hidden."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import (
    AT,
    CONFIGURATION,
    Trial,
    assert_sound,
    distinct_amounts,
    kind_named,
    mean_size,
    occurrence,
    population,
    small_population,
    trials,
)

from simulator.generation.population import Population
from simulator.violations.fraud import KINDS
from simulator.violations.kind import Kind
from simulator.wire import Payment

NAMES: Final = [kind.name for kind in KINDS]
FOUND_BY: Final = {
    "card_testing": "card_testing",
    "account_takeover": "customer_many_cards",
    "impossible_travel": "impossible_travel",
    "failure_burst": "merchant_failure_burst",
}
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


def payments_of(name: str, seed: int) -> tuple[Payment, ...]:
    return occurrence(kind_named(name, KINDS), seed).payments


def dollars(payment: Payment) -> float:
    return float(payment.amount) / PER_DOLLAR[payment.event.currency]


def merchants(payments: Sequence[Payment]) -> list[str | None]:
    return [each.event.merchant.id if each.event.merchant else None for each in payments]


def merchant_countries(payments: Sequence[Payment]) -> list[str | None]:
    return [each.event.merchant.country if each.event.merchant else None for each in payments]


def cards(payments: Sequence[Payment]) -> list[str | None]:
    return [each.event.card.fingerprint if each.event.card else None for each in payments]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_find_what_is_plain_to_see(
    name: str, plain: Mapping[str, Sequence[Trial]]
) -> None:
    assert sum(FOUND_BY[name] in trial.alerts for trial in plain[name]) >= 97


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_hardly_find_what_is_hidden(
    name: str, hidden: Mapping[str, Sequence[Trial]]
) -> None:
    assert sum(FOUND_BY[name] in trial.alerts for trial in hidden[name]) <= 10


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
def test_amounts_and_methods_give_nothing_away(kind: Kind) -> None:
    assert distinct_amounts(kind) > 0.5
    events = [each.event for seed in range(40) for each in occurrence(kind, seed).payments]
    assert len({event.payment_method for event in events}) > 1


@pytest.mark.parametrize("subtlety", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_sizes_are_as_announced(kind: Kind, subtlety: float) -> None:
    assert mean_size(kind, subtlety) == pytest.approx(kind.events(subtlety), rel=0.05)


def test_a_card_is_tested_at_one_merchant_until_a_larger_payment_succeeds() -> None:
    for seed in range(50):
        payments = payments_of("card_testing", seed)
        *probes, last = payments
        assert [each.event.payment_status for each in payments] == [
            *["failed"] * len(probes),
            "completed",
        ]
        assert all(0.4 < dollars(probe) < 4.6 for probe in probes)
        assert dollars(last) > 70
        assert len(set(cards(payments))) == len(set(merchants(payments))) == 1
        assert last.event_time - payments[0].event_time < timedelta(minutes=10)


def test_some_tested_cards_belong_to_customers_and_some_to_nobody_known() -> None:
    people = population()
    size = len(people.group_of_customer)
    known = {people.customer(at).card.fingerprint for at in range(size)}
    tested = [cards(payments_of("card_testing", seed))[0] in known for seed in range(50)]
    assert 10 < sum(tested) < 40


def test_whoever_takes_over_an_account_has_another_address_device_and_cards() -> None:
    people = population()
    size = len(people.group_of_customer)
    customers = {people.customer(at).id: people.customer(at) for at in range(size)}
    for seed in range(50):
        payments = payments_of("account_takeover", seed)
        (wire,) = {each.event.customer for each in payments}
        assert wire
        owner = customers[str(wire.id)]
        assert wire.email != owner.email
        assert len({each.event.device_type for each in payments}) == 1
        by_card = [each for each in payments if each.event.card]
        used = cards(by_card)
        assert len(set(used)) == len(used) >= 4
        assert owner.card.fingerprint not in used
        assert owner.country.code not in merchant_countries(by_card)


def test_an_account_is_emptied_in_the_night_of_its_owner() -> None:
    zones = {each.code: ZoneInfo(each.time_zone) for each in CONFIGURATION.countries}
    for seed in range(50):
        first, *rest = payments_of("account_takeover", seed)
        assert first.event_time == AT
        for payment in rest:
            assert payment.event.customer
            zone = zones[str(payment.event.customer.country)]
            assert payment.event_time.astimezone(zone).hour < 5
            assert payment.event_time - AT < timedelta(hours=24)


def test_a_card_travels_faster_than_anybody_can() -> None:
    for seed in range(50):
        payments = payments_of("impossible_travel", seed)
        assert len(set(cards(payments))) == 1
        assert {each.event.channel for each in payments} == {"point_of_sale"}
        for before, after in pairwise(payments):
            gap = after.event_time - before.event_time
            assert timedelta(minutes=2) < gap < timedelta(minutes=12)
        countries = merchant_countries(payments)
        assert all(before != after for before, after in pairwise(countries))


def test_a_failure_burst_hits_one_merchant_and_many_customers() -> None:
    for seed in range(30):
        payments = payments_of("failure_burst", seed)
        assert {each.event.payment_status for each in payments} == {"failed"}
        assert len(set(merchants(payments))) == 1
        assert all(cards(payments))
        assert len({each.customer_id for each in payments}) > 20
        assert payments[-1].event_time - payments[0].event_time < timedelta(minutes=10)
