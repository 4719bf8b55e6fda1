"""Each scope has keys of its own; those of others are told, and so is what it lacks."""

from typing import Any

import pytest
from unit.rules.rule_samples import comparison, document, mistakes, rule, window_rule
from unit.rules.scope_samples import (
    lookup_rule,
    pattern_rule,
    score_rule,
    sequence_rule,
    velocity_rule,
)

ALERT = {"operator": "gte", "value": 1}
FAILED = comparison("payment_status", "eq", "failed")
BANDS = [{"outcome": "large", "at_least": 1, "reason": "a test"}]
PREVIOUS = {"within_minutes": 60, "where": comparison("gap_minutes", "lt", 5)}
PATTERN = {"first": FAILED, "then": comparison("channel", "eq", "web"), "within_minutes": 5}


WEB = comparison("channel", "eq", "web")
EARLIER = comparison("gap_minutes", "gt", 5)
SAME_ID = comparison("original.transaction_id", "ne", {"field": "transaction_id"})
SAME_STATUS = comparison("payment_status", "eq", {"field": "original.payment_status"})


def of_previous(where: Any, **changes: Any) -> Any:
    return sequence_rule(previous=PREVIOUS | {"where": where} | changes)


def of_lookup(where: Any) -> Any:
    return lookup_rule(lookup={"within_minutes": 60, "where": where})


def of_own_past(where: Any, **changes: Any) -> Any:
    part = {"by": "transaction_id", "within_minutes": 60, "where": where}
    return lookup_rule(when=FAILED, lookup=part | changes)


