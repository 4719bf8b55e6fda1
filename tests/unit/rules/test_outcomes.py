"""Outcomes: matched, indeterminate, and what ranges of a value mean by name."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import (
    NOON,
    columns_of,
    comparison,
    compiled,
    count_of,
    findings_of,
    payment,
    rule,
    window_rule,
)

from shared_code.domain.vocabularies import Severity
from shared_code.rules.outcomes import INDETERMINATE, MATCHED

BANDS = [
    {"outcome": "large", "at_least": 1000, "below": 5000, "reason": "above the usual"},
    {"outcome": "extreme", "at_least": 5000, "severity": "critical", "reason": "far above"},
]
BELOW_ZERO = {"outcome": "refund", "below": 0, "reason": "negative"}
IN_GERMANY = comparison("merchant.country", "eq", "DE")


def outcomes_of(changes: Any, *payments: Any) -> dict[int, int]:
    """Return the outcome of each payment that a transaction rule speaks of, by position."""
    matches = compiled(rule(**changes)).matches(columns_of(payments))
    return {row: match.outcome for match in matches for row in match.rows}


def test_every_outcome_has_a_number_a_name_a_severity_and_a_reason() -> None:
    graded = compiled(rule(value={"field": "amount"}, bands=BANDS))
    found = [tuple(outcome) for _, outcome in graded.outcomes()]
    assert found == [
        (1, "matched", Severity.low, None),
        (2, "indeterminate", Severity.low, None),
        (3, "large", Severity.low, "above the usual"),
        (4, "extreme", Severity.critical, "far above"),
    ]


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        ("0.00", MATCHED),
        ("999.99", MATCHED),
        ("1000.00", 3),
        ("4999.99", 3),
        ("5000.00", 4),
        ("999999.00", 4),
    ],
)
def test_a_band_holds_its_lower_end_and_not_its_upper_one(amount: str, outcome: int) -> None:
    changes = {"value": {"field": "amount"}, "bands": BANDS}
    assert outcomes_of(changes, payment(amount=amount)) == {0: outcome}


def test_a_band_without_a_lower_end_holds_all_below() -> None:
    fee_off = {"value": {"subtract": [{"field": "amount"}, 20]}, "bands": [*BANDS, BELOW_ZERO]}
    assert outcomes_of(fee_off, payment(amount="19.99"), payment(amount="20.00")) == {
        0: 5,
        1: MATCHED,
    }


def test_what_cannot_be_judged_is_recorded_unless_the_rule_ignores_it() -> None:
    payments = [payment(merchant_country=country) for country in ("DE", "US", None)]
    assert outcomes_of({"when": IN_GERMANY}, *payments) == {0: MATCHED, 2: INDETERMINATE}
    ignoring = {"when": IN_GERMANY, "indeterminate": "ignore"}
    assert outcomes_of(ignoring, *payments) == {0: MATCHED}


def test_a_match_without_a_value_is_indeterminate_with_bands_and_without() -> None:
    quotient = {"value": {"divide": [1, {"field": "amount"}]}}
    payments = [payment(amount="0.00"), payment(amount="1.00")]
    for changes in (quotient, quotient | {"bands": BANDS}):
        assert outcomes_of(changes, *payments) == {0: INDETERMINATE, 1: MATCHED}


def test_payments_outside_the_rules_dates_are_not_even_indeterminate() -> None:
    dates = {"effective_from": NOON.isoformat()}
    early = payment(event_time=NOON.replace(minute=29))
    assert outcomes_of({"when": IN_GERMANY, **dates}, early, payment()) == {1: INDETERMINATE}


def test_a_window_counts_what_a_rule_matched_and_what_it_could_not_judge() -> None:
    payments = [payment(merchant_country=country) for country in ("DE", "DE", "US", None)]
    assert count_of(rule(when=IN_GERMANY), *payments) == (0, 2, 1)
    assert count_of(window_rule(when=IN_GERMANY), *payments) == (0, 2, 1)


def test_an_alert_on_a_payment_has_the_outcome_of_its_value_and_shows_the_payment() -> None:
    alert = {"operator": "gt", "value": 1000}
    graded = rule(value={"field": "amount"}, bands=BANDS, alert=alert)
    payments = [payment(amount="1000.00"), payment(transaction_id="txn-2", amount="5000.00")]
    (found,) = findings_of(graded, *payments)
    assert (found.value, found.outcome, found.exceeded) == (Decimal(5000), 4, True)
    assert found.dimensions == {"transaction_id": "txn-2", "payment_status": "completed"}
    assert found.evidence == {
        "payments": [
            {
                "transaction_id": "txn-2",
                "payment_status": "completed",
                "event_time": "2026-01-28T12:30:00+00:00",
                "amount": "5000.00",
                "currency": "USD",
            }
        ]
    }


def test_the_outcome_of_a_group_is_that_of_its_value() -> None:
    bands = [{"outcome": "busy", "at_least": 2, "reason": "two or more"}]
    counted = window_rule(group_by=["merchant.country"], bands=bands)
    payments = [payment(merchant_country=country) for country in ("DE", "DE", "US")]
    assert [found.outcome for found in findings_of(counted, *payments)] == [3, MATCHED]
