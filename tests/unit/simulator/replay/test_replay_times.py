from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from foreign_files import mapping, refusal, replayed, replayed_row
from pyarrow import Table, array, date32, parquet, time64, timestamp


def time_of(folder: Path, text: str, **spec: Any) -> str:
    return replayed_row(folder, {"time": text}, {"event_time": {"column": "time", **spec}})[
        "event_time"
    ]


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("2026-01-31T23:59:59.5Z", {}, "2026-01-31T23:59:59.500000Z"),
        ("2026-01-31t23:59:59z", {}, "2026-01-31T23:59:59Z"),
        ("2026-01-31 23:59:59+05:30", {}, "2026-01-31T18:29:59Z"),
        ("2026-01-31T00:04:59.999999999Z", {}, "2026-01-31T00:04:59.999999Z"),
        ("2026-01-31 10:00:00", {"time_zone": "Europe/Berlin"}, "2026-01-31T09:00:00Z"),
        ("1769860800", {"format": "unix_seconds"}, "2026-01-31T12:00:00Z"),
        ("1769860800.1234567", {"format": "unix_seconds"}, "2026-01-31T12:00:00.123456Z"),
        ("-0.0000001", {"format": "unix_seconds"}, "1969-12-31T23:59:59.999999Z"),
        ("1769860800123", {"format": "unix_milliseconds"}, "2026-01-31T12:00:00.123000Z"),
        ("1769860800123456", {"format": "unix_microseconds"}, "2026-01-31T12:00:00.123456Z"),
        ("3", {"format": "steps", "origin": "2026-01-01T00:00:00Z"}, "2026-01-01T03:00:00Z"),
        (
            "1.5",
            {"format": "steps", "origin": "2026-01-01T00:00:00+01:00", "step": "1d"},
            "2026-01-02T11:00:00Z",
        ),
        (
            "31.01.2026 10:00",
            {"format": "%d.%m.%Y %H:%M", "time_zone": "Europe/Berlin"},
            "2026-01-31T09:00:00Z",
        ),
        ("31/Jan/2026:10:00:00 +0200", {"format": "%d/%b/%Y:%H:%M:%S %z"}, "2026-01-31T08:00:00Z"),
        ("", {"default": "2026-01-31T00:00:00Z"}, "2026-01-31T00:00:00Z"),
    ],
)
def test_time_is_read_as_described(
    tmp_path: Path, text: str, spec: dict[str, str], expected: str
) -> None:
    assert time_of(tmp_path, text, **spec) == expected


def test_time_shown_twice_by_the_clock_is_the_first(tmp_path: Path) -> None:
    # Clocks went back from 03:00 CEST to 02:00 CET.
    assert time_of(tmp_path, "2026-10-25 02:30:00", time_zone="Europe/Berlin") == (
        "2026-10-25T00:30:00Z"
    )


@pytest.mark.parametrize(
    ("text", "spec", "said"),
    [
        ("2026-03-29 02:30:00", {"time_zone": "Europe/Berlin"}, "put forward"),
        ("2026-01-31 10:00:00", {}, "time_zone"),
        ("yesterday", {}, "rfc3339"),
        ("2026-13-01T00:00:00Z", {}, "rfc3339"),
        ("2026-01-31T10:00Z", {}, "rfc3339"),
        ("9999-12-31T23:59:59-01:00", {}, "9999"),
        ("0001-01-01 00:00:00", {"time_zone": "Asia/Tokyo"}, "9999"),
        ("soon", {"format": "unix_seconds"}, "unix_seconds"),
        ("inf", {"format": "unix_seconds"}, "unix_seconds"),
        ("1e30", {"format": "unix_seconds"}, "unix_seconds"),
        ("1" * 100, {"format": "unix_seconds"}, "unix_seconds"),
        ("31.02.2026", {"format": "%d.%m.%Y", "time_zone": "UTC"}, "%d.%m.%Y"),
    ],
)
def test_what_is_no_time_is_a_bad_row(
    tmp_path: Path, text: str, spec: dict[str, str], said: str
) -> None:
    reason, detail = refusal(tmp_path, {"time": text}, {"event_time": {"column": "time", **spec}})
    assert reason == "invalid_event_time"
    assert said in detail


def test_empty_time_is_a_bad_row(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"time": " "})[0] == "missing_field"


def test_date_and_time_may_stand_in_two_columns(tmp_path: Path) -> None:
    fields = {
        "event_time": {
            "column": "time",
            "time_column": "clock",
            "format": "%d.%m.%Y %H:%M:%S",
            "time_zone": "Europe/Berlin",
        }
    }
    event = replayed_row(tmp_path, {"time": "01.07.2026", "clock": "12:30:15"}, fields)
    assert event["event_time"] == "2026-07-01T10:30:15Z"


def test_constant_time_stands_in_every_row(tmp_path: Path) -> None:
    fields = {"event_time": {"constant": "2026-01-01T01:00:00+01:00"}}
    assert replayed_row(tmp_path, {}, fields)["event_time"] == "2026-01-01T00:00:00Z"


def parquet_times(folder: Path, values: Any, **spec: Any) -> list[str]:
    path = folder / "rows.parquet"
    columns = {"id": ["a"] * len(values), "amount": [1] * len(values), "time": values}
    if "time_column" in spec:
        columns["clock"] = array([time(12, 30)] * len(values), time64("us"))
    parquet.write_table(Table.from_pydict(columns), path)
    events, _ = replayed(path, mapping({"event_time": {"column": "time", **spec}}))
    return [event["event_time"] for event in events]


def test_parquet_times_are_taken_as_they_are(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
    values = array([moment], timestamp("us", "Europe/Berlin"))
    assert parquet_times(tmp_path, values) == ["2026-01-31T12:00:00.123456Z"]


def test_parquet_nanoseconds_are_cut_off(tmp_path: Path) -> None:
    values = array([1_769_860_799_999_999_999, -1], timestamp("ns", "UTC"))
    assert parquet_times(tmp_path, values) == [
        "2026-01-31T11:59:59.999999Z",
        "1969-12-31T23:59:59.999999Z",
    ]


def test_parquet_times_without_zone_are_those_of_the_mapping(tmp_path: Path) -> None:
    values = array([datetime(2026, 1, 31, 12)], timestamp("s"))  # noqa: DTZ001 - local time
    assert parquet_times(tmp_path, values, time_zone="Asia/Tokyo") == ["2026-01-31T03:00:00Z"]


def test_parquet_date_and_time_of_day_are_joined(tmp_path: Path) -> None:
    values = array([date(2026, 1, 31)], date32())
    found = parquet_times(tmp_path, values, time_column="clock", time_zone="UTC")
    assert found == ["2026-01-31T12:30:00Z"]
