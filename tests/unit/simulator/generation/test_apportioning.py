"""Whole numbers in proportion to weights."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import assume, example, given
from hypothesis import strategies as st

from simulator.generation.population import apportion

WEIGHTS = st.lists(
    st.just(0) | st.integers(1, 20) | st.integers(1, 10**6), min_size=1, max_size=60
).filter(any)
TOTALS = st.integers(0, 5_000)


def _apportioned(weights: list[int], total: int) -> list[int]:
    counts: list[int] = apportion(np.array(weights, dtype=np.float64), total).tolist()
    return counts


def _quotas(weights: list[int], total: int) -> list[Fraction]:
    """Return exact quotas: the lightest get one each where less is due to them, if all can."""
    quotas = [Fraction(0)] * len(weights)
    weighing = sorted((weight, at) for at, weight in enumerate(weights) if weight)
    left, whole = Fraction(total), Fraction(sum(weights))
    all_can = total >= len(weighing)
    for weight, at in weighing:
        quotas[at] = weight * left / whole
        if all_can and quotas[at] < 1:
            quotas[at] = Fraction(1)
            left -= 1
            whole -= weight
    return quotas


@given(WEIGHTS, TOTALS)
@example([10**6, 1, 1, 1], 4)
@example([1] * 10, 10)
def test_numbers_add_up_and_are_within_one_of_the_quota(weights: list[int], total: int) -> None:
    counts = _apportioned(weights, total)
    assert sum(counts) == total
    for count, quota in zip(counts, _quotas(weights, total), strict=True):
        assert abs(count - quota) < 1


@given(WEIGHTS, TOTALS)
@example([10**6, 1, 1, 1], 4)
@example([10**6, 10**3, 10, 1], 9)
def test_what_weighs_anything_gets_one_if_there_are_enough_and_the_rest_gets_nothing(
    weights: list[int], total: int
) -> None:
    counts = _apportioned(weights, total)
    enough = total >= sum(weight > 0 for weight in weights)
    for count, weight in zip(counts, weights, strict=True):
        assert count >= (1 if enough and weight else 0)
        assert weight or not count


@given(WEIGHTS, TOTALS)
def test_what_weighs_more_never_gets_less(weights: list[int], total: int) -> None:
    pairs = sorted(zip(weights, _apportioned(weights, total), strict=True))
    for (lighter, fewer), (heavier, more) in pairwise(pairs):
        # Remainders may be equal up to the last bit, whatever the weights.
        assert fewer <= more + (lighter != heavier)


@given(WEIGHTS, TOTALS, st.integers(0, 60))
def test_order_decides_between_equal_remainders_only(
    weights: list[int], total: int, turn: int
) -> None:
    remainders = {
        weight: quota % 1 for weight, quota in zip(weights, _quotas(weights, total), strict=True)
    }
    assume(len(set(remainders.values())) == len(remainders))
    turned = weights[turn:] + weights[:turn]
    assert sorted(zip(weights, _apportioned(weights, total), strict=True)) == sorted(
        zip(turned, _apportioned(turned, total), strict=True)
    )


def test_unequal_groups_cost_no_time() -> None:
    weights = [10**9] + [1] * 40_000
    assert _apportioned(weights, 50_000) == [10_000] + [1] * 40_000
