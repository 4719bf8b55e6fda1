"""A document in the form in which it is run."""

import pytest
from unit.rules.rule_samples import (
    NOON,
    columns_of,
    comparison,
    compiled,
    document,
    payment,
    rule,
    window_rule,
)

from shared_code.domain.vocabularies import Severity
from shared_code.rules import conditions
from shared_code.rules.compiler import canonical_dimensions, compile_document
from shared_code.rules.document import Metric
from shared_code.rules.dry_run import dry_run
from shared_code.rules.errors import RuleDocumentRefused
from shared_code.rules.window_slices import WindowSlice


def test_matches_name_the_rule_by_its_position_and_leave_out_rules_without_a_match() -> None:
    rules = compiled(
        window_rule("first"),
        rule("second", when=comparison("payment_status", "eq", "failed")),
        rule("third"),
    )
    assert [tuple(match)[:2] for match in rules.matches(columns_of([payment()]))] == [(2, [0])]
    assert [window_rule.number for window_rule in rules.window_rules] == [0]


def test_a_disabled_rule_does_nothing_but_keeps_its_place() -> None:
    rules = compiled(
        rule("first", enabled=False), window_rule("second", enabled=False), rule("third")
    )
    assert [match.rule for match in rules.matches(columns_of([payment()]))] == [2]
    assert rules.window_rules == []
    assert [summary.rule_id for summary in rules.summaries()] == ["first", "second", "third"]


def test_no_payments_give_no_matches_and_no_values() -> None:
    rules = compiled(
        rule("first", when=comparison("event_time", "hour_between", [0, 5])),
        rule("second", when=comparison("amount", "gt", 0)),
        rule("third", when=comparison("customer.id", "ne", {"field": "counterparty.id"})),
        window_rule("fourth"),
    )
    assert list(rules.matches(columns_of([]))) == []
    assert dry_run(rules, columns_of([])).judgements == []
    (of_windows,) = rules.window_rules
    assert list(of_windows.findings(WindowSlice(NOON, columns_of([])))) == []


def test_summaries_say_what_the_rules_table_holds() -> None:
    metric = {"name": "volume", "type": "amount"}
    (summary,) = compiled(
        rule(
            "large",
            severity="critical",
            category="fraud",
            metric=metric,
            owner="payments team",
            tags=["cash"],
        )
    ).summaries()
    assert summary._asdict() == {
        "rule": 0,
        "rule_id": "large",
        "scope": "transaction",
        "metric_name": "volume",
        "metric_type": "amount",
        "category": "fraud",
        "severity": int(Severity.critical),
        "owner": "payments team",
        "tags": ("cash",),
    }


def test_the_document_is_at_hand_as_typed_values() -> None:
    compiled_rules = compiled(rule("only"), version="2.10.0", description="What changed.")
    assert compiled_rules.document.version == "2.10.0"
    assert compiled_rules.document.description == "What changed."
    assert compiled_rules.document.rules[0].metric == Metric("a_metric", "count")


def test_equal_content_is_compiled_once() -> None:
    assert compile_document(document(rule())) is compile_document(bytes(document(rule())))


def test_a_refusal_is_not_remembered_as_success() -> None:
    for _ in range(2):
        with pytest.raises(RuleDocumentRefused):
            compile_document(document())


@pytest.mark.parametrize("count", [1, 101])
def test_a_hundred_more_rules_over_a_shared_comparison_evaluate_it_once(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    asked: list[str] = []

    def occurs_in(text: str) -> bool:
        asked.append(text)
        return True

    monkeypatch.setattr(conditions, "compile_pattern", lambda _pattern: occurs_in)
    shared = comparison("merchant.name", "matches", f"{count} rules")
    foreign = comparison("merchant.country", "ne", "DE")
    rules = compiled(
        *[rule(f"rule_{number}", when={"all": [shared, foreign]}) for number in range(count)],
        *[window_rule(f"window_{number}", when=shared) for number in range(count)],
    )
    names = ["one", "two", "three"]
    run = dry_run(
        rules, columns_of([payment(merchant_name=name, merchant_country="US") for name in names])
    )
    assert [match.rows for match in run.matches] == [[0, 1, 2]] * count
    assert [found.value for each in run.judgements for found in each.findings] == [3] * count
    assert asked == names


def test_the_columns_of_a_document_are_those_of_its_enabled_rules() -> None:
    rules = compiled(
        rule("first", when=comparison("channel", "eq", "web")),
        rule("second", when=comparison("card.bin", "exists"), enabled=False),
        rule(
            "third",
            scope="sequence",
            subject="customer.id",
            previous={
                "within_minutes": 5,
                "where": comparison("previous.merchant.id", "exists"),
            },
        ),
    )
    assert rules.columns == {
        *{"amount", "currency", "event_time", "payment_status", "transaction_id"},
        *{"channel", "customer_id", "merchant_id"},
    }


def test_equal_dimensions_have_equal_text_whatever_their_order() -> None:
    text = canonical_dimensions({"merchant.id": "é", "currency": None})
    assert text == '{"currency":null,"merchant.id":"é"}'
    assert text == canonical_dimensions({"currency": None, "merchant.id": "é"})
    assert canonical_dimensions({}) == "{}"
