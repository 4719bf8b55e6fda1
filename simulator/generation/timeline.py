"""When payments are made: the rhythm of hours, days, holidays and pay days as a density of time."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import Rhythm
from simulator.generation.population import Floats, Integers, Population
from simulator.generation.span import CELL, Span

# A block is generated at once; of a simulation that keeps pace with the clock it lasts no longer
# than this, so that a new configuration is soon in force; but it has room for every violation.
_LARGEST_BLOCK: Final = 8192
_SMALLEST_BLOCK: Final = 256
_LONGEST_BLOCK_SECONDS: Final = 2.0


class BlockPlan(NamedTuple):
    """A stretch of payments that is generated at once; times in microseconds since 1970.

    ``first`` is the number of the first of its ``payments`` in the simulation.
    """

    number: int
    first: int
    payments: int
    start: int
    end: int


class Timeline:
    """The density of payments over a span of time, and its blocks."""

    def __init__(self, configuration: Configuration, population: Population, span: Span) -> None:
        self.configuration = configuration
        self.span = span
        # Edges of the cells: quarters of an hour, cut at both ends.
        inner = np.arange(span.start // CELL + 1, -(-span.end // CELL)) * CELL
        self._edges: Integers = np.concatenate([[span.start], inner, [span.end]]).astype(np.int64)
        self._population = population
        activity = self._activity
        mass = activity.sum(axis=1) * np.diff(self._edges)
        # An average week has a mean activity of 1 by construction.
        expected = float(mass.sum()) * (configuration.volume.rate or 0) / 1_000_000
        self.payments = span.payments or max(1, round(expected))
        if not mass.any():
            # By the rhythm nobody pays in this stretch of time: who has to, does so at any time.
            mass = np.diff(self._edges).astype(np.float64)
        scale = self.payments / float(mass.sum())
        self._cumulative: Floats = np.concatenate([[0.0], np.cumsum(mass * scale)])
        self._cumulative[-1] = self.payments
        self._by_cell: Floats = np.cumsum(activity, axis=1)
        self._by_cell[self._by_cell[:, -1] == 0] = np.cumsum(population.group_share)
        self._by_cell /= self._by_cell[:, -1:]

    @cached_property
    def _activity(self) -> Floats:
        """Activity of each group in each cell; those of a mean week add up to 1."""
        configuration = self.configuration
        countries, segments = configuration.countries, configuration.segments
        share = self._population.group_share.reshape(len(segments), len(countries))
        cells = self._edges[:-1]
        if configuration.rhythm.flat:
            return np.tile(share.reshape(1, -1), (len(cells), 1))
        hours = np.array([segment.hours for segment in segments], dtype=np.float64)
        hours /= hours.mean(axis=1, keepdims=True)
        activity = np.empty((len(cells), len(segments), len(countries)))
        for at, country in enumerate(countries):
            hour, factor = _local_time(cells, country.time_zone, configuration.rhythm)
            activity[:, :, at] = hours[:, hour].T * factor[:, None] * share[:, at]
        return activity.reshape(len(cells), -1)

    def blocks(self) -> Iterator[BlockPlan]:
        """Yield all blocks in order of time."""
        return (self.block(number) for number in range(self.block_count))

    @cached_property
    def block_size(self) -> int:
        """Payments of every block but the last."""
        speed_up = self.span.speed_up
        if speed_up is None:
            return _LARGEST_BLOCK
        seconds = (self.span.end - self.span.start) / 1_000_000 / speed_up
        paced = int(self.payments / seconds * _LONGEST_BLOCK_SECONDS)
        return max(_SMALLEST_BLOCK, min(paced, _LARGEST_BLOCK))

    @property
    def block_count(self) -> int:
        """How many blocks there are."""
        return -(-self.payments // self.block_size)

    def block(self, number: int) -> BlockPlan:
        """Return a block by its number."""
        first = number * self.block_size
        payments = min(self.block_size, self.payments - first)
        start = self.span.start if number == 0 else self._time_of(first)
        last = number == self.block_count - 1
        end = self.span.end if last else self._time_of(first + payments)
        return BlockPlan(number, first, payments, start, end)

    def payments_before(self, time: int) -> int:
        """Return how many payments are expected before a time."""
        return int(np.interp(time, self._edges, self._cumulative))

    def times(self, block: BlockPlan, uniform: Floats) -> Integers:
        """Return times within a block, distributed as payments are."""
        times = self._times_of(block.first + uniform * block.payments)
        inside: Integers = np.clip(times, block.start, block.end - 1)
        return inside

    def groups_at(self, times: Integers, uniform: Floats) -> Integers:
        """Return a group of customers for each time, as active as it is then."""
        cells = np.searchsorted(self._edges, times, side="right") - 1
        order = np.argsort(cells, kind="stable")
        groups = np.empty(len(times), dtype=np.int64)
        used, begins = np.unique(cells[order], return_index=True)
        for cell, chosen in zip(used, np.split(order, begins)[1:], strict=True):
            groups[chosen] = np.searchsorted(self._by_cell[cell], uniform[chosen], side="right")
        most: Integers = np.minimum(groups, self._by_cell.shape[1] - 1)
        return most

    def _times_of(self, payments: Floats) -> Integers:
        return np.interp(payments, self._cumulative, self._edges).astype(np.int64)

    def _time_of(self, payment: int) -> int:
        return int(np.interp(payment, self._cumulative, self._edges))


def _local_time(cells: Integers, time_zone: str, rhythm: Rhythm) -> tuple[Integers, Floats]:
    """Return the hour by the clock of a place in each cell, and the factor of its day."""
    zone = ZoneInfo(time_zone)
    hours = np.empty(len(cells), dtype=np.int64)
    factors = np.empty(len(cells))
    known: dict[date, float] = {}
    for at, cell in enumerate(cells.tolist()):
        local = datetime.fromtimestamp(cell // 1_000_000, UTC).astimezone(zone)
        day = local.date()
        if day not in known:
            known[day] = _day_factor(day, rhythm)
        hours[at], factors[at] = local.hour, known[day]
    return hours, factors


def _day_factor(day: date, rhythm: Rhythm) -> float:
    factor = rhythm.weekdays[day.weekday()] * 7 / sum(rhythm.weekdays)
    if {day.isoformat(), day.isoformat()[5:]} & set(rhythm.holidays.dates):
        factor *= rhythm.holidays.factor
    last = calendar.monthrange(day.year, day.month)[1]
    if day.day in rhythm.pay_days.days or (day.day == last and -1 in rhythm.pay_days.days):
        factor *= rhythm.pay_days.factor
    return factor
