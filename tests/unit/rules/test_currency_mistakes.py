"""Amounts are converted only where there is a rate, and to one currency in a rule."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import comparison, document, mistakes, rule, window_rule
from unit.rules.scope_samples import sequence_rule

RATES: dict[str, Any] = {
    "base": "EUR",
    "as_of": "2026-01-02",
    "source": "European Central Bank",
    "per_base": {"USD": Decimal("1.25"), "JPY": 160},
}
TOTAL = {"function": "sum", "field": "amount"}


def large(currency: str) -> dict[str, Any]:
    return comparison("amount", "gte", 100, in_currency=currency)


@pytest.mark.parametrize(
    ("changes", "path", "suggestion"),
    [
        ({"base": "EUX"}, ".base", "Did you mean"),
        ({"base": "eur"}, ".base", 'For example "EUR".'),
        ({"per_base": {"USX": 1}}, ".per_base.USX", "Did you mean"),
        ({"per_base": {"usd": 1}}, ".per_base", "capital letters"),
        ({"per_base": {"USD": 0}}, ".per_base.USD", "above zero"),
        ({"per_base": {"USD": "1"}}, ".per_base.USD", "above zero"),
        ({"per_base": {"EUR": 2, "USD": 1}}, ".per_base.EUR", "'base'"),
        ({"per_base": {}}, ".per_base", "How much"),
        ({"as_of": ""}, ".as_of", "day or time"),
        ({"as_of": "x" * 65}, ".as_of", "day or time"),
        ({"source": ""}, ".source", "publishes"),
        ({"source": "x" * 501}, ".source", "publishes"),
        ({"sauce": "x"}, ".sauce", "'source'"),
    ],
)
def test_wrong_rates_are_told_with_path_and_remedy(
    changes: dict[str, Any], path: str, suggestion: str
) -> None:
    (error,) = mistakes(document(rule(), rates=RATES | changes))
    assert error.path == f"$.rates{path}"
    assert suggestion in error.suggestion


@pytest.mark.parametrize("missing", RATES)
def test_rates_need_all_their_parts(missing: str) -> None:
    rates = {key: value for key, value in RATES.items() if key != missing}
    (error,) = mistakes(document(rule(), rates=rates))
    assert (error.path, error.message) == ("$.rates", f"{missing!r} is missing")


@pytest.mark.parametrize(
    ("changed", "path", "suggestion"),
    [
        (rule(when=large("CHF")), ".when.in_currency", "Known: EUR, JPY, USD."),
        (rule(when=large("EUX")), ".when.in_currency", "Did you mean"),
        (rule(when=large("euro")), ".when.in_currency", "EUR"),
        (
            rule(value={"add": [1, {"field": "amount", "in_currency": "CHF"}]}),
            ".value.add[1].in_currency",
            "Known",
        ),
        (window_rule(measure=TOTAL | {"in_currency": "CHF"}), ".measure.in_currency", "Known"),
        (
            rule(when=large("EUR"), value={"field": "amount", "in_currency": "USD"}),
            ".value.in_currency",
            "one currency",
        ),
        (rule(when={"any": [large("EUR"), large("USD")]}), ".when.any[1].in_currency", "two rules"),
        (rule(when={"not": comparison("channel", "eq", "web", in_currency="EUR")}), None, "Only"),
        (rule(when={"not": comparison("amount", "exists", in_currency="EUR")}), None, "Only"),
        (rule(value={"add": [1, 2], "in_currency": "EUR"}), ".value", "Only"),
        (
            window_rule(measure={"function": "count", "in_currency": "EUR"}),
            ".measure.in_currency",
            "sum",
        ),
        (
            window_rule(
                measure={"function": "distinct_count", "field": "channel", "in_currency": "EUR"}
            ),
            ".measure.in_currency",
            "sum",
        ),
        (
            window_rule(measure={"function": "standard_deviation", "field": "amount"}),
            ".measure",
            "'in_currency'",
        ),
    ],
)
def test_a_wrong_conversion_is_told_with_path_and_remedy(
    changed: Any, path: str | None, suggestion: str
) -> None:
    (error,) = mistakes(document(changed, rates=RATES))
    assert error.path == f"$.rules[0]{'.when.not.in_currency' if path is None else path}"
    assert suggestion in error.suggestion


def test_what_is_no_currency_is_told_once_and_not_compared_with_others() -> None:
    condition = {"any": [large("ZZZ"), large("EUR")]}
    (error,) = mistakes(document(rule(when=condition), rates=RATES))
    assert error.path == "$.rules[0].when.any[0].in_currency"


def test_a_conversion_where_none_belongs_is_not_judged() -> None:
    (error,) = mistakes(document(rule({"in_currency": "CHF"}), rates=RATES))
    assert error.path == "$.rules[0].id"


def test_without_rates_nothing_is_converted() -> None:
    (error,) = mistakes(document(rule(when=large("EUR"))))
    assert error.path == "$.rules[0].when.in_currency"
    assert "'rates'" in error.suggestion


def test_broken_rates_are_told_and_not_the_conversions_that_need_them() -> None:
    (error,) = mistakes(document(rule(when=large("CHF")), rates=RATES | {"as_of": 2026}))
    assert error.path == "$.rates.as_of"


@pytest.mark.parametrize(
    "accepted",
    [
        rule(when={"all": [large("JPY"), comparison("amount", "gt", 5)]}),
        rule(when=large("EUR"), value={"field": "amount", "in_currency": "EUR"}),
        window_rule(measure=TOTAL | {"in_currency": "USD"}),
        window_rule(measure=TOTAL | {"function": "standard_deviation", "in_currency": "USD"}),
        sequence_rule(
            previous={
                "within_minutes": 5,
                "where": comparison(
                    "amount", "gt", {"field": "previous.amount"}, in_currency="EUR"
                ),
            }
        ),
    ],
)
def test_what_has_a_rate_is_converted(accepted: Any) -> None:
    assert mistakes(document(accepted, rates=RATES)) == []
    assert (
        mistakes(document(accepted, rates=RATES | {"per_base": {"USD": 1, "JPY": 2, "EUR": 1}}))
        == []
    )
