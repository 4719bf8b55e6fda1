"""Whatever a document holds, it is read, or refused with short errors that help."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.rules.rule_samples import comparison, document, mistakes, rule, window_rule
from unit.rules.scope_samples import own_past_rule, score_rule, sequence_rule, velocity_rule

USD = comparison("currency", "eq", "USD")
TOTAL = {"function": "sum", "field": "amount"}
GOOD = document(
    rule("first", when={"all": [USD, comparison("amount", "between", [1, 2])]}),
    window_rule("second", measure={"function": "ratio", "of": USD}, when={"not": USD}),
    window_rule("third", measure=TOTAL, when=USD, alert={"operator": "gt", "value": 1}),
    rule(
        "fourth",
        value={"divide": [{"field": "amount", "in_currency": "EUR"}, 2]},
        bands=[{"outcome": "large", "at_least": 9, "reason": "a test"}],
        effective_from="2026-01-28T00:00:00Z",
        effective_to="2026-01-29T00:00:00Z",
    ),
    velocity_rule("fifth", group_by=["currency"], measure=TOTAL),
    sequence_rule("sixth", when=comparison("customer.country", "in", {"list": "risky"})),
    own_past_rule("own_past"),
    score_rule("seventh", terms=[{"rule": "fourth", "outcome": "large", "points": 5}]),
    lists={"risky": ["IR"]},
    rates={"base": "EUR", "as_of": "2026", "source": "a test", "per_base": {"USD": 2}},
)
RULE_KEYS = ["id", "scope", "when", "value", "measure", "group_by", "alert", "metric", "bands"]
PART_KEYS = ["terms", "previous", "lookup", "pattern", "first", "where", "within_minutes", "rates"]
CONDITION_KEYS = ["all", "any", "not", "field", "operator", "list", "within_percent", "in_currency"]
OTHER_KEYS = ["version", "rules", "lists", "function", "of", "percentile", "name", "add", "divide"]
KEYS = st.sampled_from([*RULE_KEYS, *PART_KEYS, *CONDITION_KEYS, *OTHER_KEYS, "by"])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["eq", "in", "amount", "currency", "USD", "window", "sum", "between"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def broken_documents(draw: st.DrawFn) -> Any:
    """Return a good document with anything put in a few places."""
    broken = json.loads(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        place = broken
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
                place[key] = draw(ANYTHING)
                break
            place = place[key]
    return broken


@settings(max_examples=400, deadline=None)
@given(broken_documents())
def test_whatever_a_document_holds_it_is_read_or_refused_with_short_errors(
    broken: Any,
) -> None:
    for error in mistakes(json.dumps(broken).encode()):
        assert error.path.startswith("$")
        assert error.message
        assert error.suggestion
        assert len(str(error)) < 600
        assert str(error).isascii()


def test_the_document_that_is_broken_is_good_before() -> None:
    assert mistakes(GOOD) == []
