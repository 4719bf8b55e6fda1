"""Sets of numbers hold the numbers that comparisons are true of."""

import operator as operators
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.rules.number_sets import (
    EVERY_NUMBER,
    NumberSet,
    band,
    between,
    numbers_that,
)

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operators.eq,
    "ne": operators.ne,
    "gt": operators.gt,
    "gte": operators.ge,
    "lt": operators.lt,
    "lte": operators.le,
}
NUMBERS = st.integers(-3, 3) | st.sampled_from([Decimal("0.5"), Decimal("-2.5"), Decimal("1.0")])
SETS = st.builds(numbers_that, st.sampled_from(list(COMPARE)), NUMBERS)


def holds(numbers: NumberSet, number: Any) -> bool:
    return not numbers.meet(between(number, number)).is_empty


@given(st.sampled_from(list(COMPARE)), NUMBERS, NUMBERS)
def test_a_set_holds_what_the_comparison_is_true_of(name: str, bound: Any, number: Any) -> None:
    assert holds(numbers_that(name, bound), number) == COMPARE[name](number, bound)


@given(SETS, SETS, NUMBERS)
def test_sets_meet_and_complement(left: NumberSet, right: NumberSet, number: Any) -> None:
    both = left.meet(right)
    assert holds(both, number) == (holds(left, number) and holds(right, number))
    assert holds(both.complement(), number) != holds(both, number)
    assert both.complement().complement() == both


@pytest.mark.parametrize(
    ("numbers", "inside", "outside"),
    [
        (numbers_that("between", [1, 2]), [1, 2], [Decimal("0.99"), Decimal("2.01")]),
        (numbers_that("near_threshold", 10000, 10), [9000, 9999], [Decimal("8999.99"), 10000]),
        (numbers_that("is_round_amount", 1000), [1000, 2000], [0, 500]),
        (band(1, 2), [1], [2]),
        (band(None, 2), [-5], [2]),
        (EVERY_NUMBER, [-(10**30), 10**30], []),
    ],
)
def test_ranges_have_their_ends(numbers: NumberSet, inside: list[Any], outside: list[Any]) -> None:
    assert all(holds(numbers, number) for number in inside)
    assert not any(holds(numbers, number) for number in outside)


def test_a_band_that_ends_before_it_begins_is_empty() -> None:
    assert band(2, 2).is_empty
    assert band(2, 1).is_empty
    assert EVERY_NUMBER.complement().is_empty
