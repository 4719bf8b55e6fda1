"""Sequence rules: the payment before, so many of these and then that, and the payment named."""

import time
from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import (
    Payment,
    after,
    columns_of,
    comparison,
    compiled,
    count_of,
    findings_of,
    payment,
    rule,
)

from shared_code.rules.dry_run import dry_run
from shared_code.rules.findings import SHOWN_PAYMENTS, Finding, alert_subject

EVER = comparison("gap_minutes", "gte", 0)
FAILED = comparison("payment_status", "eq", "failed")
COMPLETED = comparison("payment_status", "eq", "completed")
REFUNDED = comparison("payment_status", "eq", "refunded")


def previous_rule(where: Any = EVER, *, before: Any = None, **changes: Any) -> Any:
    """Return a rule that looks at most ten minutes back to the customer's payment before."""
    part = {"within_minutes": 10, "where": where} | ({} if before is None else {"when": before})
    return rule(**{"scope": "sequence", "subject": "customer.id", "previous": part} | changes)


def pattern_rule(times: int = 2, **changes: Any) -> Any:
    """Return a rule that finds failures and then a completed payment within ten minutes."""
    part = {"first": FAILED, "times": times, "then": COMPLETED, "within_minutes": 10}
    return rule(**{"scope": "sequence", "subject": "customer.id", "pattern": part} | changes)


def refund_rule(where: Any, *, original: Any = None, **changes: Any) -> Any:
    """Return a rule that compares a refund with the payment of the last hour that it names."""
    part = {"within_minutes": 60, "where": where} | ({} if original is None else {"when": original})
    return rule(**{"scope": "sequence", "when": REFUNDED, "lookup": part} | changes)


def own_past_rule(where: Any, *, counted: Any = None, **changes: Any) -> Any:
    """Return a rule that compares a completion with the payment's own past of the last hour."""
    part = {"by": "transaction_id", "within_minutes": 60, "where": where}
    part |= {} if counted is None else {"when": counted}
    return rule(**{"scope": "sequence", "when": COMPLETED, "lookup": part} | changes)


def of_ada(transaction_id: str, minutes: float = 0, **fields: Any) -> Payment:
    given = {"transaction_id": transaction_id, "event_time": after(minutes), "customer_id": "ada"}
    return payment(**given | fields)


def refund(minutes: float = 5, **fields: Any) -> Payment:
    given = {"payment_status": "refunded", "original_transaction_id": "paid"}
    return of_ada("refund", minutes, **given | fields)


def ids(found: list[Finding]) -> list[str | None]:
    return [each.dimensions["transaction_id"] for each in found]


def before_of(found: Finding) -> str:
    name: str = found.evidence["previous"]["transaction_id"]
    return name


@pytest.mark.parametrize(("minutes", "expected"), [(9.99, ["new"]), (10, [])])
def test_a_payment_exactly_within_minutes_old_is_no_payment_before(
    minutes: float, expected: list[str]
) -> None:
    assert ids(findings_of(previous_rule(), of_ada("old"), of_ada("new", minutes))) == expected


def test_the_payment_before_is_the_last_of_the_same_subject() -> None:
    others = [of_ada("first", 0), of_ada("second", 1), of_ada("bobs", 2, customer_id="bob")]
    found = findings_of(previous_rule(), *others, of_ada("new", 3))[-1]
    assert (before_of(found), found.payment_count) == ("second", 2)
    assert found.evidence["payments"][0]["transaction_id"] == "new"


def test_another_status_of_the_same_payment_is_no_payment_before() -> None:
    events = [of_ada("a", 0), of_ada("b", 1, payment_status="pending"), of_ada("b", 2)]
    found = findings_of(previous_rule(), *events)
    assert [before_of(each) for each in found] == ["a", "a"]


def test_of_two_payments_at_one_instant_the_one_first_by_id_is_before() -> None:
    assert ids(findings_of(previous_rule(), of_ada("b"), of_ada("a"))) == ["b"]


def test_previous_when_passes_over_payments_that_do_not_count() -> None:
    payments = [of_ada("failed", 0, payment_status="failed"), of_ada("other", 1), of_ada("new", 2)]
    found = findings_of(previous_rule(before=FAILED), *payments)
    assert [before_of(each) for each in found] == ["failed", "failed"]


def test_the_first_payment_of_a_subject_has_none_before_whatever_where_asks() -> None:
    large = previous_rule(comparison("amount", "gt", 5))
    assert findings_of(large, of_ada("only")) == []
    assert ids(findings_of(large, of_ada("a"), of_ada("b", 1))) == ["b"]


