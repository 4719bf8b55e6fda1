"""An explanation says what the rules say, part by part, and what they looked at."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules.rule_samples import (
    NOON,
    Payment,
    columns_of,
    comparison,
    compiled,
    payment,
    rule,
    unchecked,
    window_rule,
)
from unit.rules.rule_strategies import LISTS, RATES, conditions, payments
from unit.rules.scope_samples import (
    lookup_rule,
    own_past_rule,
    pattern_rule,
    score_rule,
    sequence_rule,
    velocity_rule,
)

from shared_code.domain.windows import window_of
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.condition_trees import ConditionNode, Holds, condition_tree
from shared_code.rules.conditions import ConditionCompiler
from shared_code.rules.explaining import Explainer
from shared_code.rules.explanations import Answer, RuleExplanation
from shared_code.rules.judging import HistoryNeed, judge
from shared_code.rules.rates import Converter
from shared_code.rules.window_slices import window_slices

CASES = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NEGATED = {Holds.holds: Holds.fails, Holds.fails: Holds.holds, Holds.unknown: Holds.unknown}


def history_of(columns: Columns) -> Any:
    def history(needs: Sequence[HistoryNeed]) -> Columns:
        times = columns.values("event_time")
        rows = [
            row
            for row in range(columns.size)
            if any(
                columns.values(need.column)[row] in need.subjects
                and need.span.start <= times[row] < need.span.end
                for need in needs
            )
        ]
        return columns.picked(np.array(rows, dtype=np.int64))

    return history


def explained(rules: CompiledRules, sent: Sequence[Payment], row: int = -1) -> Any:
    """Return the explanations of one payment, the last one if not told, by rule id."""
    columns = columns_of(sent)
    row %= len(sent)
    time = columns.values("event_time")[row]
    first = next(
        at for at, each in enumerate(columns.values("event_time")) if each >= window_of(time).start
    )
    window = next(each for each in window_slices(columns) if each.start == window_of(time).start)
    found = Explainer(rules).explain(window, row - first, history_of(columns))
    return {each.rule.id: each for each in found}


def only(rules: CompiledRules, *sent: Payment, row: int = -1) -> RuleExplanation:
    (explanation,) = explained(rules, sent, row).values()
    found: RuleExplanation = explanation
    return found


def combined(node: ConditionNode) -> Holds:
    """Return what the parts of a node come to by three-valued logic."""
    verdicts = [part.verdict for part in node.parts]
    if node.text == "not":
        return NEGATED[verdicts[0]]
    decisive = Holds.fails if node.text == "all of" else Holds.holds
    if decisive in verdicts:
        return decisive
    return Holds.unknown if Holds.unknown in verdicts else NEGATED[decisive]


def nodes(node: ConditionNode) -> list[ConditionNode]:
    return [node, *(below for part in node.parts for below in nodes(part))]


@CASES
@given(conditions("USD"), payments(largest=10**8), RATES)
def test_a_tree_never_disagrees_with_the_verdict(condition: Any, sent: Any, rates: Any) -> None:
    rules = unchecked(rule(when=condition), lists=LISTS, rates=rates)
    found = only(rules, sent)
    tree = found.conditions["when"]
    matches = list(rules.matches(columns_of([sent])))
    answers = {Holds.holds: 1, Holds.unknown: 2, Holds.fails: None}
    assert answers[tree.verdict] == (matches[0].outcome if matches else None)
    assert (found.answer is Answer.matched) == (tree.verdict is Holds.holds)
    assert (found.answer is Answer.indeterminate) == (tree.verdict is Holds.unknown)
    for node in nodes(tree):
        if node.parts:
            assert node.verdict == combined(node)
        elif node.verdict is Holds.unknown:
            assert None in node.values.values() or node.text.endswith(" in USD")


def test_a_comparison_shows_its_values_as_rules_write_them() -> None:
    def line(condition: Any, **fields: Any) -> tuple[str, Any]:
        conditions = ConditionCompiler({"few": ["DE"]}, Converter(None))
        node = condition_tree(condition, columns_of([payment(**fields)]), conditions)
        return node.text, dict(node.values)

    assert line(comparison("amount", "between", [1, 2])) == (
        "amount between [1, 2]",
        {"amount": "10.00 USD"},
    )
    assert line(comparison("amount", "near_threshold", 20, within_percent=10)) == (
        "amount near_threshold 20 within 10 percent",
        {"amount": "10.00 USD"},
    )
    countries = comparison("customer.country", "ne", {"field": "merchant.country"})
    assert line(countries, customer_country="DE") == (
        "customer.country ne merchant.country",
        {"customer.country": "DE", "merchant.country": None},
    )
    assert line(comparison("customer.country", "in", {"list": "few"}))[0] == (
        "customer.country in the list few"
    )
    assert line(comparison("customer.id", "exists", False)) == (
        "customer.id exists false",
        {"customer.id": None},
    )
    night = comparison("event_time", "hour_between", [22, 6], time_zone="Europe/Berlin")
    assert line(night) == (
        "event_time hour_between [22, 6] in Europe/Berlin",
        {"event_time": NOON.isoformat()},
    )
    flags = comparison("quality_flags", "eq", "zero_amount")
    assert line(flags, quality_flags=["zero_amount"])[1] == {"quality_flags": "zero_amount"}
    assert line(flags)[1] == {"quality_flags": "none"}


def test_what_could_not_be_judged_names_what_is_missing() -> None:
    abroad = comparison("customer.country", "ne", {"field": "merchant.country"})
    found = only(compiled(rule(when=abroad)), payment(customer_country="DE"))
    assert found.answer is Answer.indeterminate
    assert found.because == "the payment lacks merchant.country"
    ignored = only(compiled(rule(when=abroad, indeterminate="ignore")), payment())
    assert "ignores" in ignored.because
    euro = comparison("amount", "gte", 5, in_currency="EUR")
    rates = {"base": "EUR", "as_of": "2026-01-02", "source": "a test", "per_base": {"JPY": 160}}
    without_rate = only(compiled(rule(when=euro), rates=rates), payment())
    assert without_rate.because == "unknown: amount gte 5 in EUR"


def test_a_value_has_its_outcome_band_reason_and_rate() -> None:
    banded = rule(
        value={"field": "amount", "in_currency": "EUR"},
        bands=[{"outcome": "large", "at_least": 5, "below": 50, "reason": "above the usual"}],
    )
    rates = {"base": "EUR", "as_of": "2026-01-02", "source": "a test", "per_base": {"USD": 2}}
    facts = only(compiled(banded, rates=rates), payment()).facts
    assert facts == {
        "value": "5.00",
        "outcome": "large",
        "severity": "low",
        "band": "[5, 50)",
        "reason": "above the usual",
        "rate": "0.5",
    }


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"enabled": False}, Answer.disabled),
        ({"effective_from": (NOON + timedelta(seconds=1)).isoformat()}, Answer.not_in_effect),
        ({"effective_to": NOON.isoformat()}, Answer.not_in_effect),
        ({"effective_from": NOON.isoformat()}, Answer.matched),
    ],
    ids=["disabled", "before", "after", "in effect"],
)
def test_rules_that_are_not_run_say_so(changes: Any, answer: Answer) -> None:
    when = comparison("amount", "gte", 1)
    found = only(compiled(rule(when=when, **changes)), payment())
    assert found.answer is answer
    assert set(changes) <= {"enabled", *found.facts}


def test_a_window_rule_shows_the_group_that_the_payment_counts_in() -> None:
    ratio = {"function": "ratio", "of": comparison("payment_status", "eq", "failed")}
    alert = {"operator": "gt", "value": 0.4, "minimum_payments": 3}
    by_method = window_rule(group_by=["payment_method"], measure=ratio, alert=alert)
    sent = [
        payment(transaction_id="a", payment_status="failed"),
        payment(transaction_id="b"),
        payment(transaction_id="c", payment_method="credit_card", payment_status="failed"),
    ]
    found = only(compiled(by_method), *sent, row=1)
    assert found.facts["group"] == {"payment_method": "bank_transfer"}
    assert (found.facts["value"], found.facts["payment_count"]) == ("0.5", 2)
    assert (found.facts["threshold"], found.facts["exceeded"]) == ("gt 0.4", False)
    assert found.facts["minimum_payments"] == 3
    assert found.conditions["measure.of"].verdict is Holds.fails


def at(minute: int, transaction_id: str, **fields: Any) -> Payment:
    time = NOON + timedelta(minutes=minute)
    return payment(transaction_id=transaction_id, event_time=time, customer_id="ada", **fields)


def test_a_velocity_rule_shows_its_value_below_the_threshold_too() -> None:
    sent = [at(-70, "old"), at(-30, "a"), at(0, "b"), at(1, "c")]
    rules = compiled(velocity_rule())
    below = only(rules, *sent, row=2)
    assert (below.answer, below.facts["value"]) == (Answer.not_matched, "2")
    assert (below.facts["threshold"], below.facts["exceeded"]) == ("gte 3", False)
    assert [shown["transaction_id"] for shown in below.facts["payments"]] == ["a", "b"]
    assert "outcome" not in below.facts
    passed = only(rules, *sent)
    assert (passed.answer, passed.facts["value"]) == (Answer.matched, "3")
    assert passed.subject == {"customer.id": "ada"}
    nobody = only(rules, payment())
    assert nobody.because == "the payment has no customer.id"


def test_a_sequence_rule_shows_the_payment_before_and_the_comparison() -> None:
    where = {
        "all": [
            comparison("gap_minutes", "gte", 20),
            comparison("amount", "gt", {"field": "previous.amount"}),
        ]
    }
    rules = compiled(sequence_rule(previous={"within_minutes": 60, "where": where}))
    sent = [at(-61, "old"), at(-30, "a", amount="20.00"), at(0, "b")]
    found = only(rules, *sent)
    assert found.answer is Answer.not_matched
    assert found.facts["previous"]["transaction_id"] == "a"
    gap, amount = found.conditions["previous.where"].parts
    assert (gap.verdict, dict(gap.values)) == (Holds.holds, {"gap_minutes": "30"})
    assert (amount.verdict, dict(amount.values)) == (
        Holds.fails,
        {"amount": "10.00 USD", "previous.amount": "20.00 USD"},
    )
    alone = only(rules, sent[0])
    assert alone.facts["previous"] is None
    assert "no payment before" in alone.because
    assert only(rules, at(-30, "a", amount="5.00"), at(0, "b")).answer is Answer.matched


def test_a_lookup_shows_the_payment_that_is_named_or_its_absence() -> None:
    refund = at(0, "r", original_transaction_id="paid", amount="12.00")
    found = only(compiled(lookup_rule()), at(-5, "paid"), refund)
    assert found.answer is Answer.matched
    assert found.facts["original"]["transaction_id"] == "paid"
    orphan = only(compiled(lookup_rule()), refund)
    assert orphan.facts["original"] is None
    assert orphan.conditions["lookup.where"].verdict is Holds.unknown
    assert orphan.answer is Answer.not_matched


def test_a_lookup_of_its_own_past_shows_the_earlier_event_or_that_there_is_none() -> None:
    rules = compiled(own_past_rule())
    pending, failed = (at(-5, "a", payment_status=each) for each in ("pending", "failed"))
    found = only(rules, at(-9, "a", payment_status="pending"), failed, at(0, "a"))
    assert found.answer is Answer.matched
    assert found.facts["original"]["payment_status"] == "failed"
    other = only(rules, pending, at(0, "a"))
    assert (other.answer, other.facts["original"]["payment_status"]) == (
        Answer.not_matched,
        "pending",
    )
    assert other.because == "the comparison with its own past fails"
    alone = only(rules, at(-5, "b", payment_status="failed"), at(0, "a"))
    assert alone.facts["original"] is None
    assert alone.conditions["lookup.where"].verdict is Holds.unknown


def test_a_pattern_counts_the_first_payments_though_they_are_too_few() -> None:
    failed = {"payment_status": "failed"}
    one = only(compiled(pattern_rule()), at(-5, "a", **failed), at(0, "b"))
    assert (one.answer, one.facts["first_payments"], one.facts["times"]) == (
        Answer.not_matched,
        1,
        2,
    )
    assert one.because == "it follows 1 of 2 payments"
    none = only(compiled(pattern_rule()), at(0, "b", **failed))
    assert none.conditions["pattern.then"].verdict is Holds.fails
    both = only(compiled(pattern_rule()), at(-5, "a", **failed), at(-4, "b", **failed), at(0, "c"))
    assert both.answer is Answer.matched
    assert [shown["transaction_id"] for shown in both.facts["payments_before"]] == ["a", "b"]


def test_a_score_shows_which_terms_give_points() -> None:
    rules = compiled(
        rule("a_rule", when=comparison("amount", "gte", 5)),
        velocity_rule("rapid"),
        score_rule(
            terms=[{"rule": "a_rule", "points": 10}, {"rule": "rapid", "points": 20}],
            alert={"operator": "gte", "value": 30},
        ),
    )
    found = explained(rules, [at(-2, "a"), at(-1, "b"), at(0, "c")])["a_score"]
    assert (found.answer, found.facts["value"]) == (Answer.matched, "30")
    low = explained(rules, [at(0, "c")])["a_score"]
    assert (low.answer, low.facts["value"]) == (Answer.not_matched, "10")
    assert "outcome" not in low.facts
    assert [(term["rule"], term["counts"]) for term in low.facts["terms"]] == [
        ("a_rule", True),
        ("rapid", False),
    ]


@CASES
@given(st.data())
def test_answers_are_what_the_judge_finds(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    # Either payments of one event each, some at one time, or a few payments of several events.
    unlike = data.draw(st.booleans())
    times = st.lists(st.integers(-90, 0), min_size=count, max_size=count, unique=not unlike)
    minutes = sorted(data.draw(times))
    sent = [
        at(
            minute,
            f"t{place if unlike else place % 3:02}",
            amount=data.draw(st.sampled_from(["5.00", "10.00", "20.00"])),
            payment_status=data.draw(st.sampled_from(["failed", "completed"])),
            original_transaction_id=data.draw(st.sampled_from(["t00", "t01", None])),
        )
        for place, minute in enumerate(minutes)
    ]
    rules = compiled(
        rule("a_rule", when=comparison("amount", "gte", 10)),
        velocity_rule("velocity"),
        sequence_rule("previous"),
        lookup_rule("lookup"),
        own_past_rule("own_past"),
        pattern_rule("pattern"),
        score_rule(terms=[{"rule": each, "points": 1} for each in ("a_rule", "velocity")]),
    )
    columns = columns_of(sent)
    window = window_of(columns.values("event_time")[-1])
    span = window._replace(start=window_of(columns.values("event_time")[0]).start)
    judgement = list(judge(rules, columns, history_of(columns), span))[-1]
    inside = [row for row, time in enumerate(columns.values("event_time")) if time >= window.start]
    answers = [explained(rules, sent, row) for row in inside]
    for each in judgement.counts:
        rule_id = rules.document.rules[each.rule].id
        found = [answer[rule_id].answer for answer in answers]
        assert found.count(Answer.matched) == each.matched, rule_id
