"""The guard tells a rule that suddenly matches far more or less, and hardly ever errs.

``RULES_CASES`` sets how many histories the property test tries; the default keeps the run short.
"""

import math
import os
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency  # type: ignore[import-untyped]

from shared_code.rules.guard import Deviation, RateOfWindow, judge_rate

CASES = settings(max_examples=int(os.environ.get("RULES_CASES", "300")), deadline=None)
WINDOWS_OF_DAY = 288
JUDGED_WINDOWS = 2_000
STEADY = [RateOfWindow(1_000, 50)] * 12


def windows() -> st.SearchStrategy[RateOfWindow]:
    return st.integers(1, 400).flatmap(
        lambda payments: st.builds(
            RateOfWindow,
            st.just(payments),
            st.integers(0, payments) | st.integers(0, min(payments, 5)),
        )
    )


def simulated(
    mean_rate: float, payments: int, *, correlation: float = 0.0, rhythm: float = 0.0
) -> list[RateOfWindow]:
    """Return a day of windows and those to judge.

    Args:
        mean_rate: of the whole day.
        payments: mean number in a window.
        correlation: of two payments of one window: above 0 its rate is drawn from a beta.
        rhythm: by how much of their means the rate and the payments rise and fall in a day.
    """
    random = np.random.default_rng(20_250_101)
    drawn = []
    for window in range(WINDOWS_OF_DAY + JUDGED_WINDOWS):
        level = 1 + rhythm * math.sin(2 * math.pi * window / WINDOWS_OF_DAY)
        rate = mean_rate * level
        if correlation:
            spread = (1 - correlation) / correlation
            rate = random.beta(rate * spread, (1 - rate) * spread)
        count = int(random.poisson(payments * level))
        drawn.append(RateOfWindow(count, int(random.binomial(count, rate))))
    return drawn


def direction_of(history: Sequence[RateOfWindow], current: RateOfWindow) -> str | None:
    deviation = judge_rate(history, current)
    return deviation.direction if deviation else None


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(simulated(0.05, 300), id="stable"),
        pytest.param(simulated(0.5, 300), id="every second payment"),
        pytest.param(simulated(0.0001, 100), id="one match in a hundred windows"),
        pytest.param(simulated(0.001, 300), id="one match in three windows"),
        pytest.param(simulated(0.01, 500, correlation=0.02), id="overdispersed"),
        pytest.param(simulated(0.05, 500, rhythm=0.8), id="daily rhythm"),
        pytest.param(
            simulated(0.02, 500, correlation=0.01, rhythm=0.8), id="overdispersed daily rhythm"
        ),
    ],
)
def test_two_thousand_windows_of_an_unchanged_rule_raise_no_flag(drawn: list[RateOfWindow]) -> None:
    flags = [
        judge_rate(drawn[place - WINDOWS_OF_DAY : place], drawn[place])
        for place in range(WINDOWS_OF_DAY, len(drawn))
    ]
    assert len(flags) == JUDGED_WINDOWS
    assert not any(flags)


@pytest.mark.parametrize("history_windows", [12, WINDOWS_OF_DAY])
def test_a_tenfold_rate_is_flagged(history_windows: int) -> None:
    history = simulated(0.02, 500, correlation=0.005, rhythm=0.2)[:history_windows]
    assert direction_of(history, RateOfWindow(500, 100)) == "more"


@pytest.mark.parametrize("history_windows", [12, WINDOWS_OF_DAY])
def test_a_vanished_rate_is_flagged(history_windows: int) -> None:
    history = simulated(0.2, 500, correlation=0.005, rhythm=0.2)[:history_windows]
    assert direction_of(history, RateOfWindow(1_000, 0)) == "less"