@pytest.mark.parametrize(
    ("changed", "path", "suggestion"),
    [
        (rule(subject="customer.id"), ".subject", "'velocity' or 'sequence'"),
        (rule(within_minutes=5), ".within_minutes", "'velocity'"),
        (rule(previous=PREVIOUS), ".previous", "'sequence'"),
        (rule(pattern=PATTERN), ".pattern", "'sequence'"),
        (rule(lookup=PREVIOUS), ".lookup", "'sequence'"),
        (rule(terms=[{"rule": "a_rule", "points": 1}]), ".terms", "'score'"),
        (rule(alert=ALERT | {"minimum_payments": 1}), ".alert.minimum_payments", "'window'"),
        (rule(alert=ALERT | {"cooldown_minutes": 1}), ".alert.cooldown_minutes", "'sequence'"),
        (rule(indeterminate="skip"), ".indeterminate", "Known: record, ignore."),
        (window_rule(indeterminate="ignore"), ".indeterminate", "'transaction'"),
        (window_rule(subject="customer.id"), ".subject", "'velocity'"),
        (
            window_rule(alert=ALERT | {"cooldown_minutes": 1}),
            ".alert.cooldown_minutes",
            "'velocity' or 'sequence'",
        ),
        (velocity_rule(subject=None), "", "whose payments"),
        (velocity_rule(within_minutes=None), "", "for example 60"),
        (velocity_rule(measure=None), "", '"count"'),
        (velocity_rule(subject="customer"), ".subject", "Did you mean 'customer.id'?"),
        (velocity_rule(within_minutes=0), ".within_minutes", "30 days"),
        (velocity_rule(within_minutes=43201), ".within_minutes", "30 days"),
        (velocity_rule(within_minutes="5"), ".within_minutes", "For example 60."),
        (velocity_rule(value=1), ".value", "'transaction' or 'sequence'"),
        (velocity_rule(indeterminate="ignore"), ".indeterminate", "'transaction'"),
        (velocity_rule(previous=PREVIOUS), ".previous", "'sequence'"),
        (
            velocity_rule(alert=ALERT | {"minimum_payments": 3}),
            ".alert.minimum_payments",
            "'window'",
        ),
        (
            velocity_rule(alert=ALERT | {"cooldown_minutes": 43201}),
            ".alert.cooldown_minutes",
            "episode",
        ),
        (
            velocity_rule(measure={"function": "average", "field": "amount", "in_currency": "EUR"}),
            ".measure.function",
            "count, sum or distinct_count",
        ),
        (velocity_rule(group_by=["customer.id"]), ".group_by[0]", "subject"),
        (
            velocity_rule(measure={"function": "sum", "field": "amount"}),
            ".measure",
            "'in_currency'",
        ),
        (sequence_rule(previous=None), "", "exactly one of"),
        (sequence_rule(pattern=PATTERN), "", "exactly one of"),
        (sequence_rule(subject=None), "", "whose payments"),
        (pattern_rule(subject=None), "", "whose payments"),
        (lookup_rule(subject="customer.id"), ".subject", "original_transaction_id"),
        (sequence_rule(within_minutes=60), ".within_minutes", "'previous'"),
        (sequence_rule(measure={"function": "count"}), ".measure", "'window' or 'velocity'"),
        (sequence_rule(group_by=["currency"]), ".group_by", "'window' or 'velocity'"),
        (sequence_rule(previous={"within_minutes": 5}), ".previous", "of the pair"),
        (pattern_rule(pattern=PATTERN | {"times": 0}), ".pattern.times", "1 to 1,000"),
        (pattern_rule(pattern=PATTERN | {"times": 1001}), ".pattern.times", "1 to 1,000"),
        (pattern_rule(pattern=PATTERN | {"where": FAILED}), ".pattern.where", "Known: first"),
        (of_previous(comparison("original.amount", "gt", 1)), ".previous.where.field", "previous"),
        (of_lookup(comparison("previous.amount", "gt", 1)), ".lookup.where.field", "original"),
        (
            of_own_past(FAILED, by="transaction"),
            ".lookup.by",
            "Did you mean 'transaction_id'?",
        ),
        (of_own_past(FAILED, by="customer.id"), ".lookup.by", "Known: original_transaction_id"),
        (of_own_past(comparison("previous.amount", "gt", 1)), ".lookup.where.field", "original"),
        (of_own_past(SAME_ID), ".lookup.where", "Compare others."),
        (of_own_past({"not": SAME_STATUS}), ".lookup.where.not", "of another status"),
        (
            of_own_past({"any": [EARLIER, {"all": [EARLIER, SAME_STATUS]}]}),
            ".lookup.where.any[1].all[1]",
            "of another status",
        ),
        (
            of_own_past(EARLIER, when={"all": [WEB, FAILED]}),
            ".lookup.when",
            "looks for another status",
        ),
        (
            of_own_past(EARLIER, when=comparison("payment_status", "in", ["failed"])),
            ".lookup.when",
            "looks for another status",
        ),
        (
            of_previous(comparison("gap_minutes", "gt", {"field": "amount_ratio"})),
            ".previous.where.value",
            "by order",
        ),
        (of_previous(comparison("gap_minutes", "in", [1])), ".previous.where.operator", "between"),
        (of_previous(comparison("gap_minutes", "gt", "1")), ".previous.where.value", "quotes"),
        (
            of_previous(
                comparison("merchant.country", "ne", {"field": "previous.merchant.contry"})
            ),
            ".previous.where.value.field",
            "Did you mean 'previous.merchant.country'?",
        ),
        (
            of_previous(FAILED, when=comparison("previous.amount", "gt", 1)),
            ".previous.when.field",
            "Did you mean 'amount'?",
        ),
        (
            pattern_rule(pattern=PATTERN | {"first": comparison("gap_minutes", "gt", 1)}),
            ".pattern.first.field",
            "'where'",
        ),
        (
            pattern_rule(value={"field": "previous.amount"}),
            ".value.field",
            "Did you mean 'amount'?",
        ),
        (sequence_rule(value={"field": "original.amount"}), ".value.field", "previous.amount"),
        (sequence_rule(value={"field": "previous.currency"}), ".value.field", "'amount'"),
        (
            sequence_rule(value={"field": "gap_minutes", "in_currency": "EUR"}),
            ".value.in_currency",
            "out",
        ),
        (score_rule(terms=None), "", "terms"),
        (score_rule(terms=[]), ".terms", "1 to 100"),
        (score_rule(measure={"function": "count"}), ".measure", "'window' or 'velocity'"),
        (score_rule(value=1), ".value", "'transaction' or 'sequence'"),
        (score_rule(group_by=["currency"]), ".group_by", "'window'"),
        (score_rule(subject="customer.id"), ".subject", "'velocity'"),
        (rule(tags=["Fraud"]), ".tags[0]", "structuring"),
        (rule(tags=["a"] * 2), ".tags", "each once"),
        (rule(tags=[f"t{number}" for number in range(21)]), ".tags", "up to 20"),
        (rule(owner=""), ".owner", "answers for"),
        (rule(owner="x" * 201), ".owner", "answers for"),
        (rule(effective_from="2026-01-28"), ".effective_from", "2026-01-28T00:00:00+01:00"),
        (rule(effective_from="2026-01-28T00:00:00"), ".effective_from", "+01:00"),
        (rule(effective_from="2026-02-30T00:00:00Z"), ".effective_from", "+01:00"),
        (rule(effective_from="0001-01-01T00:00:00+01:00"), ".effective_from", "+01:00"),
        (
            rule(effective_from="2026-01-28T00:00:00Z", effective_to="2026-01-28T01:00:00+01:00"),
            ".effective_to",
            "later",
        ),
    ],
)
def test_a_wrong_rule_of_any_scope_is_told_with_path_and_remedy(
    changed: Any, path: str, suggestion: str
) -> None:
    rates = {"base": "EUR", "as_of": "2026", "source": "a test", "per_base": {"USD": 2}}
    rules = [changed] if changed["scope"] != "score" else [rule(), changed]
    errors = mistakes(document(*rules, rates=rates))
    assert [error.path for error in errors] == [f"$.rules[{len(rules) - 1}]{path}"]
    assert suggestion in errors[0].suggestion
    assert len(str(errors[0])) < 500


