"""Rates carry Wilson intervals, and delays a median and a 90th percentile."""

import pytest

from simulator.score.rates import Delay, delay, f1, rate


def test_the_interval_is_wilsons() -> None:
    # Agresti and Coull (1998), table of intervals for 5 of 10; computed by hand for 45 of 50.
    found = rate(5, 10)
    assert (found.low, found.high) == (
        pytest.approx(0.2366, abs=1e-4),
        pytest.approx(0.7634, abs=1e-4),
    )
    found = rate(45, 50)
    assert (found.low, found.high) == (
        pytest.approx(0.7864, abs=1e-4),
        pytest.approx(0.9565, abs=1e-4),
    )


def test_intervals_end_at_nothing_and_at_all() -> None:
    none, everything = rate(0, 7), rate(7, 7)
    assert (none.value, none.low) == (0.0, 0.0)
    assert (everything.value, everything.high) == (1.0, 1.0)
    assert none.high == pytest.approx(1 - (everything.low or 0))


def test_a_rate_of_nothing_has_no_value() -> None:
    found = rate(0, 0)
    assert (found.value, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize(
    ("recall", "precision", "expected"),
    [
        ((1, 2), (1, 1), 2 / 3),
        ((0, 3), (0, 3), 0.0),
        ((0, 0), (1, 1), None),
        ((1, 1), (0, 0), None),
    ],
)
def test_f1_is_the_harmonic_mean(
    recall: tuple[int, int], precision: tuple[int, int], expected: float | None
) -> None:
    assert f1(rate(*recall), rate(*precision)) == (
        None if expected is None else pytest.approx(expected)
    )


def test_delays_are_told_by_median_and_nearest_rank() -> None:
    assert delay([]) is None
    assert delay([5.0]) == Delay(1, 5.0, 5.0)
    assert delay([float(second) for second in range(1, 8)]) == Delay(7, 4.0, 7.0)
    assert delay([float(second) for second in range(10, 0, -1)]) == Delay(10, 5.5, 9.0)
