"""Every mistake of a rule document is told at once, where it is and with what to do about it."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import (
    comparison,
    document,
    mistake_paths,
    mistakes,
    rule,
    window_rule,
)

from shared_code.rules.errors import RuleDocumentRefused, RuleError

USD = comparison("currency", "eq", "USD")
RATIO = {"function": "ratio", "of": USD}
TOTAL = {"function": "sum", "field": "amount"}


def only_mistake(*rules: Any, **changes: Any) -> RuleError:
    (error,) = mistakes(document(*rules, **changes))
    assert error.suggestion
    assert len(str(error)) < 500
    return error


def of_condition(condition: Any, **changes: Any) -> RuleError:
    return only_mistake(rule(when=condition), **changes)


def test_a_document_invalid_in_ten_ways_gets_ten_errors() -> None:
    content = document(
        rule("first", severity="urgent", when=comparison("merchant.contry", "eq", "DE")),
        rule("First"),
        rule("first", when={"all": [comparison("amount", "starts_with", "1"), USD]}),
        rule("fourth", value={"divide": [{"field": "currency"}, 2]}),
        window_rule("fifth", measure=TOTAL, group_by=["merchant.mc"]),
        rule("sixth", when=comparison("customer.country", "in", {"list": "risky"}), colour="red"),
        lists={"risk": ["IR"]},
    )
    errors = mistakes(content)
    assert sorted(error.path for error in errors) == sorted(
        [
            "$.rules[0].severity",
            "$.rules[0].when.field",
            "$.rules[1].id",
            "$.rules[2].id",
            "$.rules[2].when.all[0].operator",
            "$.rules[3].value.divide[0].field",
            "$.rules[4].group_by[0]",
            "$.rules[4].measure",
            "$.rules[5].colour",
            "$.rules[5].when.value.list",
        ]
    )
    assert all(error.message and error.suggestion for error in errors)
    assert all(len(str(error)) < 500 for error in errors)


def test_the_refusal_carries_its_errors_and_tells_each_on_a_line() -> None:
    errors = mistakes(document(rule("first"), rule("first"), version="1"))
    text = str(RuleDocumentRefused(errors))
    assert text.splitlines() == [
        '$.version: "1" is not of the form that is needed here. For example "1.4.0".',
        "$.rules[1].id: the id 'first' is taken by $.rules[0]. Choose another id.",
    ]


@pytest.mark.parametrize(
    ("condition", "path", "suggestion"),
    [
        (comparison("merchnt.country", "eq", "DE"), ".field", "merchant.country"),
        (comparison("colour", "eq", "red"), ".field", "Known: amount,"),
        (comparison("amount", "equals", 1), ".operator", "eq"),
        (comparison("amount", "in", [1]), ".operator", "between"),
        (comparison("amount", "matches", "1"), ".operator", "near_threshold"),
        (comparison("currency", "matches", "U"), ".operator", "not_in"),
        (comparison("event_time", "eq", "2026"), ".operator", "exists"),
        (comparison("currency", "gt", "USD"), ".operator", "not_in"),
        (comparison("currency", "starts_with", "U"), ".operator", "not_in"),
        (comparison("customer.id", "between", ["a", "b"]), ".operator", "starts_with"),
        (comparison("event_time", "gt", "2026"), ".operator", "hour_between"),
        (comparison("quality_flags", "starts_with", "z"), ".operator", "not_in"),
        (comparison("currency", "eq", "USX"), ".value", "Did you mean 'U"),
        (comparison("currency", "eq", "usd"), ".value", ""),
        (comparison("currency", "eq", 840), ".value", "double quotes"),
        (comparison("currency", "eq", True), ".value", "double quotes"),
        (comparison("currency", "eq", ["USD"]), ".value", "double quotes"),
        (comparison("currency", "in", "USD"), ".value", "[value]"),
        (comparison("currency", "in", ["USD", "USX"]), ".value[1]", "Did you mean 'U"),
        (comparison("currency", "in", []), ".value", "list"),
        (comparison("merchant.mcc", "eq", "5411a"), ".value", "For example"),
        (comparison("merchant.mcc", "eq", 5411), ".value", "double quotes"),
        (comparison("customer.id", "in", ["a", 1]), ".value[1]", "double quotes"),
        (comparison("customer.id", "starts_with", 1), ".value", "double quotes"),
        (comparison("quality_flags", "eq", "zero_amont"), ".value", "zero_amount"),
        (comparison("amount", "gt", "100"), ".value", "without quotes"),
        (comparison("amount", "gt", [100]), ".value", "without quotes"),
        (comparison("amount", "gt", True), ".value", "without quotes"),
        (comparison("amount", "between", 100), ".value", "[100, 500]"),
        (comparison("amount", "between", [1]), ".value", "[100, 500]"),
        (comparison("amount", "between", [1, 2, 3]), ".value", "[100, 500]"),
        (comparison("amount", "between", [2, 1]), ".value", "[100, 500]"),
        (comparison("amount", "between", [1, "2"]), ".value", "[100, 500]"),
        (comparison("amount", "is_round_amount", 0), ".value", "1000"),
        (comparison("amount", "is_round_amount", Decimal("-0.5")), ".value", "1000"),
        (comparison("amount", "near_threshold", -1, within_percent=1), ".value", "1000"),
        (comparison("amount", "near_threshold", 100), "", "10"),
        (comparison("amount", "near_threshold", 1, within_percent=0), ".within_percent", "near"),
        (comparison("amount", "near_threshold", 1, within_percent=101), ".within_percent", "near"),
        (comparison("amount", "gt", 1, within_percent=1), ".within_percent", "near_threshold"),
        (comparison("amount", "gt", 1, time_zone="UTC"), ".time_zone", "hour_between"),
        (comparison("amount", "gt", {"list": "some"}), ".value", "in"),
        (comparison("amount", "eq", {"field": "amount"}), ".value", "with a value"),
        (comparison("amount", "eq", {"field": "currency"}), ".value", "with a value"),
        (comparison("amount", "between", {"field": "amount"}), ".value", "by order"),
        (comparison("quality_flags", "eq", {"field": "quality_flags"}), ".value", "'eq'"),
        (comparison("customer.id", "ne", {"field": "customer.id"}), ".value", "counterparty.id"),
        (comparison("amount", "eq", {"field": "previous.amount"}), ".value.field", "'amount'"),
        (comparison("original.amount", "gt", 1), ".field", "Did you mean 'amount'?"),
        (comparison("gap_minutes", "gt", 1), ".field", "'where'"),
        (comparison("amount_ratio", "gt", 1), ".field", "'where'"),
        (comparison("previous.amont", "gt", 1), ".field", "Did you mean 'amount'?"),
        (comparison("merchant.name", "matches", 1), ".value", "double quotes"),
        (comparison("merchant.name", "matches", "x" * 257), ".value", "256"),
        (comparison("merchant.name", "matches", "a(?=b)"), ".value", "no look-around"),
        (comparison("merchant.name", "matches", r"(a)\1"), ".value", "no backreferences"),
        (comparison("event_time", "hour_between", [5, 5]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", [24, 0]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", [0, 25]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", [-1, 5]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", [Decimal("0.5"), 5]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", [1, 2, 3]), ".value", "[22, 6]"),
        (comparison("event_time", "hour_between", 5), ".value", "[22, 6]"),
        (comparison("event_time", "day_of_week", "Monday"), ".value", "monday"),
        (comparison("event_time", "day_of_week", ["monday", 2]), ".value[1]", "Known: monday"),
        (
            comparison("event_time", "hour_between", [1, 2], time_zone="Europe/Bern"),
            ".time_zone",
            "Berlin",
        ),
        (
            comparison("event_time", "hour_between", [1, 2], time_zone="../x"),
            ".time_zone",
            "Berlin",
        ),
        (comparison("event_time", "day_of_week", "monday", time_zone=""), ".time_zone", "Berlin"),
        (
            comparison("event_time", "day_of_week", "monday", time_zone="x/" * 9999),
            ".time_zone",
            "Berlin",
        ),
        (comparison("customer.id", "exists", "yes"), ".value", "out"),
        (comparison("customer.id", "in", {"list": "sme"}), ".value.list", "'some'"),
        (comparison("customer.id", "eq", {"list": "some"}), ".value", "'in'"),
        (comparison("customer.id", "eq", {"field": "merchant.idd"}), ".value.field", "merchant.id"),
        (comparison("customer.id", "eq", {"field": "merchant.id"}), ".value", "counterparty.id"),
        (comparison("merchant.id", "eq", {"field": "merchant.name"}), ".value", "a value"),
        (comparison("customer.id", "in", {"field": "counterparty.id"}), ".value", "'ne'"),
        (comparison("customer.id", "eq", {}), ".value", "field"),
        (comparison("customer.id", "eq", {"field": "a", "list": "b"}), ".value", "field"),
        ({"field": "currency"}, "", "near_threshold"),
        ({"operator": "exists"}, "", "amount"),
        ({"field": "currency", "operator": "eq"}, "", "A value"),
        ({}, "", "Exactly one"),
        ({"all": [USD], "any": [USD]}, "", "Exactly one"),
        ({"all": []}, ".all", "Every part"),
        ({"any": USD}, ".any", "At least one"),
        ({"not": [USD]}, ".not", "Exactly one"),
        ([USD], "", "Exactly one"),
        ({"al": [USD]} | USD, ".al", "'all'"),
    ],
)
def test_a_wrong_condition_is_told_with_path_and_remedy(
    condition: Any, path: str, suggestion: str
) -> None:
    error = of_condition(condition, lists={"some": ["a"]})
    assert error.path == f"$.rules[0].when{path}"
    assert suggestion in error.suggestion


def test_a_mistake_deep_in_a_tree_is_told_where_it_is() -> None:
    condition = {"all": [USD, {"any": [{"not": comparison("currency", "eq", "XXX")}, USD]}]}
    assert of_condition(condition).path == "$.rules[0].when.all[1].any[0].not.value"


@pytest.mark.parametrize(
    ("changed", "path", "suggestion"),
    [
        (rule(id=None), "$.rules[0]", "unique"),
        (rule(severity=None), "$.rules[0]", "urgent"),
        (rule("Ab"), "$.rules[0].id", "high_value_payment"),
        (rule("a_rule\n"), "$.rules[0].id", "high_value_payment"),
        (rule(severity="hihg"), "$.rules[0].severity", "'high'"),
        (rule(scope="speed"), "$.rules[0].scope", "Known: transaction, window, velocity, seq"),
        (rule(scope="sequences"), "$.rules[0].scope", "Did you mean 'sequence'?"),
        (rule(enabled="yes"), "$.rules[0].enabled", "kept"),
        (rule(description=""), "$.rules[0].description", "source"),
        (rule(description="x" * 1001), "$.rules[0].description", "source"),
        (rule(categry="aml"), "$.rules[0].categry", "'category'"),
        (rule(metric={"name": "abc"}), "$.rules[0].metric", "values are"),
        (rule(metric={"name": "abc", "type": "sum"}), "$.rules[0].metric.type", "Known"),
        (rule(group_by=["currency"]), "$.rules[0].group_by", "window"),
        (rule(measure={"function": "count"}), "$.rules[0].measure", "window"),
        (window_rule(value=1), "$.rules[0].value", "transaction"),
        (window_rule(measure=None), "$.rules[0]", "measure"),
        (window_rule(measure={}), "$.rules[0].measure", "one value"),
        (window_rule(measure={"function": "median"}), "$.rules[0].measure.function", "Known"),
        (window_rule(measure={"function": "ratio"}), "$.rules[0].measure", "condition"),
        (window_rule(measure={"function": "sum"}), "$.rules[0].measure", "amount"),
        (window_rule(measure={"function": "count", "of": USD}), "$.rules[0].measure.of", "ratio"),
        (
            window_rule(measure={"function": "count", "field": "amount"}),
            "$.rules[0].measure.field",
            "sum",
        ),
        (
            window_rule(measure=TOTAL | {"percentile": 5}, group_by=["currency"]),
            "$.rules[0].measure.percentile",
            "percentile",
        ),
        (
            window_rule(
                measure=TOTAL | {"function": "percentile", "percentile": 0}, group_by=["currency"]
            ),
            "$.rules[0].measure.percentile",
            "nearest rank",
        ),
        (window_rule(measure=TOTAL), "$.rules[0].measure", "currency"),
        (
            window_rule(measure=TOTAL, when={"any": [USD, comparison("amount", "gt", 5)]}),
            "$.rules[0].measure",
            "currency",
        ),
        (
            window_rule(measure=TOTAL | {"field": "customer.id"}),
            "$.rules[0].measure.field",
            "amount",
        ),
        (
            window_rule(measure={"function": "distinct_count", "field": "customer"}),
            "$.rules[0].measure.field",
            "customer.id",
        ),
        (
            window_rule(measure=RATIO | {"of": comparison("currency", "eq", "US")}),
            "$.rules[0].measure.of.value",
            "Did you mean",
        ),
        (window_rule(group_by=["transaction_id"]), "$.rules[0].group_by[0]", "Known"),
        (window_rule(group_by=["currency", "amount"]), "$.rules[0].group_by[1]", "Known"),
        (window_rule(group_by=["currency", "currency"]), "$.rules[0].group_by", "group"),
        (window_rule(alert={"operator": "gt"}), "$.rules[0].alert", "threshold"),
        (
            window_rule(alert={"operator": "eq", "value": 1}),
            "$.rules[0].alert.operator",
            "Known: gt, gte, lt, lte",
        ),
        (
            window_rule(alert={"operator": "gt", "value": 1, "minimum_payments": 0}),
            "$.rules[0].alert.minimum_payments",
            "fewer payments",
        ),
        (
            window_rule(alert={"operator": "gt", "value": 1, "minimum_payments": Decimal("1.5")}),
            "$.rules[0].alert.minimum_payments",
            "fewer payments",
        ),
        (rule(value="amount"), "$.rules[0].value", "A number"),
        (rule(value={"field": "amont"}), "$.rules[0].value.field", "'amount'"),
        (rule(value={"field": "previous.amount"}), "$.rules[0].value.field", "'amount'"),
        (rule(value={"field": "amount", "add": [1, 1]}), "$.rules[0].value", "A number"),
        (rule(value={"field": "currency"}), "$.rules[0].value.field", "'amount'"),
        (rule(value={"add": [1]}), "$.rules[0].value.add", "left and the right"),
        (rule(value={"power": [1, 2]}), "$.rules[0].value.power", "Known"),
        (
            rule(value={"add": [1, {"divide": [1, 0]}]}),
            "$.rules[0].value.add[1].divide[1]",
            "divisor",
        ),
        (rule(value={"add": [1, True]}), "$.rules[0].value.add[1]", "A number"),
    ],
)
def test_a_wrong_rule_is_told_with_path_and_remedy(
    changed: Any, path: str, suggestion: str
) -> None:
    error = only_mistake(changed)
    assert error.path == path
    assert suggestion in error.suggestion


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": None}, "$"),
        ({"version": "1.0"}, "$.version"),
        ({"version": "01.0.0"}, "$.version"),
        ({"version": "1.0.0\n"}, "$.version"),
        ({"version": "1.0.0-rc1"}, "$.version"),
        ({"rules": []}, "$.rules"),
        ({"rules": {}}, "$.rules"),
        ({"rules": None}, "$"),
        ({"rules": [None]}, "$.rules[0]"),
        ({"lists": []}, "$.lists"),
        ({"lists": {"Risky": []}}, "$.lists"),
        ({"lists": {"risky": "IR"}}, "$.lists.risky"),
        ({"lists": {"risky": ["IR", 1]}}, "$.lists.risky[1]"),
        ({"lists": {"risky": ["IR", "IR"]}}, "$.lists.risky"),
        ({"lists": {"ünlaut": 1}}, None),
        ({"ruels": []}, "$.ruels"),
    ],
)
def test_a_wrong_document_is_told_with_path_and_remedy(
    changes: dict[str, Any], path: str | None
) -> None:
    errors = mistakes(document(**({"rules": [rule()]} | changes)))
    assert all(error.suggestion for error in errors)
    if path is None:
        assert [error.path for error in errors] == ["$.lists", '$.lists["\\u00fcnlaut"]']
    else:
        assert [error.path for error in errors] == [path]


@pytest.mark.parametrize("top", ["[]", "null", "1", '"text"', "true"])
def test_a_document_is_an_object(top: str) -> None:
    (error,) = mistakes(top.encode())
    assert (error.path, error.message[:22]) == ("$", "expected object, found")


def test_each_missing_key_is_told_once() -> None:
    errors = mistakes(document({"id": "abc"}))
    assert [error.message for error in errors] == [
        f"{name!r} is missing"
        for name in ("scope", "description", "category", "severity", "metric")
    ]
    assert {error.path for error in errors} == {"$.rules[0]"}


def test_errors_of_shape_stand_in_the_order_of_the_document() -> None:
    rules = [rule(f"rule_{number}", severity="none") for number in range(12)]
    assert mistake_paths(*rules) == [f"$.rules[{number}].severity" for number in range(12)]


def test_values_of_a_list_are_checked_once_for_all_that_use_it() -> None:
    uses = [
        rule(f"rule_{number}", when=comparison("customer.country", "in", {"list": "risky"}))
        for number in range(3)
    ]
    assert mistake_paths(*uses, lists={"risky": ["IR", "ZZ"]}) == ["$.lists.risky[1]"]


def test_a_list_of_the_wrong_shape_is_not_judged_by_its_values() -> None:
    use = rule(when=comparison("customer.country", "in", {"list": "risky"}))
    assert mistake_paths(use, lists={"risky": "IR"}) == ["$.lists.risky"]


@pytest.mark.parametrize(
    "accepted",
    [
        window_rule(measure=TOTAL, when=USD),
        window_rule(measure=TOTAL, when={"all": [USD, comparison("amount", "gt", 0)]}),
        window_rule(measure=TOTAL, group_by=["currency"]),
        rule(enabled=False),
        rule(when=comparison("event_time", "hour_between", [0, 24])),
        rule(value={"divide": [1, {"field": "amount"}]}),
        rule(when=comparison("amount", "between", [1, 1])),
        rule(when=comparison("amount", "near_threshold", 1, within_percent=100)),
    ],
)
def test_what_makes_sense_is_accepted(accepted: Any) -> None:
    assert mistakes(document(accepted)) == []


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a(?=b)", 'invalid perl operator, "(?=" at character 2'),
        (r"^(a)\1", r'invalid escape sequence, "\\1" at character 5'),
        ("x[a", 'missing ], "[a" at character 2'),
        ("a{1001}", 'invalid repetition size, "{1001}" at character 2'),
        (r"(\pL{30}){30}{9}", "bad repetition operator"),
        (r"[\pL]{900}", "pattern too large - compile failed"),
    ],
)
def test_a_wrong_regular_expression_is_told_with_reason_and_place(
    pattern: str, message: str
) -> None:
    error = of_condition(comparison("merchant.name", "matches", pattern))
    assert error.message.startswith(f"no regular expression of RE2: {message}")


def test_one_metric_has_one_type() -> None:
    amount = {"name": "a_metric", "type": "amount"}
    error = only_mistake(rule("first"), rule("second", metric=amount), rule("third"))
    assert error.path == "$.rules[1].metric.type"
    assert "$.rules[0].metric" in error.message