@pytest.mark.parametrize(
    "accepted",
    [
        rule(alert=ALERT, bands=BANDS, indeterminate="ignore", owner="aml", tags=["a-b_1"]),
        rule(effective_from="2026-01-28T00:00:00.000001Z", effective_to="2026-01-28T00:00:01Z"),
        window_rule(alert=ALERT | {"minimum_payments": 5}, bands=BANDS),
        velocity_rule(alert=ALERT | {"cooldown_minutes": 43200}, within_minutes=43200),
        velocity_rule(
            measure={"function": "sum", "field": "amount"}, group_by=["currency"], alert=None
        ),
        velocity_rule(measure={"function": "distinct_count", "field": "merchant.id"}),
        sequence_rule(alert=ALERT | {"cooldown_minutes": 5}, value={"field": "gap_minutes"}),
        of_previous(comparison("amount", "gt", {"field": "previous.amount"})),
        of_previous(comparison("amount_ratio", "between", [2, 3])),
        of_previous(comparison("previous.merchant.name", "matches", "^x")),
        pattern_rule(bands=BANDS, alert=ALERT),
        lookup_rule(value={"subtract": [{"field": "amount"}, {"field": "original.amount"}]}),
        of_lookup(SAME_ID),
        of_own_past(EARLIER),
        of_own_past(comparison("original.amount", "ne", {"field": "amount"})),
        of_own_past(EARLIER, when=comparison("payment_status", "eq", "pending")),
        of_own_past(EARLIER, when=comparison("payment_status", "in", ["failed", "pending"])),
        of_own_past(EARLIER, when={"any": [FAILED, WEB]}),
        of_own_past(EARLIER, when=WEB) | {"when": WEB},
    ],
)
def test_what_a_scope_has_is_accepted(accepted: Any) -> None:
    assert mistakes(document(accepted)) == []


def test_ten_different_mistakes_of_all_scopes_get_ten_errors() -> None:
    errors = mistakes(
        document(
            rule("first_rule", when=comparison("merchant.name", "matches", "(")),
            velocity_rule("second_rule", subject="customer.ip"),
            velocity_rule("third_rule", group_by=["customer.id"]),
            sequence_rule("fourth_rule", pattern=PATTERN),
            lookup_rule("fifth_rule", value={"field": "previous.amount"}),
            score_rule("sixth_rule", terms=[{"rule": "first_rul", "points": 1}]),
            rule("seventh_rule", bands=[{"outcome": "large", "at_least": 2, "reason": "a test"}]),
            rule(
                "eighth_rule", when={"all": [FAILED, comparison("payment_status", "eq", "pending")]}
            ),
            rule("ninth_rule", value={"field": "amount", "in_currency": "EUR"}),
            window_rule("tenth_rule", alert=ALERT | {"cooldown_minutes": 5}),
        )
    )
    assert [str(error) for error in errors] == [
        (
            '$.rules[1].subject: "customer.ip" is none of the values that are known here. '
            "Did you mean 'customer.id'?"
        ),
        (
            "$.rules[3]: an object is none of what is possible here. "
            "Rules of scope 'sequence' have exactly one of: previous, pattern, lookup."
        ),
        (
            '$.rules[9].alert.cooldown_minutes: "cooldown_minutes" does not belong here. '
            "Only rules of scope 'velocity' or 'sequence' have it."
        ),
        (
            '$.rules[0].when.value: no regular expression of RE2: missing ), "(" at character 1. '
            "Write it in RE2 syntax: no backreferences, no look-around."
        ),
        (
            "$.rules[2].group_by[0]: the payments of one customer.id are looked at together "
            "anyway. Leave it out: it is the subject."
        ),
        (
            "$.rules[4].value.field: previous.amount is not known here, only where a sequence rule "
            "compares two payments. Did you mean 'original.amount'? "
            "Fields of 'previous' are for 'where' and 'value'."
        ),
        (
            "$.rules[5].terms[0].rule: there is no rule 'first_rul' in the document. "
            "Did you mean 'first_rule'?"
        ),
        (
            "$.rules[6].bands[0]: no value of the rule lies in the band; it has only the value 1. "
            "Correct the ends, or leave the band out."
        ),
        (
            "$.rules[7].when.all[1]: this can never hold together with $.rules[7].when.all[0]: "
            "no value of payment_status meets them all. "
            "Correct one of them, or use 'any' if one is enough."
        ),
        (
            "$.rules[8].value.in_currency: the document has no 'rates' to convert to EUR. "
            "Add 'rates', or leave 'in_currency' out."
        ),
    ]
