"""Score rules weigh outcomes that other rules of the document have."""

from typing import Any

import pytest
from unit.rules.rule_samples import document, mistakes, rule, window_rule
from unit.rules.scope_samples import score_rule, sequence_rule, velocity_rule

BANDS = [{"outcome": "large", "at_least": 1, "reason": "a test"}]
WEIGHED = [
    rule("new_country", bands=BANDS),
    velocity_rule("rapid_fire"),
    velocity_rule("unguarded", alert=None),
    sequence_rule("second_payment"),
    window_rule("failure_ratio"),
    rule("retired", enabled=False),
]


def term(name: str, **changes: Any) -> dict[str, Any]:
    return {"rule": name, "points": 10, **changes}


@pytest.mark.parametrize(
    ("terms", "path", "suggestion"),
    [
        ([term("new_county")], "[0].rule", "Did you mean 'new_country'?"),
        ([term("xxxxxxxx")], "[0].rule", "Known: new_country, rapid_fire, retired"),
        ([term("failure_ratio")], "[0].rule", "transaction, velocity or sequence"),
        ([term("a_score")], "[0].rule", "transaction, velocity or sequence"),
        ([term("retired")], "[0].rule", "Enable it"),
        ([term("unguarded")], "[0].rule", "Add an alert at $.rules[2]."),
        ([term("new_country", outcome="larg")], "[0].outcome", "Did you mean 'large'?"),
        ([term("second_payment", outcome="large")], "[0].outcome", "Known: matched, indeterm"),
        ([term("new_country"), term("new_country", points=5)], "[1]", "one term"),
        ([term("new_country", points="5")], "[0].points", "For example 30."),
        ([term("new_country", weight=5)], "[0].weight", "Known: rule, points, outcome."),
        ([{"rule": "new_country"}], "[0]", "gets"),
        ([term("x")], "[0].rule", "high_value_payment"),
    ],
)
def test_a_wrong_term_is_told_with_path_and_remedy(terms: Any, path: str, suggestion: str) -> None:
    errors = mistakes(document(*WEIGHED, score_rule(terms=terms)))
    assert [error.path for error in errors] == [f"$.rules[6].terms{path}"]
    assert suggestion in errors[0].suggestion


def test_terms_weigh_any_match_and_named_outcomes() -> None:
    outcomes = [None, "matched", "indeterminate", "large"]
    terms = [
        term("new_country") if outcome is None else term("new_country", outcome=outcome)
        for outcome in outcomes
    ]
    scored = score_rule(terms=[*terms, term("rapid_fire"), term("second_payment", points=-5)])
    assert mistakes(document(*WEIGHED, scored)) == []


def test_more_than_a_hundred_terms_are_refused() -> None:
    terms = [term("new_country", outcome=f"band_{number}") for number in range(101)]
    errors = mistakes(document(*WEIGHED, score_rule(terms=terms)))
    assert [error.path for error in errors] == ["$.rules[6].terms"]


def test_a_term_is_not_judged_by_a_rule_that_is_broken() -> None:
    broken = rule("new_country", scope="transactions")
    errors = mistakes(document(broken, score_rule(terms=[term("new_country", outcome="large")])))
    assert [error.path for error in errors] == ["$.rules[0].scope"]
