"""Ordinary payments, drawn as columns: who pays whom, when, how, how much, with which outcome."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.windows import WINDOW_LENGTH
from simulator.configuration.population_settings import Methods
from simulator.configuration.traffic_settings import LifeCycle
from simulator.generation.amounts import draw_amounts
from simulator.generation.population import Floats, Integers
from simulator.generation.span import MICROSECONDS, seconds_of
from simulator.generation.timeline import BlockPlan
from simulator.generation.wording import CARD_METHODS, TRANSFERS
from simulator.generation.world import World

METHODS: Final = Methods.__struct_fields__
STATUSES: Final = ("completed", "failed", "cancelled", "pending", "refunded")
COMPLETED, PENDING, REFUNDED = 0, 3, 4

_WINDOW: Final = round(WINDOW_LENGTH.total_seconds() * MICROSECONDS)
_IS_SLOW: Final = np.array([method in TRANSFERS for method in METHODS])
IS_CARD: Final = np.array([method in CARD_METHODS for method in METHODS])


@dataclass(frozen=True, slots=True)
class Payments:
    """Columns of payments, one row each; positions refer to the population."""

    customer: Integers
    merchant: Integers
    country: Integers
    category: Integers
    method: Integers
    minor: Integers
    outcome: Integers
    time: Integers


@dataclass(frozen=True, slots=True)
class PaymentEvents:
    """Columns of payment events.

    ``payment`` is the row of ``Payments`` that an event is about; ``original`` is True for refunds,
    which are payments of their own.
    """

    payment: Integers
    status: Integers
    time: Integers
    minor: Integers
    original: NDArray[np.bool]


def draw_payments(
    world: World, block: BlockPlan, size: int, columns: np.random.Generator
) -> Payments:
    """Return ``size`` payments of a block, in no order."""
    population, configuration = world.population, world.configuration
    countries = len(population.countries)
    time = world.timeline.times(block, columns.random(size))
    group = world.timeline.groups_at(time, columns.random(size))
    time = _on_edges(time, block, configuration.writing.edge_share, columns)
    segment, country = np.divmod(group, countries)
    customer = population.customer_ranges.draw(group, columns.random(size))
    category = _choose(population.category_share, columns.random(size))
    cell = category * countries + country
    abroad = columns.random(size) < configuration.population.abroad_share
    abroad |= population.merchant_ranges.sizes[cell] == 0
    uniform = columns.random(size)
    merchant = np.empty(size, dtype=np.int64)
    for ranges, group_of, rows in (
        (population.merchant_ranges, cell, np.flatnonzero(~abroad)),
        (population.category_ranges, category, np.flatnonzero(abroad)),
    ):
        merchant[rows] = ranges.draw(group_of[rows], uniform[rows])
    method = _by_category(population.categories, "methods", category, columns.random(size))
    dollars = _dollars(world, category, columns)
    dollars *= np.array([each.spending for each in population.segments])[segment]
    return Payments(
        customer=customer,
        merchant=merchant,
        country=country,
        category=category,
        method=method,
        minor=_minor(world, dollars, country),
        outcome=_choose(
            np.array(msgspec.structs.astuple(configuration.life_cycle.outcomes)),
            columns.random(size),
        ),
        time=time,
    )


def draw_channels(world: World, payments: Payments, columns: np.random.Generator) -> Integers:
    """Return the channel of each payment, by its category."""
    return _by_category(
        world.population.categories,
        "channels",
        payments.category,
        columns.random(len(payments.time)),
    )


def live(
    world: World, payments: Payments, events: int, columns: np.random.Generator
) -> PaymentEvents:
    """Return the first ``events`` events of payments that pass through their statuses.

    What would come after the end of the simulation does not come; each payment gives at least one
    event, so that as many payments as events are enough.
    """
    life, end = world.configuration.life_cycle, world.span.end
    size = len(payments.time)
    slow = _IS_SLOW[payments.method]
    pending_share = np.where(slow, life.slow_pending_share, life.pending_share)
    pending = columns.random(size) < pending_share
    settled_at = payments.time + np.where(pending, _pending_delays(life, slow, columns), 0)
    settled = settled_at < end
    refund_at = settled_at + _delays(life.refund_delay, size, columns)
    refunded = columns.random(size) < life.refund_share
    refunded &= settled & (payments.outcome == COMPLETED) & (refund_at < end)
    followed = pending & settled
    partial = columns.random(size) < life.partial_refund_share
    rows = np.arange(size)
    first_status = np.where(pending, PENDING, payments.outcome)
    # Per payment: the first event, then its outcome, then its refund.
    here = np.stack([np.ones(size, dtype=bool), followed, refunded], axis=1)
    kept = here & (np.cumsum(here.ravel()).reshape(here.shape) <= events)
    status = np.stack([first_status, payments.outcome, np.full(size, REFUNDED)], axis=1)
    time = np.stack([payments.time, settled_at, refund_at], axis=1)
    given_back = np.where(partial, np.maximum(payments.minor // 2, 1), payments.minor)
    minor = np.stack([payments.minor, payments.minor, given_back], axis=1)
    return PaymentEvents(
        payment=np.repeat(rows, 3).reshape(here.shape)[kept],
        status=status[kept],
        time=time[kept],
        minor=minor[kept],
        original=np.tile([False, False, True], (size, 1))[kept],
    )


def _on_edges(
    time: Integers, block: BlockPlan, share: float, columns: np.random.Generator
) -> Integers:
    """Move some times to the first or the last microsecond of their five-minute window."""
    edge = columns.random(len(time)) < share
    last = columns.random(len(time)) < 0.5
    start = time // _WINDOW * _WINDOW
    moved = np.where(last, start + _WINDOW - 1, start)
    edge &= (moved >= block.start) & (moved < block.end)
    return np.where(edge, moved, time)


def _choose(weights: Floats, uniform: Floats) -> Integers:
    cumulative = np.cumsum(weights)
    found = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    chosen: Integers = np.minimum(found, len(weights) - 1)
    return chosen


def _by_category(categories: Any, table: str, category: Integers, uniform: Floats) -> Integers:
    """Draw a method or a channel by the weights that each payment's category gives them."""
    weights = np.array([msgspec.structs.astuple(getattr(each, table)) for each in categories])
    cumulative = np.cumsum(weights, axis=1)
    cumulative /= cumulative[:, -1:]
    passed = (uniform[:, None] >= cumulative[category]).sum(axis=1)
    chosen: Integers = np.minimum(passed, weights.shape[1] - 1)
    return chosen


