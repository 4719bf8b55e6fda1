"""Score rules: points for what other rules found in a payment."""

from decimal import Decimal
from typing import Any

from unit.rules.rule_samples import (
    Payment,
    after,
    comparison,
    dried,
    payment,
    rule,
)

from shared_code.rules.findings import Finding

ABROAD = rule("abroad", when=comparison("merchant.country", "ne", "DE"))
GRADED = rule(
    "graded",
    value={"field": "amount"},
    bands=[{"outcome": "large", "at_least": 1000, "reason": "above the usual"}],
)
RAPID = rule(
    "rapid",
    scope="velocity",
    subject="customer.id",
    within_minutes=10,
    measure={"function": "count"},
    alert={"operator": "gte", "value": 2},
)


def score_rule(*terms: Any, **changes: Any) -> Any:
    """Return a score rule of terms: a rule's id, its points, and perhaps the outcome."""
    named = [dict(zip(("rule", "points", "outcome"), term, strict=False)) for term in terms]
    return rule("suspicion", scope="score", terms=named, **changes)


def scores(score: Any, *payments: Payment) -> list[Finding]:
    run = dried([ABROAD, GRADED, RAPID, score], *payments)
    return [found for each in run.judgements for found in each.findings if found.rule == 3]


def values(score: Any, *payments: Payment) -> dict[str | None, Decimal]:
    return {each.dimensions["transaction_id"]: each.value for each in scores(score, *payments)}


def from_country(country: str | None, **fields: Any) -> Payment:
    return payment(transaction_id=country or "nowhere", merchant_country=country, **fields)


def test_a_term_counts_for_any_match_but_not_for_what_could_not_be_judged() -> None:
    payments = [from_country("DE"), from_country("US"), from_country(None)]
    assert values(score_rule(("abroad", 30)), *payments) == {"US": 30}


def test_a_term_with_an_outcome_counts_for_that_only() -> None:
    payments = [from_country("US"), from_country(None)]
    assert values(score_rule(("abroad", 5, "indeterminate")), *payments) == {"nowhere": 5}
    large, small = from_country("US", amount="1000.00"), from_country("DE", amount="999.99")
    assert values(score_rule(("graded", 7, "large")), large, small) == {"US": 7}
    assert values(score_rule(("graded", 7, "matched")), large, small) == {"DE": 7}
    assert values(score_rule(("graded", 7)), large, small) == {"US": 7, "DE": 7}


def test_points_add_up_exactly_and_may_be_negative() -> None:
    score = score_rule(("abroad", Decimal("0.1")), ("graded", Decimal("-0.3")))
    assert values(score, from_country("US"), from_country("DE")) == {
        "US": Decimal("-0.2"),
        "DE": Decimal("-0.3"),
    }


def test_a_velocity_rule_counts_for_the_payments_at_which_it_passed_its_threshold() -> None:
    payments = [
        payment(transaction_id=each, customer_id="ada", event_time=after(minutes))
        for each, minutes in [("first", 0), ("second", 1), ("third", 2), ("later", 40)]
    ]
    assert values(score_rule(("rapid", 10)), *payments) == {"second": 10, "third": 10}


def test_when_says_which_payments_are_scored() -> None:
    score = score_rule(("graded", 1), when=comparison("merchant.country", "eq", "US"))
    payments = [from_country("DE"), from_country("US"), from_country(None)]
    assert values(score, *payments) == {"US": 1}


def test_scores_that_pass_the_threshold_or_lie_in_a_band_are_recorded() -> None:
    payments = [from_country("DE"), from_country("US"), from_country("FR", amount="1000.00")]
    terms = [("graded", 1), ("abroad", 2), ("graded", 4, "large")]
    alert = {"operator": "gte", "value": 7}
    bands = [{"outcome": "look", "at_least": 3, "below": 7, "reason": "a second look"}]
    assert values(score_rule(*terms), *payments) == {"DE": 1, "US": 3, "FR": 7}
    assert values(score_rule(*terms, alert=alert), *payments) == {"FR": 7}
    assert values(score_rule(*terms, bands=bands), *payments) == {"US": 3}
    found = scores(score_rule(*terms, alert=alert, bands=bands), *payments)
    assert [(each.value, each.outcome, each.exceeded) for each in found] == [
        (Decimal(7), 1, True),
        (Decimal(3), 3, False),
    ]


def test_the_evidence_says_what_each_rule_added() -> None:
    score = score_rule(("abroad", 30), ("graded", 1), ("graded", 40, "large"))
    (found,) = scores(score, from_country("US", amount="1000.00"))
    assert found.value == 71
    assert found.evidence["points"] == {"abroad": "30", "graded": "41"}
    assert [each["transaction_id"] for each in found.evidence["payments"]] == ["US"]
