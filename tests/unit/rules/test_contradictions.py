"""Conditions that can never hold are told; what any payment meets is never told."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.rules.reference_rules import Given, judge
from unit.rules.rule_samples import comparison
from unit.rules.rule_strategies import LISTS, RATES, conditions, payments

from shared_code.rules.contradictions import Contradictions
from shared_code.rules.errors import RuleError

BERLIN = {"time_zone": "Europe/Berlin"}
USD = comparison("currency", "eq", "USD")
NIGHT = comparison("event_time", "hour_between", [22, 6])
FLAG = comparison("quality_flags", "eq", "zero_amount")
STATUSES = ["completed", "failed", "pending", "cancelled", "refunded"]
EITHER = {"any": [USD, comparison("amount", "gt", 5)]}


def told(condition: Any, longest_gap: int | None = None) -> list[RuleError]:
    lists = {**LISTS, "statuses": STATUSES}
    return list(Contradictions(lists).errors(("when",), condition, longest_gap))


def amount(operator: str, value: Any, **options: Any) -> dict[str, Any]:
    return comparison("amount", operator, value, **options)


@pytest.mark.parametrize(
    "parts",
    [
        [amount("gt", 100), amount("lt", 50)],
        [amount("gte", 100), amount("lt", 100)],
        [amount("between", [5, 9]), amount("eq", 10)],
        [amount("near_threshold", 100, within_percent=10), amount("lt", 90)],
        [amount("near_threshold", 100, within_percent=10), amount("gte", 100)],
        [amount("is_round_amount", 1000), amount("lte", 999)],
        [amount("eq", 5), amount("ne", 5)],
        [amount("gt", 5, in_currency="EUR"), amount("lt", 5, in_currency="EUR")],
        [{"not": amount("gt", 5)}, amount("gt", 5)],
        [{"not": amount("between", [5, 9])}, amount("between", [6, 8])],
        [USD, comparison("currency", "eq", "EUR")],
        [USD, comparison("currency", "ne", "USD")],
        [USD, comparison("currency", "not_in", ["USD", "EUR"])],
        [USD, {"not": USD}],
        [comparison("customer.id", "eq", "a"), comparison("customer.id", "in", ["b", "c"])],
        [comparison("customer.id", "in", {"list": "words"}), comparison("customer.id", "eq", "b")],
        [
            comparison("payment_status", "not_in", STATUSES[:3]),
            comparison("payment_status", "not_in", STATUSES[3:]),
        ],
        [comparison("customer.id", "exists", False), comparison("customer.id", "starts_with", "a")],
        [comparison("customer.id", "exists", False), comparison("customer.id", "exists")],
        [
            comparison("counterparty.id", "exists", False),
            comparison("customer.id", "eq", {"field": "counterparty.id"}),
        ],
        [
            comparison("customer.id", "eq", {"field": "counterparty.id"}),
            comparison("customer.id", "ne", {"field": "counterparty.id"}),
        ],
        [amount("gt", {"field": "previous.amount"}), amount("lte", {"field": "previous.amount"})],
        [NIGHT, comparison("event_time", "hour_between", [6, 22])],
        [NIGHT, comparison("event_time", "hour_between", [9, 17], time_zone="UTC")],
        [
            comparison("event_time", "day_of_week", "monday", **BERLIN),
            comparison("event_time", "day_of_week", ["sunday", "friday"], **BERLIN),
        ],
        [FLAG, {"not": FLAG}],
        [FLAG, comparison("quality_flags", "not_in", ["zero_amount", "card_number_present"])],
        [FLAG, comparison("quality_flags", "exists", False)],
        [EITHER, {"not": EITHER}],
        [EITHER, {"all": [comparison("currency", "ne", "USD"), amount("lte", 5)]}],
        [{"not": {"any": [amount("lt", 5), USD]}}, amount("eq", 4)],
    ],
)
def test_parts_that_exclude_each_other_are_told(parts: Sequence[Any]) -> None:
    (error,) = told({"all": [NIGHT | BERLIN, *parts]})
    assert error.path == "$.when.all[2]"
    assert error.message.startswith("this can never hold together with $.when.all[1]: ")
    assert error.suggestion
    assert told({"all": parts[:1]}) == told({"all": parts[1:]}) == []


@pytest.mark.parametrize(
    "parts",
    [
        [comparison("currency", "ne", "USD"), comparison("currency", "ne", "EUR")],
        [amount("gt", 5), amount("lte", 7)],
        [USD, {"not": USD}],
        [{"all": [USD, NIGHT]}, {"not": {"all": [NIGHT, USD]}}],
        [
            comparison("event_time", "hour_between", [0, 12]),
            {"not": comparison("event_time", "hour_between", [3, 5])},
        ],
    ],
)
def test_parts_that_leave_nothing_between_them_are_told(parts: Sequence[Any]) -> None:
    (error,) = told({"any": [comparison("channel", "eq", "web"), *parts]})
    assert error.path == "$.when.any[2]"
    assert error.message.startswith("this or $.when.any[1] always holds where both are known: ")
    assert "'all'" in error.suggestion


@pytest.mark.parametrize(
    ("part", "again"),
    [
        (USD, dict(reversed(USD.items()))),
        (USD, comparison("currency", "in", ["USD"])),
        (amount("gt", 5), {"not": amount("lte", 5)}),
        (comparison("currency", "ne", "USD"), {"not": USD}),
        ({"all": [USD, NIGHT]}, {"all": [NIGHT, USD]}),
        (NIGHT, NIGHT | {"time_zone": "UTC"}),
        (comparison("customer.id", "exists"), comparison("customer.id", "exists", True)),
    ],
)
@pytest.mark.parametrize("name", ["all", "any"])
def test_a_part_that_says_the_same_as_another_is_told(name: str, part: Any, again: Any) -> None:
    (error,) = told({name: [FLAG, part, again]})
    assert error.path == f"$.when.{name}[2]"
    assert error.message == f"this says the same as $.when.{name}[1]"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (amount("lt", 0), "this can never hold: amount is never below zero"),
        ({"not": amount("gte", 0)}, "this can never hold: amount is never below zero"),
        (comparison("amount", "exists", False), "this can never hold: every payment has amount"),
        (comparison("gap_minutes", "gt", 60), "this can never hold: gap_minutes is at most 60"),
        (
            comparison("payment_status", "not_in", {"list": "statuses"}),
            "this can never hold: no value of payment_status is left",
        ),
        (
            comparison("customer.id", "in", {"list": "nothing"}),
            "this can never hold: the list 'nothing' is empty",
        ),
        (
            comparison("customer.id", "not_in", {"list": "nothing"}),
            "this always holds where it is known: the list 'nothing' is empty",
        ),
    ],
)
def test_a_comparison_that_alone_can_never_matter_is_told(condition: Any, message: str) -> None:
    (error,) = told(condition, longest_gap=60)
    assert error.path == "$.when"
    assert error.message.startswith(message)


def test_what_is_told_inside_is_not_told_again_outside() -> None:
    never = {"all": [amount("gt", 5), amount("lt", 5)]}
    condition = {"all": [NIGHT, never, {"not": {"any": [USD, {"not": USD}]}}, amount("lt", 0)]}
    assert [error.path for error in told(condition)] == [
        "$.when.all[1].all[1]",
        "$.when.all[2].not.any[1]",
        "$.when.all[3]",
    ]


def test_three_parts_that_only_together_leave_nothing_are_told_at_the_last() -> None:
    countries = comparison("customer.country", "in", ["DE", "IR"])
    others = [comparison("customer.country", "ne", country) for country in ("DE", "IR")]
    assert [error.path for error in told({"all": [countries, *others]})] == ["$.when.all[2]"]


@pytest.mark.parametrize(
    "condition",
    [
        {"all": [amount("gt", 100, in_currency="EUR"), amount("lt", 50)]},
        {"all": [NIGHT, comparison("event_time", "hour_between", [9, 17], **BERLIN)]},
        {"all": [FLAG, comparison("quality_flags", "eq", "card_number_present")]},
        {"all": [comparison("quality_flags", "exists", False), {"not": FLAG}]},
        {"all": [comparison("customer.id", "exists", False), comparison("merchant.id", "exists")]},
        {"any": [comparison("customer.id", "exists", False), comparison("customer.id", "ne", "a")]},
        {"any": [amount("gt", 5), amount("lt", 5)]},
        {"all": [comparison("original.amount", "exists", False), USD]},
        {"all": [amount("gt", 5), comparison("previous.amount", "lt", 5)]},
        {"all": [{"not": amount("is_round_amount", 100)}, amount("gt", 500)]},
        comparison("gap_minutes", "gte", 60),
    ],
)
def test_what_can_hold_and_fail_is_not_told(condition: Any) -> None:
    assert told(condition, longest_gap=60) == []


PLACE = re.compile(r"(all|any|not|\d+)")


def parts_on_the_way(condition: Any, path: str) -> list[Any]:
    """Return what stands at each step of a path, the condition first."""
    found = [condition]
    for step in PLACE.findall(path.removeprefix("$.when")):
        found.append(found[-1][int(step) if step.isdigit() else step])
    return found


def assert_right(error: RuleError, condition: Any, sent: Any, words: Given) -> None:
    *outer, part = parts_on_the_way(condition, error.path)
    if error.message.startswith("this can never hold:"):
        assert judge(part, sent, words) is not True
    elif error.message.startswith("this can never hold together"):
        whole = outer[-2]
        assert "all" in whole
        assert judge(whole, sent, words) is not True
    elif error.message.startswith("this always holds"):
        assert judge(part, sent, words) is not False
    elif error.message.startswith("this says the same"):
        _, _, twin = error.message.partition("$.when")
        other = parts_on_the_way(condition, f"$.when{twin}")[-1]
        assert judge(part, sent, words) is judge(other, sent, words)
    else:
        assert "always holds where both are known" in error.message
        whole = outer[-2]
        assert "any" in whole
        assert judge(whole, sent, words) is not False


@settings(max_examples=400, deadline=None)
@given(conditions("USD"), st.lists(payments(), min_size=1, max_size=6), RATES)
def test_no_payment_belies_what_is_told(condition: Any, some: list[Any], rates: Any) -> None:
    for error in told(condition):
        for sent in some:
            assert_right(error, condition, sent, Given(LISTS, rates))


# Conditions of one field, in which contradictions are frequent.
NARROW = st.lists(
    st.builds(amount, st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), st.integers(-1, 3))
    | st.builds(lambda low: amount("between", [low, low + 1]), st.integers(-1, 2))
    | st.builds(
        comparison,
        st.just("customer.country"),
        st.sampled_from(["in", "not_in"]),
        st.lists(st.sampled_from(["DE", "US", "IR"]), min_size=1, max_size=2, unique=True),
    )
    | st.builds(
        comparison, st.just("customer.country"), st.just("exists"), st.sampled_from([True, False])
    ),
    min_size=2,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(NARROW, st.sampled_from(["all", "any"]), st.lists(payments(largest=300), min_size=1))
def test_no_payment_belies_what_is_told_of_one_field(
    parts: list[Any], name: str, some: list[Any]
) -> None:
    condition = {"any": [{name: parts}, {"not": {name: list(reversed(parts))}}]}
    for error in told(condition):
        for sent in some:
            assert_right(error, condition, sent, Given(LISTS))