def _dollars(world: World, category: Integers, columns: np.random.Generator) -> Floats:
    dollars = np.empty(len(category))
    for number, each in enumerate(world.population.categories):
        of_category = np.flatnonzero(category == number)
        dollars[of_category] = draw_amounts(each.amounts, of_category.size, columns)
    return dollars


def _minor(world: World, dollars: Floats, country: Integers) -> Integers:
    """Return amounts in minor units of the customers' currencies, at least one."""
    factors = np.array(
        [
            each.per_dollar * 10.0 ** CURRENCIES[each.currency].minor_unit
            for each in world.population.countries
        ]
    )
    minor: Integers = np.maximum(np.rint(dollars * factors[country]), 1).astype(np.int64)
    return minor


def _pending_delays(
    life: LifeCycle, slow: NDArray[np.bool], columns: np.random.Generator
) -> Integers:
    ordinary = _delays(life.pending_delay, len(slow), columns)
    return np.where(slow, _delays(life.slow_pending_delay, len(slow), columns), ordinary)


def _delays(limits: tuple[str, str], size: int, columns: np.random.Generator) -> Integers:
    least, most = (seconds_of(limit) * MICROSECONDS for limit in limits)
    drawn: Integers = columns.uniform(least, most, size).astype(np.int64)
    return drawn
