"""Contradictions of statuses, refunds and currencies are valid, and as large as they should be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import pytest
from decoded_violations import assert_judged_as_labelled, occurrences, payments_of
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import (
    AT,
    CONFIGURATION,
    Trial,
    kind_named,
    occurrence,
    small_population,
    trials,
)

from simulator.configuration.violation_settings import OrphanRefund
from simulator.violations.business import KINDS
from simulator.violations.casting import QUOTED
from simulator.wire import Payment

NAMES: Final = [kind.name for kind in KINDS]
STATUS: Final = kind_named("status_mismatch", KINDS)
ORPHAN: Final = kind_named("orphan_refund", KINDS)
CURRENCY: Final = kind_named("currency_mismatch", KINDS)
PER_DOLLAR: Final = {each.currency: each.per_dollar for each in CONFIGURATION.countries}
OWN_CURRENCY: Final = {each.code: each.currency for each in CONFIGURATION.countries}
# Where the shipped rules know of a foreign currency for certain.
JUDGED: Final = frozenset({"US", "GB", "CH", "DE", "FR", "ES", "IT", "NL"})


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS)


@pytest.fixture(scope="module")
def hidden() -> Mapping[str, Sequence[Trial]]:
    return trials(KINDS, subtlety=1.0)


def dollars(payment: Payment) -> float:
    return float(payment.amount) / PER_DOLLAR[payment.event.currency]


@pytest.mark.parametrize("name", NAMES)
@given(first=st.integers(0, 10**6), subtlety=st.sampled_from([0.0, 0.5, 1.0]))
@settings(deadline=None, max_examples=15)
def test_events_are_valid_and_unflagged(name: str, first: int, subtlety: float) -> None:
    kind = kind_named(name, KINDS)
    made = [occurrence(kind, first + turn, subtlety=subtlety) for turn in range(4)]
    assert not any(incident.refused for incident in made)
    assert_judged_as_labelled(kind, made)


def test_what_failed_or_was_cancelled_is_completed_or_refunded_even_so() -> None:
    pairs = [incident.payments for incident in occurrences(STATUS, 8)]
    statuses = [(one.event.payment_status, two.event.payment_status) for one, two in pairs]
    ways = Counter(statuses)
    assert ways == {
        (one, two): 2 for one in ("failed", "cancelled") for two in ("completed", "refunded")
    }
    for one, two in pairs:
        assert timedelta(seconds=1) < two.event_time - one.event_time <= timedelta(minutes=15)
        assert one.customer_id == two.customer_id
        if two.event.payment_status == "refunded":
            assert two.event.original_transaction_id == one.event.transaction_id
            assert two.event.transaction_id != one.event.transaction_id
        else:
            assert two.event.transaction_id == one.event.transaction_id


def test_refunds_of_what_was_never_paid_are_worth_a_look() -> None:
    made = payments_of(occurrences(STATUS, 800))
    refunds = [each for each in made if each.event.payment_status == "refunded"]
    assert min(map(dollars, refunds)) >= 150
    assert {refund.event.currency for refund in refunds} <= QUOTED


@pytest.mark.parametrize("remaining", [timedelta(seconds=1), timedelta(minutes=3)])
def test_second_thoughts_come_before_the_end_of_the_simulation(remaining: timedelta) -> None:
    for turn in range(12):
        one, two = occurrence(STATUS, turn, remaining=remaining, subtlety=1.0).payments
        assert one.event_time < two.event_time < AT + remaining


@pytest.mark.parametrize("minimum", [150.0, 600.0])
def test_orphan_refunds_are_at_least_the_minimum_and_at_most_twenty_times_that(
    minimum: float,
) -> None:
    settings_ = OrphanRefund(minimum=minimum)
    made = payments_of(occurrences(ORPHAN, 200, settings=settings_))
    sizes = sorted(map(dollars, made))
    assert minimum <= sizes[0] < 1.5 * minimum
    assert 15 * minimum < sizes[-1] <= 20 * minimum
    assert {refund.event.currency for refund in made} <= QUOTED


def test_orphan_refunds_name_payments_that_nobody_has() -> None:
    made = payments_of(occurrences(ORPHAN, 50))
    named = {refund.event.original_transaction_id for refund in made}
    assert len(named) == 50
    assert not named & {refund.event.transaction_id for refund in made}
    assert {refund.event.payment_status for refund in made} == {"refunded"}


def test_plain_orphan_refunds_are_found_and_hidden_ones_are_not(
    plain: Mapping[str, Sequence[Trial]], hidden: Mapping[str, Sequence[Trial]]
) -> None:
    assert all("orphan_refund" in trial.alerts for trial in plain[ORPHAN.name])
    assert not any("orphan_refund" in trial.alerts for trial in hidden[ORPHAN.name])


def test_customer_and_merchant_are_of_one_country_and_the_currency_of_another() -> None:
    made = payments_of(occurrences(CURRENCY, 200))
    for payment in made:
        customer, merchant = payment.event.customer, payment.event.merchant
        assert customer is not None
        assert merchant is not None
        assert customer.country == merchant.country
        assert payment.event.currency != OWN_CURRENCY[str(customer.country)]
    decimals = {-int(payment.amount.as_tuple().exponent) for payment in made}
    assert decimals == {0, 2, 3}


def test_the_smallest_population_pays_in_foreign_currencies_at_home_as_well() -> None:
    village = small_population(customers=10, merchants=10)
    for turn in range(40):
        [payment] = occurrence(CURRENCY, turn, people=village).payments
        customer, merchant = payment.event.customer, payment.event.merchant
        assert (customer and customer.country) == (merchant and merchant.country)


def test_a_foreign_currency_at_home_is_found_where_the_rules_judge_it(
    plain: Mapping[str, Sequence[Trial]],
) -> None:
    judged = [
        trial
        for trial in plain[CURRENCY.name]
        if (customer := trial.incident.payments[0].event.customer) and customer.country in JUDGED
    ]
    assert len(judged) > 30
    assert all("foreign_currency_at_home" in trial.matches for trial in judged)
