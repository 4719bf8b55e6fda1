"""Velocity rules: the payments of a subject in a sliding window up to each of them."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import (
    NOON,
    Payment,
    after,
    comparison,
    count_of,
    findings_of,
    payment,
    rule,
)

RATES = {"base": "EUR", "as_of": "today", "source": "tests", "per_base": {"USD": Decimal("1.25")}}
SUM = {"function": "sum", "field": "amount"}


def velocity_rule(**changes: Any) -> Any:
    """Return a rule that counts the payments of each customer over ten minutes."""
    plain: dict[str, Any] = {
        "scope": "velocity",
        "subject": "customer.id",
        "within_minutes": 10,
        "measure": {"function": "count"},
    }
    return rule(**plain | changes)


def of_ada(transaction_id: str, minutes: float = 0, **fields: Any) -> Payment:
    given = {"transaction_id": transaction_id, "event_time": after(minutes), "customer_id": "ada"}
    return payment(**given | fields)


def peaks(changes: Any, payments: Sequence[Payment], **document: Any) -> list[Decimal]:
    return [found.value for found in findings_of(velocity_rule(**changes), *payments, **document)]


@pytest.mark.parametrize(
    ("younger_by", "value"), [(timedelta(0), 1), (timedelta(microseconds=1), 2)]
)
def test_a_payment_exactly_within_minutes_old_no_longer_counts(
    younger_by: timedelta, value: int
) -> None:
    old = of_ada("old", event_time=NOON + younger_by)
    last = findings_of(velocity_rule(), old, of_ada("new", 10))[-1]
    assert last.value == value


def test_all_payments_at_one_instant_count_for_each_of_them() -> None:
    alert = {"operator": "gte", "value": 2}
    twins = of_ada("a"), of_ada("b")
    (found,) = findings_of(velocity_rule(alert=alert), *twins)
    assert (found.value, found.seen) == (Decimal(2), (NOON, NOON))
    assert count_of(velocity_rule(alert=alert), *twins).matched == 2


def test_a_payment_of_several_statuses_is_counted_once_by_its_first_event_in_the_window() -> None:
    events = [
        of_ada("a", 0, payment_status="pending", amount="1.00", currency="EUR"),
        of_ada("a", 3, payment_status="completed", amount="5.00", currency="EUR"),
        of_ada("b", 10, amount="20.00", currency="EUR"),
    ]
    group_by = ["currency"]
    assert peaks({"measure": SUM, "group_by": group_by}, events) == [1, 25]
    assert peaks({}, events) == [1, 2]


def test_each_five_minute_window_has_the_value_at_its_peak() -> None:
    payments = [of_ada("a", 0), of_ada("b", 1), of_ada("c", 4), of_ada("d", 10), of_ada("e", 30)]
    assert peaks({}, payments) == [3, 3, 1]


def test_an_alert_on_low_values_records_the_lowest() -> None:
    payments = [of_ada("a", 0), of_ada("b", 1), of_ada("c", 2)]
    assert peaks({"alert": {"operator": "lte", "value": 2}}, payments) == [1]


def test_with_an_alert_only_the_subjects_that_pass_it_are_recorded() -> None:
    payments = [of_ada("a"), of_ada("b"), of_ada("c", customer_id="bob")]
    every = findings_of(velocity_rule(), *payments)
    assert [(found.dimensions, found.exceeded) for found in every] == [
        ({"customer.id": "ada"}, False),
        ({"customer.id": "bob"}, False),
    ]
    (passed,) = findings_of(velocity_rule(alert={"operator": "gt", "value": 1}), *payments)
    assert (passed.dimensions, passed.exceeded) == ({"customer.id": "ada"}, True)


def test_a_value_in_a_band_is_recorded_though_no_alert_is_raised() -> None:
    bands = [{"outcome": "busy", "at_least": 2, "reason": "two in ten minutes"}]
    busy = velocity_rule(alert={"operator": "gte", "value": 9}, bands=bands)
    (found,) = findings_of(busy, of_ada("a"), of_ada("b"), of_ada("c", customer_id="bob"))
    assert (found.value, found.outcome, found.exceeded) == (Decimal(2), 3, False)


def test_group_by_sets_payments_of_one_subject_apart_missing_values_too() -> None:
    payments = [of_ada("a", channel="web"), of_ada("b"), of_ada("c", channel="web"), of_ada("d")]
    found = findings_of(velocity_rule(group_by=["channel"]), *payments)
    assert [each.dimensions["channel"] for each in found] == ["web", None]
    assert [each.value for each in found] == [2, 2]


def test_a_payment_without_the_subject_takes_no_part_and_is_told_as_not_judged() -> None:
    nobody = payment(transaction_id="nobody")
    assert count_of(velocity_rule(), of_ada("a"), nobody)[1:] == (1, 1)
    assert [found.value for found in findings_of(velocity_rule(), of_ada("a"), nobody)] == [1]


def test_a_payment_for_which_the_condition_is_unknown_takes_no_part() -> None:
    web = velocity_rule(when=comparison("channel", "eq", "web"))
    payments = [of_ada("a", channel="web"), of_ada("b"), of_ada("c", channel="atm")]
    assert [found.value for found in findings_of(web, *payments)] == [1]
    assert count_of(web, *payments)[1:] == (1, 1)


def test_only_payments_inside_the_rules_dates_count() -> None:
    dates = {"effective_from": after(1).isoformat(), "effective_to": after(3).isoformat()}
    payments = [of_ada("a", 0), of_ada("b", 1), of_ada("c", 2), of_ada("d", 3)]
    assert peaks(dates, payments) == [2]


def test_distinct_values_are_counted_and_absent_ones_not() -> None:
    cards = [of_ada(each, card_fingerprint=each) for each in ("one", "two")]
    more = [of_ada("again", card_fingerprint="one"), of_ada("cash")]
    measure = {"function": "distinct_count", "field": "card.fingerprint"}
    (found,) = findings_of(velocity_rule(measure=measure), *cards, *more)
    assert (found.value, found.payment_count) == (Decimal(2), 4)


def test_amounts_without_a_rate_are_left_out_of_a_sum_and_told_as_not_judged() -> None:
    in_euro = velocity_rule(measure=SUM | {"in_currency": "EUR"})
    payments = [
        of_ada("dollars", amount="1.25", currency="USD"),
        of_ada("euros", amount="2.00", currency="EUR"),
        of_ada("francs", amount="9.00", currency="CHF"),
    ]
    (found,) = findings_of(in_euro, *payments, rates=RATES)
    assert (found.value, found.payment_count) == (Decimal("3.00"), 2)
    assert found.evidence["rates"] == {"USD": "0.8"}
    assert count_of(in_euro, *payments, rates=RATES)[1:] == (2, 1)


def test_the_evidence_of_an_alert_is_the_last_ten_payments_each_once() -> None:
    alert = {"operator": "gte", "value": 12}
    payments = [of_ada(f"p{number:02}", number / 10) for number in range(12)]
    again = of_ada("p11", 1.2, payment_status="refunded")
    (found,) = findings_of(velocity_rule(alert=alert), *payments, again)
    shown = [each["transaction_id"] for each in found.evidence["payments"]]
    assert shown == [f"p{number:02}" for number in range(2, 12)]
    assert found.evidence["within_minutes"] == 10
    assert found.seen == (after(1.1), after(1.2))


def test_without_an_alert_passed_no_payments_are_kept_as_evidence() -> None:
    (found,) = findings_of(velocity_rule(), of_ada("a"))
    assert found.evidence == {"within_minutes": 10}
