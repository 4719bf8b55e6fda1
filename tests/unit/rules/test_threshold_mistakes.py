"""Bands and alerts that no value can reach are told, and bands that overlap."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import comparison, document, mistakes, rule, window_rule
from unit.rules.scope_samples import pattern_rule, score_rule, velocity_rule

AMOUNT = {"field": "amount"}
RATIO = {"function": "ratio", "of": comparison("channel", "eq", "web")}
PERCENTAGE = RATIO | {"function": "percentage"}


def band(outcome: str = "large", **changes: Any) -> dict[str, Any]:
    return {"outcome": outcome, "reason": "a test", **changes}


@pytest.mark.parametrize(
    ("bands", "path", "suggestion"),
    [
        ([band()], "[0]", "one end may be left out"),
        ([band(at_least=1, colour="red")], "[0].colour", "Known: outcome"),
        ([{"outcome": "large", "at_least": 1}], "[0]", "matters"),
        ([band("Large", at_least=1)], "[0].outcome", 'For example "large".'),
        ([band("matched", at_least=1)], "[0].outcome", "meanings of their own"),
        ([band("indeterminate", at_least=1)], "[0].outcome", "meanings of their own"),
        ([band(at_least=1, severity="hihg")], "[0].severity", "'high'"),
        ([band(at_least="1")], "[0].at_least", "lowest value"),
        ([], "", "1 to 50"),
        ([band(f"band_{number}", at_least=number) for number in range(51)], "", "1 to 50"),
        ([band(at_least=5, below=5)], "[0]", "'at_least'"),
        ([band(at_least=5, below=1)], "[0]", "'at_least'"),
        ([band(at_least=1, below=5), band("huge", at_least=4)], "[1]", "'below'"),
        ([band("huge", at_least=5), band("small", below=Decimal("5.01"))], "[1]", "'below'"),
        ([band(at_least=1, below=2), band(at_least=2)], "[1].outcome", "another name"),
        ([band(below=0)], "[0]", "Correct the ends"),
    ],
)
def test_wrong_bands_are_told_with_path_and_remedy(bands: Any, path: str, suggestion: str) -> None:
    (error,) = mistakes(document(rule(value=AMOUNT, bands=bands)))
    assert error.path == f"$.rules[0].bands{path}"
    assert suggestion in error.suggestion


def test_bands_that_touch_in_any_order_are_accepted() -> None:
    bands = [band("huge", at_least=100), band("small", below=10), band(at_least=10, below=100)]
    assert mistakes(document(rule(value=AMOUNT, bands=bands))) == []


@pytest.mark.parametrize(
    ("changed", "operator", "threshold", "message"),
    [
        (window_rule(measure=RATIO), "gt", 1, "no value passes gt 1"),
        (window_rule(measure=RATIO), "gte", 33, "values from 0 to 1"),
        (window_rule(measure=RATIO), "lt", 0, "no value passes lt 0"),
        (window_rule(measure=RATIO), "gte", 0, "every value passes gte 0"),
        (window_rule(measure=RATIO), "gt", -1, "every value passes gt -1"),
        (window_rule(measure=RATIO), "lte", 1, "every value passes lte 1"),
        (window_rule(measure=PERCENTAGE), "gt", 100, "values from 0 to 100"),
        (window_rule(measure=PERCENTAGE), "lte", 100, "every value passes lte 100"),
        (window_rule(), "lt", 1, "values from 1"),
        (velocity_rule(), "lte", Decimal("0.5"), "values from 1"),
        (rule(), "gt", 1, "only the value 1"),
        (rule(value=5), "lt", 5, "only the value 5"),
        (rule(value=AMOUNT), "lt", 0, "values from 0"),
        (pattern_rule(), "lt", 2, "values from 2"),
        (score_rule(), "gt", 10, "values from 0 to 10"),
    ],
)
def test_an_alert_that_no_value_or_every_value_passes_is_told(
    changed: Any, operator: str, threshold: Any, message: str
) -> None:
    wrong = changed | {"alert": {"operator": operator, "value": threshold}}
    rules = [wrong] if wrong["scope"] != "score" else [rule(), wrong]
    (error,) = mistakes(document(*rules))
    assert error.path == f"$.rules[{len(rules) - 1}].alert.value"
    assert message in error.message


@pytest.mark.parametrize(
    ("changed", "operator", "threshold"),
    [
        (window_rule(measure=RATIO), "gte", 1),
        (window_rule(measure=RATIO), "gt", 0),
        (window_rule(measure=RATIO), "lte", 0),
        (window_rule(measure=PERCENTAGE), "gt", 1),
        (window_rule(), "lte", 1),
        (rule(), "gte", 1),
        (rule(value={"subtract": [AMOUNT, 5]}), "lt", 0),
        (pattern_rule(), "gte", 2),
        (score_rule(terms=[{"rule": "a_rule", "points": -5}]), "lte", -5),
        (score_rule(), "gte", 10),
    ],
)
def test_an_alert_that_some_values_pass_is_accepted(
    changed: Any, operator: str, threshold: Any
) -> None:
    right = changed | {"alert": {"operator": operator, "value": threshold}}
    assert mistakes(document(*([right] if right["scope"] != "score" else [rule(), right]))) == []


def test_a_threshold_is_not_judged_where_the_values_are_broken() -> None:
    alert = {"operator": "gt", "value": 5}
    (error,) = mistakes(document(window_rule(measure=RATIO | {"field": "amount"}, alert=alert)))
    assert error.path == "$.rules[0].measure.field"
