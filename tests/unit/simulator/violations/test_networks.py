"""Money flows through networks of accounts in order, loses a cut, and is found when plain."""

from collections import Counter
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
    population,
    small_population,
    trials,
)

from simulator.generation.population import Population
from simulator.violations.kind import Kind
from simulator.violations.networks import KINDS
from simulator.wire import Payment

NAMES: Final = [kind.name for kind in KINDS]
FOUND_BY: Final = {
    "fan_in": {"fan_in_transfers"},
    "fan_out": {"fan_out_transfers"},
    # No rule follows money from hand to hand: a round is found by its sums.
    "cycle": {"customer_daily_sum"},
    "scatter_gather": {"fan_in_transfers", "fan_out_transfers"},
    "layering": {"cash_in_then_transfer_abroad"},
}
PER_DOLLAR: Final = {each.currency: each.per_dollar for each in CONFIGURATION.countries}
LENGTHS: Final = [timedelta(seconds=10), timedelta(days=2)]


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS)


@pytest.fixture(scope="module")
def hidden() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS, subtlety=1.0)


@pytest.fixture(scope="module")
def village() -> Population:
    return small_population(customers=10, merchants=10)


@pytest.fixture(scope="module")
def owners() -> Mapping[str, str]:
    people = population()
    size = len(people.group_of_customer)
    return {people.customer(at).account: people.customer(at).id for at in range(size)}


def flows(payments: Sequence[Payment]) -> list[tuple[str, str, float]]:
    """Return who pays which account how many dollars, in the order of event times."""
    found = []
    for payment in sorted(payments, key=lambda each: each.event_time):
        event = payment.event
        assert event.customer
        if event.counterparty:
            dollars = float(payment.amount) / PER_DOLLAR[event.currency]
            found.append((str(event.customer.id), str(event.counterparty.id), dollars))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_find_what_is_plain_to_see(
    name: str, plain: Mapping[str, Sequence[Trial]]
) -> None:
    for rule in FOUND_BY[name]:
        assert sum(rule in trial.alerts for trial in plain[name]) >= 97


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_hardly_find_what_is_hidden(
    name: str, hidden: Mapping[str, Sequence[Trial]]
) -> None:
    for rule in FOUND_BY[name]:
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
        assert len(occurrence(kind, seed, people=village).payments) > 2


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_amounts_methods_and_channels_give_nothing_away(kind: Kind) -> None:
    assert distinct_amounts(kind) > 0.9
    events = [each.event for seed in range(40) for each in occurrence(kind, seed).payments]
    assert len({event.channel for event in events}) > 1
    assert len({event.payment_method for event in events}) > 1


@pytest.mark.parametrize("subtlety", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_sizes_are_as_announced(kind: Kind, subtlety: float) -> None:
    assert mean_size(kind, subtlety) == pytest.approx(kind.events(subtlety), rel=0.05)


def test_many_different_customers_pay_the_account_of_a_fan_in(owners: Mapping[str, str]) -> None:
    for seed in range(50):
        incident = occurrence(kind_named("fan_in", KINDS), seed)
        moved = flows(incident.payments)
        payers = [payer for payer, _, _ in moved]
        assert len(set(payers)) == len(payers) >= 10
        assert {to for _, to, _ in moved} == {incident.subject["counterparty.id"]}
        assert owners.get(moved[0][1]) not in payers


def test_the_customer_of_a_fan_out_pays_many_different_accounts(
    owners: Mapping[str, str],
) -> None:
    known = Counter[bool]()
    for seed in range(50):
        incident = occurrence(kind_named("fan_out", KINDS), seed)
        moved = flows(incident.payments)
        accounts = [to for _, to, _ in moved]
        assert {payer for payer, _, _ in moved} == {incident.subject["customer.id"]}
        assert len(set(accounts)) == len(accounts) >= 10
        known.update(to in owners for to in accounts)
    assert set(known) == {True, False}


@pytest.mark.parametrize("remaining", LENGTHS)
def test_the_money_of_a_cycle_comes_back_to_the_first_and_gets_less(
    remaining: timedelta, owners: Mapping[str, str]
) -> None:
    for seed in range(50):
        incident = occurrence(kind_named("cycle", KINDS), seed, remaining=remaining)
        legs: dict[tuple[str, str], float] = {}
        for payer, to, dollars in flows(incident.payments):
            leg = (payer, owners[to])
            assert leg not in legs or leg == list(legs)[-1], "a leg begins before the last is over"
            legs[leg] = legs.get(leg, 0.0) + dollars
        route = list(legs)
        assert route[0][0] == route[-1][1] == incident.subject["customer.id"]
        assert all(before[1] == after[0] for before, after in pairwise(route))
        assert all(
            0.9 * before < after < before * 0.999 for before, after in pairwise(legs.values())
        )


@pytest.mark.parametrize("remaining", LENGTHS)
def test_those_between_scatter_and_gather_pay_after_they_are_paid(
    remaining: timedelta, owners: Mapping[str, str]
) -> None:
    for seed in range(50):
        incident = occurrence(kind_named("scatter_gather", KINDS), seed, remaining=remaining)
        held: dict[str, float] = {}
        at_once = 0
        for payer, to, dollars in flows(incident.payments):
            at_once = max(at_once, len(held))
            if payer == incident.subject["customer.id"]:
                held[owners[to]] = dollars
            else:
                assert to == incident.subject["counterparty.id"]
                assert 0.9 * held[payer] < dollars < 0.99 * held.pop(payer)
        assert not held
        assert at_once > 1


@pytest.mark.parametrize("remaining", LENGTHS)
def test_layering_begins_with_cash_and_leaves_some_of_it_at_each_step(
    remaining: timedelta, owners: Mapping[str, str]
) -> None:
    for seed in range(50):
        incident = occurrence(kind_named("layering", KINDS), seed, remaining=remaining)
        payments = sorted(incident.payments, key=lambda each: each.event_time)
        cash = [
            each
            for each in payments
            if each.event.customer
            and each.event.customer.id == incident.subject["customer.id"]
            and each.event.payment_method in {"cash_equivalent", "cryptocurrency"}
        ]
        assert payments[: len(cash)] == cash
        chain = flows(payments[len(cash) :])
        placed = sum(float(each.amount) / PER_DOLLAR[each.event.currency] for each in cash)
        assert 0.9 * placed < chain[0][2] < 0.99 * placed
        for (_, to, before), (payer, _, after) in pairwise(chain):
            assert owners[to] == payer
            assert 0.9 * before < after < 0.99 * before
        assert chain[-1][1] == incident.subject["counterparty.id"]