def test_a_band_names_what_the_value_of_a_sequence_means() -> None:
    bands = [{"outcome": "far_apart", "at_least": 5, "reason": "five minutes and more"}]
    gaps = previous_rule(value={"field": "gap_minutes"}, bands=bands)
    found = findings_of(gaps, of_ada("a"), of_ada("b", 4), of_ada("c", 9))
    assert [(each.value, each.outcome) for each in found] == [(Decimal(4), 1), (Decimal(5), 3)]


def test_where_compares_the_fields_of_both_payments() -> None:
    moved = comparison("merchant.country", "ne", {"field": "previous.merchant.country"})
    countries = [("a", "DE"), ("b", "DE"), ("c", "US"), ("d", None), ("e", "FR")]
    payments = [
        of_ada(each, at, merchant_country=country) for at, (each, country) in enumerate(countries)
    ]
    assert ids(findings_of(previous_rule(moved), *payments)) == ["c"]


def test_gap_minutes_is_exact_to_the_microsecond() -> None:
    half = comparison("gap_minutes", "eq", Decimal("0.5"))
    assert ids(findings_of(previous_rule(half), of_ada("a"), of_ada("b", 0.5))) == ["b"]
    just_after = of_ada("b", event_time=after(0.5).replace(microsecond=1))
    assert findings_of(previous_rule(half), of_ada("a"), just_after) == []
    assert findings_of(previous_rule(value={"field": "gap_minutes"}), of_ada("a"), just_after)[
        0
    ].value == Decimal("0.5000000166666666666666666666666667")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({"amount": "10.00"}, ["new"]),
        ({"amount": "10.01"}, []),
        ({"amount": "0.00"}, []),
        ({"amount": "1", "currency": "JPY"}, []),
    ],
)
def test_amount_ratio_is_known_in_one_currency_and_above_zero(
    before: Any, expected: list[str]
) -> None:
    tenfold = previous_rule(comparison("amount_ratio", "gte", 10))
    payments = of_ada("old", 0, **before), of_ada("new", 1, amount="100.00")
    assert ids(findings_of(tenfold, *payments)) == expected


def test_a_sequence_without_a_value_is_counted_as_indeterminate_and_not_recorded() -> None:
    ratio = previous_rule(value={"field": "amount_ratio"})
    payments = of_ada("old", 0, amount="0.00"), of_ada("new", 1)
    assert findings_of(ratio, *payments) == []
    assert count_of(ratio, *payments)[1:] == (0, 1)


def test_a_payment_without_the_subject_is_told_as_not_judged() -> None:
    payments = of_ada("a"), of_ada("b"), payment(transaction_id="nobody")
    assert count_of(previous_rule(), *payments)[1:] == (1, 1)


def test_a_pattern_is_completed_by_each_payment_that_follows_enough_others() -> None:
    failures = [of_ada(each, at, payment_status="failed") for at, each in enumerate("abc")]
    found = findings_of(pattern_rule(), *failures, of_ada("d", 3), of_ada("e", 11))
    assert ids(found) == ["d"]
    assert found[0].value == 3
    assert found[0].payment_count == 4
    shown = [each["transaction_id"] for each in found[0].evidence["payments"]]
    assert shown == ["a", "b", "c", "d"]


def test_a_pattern_counts_payments_and_not_their_events() -> None:
    again = [of_ada("a", at, payment_status="failed") for at in (0, 1)]
    assert findings_of(pattern_rule(times=2), *again, of_ada("b", 2)) == []
    assert ids(findings_of(pattern_rule(times=1), *again, of_ada("b", 2))) == ["b"]


def test_the_rules_own_condition_holds_for_the_first_payments_too() -> None:
    web = pattern_rule(times=1, when=comparison("channel", "eq", "web"))
    failed = [of_ada(each, payment_status="failed", channel=each) for each in ("atm", "web")]
    completed = of_ada("c", 1, channel="web")
    assert findings_of(web, failed[0], completed) == []
    assert ids(findings_of(web, failed[1], completed)) == ["c"]


def test_a_payment_does_not_follow_its_own_failure() -> None:
    events = [of_ada("a", 0, payment_status="failed"), of_ada("a", 1)]
    assert findings_of(pattern_rule(times=1), *events) == []


def test_a_failure_behind_the_completed_payment_completes_nothing() -> None:
    late = of_ada("b", 1, payment_status="failed")
    assert findings_of(pattern_rule(times=1), of_ada("a", 0), late) == []


