"""When payments are made: hours by the clock of the place, days, blocks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.simulator.generation.simulation_samples import (
    LEVEL,
    NOW,
    blocks,
    chi_square,
    configuration,
    moment_of,
    run,
    world,
)

from simulator.configuration.population_settings import DEFAULT_COUNTRIES, Country, Segment
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import (
    Holidays,
    PayDays,
    Rhythm,
    TimeSpan,
    Volume,
    Writing,
)
from simulator.generation.population import Population
from simulator.generation.span import moment, span_of
from simulator.generation.timeline import Timeline

SIZE = 50_000
HOURS = tuple(float(weight) for weight in (*range(2, 24), 0, 0))
OTHER_HOURS = tuple(reversed(HOURS))
EVEN = Rhythm(weekdays=(1,) * 7, holidays=Holidays(dates=()), pay_days=PayDays(days=()))
NIGHTLESS = Segment(name="office", hours=(0,) * 8 + (1,) * 10 + (0,) * 6)


def _country(zone: str, code: str = "DE", weight: float = 1) -> Country:
    return Country(code=code, currency="EUR", per_dollar=0.9, time_zone=zone, weight=weight)


def _asked(
    start: datetime,
    length: str,
    *,
    zones: Sequence[str] = ("UTC",),
    rhythm: Rhythm = EVEN,
    segments: Sequence[Segment] = (Segment(name="all", hours=HOURS),),
    payments: int = SIZE,
) -> Configuration:
    return configuration(
        payments,
        time=TimeSpan(start=start, duration=length),
        rhythm=rhythm,
        countries=tuple(
            _country(zone, code) for zone, code in zip(zones, ("DE", "JP", "IN"), strict=False)
        ),
        segments=tuple(segments),
    )


def _drawn(timeline: Timeline) -> tuple[list[datetime], np.ndarray]:
    """Return the times and the groups of all payments, block by block."""
    columns = np.random.default_rng(3)
    times, groups = [], []
    for block in timeline.blocks():
        drawn = timeline.times(block, columns.random(block.payments))
        times += drawn.tolist()
        groups.append(timeline.groups_at(drawn, columns.random(block.payments)))
    return [moment(time) for time in times], np.concatenate(groups)


@pytest.mark.parametrize(
    ("zone", "start", "length", "hours"),
    [
        ("Europe/Berlin", "2026-03-10T00:00+01:00", "24h", dict.fromkeys(range(24), 1)),
        # Half an hour and three quarters of one: cells of a quarter fit every clock.
        ("Asia/Kolkata", "2026-03-10T00:00+05:30", "24h", dict.fromkeys(range(24), 1)),
        ("Asia/Kathmandu", "2026-03-10T00:00+05:45", "24h", dict.fromkeys(range(24), 1)),
        # Clocks go forward: there is no third hour. Clocks go back: it comes twice.
        (
            "Europe/Berlin",
            "2026-03-29T00:00+01:00",
            "23h",
            dict.fromkeys(range(24), 1) | {2: 0},
        ),
        (
            "Europe/Berlin",
            "2026-10-25T00:00+02:00",
            "25h",
            dict.fromkeys(range(24), 1) | {2: 2},
        ),
    ],
)
def test_hours_are_those_of_the_clock_of_the_place(
    zone: str, start: str, length: str, hours: dict[int, int]
) -> None:
    asked = _asked(datetime.fromisoformat(start), length, zones=(zone,))
    times, _ = _drawn(world(asked).timeline)
    found = np.bincount([each.astimezone(ZoneInfo(zone)).hour for each in times], minlength=24)
    assert chi_square(found, [HOURS[hour] * hours[hour] for hour in range(24)]) > LEVEL


def test_each_country_and_segment_has_its_own_hours_at_the_same_moment() -> None:
    asked = _asked(
        datetime(2026, 3, 9, 15, tzinfo=UTC),
        "48h",
        zones=("Europe/Berlin", "Asia/Tokyo"),
        segments=(
            Segment(name="early", hours=OTHER_HOURS, weight=1),
            Segment(name="late", hours=HOURS, weight=2, activity=1.5),
        ),
    )
    built = world(asked)
    times, groups = _drawn(built.timeline)
    assert chi_square(np.bincount(groups), built.population.group_share) > LEVEL
    for group, (hours, zone) in enumerate(
        (hours, zone) for hours in (OTHER_HOURS, HOURS) for zone in ("Europe/Berlin", "Asia/Tokyo")
    ):
        clock = ZoneInfo(zone)
        own = [times[at].astimezone(clock).hour for at in np.flatnonzero(groups == group)]
        assert chi_square(np.bincount(own, minlength=24), hours) > LEVEL


def test_customers_pay_in_the_hours_of_their_own_segment_and_country() -> None:
    asked = _asked(
        datetime(2026, 3, 10, tzinfo=UTC),
        "24h",
        zones=("UTC", "Asia/Tokyo"),
        segments=(NIGHTLESS,),
        payments=6_000,
    )
    (block,) = blocks(asked)
    hours = {"DE": set[int](), "JP": set[int]()}
    people = world(asked).population
    country_of = {each.id: each.country for each in map(people.customer, range(1_000))}
    for event in map(msgspec.json.decode, block.events.bodies):
        country = country_of[event["customer"]["id"]]
        hours[country.code].add(moment_of(event).astimezone(ZoneInfo(country.time_zone)).hour)
    # What was pending is settled up to a quarter of an hour later.
    assert hours == {"DE": set(range(8, 19)), "JP": set(range(8, 19))}


@pytest.mark.parametrize(
    ("rhythm", "start", "days", "expected"),
    [
        (
            {"weekdays": (1, 2, 3, 4, 5, 6, 0)},
            "2026-03-09",
            14,
            [1, 2, 3, 4, 5, 6, 0] * 2,
        ),
        (
            {"holidays": Holidays(dates=("12-25", "2026-12-27", "2025-12-28"), factor=0.25)},
            "2026-12-24",
            5,
            [4, 1, 4, 1, 4],
        ),
        ({"pay_days": PayDays(days=(1, -1), factor=3)}, "2026-02-26", 5, [1, 1, 3, 3, 1]),
        ({"pay_days": PayDays(days=(28, -1), factor=3)}, "2026-02-27", 3, [1, 3, 1]),
        ({"pay_days": PayDays(days=(-1,), factor=3)}, "2028-02-28", 2, [1, 3]),
    ],
    ids=["weekdays", "holidays", "pay days", "one day twice", "leap year"],
)
def test_days_have_their_factors_by_the_calendar_of_the_place(
    rhythm: dict[str, Any], start: str, days: int, expected: list[float]
) -> None:
    zone = ZoneInfo("Asia/Tokyo")
    begin = datetime.fromisoformat(start).replace(tzinfo=zone)
    settings = Rhythm(
        **{"weekdays": (1,) * 7, "holidays": EVEN.holidays, "pay_days": EVEN.pay_days, **rhythm}
    )
    asked = _asked(begin, f"{days}d", zones=("Asia/Tokyo",), rhythm=settings)
    times, _ = _drawn(world(asked).timeline)
    found = np.bincount([(each - begin) // timedelta(days=1) for each in times], minlength=days)
    assert chi_square(found, expected) > LEVEL


def test_a_flat_rhythm_is_the_same_in_every_minute_whatever_hours_and_days_say() -> None:
    begin = datetime(2026, 12, 24, tzinfo=UTC)
    asked = _asked(
        begin,
        "48h",
        rhythm=Rhythm(flat=True),
        segments=(NIGHTLESS, Segment(name="all")),
    )
    built = world(asked)
    times, groups = _drawn(built.timeline)
    minutes = [(each - begin) // timedelta(minutes=20) for each in times]
    assert chi_square(np.bincount(minutes), np.ones(144)) > LEVEL
    assert chi_square(np.bincount(groups), built.population.group_share) > LEVEL


def test_a_rate_is_an_average_over_a_week() -> None:
    asked = _asked(datetime(2026, 3, 9, tzinfo=UTC), "7d")
    built = world(
        Configuration(
            time=asked.time,
            volume=Volume(rate=0.5),
            rhythm=Rhythm(weekdays=(7, 1, 1, 1, 1, 1, 1), pay_days=EVEN.pay_days),
            segments=(Segment(name="all", hours=HOURS), NIGHTLESS),
            countries=asked.countries,
        )
    )
    assert built.timeline.payments == round(0.5 * 7 * 86_400)
    monday = built.timeline.payments_before(built.span.start + 86_400_000_000)
    assert monday == pytest.approx(built.timeline.payments * 7 / 13, abs=1)


@pytest.mark.parametrize(
    ("start", "rhythm"),
    [
        (datetime(2026, 3, 10, 2, tzinfo=UTC), EVEN),
        (
            datetime(2026, 3, 8, 12, tzinfo=UTC),
            Rhythm(weekdays=(1, 1, 1, 1, 1, 1, 0), pay_days=EVEN.pay_days),
        ),
        (datetime(2026, 12, 25, 12, tzinfo=UTC), Rhythm(holidays=Holidays(factor=0))),
    ],
    ids=["at night", "on a Sunday", "on a holiday"],
)
def test_payments_asked_for_when_nobody_pays_come_at_any_time(
    start: datetime, rhythm: Rhythm
) -> None:
    asked = _asked(start, "30m", rhythm=rhythm, segments=(NIGHTLESS,))
    times, _ = _drawn(world(asked).timeline)
    minutes = [(each - start) // timedelta(minutes=1) for each in times]
    assert chi_square(np.bincount(minutes, minlength=30), np.ones(30)) > LEVEL
    rate = Configuration(
        time=asked.time,
        volume=Volume(rate=9),
        rhythm=rhythm,
        segments=(NIGHTLESS,),
        countries=asked.countries,
    )
    assert run(rate).ledger.payments == 1


def test_nobody_pays_in_hours_without_a_weight() -> None:
    asked = _asked(datetime(2026, 3, 10, tzinfo=UTC), "48h", segments=(NIGHTLESS,))
    times, _ = _drawn(world(asked).timeline)
    assert {each.hour for each in times} == set(range(8, 18))


# --- blocks ------------------------------------------------------------------------------------


FEW = DEFAULT_COUNTRIES[:2]
PEOPLE = Population(Configuration(countries=FEW))
SPANS = st.builds(
    TimeSpan,
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    duration=st.sampled_from(("1s", "37s", "30m", "26h", "9d")),
    speed_up=st.sampled_from((None, 0.5, 1.0, 60.0, 5_000.0)),
)


@given(SPANS, st.integers(1, 40_000))
def test_blocks_cover_the_span_without_gap_or_overlap_and_add_up_to_the_total(
    time: TimeSpan, payments: int
) -> None:
    asked = Configuration(time=time, volume=Volume(payments=payments), countries=FEW)
    timeline = Timeline(asked, PEOPLE, span_of(asked, NOW))
    plans = list(timeline.blocks())
    assert [plan.number for plan in plans] == list(range(timeline.block_count))
    assert (plans[0].start, plans[-1].end) == (timeline.span.start, timeline.span.end)
    assert (plans[0].first, sum(plan.payments for plan in plans)) == (0, payments)
    for plan, following in pairwise(plans):
        assert plan.end == following.start > plan.start
        assert plan.first + plan.payments == following.first
    for plan in plans:
        times = timeline.times(plan, np.array([0.0, 0.5, np.nextafter(1.0, 0.0)]))
        assert plan.start <= times.min() <= times.max() < plan.end


@pytest.mark.parametrize("speed_up", [1.0, 10.0])
def test_blocks_of_a_paced_simulation_last_two_seconds_of_the_clock(speed_up: float) -> None:
    asked = configuration(
        1_000_000,
        time=TimeSpan(duration="1h", speed_up=speed_up),
        rhythm=Rhythm(flat=True),
    )
    timeline = world(asked).timeline
    seconds = [(plan.end - plan.start) / 1e6 / speed_up for plan in timeline.blocks()]
    assert max(seconds) == pytest.approx(2, rel=0.01)


def test_blocks_have_at_least_some_payments_and_at_most_what_is_generated_at_once() -> None:
    slow = configuration(1_000, time=TimeSpan(duration="1h", speed_up=1))
    assert [plan.payments for plan in world(slow).timeline.blocks()] == [256] * 3 + [232]
    fast = configuration(20_000, time=TimeSpan(duration="1h", speed_up=1_000_000))
    sizes = [plan.payments for plan in world(fast).timeline.blocks()]
    assert sizes == [8_192, 8_192, 3_616]


def test_some_payments_lie_on_the_first_and_the_last_microsecond_of_a_window() -> None:
    asked = configuration(4_000, writing=Writing(edge_share=0.1, nanosecond_share=1))
    (block,) = blocks(asked)
    times = [body.split(b'"event_time":"')[1][14:26] for body in block.events.bodies]
    first = sum(time[1:] in (b"0:00.000000", b"5:00.000000") for time in times)
    last = sum(time[1:] in (b"4:59.999999", b"9:59.999999") for time in times)
    for found in (first, last):
        # Half of a tenth of about 3,400 payments: 170, give or take four deviations.
        assert 115 < found < 225