@CASES
@given(st.lists(windows(), max_size=30), windows(), st.sampled_from([1, 3, 20]))
def test_judgement_is_that_of_the_textbooks_formulas(
    history: list[RateOfWindow], current: RateOfWindow, scale: int
) -> None:
    current = RateOfWindow(current.payment_count * scale, current.match_count * scale)
    found = judge_rate(history, current)
    telling = [window for window in history if window.payment_count >= 20]
    if len(telling) < 12 or current.payment_count < 20:
        assert found is None
        return
    payments = sum(window.payment_count for window in telling)
    matches = sum(window.match_count for window in telling)
    half = Fraction(1, 2 * payments)
    rate = min(max(Fraction(matches, payments), half), 1 - half)
    chi_square = sum(
        (window.match_count - window.payment_count * rate) ** 2
        / (window.payment_count * rate * (1 - rate))
        for window in telling
    )
    dispersion = max(Fraction(1), chi_square / (len(telling) - 1))
    variance = dispersion * current.payment_count * rate * (1 - rate)
    z = float(current.match_count - current.payment_count * rate) / math.sqrt(variance)
    likelihood_z = math.sqrt(likelihood_ratio(matches, payments, current) / dispersion)
    assume(min(abs(abs(z) - 6), abs(likelihood_z - 6)) > 1e-6)
    found_rate = Fraction(*reversed(current))
    far = found_rate >= 3 * rate or found_rate * 3 <= rate
    if far and abs(z) >= 6 and likelihood_z >= 6:
        direction = "more" if z > 0 else "less"
        expected = (z, float(rate), float(found_rate), len(telling), direction)
        assert found is not None
        assert found[:3] == pytest.approx(expected[:3])
        assert found[3:] == expected[3:]
    else:
        assert found is None


def likelihood_ratio(matches: int, payments: int, current: RateOfWindow) -> float:
    table = np.array(
        [
            [matches, payments - matches],
            [current.match_count, current.payment_count - current.match_count],
        ]
    )
    if not table.sum(axis=0).all():
        return 0.0
    return float(chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic)


def test_a_deviation_tells_what_was_expected_and_what_was_found() -> None:
    found = judge_rate([RateOfWindow(100, 0), RateOfWindow(100, 10)] * 6, RateOfWindow(1_000, 500))
    dispersion = 12 * 5**2 / 4.75 / 11
    assert found == pytest.approx(
        Deviation((500 - 50) / math.sqrt(dispersion * 47.5), 0.05, 0.5, 12, "more")
    )


def test_a_history_that_varies_more_excuses_more() -> None:
    varied = [RateOfWindow(1_000, 0), RateOfWindow(1_000, 100)] * 6
    assert direction_of(STEADY, RateOfWindow(200, 40)) == "more"
    assert direction_of(varied, RateOfWindow(200, 40)) is None


@pytest.mark.parametrize(("match_count", "direction"), [(1_500, "more"), (1_499, None)])
def test_however_sure_a_deviation_is_at_least_threefold(
    match_count: int, direction: str | None
) -> None:
    assert direction_of(STEADY, RateOfWindow(10_000, match_count)) == direction


@pytest.mark.parametrize(("payments", "direction"), [(684, "less"), (683, None)])
def test_no_match_is_less_only_where_enough_were_expected(
    payments: int, direction: str | None
) -> None:
    """36 (1 - p) / p is 684 for a rate of one in twenty."""
    assert direction_of(STEADY, RateOfWindow(payments, 0)) == direction


def test_one_match_of_a_rare_rule_is_no_deviation() -> None:
    history = [RateOfWindow(100, 0)] * 99 + [RateOfWindow(100, 1)]
    assert direction_of(history, RateOfWindow(100, 1)) is None


def test_a_rule_that_never_matched_and_now_does_is_flagged() -> None:
    found = judge_rate([RateOfWindow(1_000, 0)] * 12, RateOfWindow(1_000, 30))
    assert found is not None
    assert (found.direction, found.expected_rate) == ("more", 1 / 24_000)


def test_a_rule_that_matched_everything_and_now_nothing_is_flagged() -> None:
    assert direction_of([RateOfWindow(1_000, 1_000)] * 12, RateOfWindow(1_000, 0)) == "less"


@pytest.mark.parametrize(
    ("history", "current"),
    [
        (STEADY[:11], RateOfWindow(1_000, 900)),
        ([*STEADY[:11], RateOfWindow(19, 1)], RateOfWindow(1_000, 900)),
        (STEADY, RateOfWindow(19, 19)),
        ([], RateOfWindow(0, 0)),
    ],
    ids=["few windows", "windows too small", "current window too small", "nothing at all"],
)
def test_too_little_to_go_by_is_no_deviation(
    history: list[RateOfWindow], current: RateOfWindow
) -> None:
    assert judge_rate(history, current) is None


def test_a_small_window_of_history_is_left_out() -> None:
    assert judge_rate([*STEADY, RateOfWindow(19, 19)], RateOfWindow(1_000, 500)) == judge_rate(
        STEADY, RateOfWindow(1_000, 500)
    )
