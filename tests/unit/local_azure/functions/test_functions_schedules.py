from datetime import UTC, datetime, timedelta

import pytest

from local_azure.functions.schedules import Interval, is_monitored, parse_schedule
from local_azure.functions.timespan import parse_timespan
from local_azure.functions.triggers.timer import read_status

NOW = datetime(2026, 10, 31, 23, 52, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:05:00", timedelta(minutes=5)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:00:00.25", timedelta(milliseconds=250)),
        ("00:00:00.0000019", timedelta(microseconds=1)),
    ],
)
def test_time_spans_are_read_as_dotnet_writes_them(text: str, expected: timedelta) -> None:
    assert parse_timespan(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5", "shape"),
        ("00:05", "shape"),
        ("24:00:00", "write whole days in front"),
        ("00:60:00", "go up to 59"),
        ("00:00:61", "go up to 59"),
    ],
)
def test_wrong_time_spans_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_timespan(text)


def test_an_interval_follows_the_last_run() -> None:
    schedule = parse_schedule("01:00:00")
    assert isinstance(schedule, Interval)
    assert schedule.next_after(NOW) == NOW + timedelta(hours=1)
    with pytest.raises(ValueError, match="longer than zero"):
        parse_schedule("00:00:00")


@pytest.mark.parametrize(
    ("schedule", "monitored"),
    [
        ("0 */5 * * * *", True),
        ("0 * * * * *", True),
        ("*/30 * * * * *", False),
        ("00:01:00", True),
        ("00:00:59", False),
        ("0,30 0 0 1 1 *", False),
    ],
)
def test_only_schedules_of_a_minute_or_more_are_monitored(schedule: str, monitored: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert is_monitored(parse_schedule(schedule), NOW) is monitored


def test_a_status_is_read_in_any_zone_and_a_broken_one_starts_afresh() -> None:
    stored = read_status(
        b'{"Last": "0001-01-01T00:00:00", "Next": "2026-11-01T01:00:00+01:00",'
        b' "LastUpdated": "2026-10-31T00:00:00"}'
    )
    assert stored is not None
    assert stored.last is None
    assert stored.next == datetime(2026, 11, 1, tzinfo=UTC)
    assert stored.last_updated == datetime(2026, 10, 31, tzinfo=UTC)
    assert read_status(None) is None
    assert read_status(b"{}") is None
    assert read_status(b"not json") is None
