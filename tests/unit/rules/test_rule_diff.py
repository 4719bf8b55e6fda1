"""A diff of rule documents tells what changes in meaning, and nothing else."""

from typing import Any

import pytest
from unit.rules.rule_samples import comparison, compiled, rule, unchecked, window_rule
from unit.rules.scope_samples import lookup_rule, score_rule, velocity_rule

from shared_code.rules.diff import Bump, RuleSetDiff, diff_documents, fitting_bump, version_advice
from shared_code.rules.document import RuleDocument

HIGH = comparison("amount", "gte", 10000)
EURO = comparison("currency", "eq", "EUR")
RISKY = comparison("merchant.country", "in", {"list": "risky"})
BOTH = "(amount gte 10000; currency eq EUR)"
NAMED = "original_transaction_id"
NIGHT = "event_time hour_between [22, 6]"
RATES = {"base": "EUR", "as_of": "2026-01-02", "source": "a bank", "per_base": {"USD": 1.25}}


def document(*rules: Any, **changes: Any) -> RuleDocument:
    return unchecked(*(rules or [rule()]), **changes).document


def looked_up(**changes: Any) -> Any:
    return lookup_rule(lookup=lookup_rule()["lookup"] | changes)


def lines(old: RuleDocument, new: RuleDocument) -> list[str]:
    return list(diff_documents(old, new).lines())


def changes(old: Any, new: Any, **shared: Any) -> list[str]:
    """Return what changes from one rule to another of the same id."""
    listed = lines(document(old, **shared), document(new, **shared))
    return [line.strip() for line in listed if line.startswith("    ")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"when": {"all": [HIGH, EURO]}}, {"when": {"all": [EURO, HIGH]}}),
        ({"when": {"all": [HIGH, {"all": [EURO]}]}}, {"when": {"all": [EURO, HIGH, HIGH]}}),
        (
            {"when": {"any": [{"all": [HIGH, EURO]}, {"all": [EURO, HIGH]}]}},
            {"when": {"all": [HIGH, EURO]}},
        ),
        ({"when": {"any": [HIGH]}}, {"when": {"not": {"not": HIGH}}}),
        ({"when": HIGH}, {"when": comparison("amount", "gte", 10000.0)}),
        ({}, {"enabled": True, "tags": [], "indeterminate": "record", "value": 1}),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}),
        (
            {"when": comparison("currency", "in", ["EUR", "USD"])},
            {"when": comparison("currency", "in", ["USD", "EUR", "USD"])},
        ),
        (
            {"when": comparison("event_time", "day_of_week", "monday")},
            {"when": comparison("event_time", "day_of_week", ["monday"], time_zone="UTC")},
        ),
        (
            {"when": comparison("card.bin", "exists")},
            {"when": comparison("card.bin", "exists", value=True)},
        ),
        (
            {"value": {"add": [{"field": "amount"}, 1]}},
            {"value": {"add": [1, {"field": "amount"}]}},
        ),
        (
            {"effective_from": "2026-01-28T00:00:00+01:00"},
            {"effective_from": "2026-01-27T23:00:00Z"},
        ),
        ({"alert": {"operator": "gt", "value": 1}},) * 2,
    ],
)
def test_another_way_of_writing_the_same_is_no_change(old: Any, new: Any) -> None:
    assert changes(rule(**old), rule(**new)) == []


