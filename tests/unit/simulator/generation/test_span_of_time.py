"""Which stretch of time a configuration asks for, how fast it passes, and how it is pinned."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import pytest
from unit.simulator.generation.simulation_samples import NOW, every_violation

from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import Messages, TimeSpan, Volume
from simulator.generation.span import microseconds, moment, pinned, seconds_of, span_of
from simulator.simulation import Simulation

AT = NOW + timedelta(minutes=3, seconds=7.25)
START = NOW - timedelta(hours=5)
END = NOW - timedelta(hours=2)
HALF_AN_HOUR = timedelta(minutes=30)


class _Asked(NamedTuple):
    time: TimeSpan = TimeSpan()
    volume: Volume = Volume()


@pytest.mark.parametrize(
    ("asked", "start", "end", "payments"),
    [
        (_Asked(), NOW - HALF_AN_HOUR, NOW, 20_000),
        (_Asked(TimeSpan(duration="2h")), NOW - timedelta(hours=2), NOW, 20_000),
        (_Asked(TimeSpan(start=START)), START, START + HALF_AN_HOUR, 20_000),
        (_Asked(TimeSpan(end=END)), END - HALF_AN_HOUR, END, 20_000),
        (_Asked(TimeSpan(start=START, end=END)), START, END, 20_000),
        (
            _Asked(TimeSpan(start=START, duration="90s")),
            START,
            START + timedelta(seconds=90),
            20_000,
        ),
        (_Asked(TimeSpan(end=END, duration="7d")), END - timedelta(days=7), END, 20_000),
        (_Asked(volume=Volume(payments=50)), NOW - HALF_AN_HOUR, NOW, 50),
        (_Asked(volume=Volume(rate=4)), NOW - HALF_AN_HOUR, NOW, None),
        (_Asked(TimeSpan(duration="1d"), Volume(rate=4)), NOW - timedelta(days=1), NOW, None),
        (_Asked(volume=Volume(rate=4, payments=60)), NOW - timedelta(seconds=15), NOW, 60),
        (
            _Asked(TimeSpan(start=START), Volume(rate=4, payments=60)),
            START,
            START + timedelta(seconds=15),
            60,
        ),
        (_Asked(TimeSpan(live=True), Volume(rate=4)), AT, AT + timedelta(days=366), None),
        (
            _Asked(TimeSpan(live=True), Volume(rate=4, payments=60)),
            AT,
            AT + timedelta(seconds=15),
            60,
        ),
        (
            _Asked(TimeSpan(live=True, duration="10m"), Volume(rate=4)),
            AT,
            AT + timedelta(minutes=10),
            None,
        ),
        (
            _Asked(TimeSpan(live=True, start=START), Volume(rate=4)),
            START,
            START + timedelta(days=366),
            None,
        ),
        (_Asked(TimeSpan(live=True, start=START, end=END)), START, END, 20_000),
    ],
    ids=str,
)
def test_start_end_duration_and_volume_decide_on_the_stretch_of_time(
    asked: _Asked, start: datetime, end: datetime, payments: int | None
) -> None:
    span = span_of(Configuration(time=asked.time, volume=asked.volume), AT)
    assert (moment(span.start), moment(span.end), span.payments) == (start, end, payments)


@pytest.mark.parametrize(
    ("time", "linger", "speed_up", "waits"),
    [
        (TimeSpan(), None, None, 300),
        (TimeSpan(speed_up=60), None, 60, 60),
        (TimeSpan(live=True), None, 1, 1),
        (TimeSpan(live=True, start=START, speed_up=20), None, 20, 20),
        (TimeSpan(live=True), "250ms", 1, 0.25),
        (TimeSpan(), "0s", None, 0),
    ],
)
def test_a_message_waits_a_second_of_the_clock_unless_it_is_told_otherwise(
    time: TimeSpan, linger: str | None, speed_up: float | None, waits: float
) -> None:
    asked = Configuration(time=time, volume=Volume(rate=1), messages=Messages(linger=linger))
    span = span_of(asked, AT)
    assert (span.speed_up, span.linger) == (speed_up, waits * 1_000_000)


def test_a_start_between_milliseconds_moves_to_the_next_one_but_not_beyond_the_end() -> None:
    start = START + timedelta(microseconds=1_001)
    span = span_of(Configuration(time=TimeSpan(start=start)), NOW)
    assert moment(span.start) == START + timedelta(milliseconds=2)
    span = span_of(
        Configuration(time=TimeSpan(start=start, end=start + timedelta(microseconds=2))), NOW
    )
    assert span.start == span.end - 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("1.5h", 5_400)],
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_moments_of_any_offset_are_microseconds_since_1970_and_back() -> None:
    at = datetime.fromisoformat("2026-03-03T17:30:00.000001+05:30")
    assert microseconds(at) == int(NOW.timestamp()) * 1_000_000 + 1
    assert moment(microseconds(at)) == at
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "asked",
    [
        Configuration(volume=Volume(payments=300)),
        Configuration(volume=Volume(rate=0.37), time=TimeSpan(duration="20m")),
        Configuration(volume=Volume(rate=2.3, payments=301)),
        Configuration(volume=Volume(rate=1.7), time=TimeSpan(live=True, duration="3m"), seed=2**53),
        Configuration(
            volume=Volume(payments=200),
            time=TimeSpan(speed_up=7.5),
            violations=every_violation(),
            messages=Messages(linger="1.5s"),
        ),
    ],
    ids=["total", "rate", "both", "live", "paced"],
)
def test_a_pinned_configuration_gives_the_same_simulation_whenever_it_is_run(
    asked: Configuration,
) -> None:
    first = Simulation(asked, now=AT)
    again = Simulation(first.configuration, now=AT + timedelta(days=400, seconds=1.1))
    assert again.configuration == first.configuration
    assert again.span == first.span._replace(payments=first.expected_payments)
    assert list(again) == list(first)
    assert again.ledger == first.ledger
    assert first.ledger.configuration == first.configuration


def test_a_pinned_configuration_asks_for_its_payments_alone() -> None:
    # By the rhythm of the day a rate is an average: beside the total it would contradict it.
    asked = Configuration(volume=Volume(rate=10), time=TimeSpan(duration="30m"))
    span = span_of(asked, NOW)
    fixed = pinned(asked, span, 12_345)
    assert fixed.volume == Volume(payments=12_345)
    assert msgspec.structs.replace(fixed, time=asked.time, volume=asked.volume) == (
        msgspec.structs.replace(asked, messages=Messages(linger="300.000000s"))
    )
