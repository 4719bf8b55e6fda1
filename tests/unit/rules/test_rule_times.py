"""Hours and days are those of the named time zone, at the time of the event."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from unit.rules.rule_samples import comparison, payment, verdicts


def at(text: str) -> Any:
    return payment(event_time=datetime.fromisoformat(text))


def every_hour(condition: Any) -> list[int]:
    """Return the hours of a day in UTC for which a condition holds."""
    payments = [at(f"2026-01-28T{hour:02}:00:00Z") for hour in range(24)]
    return [hour for hour, holds in enumerate(verdicts(condition, *payments)) if holds]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([0, 5], [0, 1, 2, 3, 4]),
        ([22, 2], [0, 1, 22, 23]),
        ([23, 0], [23]),
        ([0, 24], list(range(24))),
        ([12, 24], list(range(12, 24))),
        ([24, 2], [0, 1]),
        ([5, 4], [hour for hour in range(24) if hour != 4]),
    ],
)
def test_hour_between_takes_the_first_hour_in_and_leaves_the_last_out(
    hours: list[int], expected: list[int]
) -> None:
    assert every_hour(comparison("event_time", "hour_between", hours)) == expected


def test_the_last_microsecond_of_an_hour_is_still_in_it() -> None:
    condition = comparison("event_time", "hour_between", [0, 5])
    edges = ["04:59:59.999999", "05:00:00", "23:59:59.999999", "00:00:00"]
    payments = [at(f"2026-01-28T{edge}Z") for edge in edges]
    assert verdicts(condition, *payments) == [True, False, False, True]


@pytest.mark.parametrize(
    ("zone", "time", "hour", "day"),
    [
        ("UTC", "2026-01-28T23:30:00Z", 23, "wednesday"),
        ("Europe/Berlin", "2026-01-28T23:30:00Z", 0, "thursday"),
        # Summer time begins at 01:00 UTC on 29 March 2026 and ends at 01:00 UTC on 25 October.
        ("Europe/Berlin", "2026-03-29T00:59:59.999999Z", 1, "sunday"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", 3, "sunday"),
        ("Europe/Berlin", "2026-10-25T00:59:59Z", 2, "sunday"),
        ("Europe/Berlin", "2026-10-25T01:00:00Z", 2, "sunday"),
        ("Europe/Berlin", "2026-10-25T02:00:00Z", 3, "sunday"),
        ("America/New_York", "2026-03-08T06:59:59Z", 1, "sunday"),
        ("America/New_York", "2026-03-08T07:00:00Z", 3, "sunday"),
        ("Asia/Kolkata", "2026-01-28T18:29:59Z", 23, "wednesday"),
        ("Asia/Kolkata", "2026-01-28T18:30:00Z", 0, "thursday"),
        ("Asia/Kathmandu", "2026-01-28T18:15:00Z", 0, "thursday"),
        ("Pacific/Kiritimati", "2026-01-28T10:00:00Z", 0, "thursday"),
        ("Pacific/Pago_Pago", "2026-01-28T10:59:59Z", 23, "tuesday"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z", 1, "sunday"),  # half an hour back
        ("UTC", "2024-02-29T12:00:00+14:00", 22, "wednesday"),
    ],
)
def test_hours_and_days_are_local_to_the_time_zone_in_summer_and_winter(
    zone: str, time: str, hour: int, day: str
) -> None:
    in_hour = comparison("event_time", "hour_between", [hour, hour + 1], time_zone=zone)
    in_day = comparison("event_time", "day_of_week", day, time_zone=zone)
    assert verdicts(in_hour, at(time)) == [True]
    assert verdicts(in_day, at(time)) == [True]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("monday", [True, False, False, False, False, False, False]),
        (["saturday", "sunday"], [False, False, False, False, False, True, True]),
        (["sunday", "sunday"], [False, False, False, False, False, False, True]),
    ],
)
def test_day_of_week_takes_one_day_or_several(days: Any, expected: list[bool]) -> None:
    payments = [at(f"2026-01-{day:02}T12:00:00Z") for day in range(5, 12)]  # Monday to Sunday
    assert verdicts(comparison("event_time", "day_of_week", days), *payments) == expected


def test_every_quarter_of_an_hour_of_a_year_has_the_hour_that_the_zone_gives_it() -> None:
    zone = ZoneInfo("Europe/London")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=15 * step) for step in range(365 * 96)]
    condition = comparison("event_time", "hour_between", [1, 2], time_zone="Europe/London")
    found = verdicts(condition, *[payment(event_time=time) for time in times])
    assert found == [time.astimezone(zone).hour == 1 for time in times]


def test_the_offset_in_which_a_time_is_written_does_not_matter() -> None:
    moment = datetime(2026, 1, 28, 23, 59, 59, 999999, tzinfo=UTC)
    offsets = [timezone(timedelta(minutes=minutes)) for minutes in (-720, -30, 0, 345, 840)]
    payments = [payment(event_time=moment.astimezone(offset)) for offset in offsets]
    condition = comparison("event_time", "hour_between", [23, 24])
    assert verdicts(condition, *payments) == [True] * len(offsets)