def test_the_order_of_rules_the_version_and_unused_lists_do_not_count() -> None:
    old = document(rule("one_rule"), rule("two_rule"), lists={"unused": ["a"]})
    new = document(rule("two_rule"), rule("one_rule"), version="2.0.0", description="Another.")
    assert diff_documents(old, new).is_empty


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (HIGH, comparison("amount", "gte", 9000), ["when: amount gte: 10000 -> 9000"]),
        (HIGH, comparison("amount", "gt", 10000), ["when: amount gte 10000 -> amount gt 10000"]),
        ({"all": [HIGH, EURO]}, HIGH, ["when: removed currency eq EUR"]),
        (HIGH, {"any": [EURO, HIGH]}, ["when: added currency eq EUR"]),
        (HIGH, {"not": HIGH}, ["when: amount gte 10000 -> not (amount gte 10000)"]),
        (
            {"not": {"all": [HIGH, EURO]}},
            {"not": {"all": [EURO, comparison("amount", "gte", 9000)]}},
            ["when: not: amount gte: 10000 -> 9000"],
        ),
        (
            {"all": [HIGH, EURO]},
            {"any": [HIGH, EURO]},
            [f"when: all of {BOTH} -> any of {BOTH}"],
        ),
        (
            comparison("currency", "in", ["EUR", "USD"]),
            comparison("currency", "in", ["EUR", "GBP"]),
            ["when: currency in: added GBP", "when: currency in: removed USD"],
        ),
        (
            {"all": [EURO, {"any": [HIGH, comparison("card.bin", "exists")]}]},
            {"all": [EURO, {"any": [HIGH, comparison("card.last4", "exists")]}]},
            ["when: removed card.bin exists", "when: added card.last4 exists"],
        ),
        (
            comparison("merchant.country", "ne", {"field": "customer.country"}),
            comparison("merchant.country", "ne", "DE"),
            ["when: merchant.country ne: field customer.country -> DE"],
        ),
        (
            comparison("card.bin", "eq", "471500"),
            comparison("card.bin", "eq", "471501"),
            ['when: card.bin eq: "471500" -> "471501"'],
        ),
        (
            comparison("event_time", "hour_between", [22, 6]),
            comparison("event_time", "hour_between", [22, 6], time_zone="Europe/Berlin"),
            [f'when: {NIGHT} time_zone UTC -> {NIGHT} time_zone "Europe/Berlin"'],
        ),
    ],
)
def test_a_condition_that_changes_is_told_part_by_part(old: Any, new: Any, told: list[str]) -> None:
    assert changes(rule(when=old), rule(when=new)) == told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (rule(), rule(severity="high"), ["severity: low -> high"]),
        (rule(), rule(enabled=False), ["enabled: true -> false"]),
        (rule(), rule(when=HIGH), ["when: added amount gte 10000"]),
        (rule(), rule(value={"field": "amount"}), ["value: 1 -> amount"]),
        (rule(), rule(owner="fraud desk"), ["owner: added fraud desk"]),
        (
            rule(),
            rule(alert={"operator": "gte", "value": 1}),
            ["alert: added operator gte, value 1, minimum_payments 1"],
        ),
        (
            window_rule(alert={"operator": "gt", "value": 5}),
            window_rule(alert={"operator": "gt", "value": 5.5, "minimum_payments": 3}),
            ["alert.value: 5 -> 5.5", "alert.minimum_payments: 1 -> 3"],
        ),
        (
            velocity_rule(within_minutes=60),
            velocity_rule(within_minutes=30),
            ["within_minutes: 60 -> 30"],
        ),
        (lookup_rule(), looked_up(by="transaction_id"), [f"lookup.by: {NAMED} -> transaction_id"]),
        (
            score_rule(terms=[{"rule": "a_rule", "points": 10}]),
            score_rule(
                terms=[
                    {"rule": "a_rule", "points": 20},
                    {"rule": "a_rule", "outcome": "indeterminate", "points": 5},
                ]
            ),
            ["terms.a_rule any match: 10 -> 20", "terms.a_rule indeterminate: added 5"],
        ),
        (
            rule(bands=[{"outcome": "large", "at_least": 10, "reason": "above"}]),
            rule(bands=[{"outcome": "large", "at_least": 20, "reason": "above"}]),
            ["bands.large.at_least: 10 -> 20"],
        ),
    ],
)
def test_a_field_that_changes_is_told_in_words(old: Any, new: Any, told: list[str]) -> None:
    rest = [rule("a_rule")] if old["scope"] == "score" else []
    listed = lines(document(old, *rest), document(new, *rest))
    assert [line.strip() for line in listed[1:]] == told


