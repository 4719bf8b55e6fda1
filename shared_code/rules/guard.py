"""Judges whether a rule suddenly matches far more or far less than it used to."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal, NamedTuple

LEAST_PAYMENTS: Final = 20
LEAST_WINDOWS: Final = 12
LEAST_Z: Final = 6.0
LEAST_FACTOR: Final = 3


class RateOfWindow(NamedTuple):
    """How many payments a window held, and how many of them the rule matched."""

    payment_count: int
    match_count: int


class Deviation(NamedTuple):
    """How far a rule's rate of matches lies from that of its history.

    ``z`` is in standard deviations, negative for less; rates are shares of payments, 0 to 1;
    ``history_windows`` is the number of windows that the expected rate was taken from.
    """

    z: float
    expected_rate: float
    found_rate: float
    history_windows: int
    direction: Literal["more", "less"]


def judge_rate(history: Sequence[RateOfWindow], current: RateOfWindow) -> Deviation | None:
    """Return how a rule's current rate deviates from its history's; None if it does not.

    Matches count as binomial with more spread than chance gives: the variance is multiplied by a
    dispersion estimated as Pearson's chi-square over its degrees of freedom, and never below 1
    (P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd edition, 1989, section 4.5).

    A deviation is at least 6 standard deviations and a factor of 3. The root of the likelihood
    ratio over the same dispersion has to be 6 too: where few matches are expected the normal tail
    is far too thin, and a single match that every hundredth window has is 10 standard deviations.
    With no match left, ``n p / (1 - p)`` has to be at least 36 times the dispersion: where fewer
    are expected, nothing found says little.

    Args:
        history: earlier windows; those of fewer than 20 payments tell nothing and are left out. At
            least 12 have to remain. A whole day of them holds the rhythm of the day; 12 that follow
            one another hardly show how much a rule that matches in bursts varies.
        current: the window to judge; not judged below 20 payments.
    """
    telling = [window for window in history if window.payment_count >= LEAST_PAYMENTS]
    if len(telling) < LEAST_WINDOWS or current.payment_count < LEAST_PAYMENTS:
        return None
    past = RateOfWindow(
        sum(window.payment_count for window in telling),
        sum(window.match_count for window in telling),
    )
    # A rate of exactly 0 or 1 has no variance: half a match more or less is beyond its knowledge.
    margin = Fraction(1, 2 * past.payment_count)
    expected_rate = min(max(Fraction(past.match_count, past.payment_count), margin), 1 - margin)
    found_rate = Fraction(current.match_count, current.payment_count)
    far = found_rate >= LEAST_FACTOR * expected_rate or found_rate * LEAST_FACTOR <= expected_rate
    rate = float(expected_rate)
    chi_square = sum(_pearson(window, rate) ** 2 for window in telling)
    dispersion = max(1.0, chi_square / (len(telling) - 1))
    z = _pearson(current, rate) / math.sqrt(dispersion)
    likelihood_z = math.sqrt(_likelihood_ratio(past, current) / dispersion)
    if not far or min(abs(z), likelihood_z) < LEAST_Z:
        return None
    direction: Literal["more", "less"] = "more" if z > 0 else "less"
    return Deviation(z, rate, float(found_rate), len(telling), direction)


def _pearson(window: RateOfWindow, rate: float) -> float:
    """Return how many binomial standard deviations a window lies from a rate."""
    expected = window.payment_count * rate
    return (window.match_count - expected) / math.sqrt(expected * (1 - rate))


def _likelihood_ratio(past: RateOfWindow, current: RateOfWindow) -> float:
    """Return twice the log of how much likelier two rates make the counts than one rate does."""
    payments = past.payment_count + current.payment_count
    matches = past.match_count + current.match_count
    total = 0.0
    for window in (past, current):
        for found, of_all in (
            (window.match_count, matches),
            (window.payment_count - window.match_count, payments - matches),
        ):
            if found:
                total += found * math.log(found * payments / (of_all * window.payment_count))
    return max(0.0, 2 * total)
