"""Draws amounts from the distributions that a configuration can ask for."""

import numpy as np
from numpy.typing import NDArray

from simulator.configuration.amount_settings import (
    Amounts,
    Bimodal,
    Exponential,
    LogNormal,
    Normal,
    Pareto,
    Uniform,
)

type Floats = NDArray[np.float64]


def draw_amounts(amounts: Amounts, size: int, columns: np.random.Generator) -> Floats:
    """Return ``size`` amounts in US dollars, all above zero and at most the maximum.

    What lies beyond is drawn again: the distribution is truncated there, and nothing piles up.
    """
    drawn = _draw(amounts, size, columns)
    while (beyond := np.flatnonzero((drawn <= 0) | (drawn > amounts.maximum))).size:
        drawn[beyond] = _draw(amounts, beyond.size, columns)
    return drawn


def _draw(amounts: Amounts, size: int, columns: np.random.Generator) -> Floats:
    match amounts:
        case LogNormal():
            return columns.lognormal(np.log(amounts.median), amounts.sigma, size)
        case Normal():
            return columns.normal(amounts.mean, amounts.deviation, size)
        case Uniform():
            return columns.uniform(amounts.minimum, amounts.maximum, size)
        case Exponential():
            return columns.exponential(amounts.mean, size)
        case Bimodal():
            upper = columns.random(size) < amounts.upper_share
            medians = np.where(upper, amounts.upper_median, amounts.median)
            return columns.lognormal(np.log(medians), amounts.sigma, size)
        case Pareto():
            # Inverse of the cumulative distribution 1 - (minimum / x) ** alpha. What is too large
            # for a number is drawn again like all that is too large.
            with np.errstate(over="ignore"):
                return amounts.minimum * (1 - columns.random(size)) ** (-1 / amounts.alpha)