def test_the_evidence_of_a_pattern_is_quick_however_many_payments_its_subject_has() -> None:
    statuses = ("failed", "completed")
    events = [
        of_ada(f"txn-{number:05}", number / 5_000, payment_status=statuses[number % 2])
        for number in range(25_000)
    ]
    began = time.process_time()
    *_, last = findings_of(pattern_rule(), *events)
    assert time.process_time() - began < 3
    shown = [each["transaction_id"] for each in last.evidence["payments"]]
    assert len(shown) == SHOWN_PAYMENTS
    assert shown[-3:] == ["txn-24996", "txn-24998", "txn-24999"]


def test_the_value_of_a_pattern_may_be_the_amount_that_completes_it() -> None:
    amount = pattern_rule(times=1, value={"field": "amount"})
    payments = of_ada("a", 0, payment_status="failed"), of_ada("b", 1, amount="900.00")
    assert [each.value for each in findings_of(amount, *payments)] == [900]


def test_a_lookup_finds_the_last_event_of_the_payment_that_is_named() -> None:
    more = refund_rule(comparison("amount", "gt", {"field": "original.amount"}))
    events = [
        of_ada("paid", 0, payment_status="pending", amount="60.00"),
        of_ada("paid", 1, amount="50.00", customer_id="somebody else"),
        of_ada("other", 2, amount="99.00"),
    ]
    (found,) = findings_of(more, *events, refund(amount="55.00"))
    assert found.evidence["original"]["amount"] == "50.00"
    assert found.dimensions == {"transaction_id": "refund", "payment_status": "refunded"}
    pending = more | {"lookup": more["lookup"] | {"when": {"not": COMPLETED}}}
    assert findings_of(pending, *events, refund(amount="55.00")) == []


@pytest.mark.parametrize("minutes", [-1, 60])
def test_all_fields_are_absent_where_no_such_payment_is_young_enough_or_before(
    minutes: float,
) -> None:
    paid, orphan = of_ada("paid"), refund(minutes)
    where = comparison("original.transaction_id", "exists", value=False)
    (found,) = findings_of(refund_rule(where), paid, orphan)
    assert (found.payment_count, found.evidence["original"]) == (1, None)
    for name, value in [("currency", "JPY"), ("quality_flags", "zero_amount")]:
        unlike, alike = (comparison(f"original.{name}", each, value) for each in ("ne", "eq"))
        assert findings_of(refund_rule(unlike), paid, orphan) == []
        assert findings_of(refund_rule(alike), paid, orphan) == []
        assert ids(findings_of(refund_rule(unlike), paid, refund())) == ["refund"]


def statuses(*reported: str, step: float = 1, **fields: Any) -> list[Payment]:
    """Return the events of one payment, so many minutes apart."""
    return [
        of_ada("a", step * place, payment_status=status, **fields)
        for place, status in enumerate(reported)
    ]


HAD_FAILED = own_past_rule(comparison("original.payment_status", "eq", "failed"))


def test_a_lookup_of_its_own_past_finds_the_last_earlier_event_of_the_same_payment() -> None:
    events = [
        *statuses("pending", "failed", "completed"),
        of_ada("b", 1.5, payment_status="cancelled"),
    ]
    (found,) = findings_of(HAD_FAILED, *events)
    assert found.dimensions == {"transaction_id": "a", "payment_status": "completed"}
    original = found.evidence["original"]
    assert (original["transaction_id"], original["payment_status"]) == ("a", "failed")
    assert found.payment_count == 1


@pytest.mark.parametrize(
    ("reported", "completions"),
    [
        (("completed", "failed"), 0),
        (("failed", "pending", "completed"), 0),
        (("failed", "failed", "completed"), 1),
        (("failed", "completed", "failed", "completed"), 2),
    ],
)
def test_the_last_status_before_decides_and_not_what_comes_later(
    reported: tuple[str, ...], completions: int
) -> None:
    matched = count_of(HAD_FAILED, *statuses(*reported))[1]
    assert matched == completions


def test_lookup_when_passes_over_statuses_that_do_not_count() -> None:
    ever = own_past_rule(comparison("original.transaction_id", "exists"), counted=FAILED)
    (found,) = findings_of(ever, *statuses("failed", "pending", "completed"))
    assert found.evidence["original"]["payment_status"] == "failed"
    assert findings_of(ever, *statuses("pending", "completed")) == []