def test_rules_that_one_document_has_alone_are_told_with_their_scope() -> None:
    old, new = document(rule("gone_rule")), document(window_rule("new_rule"))
    assert lines(old, new) == ["+ new_rule (window)", "- gone_rule (transaction)"]


def test_a_list_that_changes_is_told_once_with_the_rules_that_use_it() -> None:
    rules = [rule("one_rule", when=RISKY), rule("two_rule", when={"not": RISKY}), rule("free_rule")]
    old, new = (document(*rules, lists={"risky": values}) for values in (["IR"], ["KP"]))
    assert lines(old, new) == [
        "~ list risky, used by one_rule, two_rule",
        "    values: added KP",
        "    values: removed IR",
    ]


def test_a_list_that_is_written_out_is_no_change() -> None:
    old = document(rule(when=RISKY), lists={"risky": ["KP", "IR"]})
    new = document(rule(when=comparison("merchant.country", "in", ["IR", "KP"])))
    assert diff_documents(old, new).is_empty


def test_rates_count_if_a_rule_converts_by_them() -> None:
    converting = rule(value={"field": "amount", "in_currency": "EUR"})
    rates = RATES | {"per_base": {"USD": 1.3}}
    old, new = document(converting, rates=RATES), document(converting, rates=rates)
    assert lines(old, new) == ["~ rates, used by a_rule", "    USD: 1.25 -> 1.3"]
    assert diff_documents(document(rates=RATES), document(rates=rates)).is_empty


@pytest.mark.parametrize(
    ("new", "version", "told"),
    [
        ([rule(when=HIGH)], "1.0.1", "raised too little: 1.1.0 would fit"),
        ([rule(when=HIGH)], "1.1.0", None),
        ([rule(when=HIGH)], "2.0.0", "raised more than needed: 1.1.0 would fit"),
        ([rule(), rule("new_rule")], "1.0.1", "raised too little: 1.1.0 would fit"),
        ([rule("other_rule")], "1.1.0", "raised too little: 2.0.0 would fit"),
        ([window_rule()], "1.1.0", "raised too little: 2.0.0 would fit"),
        ([rule(metric={"name": "other", "type": "count"})], "2.0.0", None),
        ([rule(description="In other words.")], "1.0.1", None),
        ([rule(description="In other words.")], "1.1.0", "more than needed: 1.0.1 would fit"),
        ([rule()], "1.0.1", "nothing changes in meaning"),
        ([rule()], "1.0.0", None),
        ([rule(when=HIGH)], "1.0.0", "version 1.0.0 is not above 1.0.0: raise it to 1.1.0"),
        ([rule(description="In other words.")], "0.9.9", "raise it to 1.0.1"),
    ],
)
def test_a_version_is_held_against_what_changes(new: Any, version: str, told: str | None) -> None:
    found = diff_documents(document(), document(*new, version=version))
    advice = version_advice("1.0.0", version, found)
    assert (advice is None) if told is None else (told in (advice or ""))


def test_a_lookup_that_spells_out_what_it_goes_by_is_the_same() -> None:
    assert changes(lookup_rule(), looked_up(by=NAMED)) == []
    assert lines(document(lookup_rule()), document(looked_up(by=NAMED))) == []


def test_another_way_to_look_up_feeds_the_same_series() -> None:
    found = diff_documents(document(lookup_rule()), document(looked_up(by="transaction_id")))
    assert fitting_bump(found) is Bump.minor


def test_a_document_does_not_differ_from_itself() -> None:
    rules = compiled(
        rule("a_rule", when={"all": [HIGH, EURO]}), velocity_rule("fast_rule"), score_rule()
    ).document
    found = diff_documents(rules, rules)
    assert found == RuleSetDiff((), (), (), ())
    assert fitting_bump(found) == 0
