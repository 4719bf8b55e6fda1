"""Documents that make the checks of meaning work hard are judged within a second all the same."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unit.rules.rule_samples import comparison, document, mistakes, rule
from unit.rules.scope_samples import score_rule

from shared_code.rules.errors import MAX_ERRORS
from shared_code.rules.operand_meaning import MOST_PATTERNS
from shared_code.rules.structure import MAX_DOCUMENT_BYTES

USD = comparison("currency", "eq", "USD")
AMOUNT = {"field": "amount"}


def rules(count: int, changes: Callable[[int], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (rule(f"rule_{number:05}", **changes(number)) for number in range(count))


def many(count: int, changes: Callable[[int], dict[str, Any]], **of_document: Any) -> bytes:
    return document(*rules(count, changes), **of_document)


def in_all(parts: list[Any]) -> dict[str, Any]:
    return {"when": {"all": parts}}


def long_list(first: int) -> list[str]:
    return [f"{number:08}" for number in range(first, first + 9_000)]


def of_lists(_: int) -> dict[str, Any]:
    return in_all(
        [comparison("customer.id", "in", {"list": "first"})]
        + [comparison("customer.id", "not_in", {"list": name}) for name in ("second", "third")]
    )


def of_many_negations(number: int) -> dict[str, Any]:
    others = [comparison("customer.id", "ne", f"{number}_{part}") for part in range(48)]
    return in_all([comparison("customer.id", "not_in", {"list": "first"}), *others])


def of_deep_trees(number: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"not": {"any": [USD, comparison("amount", "gt", number)]}}
    for level in range(8):
        part = comparison("merchant.name", "starts_with", f"{number}_{level}")
        inner = {"not": {"all": [inner, part]}}
    return {"when": inner}


def bands(number: int) -> dict[str, Any]:
    parts = [
        {"outcome": f"band_{part}", "at_least": part, "below": part + 1, "reason": "a test"}
        for part in range(50)
    ]
    return {"value": {"add": [AMOUNT, number]}, "bands": parts}


def scores(name: str) -> bytes:
    terms = [{"rule": f"{name}{number:04}", "points": 1} for number in range(100)]
    weighed = (rule(f"{'long_' * 11}{number:05}") for number in range(390))
    return document(*weighed, score_rule(terms=terms), score_rule("b_score", terms=terms))


LISTS = {"first": long_list(0), "second": long_list(4_500), "third": long_list(9_500)}
# About the largest that is taken.
EXPRESSION = r"(?i)[a-zé\pL]{4}"
HARD: dict[str, tuple[Callable[[], bytes], bool]] = {
    "1,000 rules": (lambda: many(1_000, lambda _: {"when": USD}), True),
    "long lists used in every rule": (lambda: many(500, of_lists, lists=LISTS), True),
    "a long list and many values": (lambda: many(90, of_many_negations, lists=LISTS), True),
    "deep trees": (lambda: many(150, of_deep_trees), True),
    "all the bands there can be": (lambda: many(90, bands), True),
    "expressions that take long": (
        lambda: many(
            MOST_PATTERNS,
            lambda number: {
                "when": comparison("merchant.name", "matches", f"{EXPRESSION}{number}")
            },
        ),
        True,
    ),
    "1,000 expressions": (
        lambda: many(
            1_000, lambda number: {"when": comparison("merchant.name", "matches", f"a{number}")}
        ),
        False,
    ),
    "expressions that are too large": (
        lambda: many(
            1_000,
            lambda number: {
                "when": comparison("merchant.name", "matches", r"(\pL{30}){30}" + str(number))
            },
        ),
        False,
    ),
    "terms that name like rules": (lambda: scores("long_" * 11), False),
    "duplicates in every rule": (lambda: many(1_000, lambda _: in_all([USD, USD])), False),
    "contradictions in every rule": (
        lambda: many(
            90,
            lambda number: in_all(
                [comparison("amount", "eq", part + number) for part in range(50)]
            ),
        ),
        False,
    ),
}


@pytest.mark.parametrize("name", HARD)
def test_a_document_that_is_hard_to_judge_is_judged_within_a_second(name: str) -> None:
    make, right = HARD[name]
    content = make()
    assert len(content) <= MAX_DOCUMENT_BYTES
    began = time.process_time()
    errors = mistakes(content)
    assert time.process_time() - began < 1
    assert (errors == []) == right
    assert len(errors) <= MAX_ERRORS + 1
    assert all(len(str(error)) < 500 for error in errors)


def test_so_many_different_expressions_are_taken_and_one_more_is_refused() -> None:
    def expression(number: int) -> dict[str, Any]:
        return {"when": comparison("merchant.name", "matches", f"a{number % (MOST_PATTERNS + 1)}")}

    assert mistakes(many(MOST_PATTERNS, expression)) == []
    (error,) = mistakes(many(MOST_PATTERNS + 1, expression))
    assert error.path == f"$.rules[{MOST_PATTERNS}].when.value"
    assert "'|'" in error.suggestion
