from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.domain.event_time import parse_event_time
from shared_code.domain.windows import EPOCH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T23:59:59Z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31t23:59:59z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:59.5Z", datetime(2026, 1, 31, 23, 59, 59, 500_000, tzinfo=UTC)),
        ("2026-01-31T00:00:00+05:30", datetime(2026, 1, 30, 18, 30, tzinfo=UTC)),
        ("2025-12-31T19:00:00-05:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:30:00+00:45", datetime(2025, 12, 31, 23, 45, tzinfo=UTC)),
        ("2026-03-01T00:00:00+23:59", datetime(2026, 2, 28, 0, 1, tzinfo=UTC)),
        ("2024-02-29T23:59:59.999999Z", datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2026-01-31T00:00:00-00:00", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_rfc_3339_text_is_an_instant_in_utc(text: str, expected: datetime) -> None:
    parsed = parse_event_time(text)
    assert parsed == expected
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T00:04:59.9999999Z",
        "2026-01-31T00:59:59.999999999Z",
        "2026-01-31T23:59:59.9999995Z",
        "2025-12-31T23:59:59.999999999Z",
        "2026-02-28T18:29:59.9999999-05:30",
    ],
)
def test_what_is_finer_than_a_microsecond_is_cut_off_and_never_rounded(text: str) -> None:
    parsed = parse_event_time(text)
    assert (parsed.second, parsed.microsecond) == (59, 999_999)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T23:59:60Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T23:60:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-31T00:00:00+24:00",
        "2026-01-31T00:00:00+05:60",
        "2026-01-31T00:00:00+05:75",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-W05-6T00:00:00Z",
        "2026-031T00:00:00Z",
        "20260131T000000Z",
        "2026-01-31T00:00:00",
        "2026-01-31T00:00Z",
        "2026-01-31",
        "2026-01-31 00:00:00Z",
        "2026-01-31T00:00:00+0530",
        "2026-01-31T00:00:00+05:30:15",
        "2026-01-31T00:00:00.Z",
        "2026-01-31T00:00:00,5Z",
        "2026-01-31T00:00:00.1234567890Z",
        "2026-01-31T00:00:00Z\n",
        " 2026-01-31T00:00:00Z",
        "٢٠٢٦-01-31T00:00:00Z",
        "1769817600",
        "now",
        "",
    ],
)
def test_what_is_no_instant_of_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_event_time(text)


def test_refusal_shows_what_was_expected_and_found() -> None:
    with pytest.raises(ValueError, match=r"RFC 3339.*2026-01-31T23:59:59.5Z.*'yesterday'"):
        parse_event_time("yesterday")


@given(
    instant=st.timedeltas(timedelta(-700_000), timedelta(2_900_000)).map(
        lambda since: EPOCH + since
    ),
    offset=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    nanoseconds=st.integers(0, 999),
)
def test_every_offset_names_the_same_instant(
    instant: datetime, offset: int, nanoseconds: int
) -> None:
    local = instant.astimezone(timezone(timedelta(minutes=offset)))
    text = local.isoformat(timespec="microseconds")
    finer = f"{text[:26]}{nanoseconds:03}{text[26:]}"
    assert parse_event_time(finer) == instant
