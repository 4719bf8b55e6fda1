from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.domain.windows import (
    EPOCH,
    WINDOW_LENGTH,
    PeriodLength,
    Window,
    period_of,
    window_of,
    window_start,
    windows_between,
)

MICROSECOND = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda at: timezone(timedelta(minutes=at)))
INSTANTS = st.timedeltas(timedelta(-25_000), timedelta(80_000)).map(lambda since: EPOCH + since)
EDGES = st.integers(-(10**6), 10**7).map(lambda number: EPOCH + number * WINDOW_LENGTH)


@given(instant=INSTANTS, offset=OFFSETS)
def test_an_instant_lies_in_exactly_its_half_open_window(
    instant: datetime, offset: timezone
) -> None:
    window = window_of(instant.astimezone(offset))
    assert window.start <= instant < window.end
    assert window.end - window.start == WINDOW_LENGTH == timedelta(minutes=5)


@given(instant=INSTANTS, offset=OFFSETS)
def test_windows_are_aligned_to_the_epoch_in_utc(instant: datetime, offset: timezone) -> None:
    start = window_start(instant.astimezone(offset))
    assert start.utcoffset() == timedelta(0)
    assert (start - EPOCH) % WINDOW_LENGTH == timedelta(0)
    assert (start.minute % 5, start.second, start.microsecond) == (0, 0, 0)


@given(edge=EDGES, offset=OFFSETS)
def test_an_edge_opens_its_window_and_a_microsecond_before_it_closes_the_last(
    edge: datetime, offset: timezone
) -> None:
    assert window_start(edge.astimezone(offset)) == edge
    assert window_start((edge - MICROSECOND).astimezone(offset)) == edge - WINDOW_LENGTH


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        (at("2026-01-31T10:59:59.999999"), at("2026-01-31T10:55")),
        (at("2026-01-30T23:59:59.999999"), at("2026-01-30T23:55")),
        (at("2024-02-29T23:59:59.999999"), at("2024-02-29T23:55")),
        (at("2025-12-31T23:59:59.999999"), at("2025-12-31T23:55")),
        (at("2026-01-01T00:00"), at("2026-01-01T00:00")),
        (at("1969-12-31T23:59:59.999999"), at("1969-12-31T23:55")),
    ],
)  # fmt: skip
def test_ends_of_hours_days_months_and_years_belong_to_the_window_before(
    instant: datetime, start: datetime
) -> None:
    assert window_start(instant) == start


@given(start=EDGES, length=st.integers(0, 30), lead=st.integers(0, 299), tail=st.integers(1, 300))
def test_windows_between_cover_the_interval_without_gap_or_overlap(
    start: datetime, length: int, lead: int, tail: int
) -> None:
    first = start + timedelta(seconds=lead)
    end = max(first + MICROSECOND, start + length * WINDOW_LENGTH + timedelta(seconds=tail))
    windows = windows_between(first, end)
    assert windows[0] == window_of(first)
    assert windows[-1] == window_of(end - MICROSECOND)
    assert [window.end for window in windows[:-1]] == [window.start for window in windows[1:]]


def test_no_window_lies_in_an_empty_interval() -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert windows_between(at, at) == []
    assert windows_between(at, at - WINDOW_LENGTH) == []
    assert windows_between(at, at + MICROSECOND) == [Window(at, at + WINDOW_LENGTH)]


@given(instant=INSTANTS, offset=OFFSETS, length=st.sampled_from(PeriodLength))
def test_an_instant_lies_in_exactly_its_period_of_each_length(
    instant: datetime, offset: timezone, length: PeriodLength
) -> None:
    period = period_of(instant.astimezone(offset), length)
    assert period.start <= instant < period.end
    assert period.end - period.start == length.duration
    assert period.start.utcoffset() == timedelta(0)
    assert (period.start - EPOCH) % length.duration == timedelta(0)


@given(instant=INSTANTS)
def test_a_window_lies_in_one_hour_and_an_hour_in_one_day(instant: datetime) -> None:
    window, hour, day = (period_of(instant, length) for length in PeriodLength)
    assert (window.start, window.end) == window_of(instant)
    assert hour.start <= window.start < window.end <= hour.end
    assert day.start <= hour.start < hour.end <= day.end


@pytest.mark.parametrize(
    ("length", "start"),
    [("5m", at("2024-02-29T23:55")), ("1h", at("2024-02-29T23:00")), ("1d", at("2024-02-29"))],
)
def test_periods_are_those_of_utc(length: str, start: datetime) -> None:
    last = at("2024-02-29T23:59:59.999999")
    period = period_of(last.astimezone(timezone(timedelta(hours=13))), PeriodLength(length))
    assert period == (length, start)
    assert period.end == at("2024-03-01")
    assert period_of(period.end, period.length).start == at("2024-03-01")