def test_a_status_that_is_reported_again_contradicts_the_same_past() -> None:
    events = statuses("failed", "completed", "completed", step=4)
    found = findings_of(HAD_FAILED, *events)
    assert [each.seen for each in found] == [(after(4), after(4)), (after(8), after(8))]
    assert {each.evidence["original"]["event_time"] for each in found} == {after(0).isoformat()}
    assert len(findings_of(HAD_FAILED, *statuses("failed", "completed", "completed"))) == 1


@pytest.mark.parametrize("earlier", ["failed", "cancelled"])
def test_of_two_statuses_at_one_time_neither_is_the_past_of_the_other(earlier: str) -> None:
    # Keys put 'completed' before and 'refunded' behind both of them.
    for later in ("completed", "refunded"):
        where = comparison("original.payment_status", "eq", earlier)
        found = own_past_rule(where, when=comparison("payment_status", "eq", later))
        assert findings_of(found, *statuses(earlier, later, step=0)) == []
        assert len(findings_of(found, *statuses(earlier, later, step=0.01))) == 1


@pytest.mark.parametrize(("minutes", "found"), [(59.99, 1), (60, 0)])
def test_a_status_exactly_within_minutes_old_is_no_past(minutes: float, found: int) -> None:
    assert len(findings_of(HAD_FAILED, *statuses("failed", "completed", step=minutes))) == found


def test_a_payment_without_a_past_has_no_field_of_it() -> None:
    new = own_past_rule(comparison("original.transaction_id", "exists", value=False))
    (found,) = findings_of(new, *statuses("completed", "pending"))
    assert (found.payment_count, found.evidence["original"]) == (1, None)
    assert findings_of(new, *statuses("pending", "completed")) == []


def test_a_payment_that_is_named_is_not_its_own_past() -> None:
    events = [
        of_ada("paid", payment_status="failed"),
        of_ada("a", 5, original_transaction_id="paid"),
    ]
    assert findings_of(HAD_FAILED, *events) == []


def test_the_value_of_a_lookup_of_its_own_past_may_be_the_difference() -> None:
    more = own_past_rule(
        comparison("amount", "ne", {"field": "original.amount"}),
        value={"subtract": [{"field": "amount"}, {"field": "original.amount"}]},
    )
    pending = of_ada("a", 0, payment_status="pending", amount="10.00")
    assert [each.value for each in findings_of(more, pending, of_ada("a", 1, amount="12.50"))] == [
        Decimal("2.5")
    ]


def test_amounts_of_two_currencies_are_compared_only_where_that_is_asked_for() -> None:
    rates = {"base": "EUR", "as_of": "today", "source": "tests", "per_base": {"USD": 2, "JPY": 100}}
    events = of_ada("paid", amount="100", currency="JPY"), refund(amount="2.01", currency="USD")
    own = comparison("amount", "gt", {"field": "original.amount"})
    assert findings_of(refund_rule(own), *events) == []
    in_euro = comparison("amount", "gt", {"field": "original.amount"}, in_currency="EUR")
    assert findings_of(refund_rule(in_euro), *events, rates=rates) == []  # 1.005 is rounded to 1.00
    amounts = [{"field": each, "in_currency": "EUR"} for each in ("amount", "original.amount")]
    difference = refund_rule(comparison("original.amount", "exists"), value={"subtract": amounts})
    (found,) = findings_of(difference, *events, rates=rates)
    assert (found.value, found.evidence["rate"]) == (Decimal(0), "0.5")


def test_dates_say_which_payments_are_judged_and_not_what_they_are_compared_with() -> None:
    dates = {"effective_from": after(1).isoformat()}
    payments = of_ada("a", 0), of_ada("b", 1)
    assert ids(findings_of(previous_rule(**dates), *payments)) == ["b"]
    assert findings_of(previous_rule(effective_to=after(1).isoformat()), *payments) == []


@pytest.mark.parametrize(
    ("cooldown", "subject"),
    [
        ({"cooldown_minutes": 60}, {"customer.id": "ada"}),
        ({}, {"customer.id": "ada", "transaction_id": "b", "payment_status": "completed"}),
    ],
)
def test_a_cooldown_makes_alerts_a_matter_of_the_subject(cooldown: Any, subject: Any) -> None:
    alerting = compiled(previous_rule(alert={"operator": "gte", "value": 1, **cooldown}))
    run = dry_run(alerting, columns_of([of_ada("a"), of_ada("b", 1)]))
    ((found,),) = (each.findings for each in run.judgements)
    assert found.exceeded
    assert alert_subject(alerting.document.rules[0], found) == subject
