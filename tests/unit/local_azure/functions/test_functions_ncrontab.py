"""NCRONTAB expressions, compared with croniter as an independent oracle."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from local_azure.functions.ncrontab import CronInvalid, parse_cron

RANGES = ((0, 59), (0, 59), (0, 23), (1, 28), (1, 12), (0, 6))


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    # croniter takes the range 0-0 of week days for all of them.
    pairs = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    span = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    stepped = st.tuples(span | st.just("*"), st.integers(1, 9)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    single = number.map(str)
    listed = st.lists(single | span, min_size=2, max_size=3).map(",".join)
    return st.just("*") | single | span | stepped | listed


EXPRESSIONS = st.tuples(*(fields(*bounds) for bounds in RANGES)).map(" ".join)
EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=80 * 365)).map(EPOCH.__add__)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, MOMENTS)
def test_the_next_firing_is_that_of_an_independent_implementation(
    expression: str, moment: datetime
) -> None:
    # day_or=False: both day fields must fit, as NCrontab has it.
    oracle = croniter(
        expression,
        moment.replace(microsecond=0),
        day_or=False,
        second_at_beginning=True,
        max_years_between_matches=60,
    )
    assert parse_cron(expression).next_after(moment) == oracle.get_next(datetime)


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, MOMENTS)
def test_no_firing_lies_between_two_that_follow_each_other(
    expression: str, moment: datetime
) -> None:
    cron = parse_cron(expression)
    first = cron.next_after(moment)
    assert first > moment
    assert cron.next_after(first - timedelta(microseconds=1)) == first
    middle = moment + (first - moment) / 2
    assert cron.next_after(middle) == first


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 */5 * * * *", "2026-10-31T23:55:00"),
        ("30 0 0 1 * *", "2026-11-01T00:00:30"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 12 * jan MON", "2027-01-04T12:00:00"),
        ("0 0 12 * January Monday", "2027-01-04T12:00:00"),
        ("0 30 9 * * 1-5", "2026-11-02T09:30:00"),
        ("0 0 0 13 * 5", "2026-11-13T00:00:00"),
        ("*/5 * * * *", "2026-10-31T23:55:00"),
        ("10/20 0 0 * * *", "2026-11-01T00:00:10"),
    ],
)
def test_well_known_expressions(expression: str, expected: str) -> None:
    moment = datetime(2026, 10, 31, 23, 52, 13, 5, tzinfo=UTC)
    assert parse_cron(expression).next_after(moment).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("0 0 0", "it has 3 fields"),
        ("0 60 * * * *", "60 is outside 0 to 59 in the field 'minute'"),
        ("0 0 0 0 * *", "0 is outside 1 to 31 in the field 'day'"),
        ("0 0 0 * * 7", "7 is outside 0 to 6 in the field 'day-of-week'"),
        ("0 0 0 * foo *", "'foo' is no value of the field 'month'"),
        ("0 5-2 * * * *", "the range '5-2' of the field 'minute' runs backwards"),
        ("0 */0 * * * *", "the step of '*/0' in the field 'minute' must be at least 1"),
        ("0 1,,2 * * * *", "'' is no value of the field 'minute'"),
        ("0 ? * * * *", "'?' is no value of the field 'minute'"),
    ],
)
def test_a_wrong_expression_says_which_field(expression: str, why: str) -> None:
    with pytest.raises(CronInvalid, match=re.escape(why)):
        parse_cron(expression)


def test_an_expression_that_never_fires_is_refused_rather_than_searched_for_ever() -> None:
    with pytest.raises(CronInvalid, match="never fires"):
        parse_cron("0 0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC))
