"""Hours and days are exact, whatever comes late, crashes, or has been dropped."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from oracle import Expected, Figures, Group, Payment, Sums, _figures, expected_of
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event
from sqlalchemy import text
from store_fixtures import Store, migrate

from shared_code.domain.windows import EPOCH, Period, PeriodLength, window_of
from shared_code.engine import window_figures
from shared_code.store.database import Database
from shared_code.store.roll_ups import RolledUp, mark_roll_ups, marked_roll_ups, roll_up
from shared_code.store.subject_history import payments_between
from shared_code.store.window_close import close_window, marked_windows

MICROSECOND = timedelta(microseconds=1)
MIDNIGHT = NOW.replace(hour=0)
NEXT_MIDNIGHT = MIDNIGHT + timedelta(days=1)
LATENESS = timedelta(minutes=15)
HOUR = Period(PeriodLength.hour, WINDOW_START)
DAY = Period(PeriodLength.day, MIDNIGHT)
VIEWS = {PeriodLength.hour: "payment_hours", PeriodLength.day: "payment_days"}

TABLE = "SELECT * FROM payment_metrics_rolled_up ORDER BY 1, 2, 3, 4, 5"
SUMS = "SELECT payment_count, amount_sum FROM payment_metrics_rolled_up WHERE period_length = '1d'"
FIGURES = """
    SELECT period_start, methods.name, currencies.name, statuses.name,
           payment_count, amount_sum, amount_min, amount_max, amount_avg,
           amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants
    FROM payment_metrics_rolled_up AS rolled_up
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = rolled_up.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = rolled_up.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = rolled_up.payment_status
    WHERE period_length = :length
    ORDER BY 1, 2, 3, 4
"""
VIEWED = """
    SELECT period_start, payment_method, currency, payment_status,
           payment_count, amount_sum, amount_min, amount_max, amount_avg,
           amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants
    FROM {view}
    ORDER BY 1, 2, 3, 4
"""


def close(database: Database, now: datetime = NEXT_MIDNIGHT) -> None:
    """Close every marked window that has ended, and mark its hour and day."""
    with database.transaction() as connection:
        windows = marked_windows(connection, now)
    for window in windows:
        with database.transaction("REPEATABLE READ") as connection:
            columns = payments_between(connection, window, window_figures.FIGURE_COLUMNS)
            figures = list(window_figures.figures_of(columns))
            close_window(connection, window, figures, rule_set=1, allowed_lateness=LATENESS)
            mark_roll_ups(connection, window)


def marked(database: Database, now: datetime = NEXT_MIDNIGHT) -> list[Period]:
    with database.transaction() as connection:
        return marked_roll_ups(connection, now)


def roll_up_marked(database: Database, now: datetime = NEXT_MIDNIGHT) -> list[RolledUp]:
    rolled_up = []
    for period in marked(database, now):
        with database.transaction("REPEATABLE READ") as connection:
            rolled_up.append(roll_up(connection, period))
    return rolled_up


def store_closed(store: Store, *events: dict[str, Any]) -> None:
    """Store payments and close their windows."""
    store.metrics.process_batch(messages(*events), now=NOW)
    close(store.database)


def mark_again(store: Store) -> None:
    store.execute(
        "INSERT INTO roll_up_marks (period_length, period_start)"
        " SELECT DISTINCT period_length, period_start FROM payment_metrics_rolled_up"
    )


def drop_payments(store: Store, day: datetime = NOW) -> None:
    for parent in ("normalized_transactions", "dynamic_metrics"):
        store.execute(f"DROP TABLE {parent}_p{day:%Y%m%d}")


def random_events(seed: int, count: int) -> list[dict[str, Any]]:
    """Return payments of four hours around a midnight, in few groups of many payments."""
    dice = random.Random(seed)
    scales = {"EUR": 2, "JPY": 0, "KWD": 3}
    events = []
    for at in range(count):
        currency = dice.choice(list(scales))
        event_time = MIDNIGHT + dice.randrange(-7_200_000_000, 7_200_000_000) * MICROSECOND
        if dice.random() < 0.2:
            event_time -= (event_time - EPOCH) % timedelta(hours=1)
        events.append(
            payment_event(
                f"txn-{at}",
                event_time=event_time,
                amount=str(Decimal(dice.randrange(10**6)).scaleb(-scales[currency])),
                currency=currency,
                payment_method=dice.choice(["credit_card", "bank_transfer"]),
                payment_status=dice.choice(["completed", "completed", "failed"]),
                customer={"id": f"cus-{dice.randrange(20)}"} if dice.random() < 0.9 else None,
                merchant={"id": f"mer-{dice.randrange(9)}"} if dice.random() < 0.9 else None,
            )
        )
    return events


def figures_of(expected: Expected, length: PeriodLength) -> dict[Group, Figures]:
    """Return the figures of the payments of every period, reckoned from all of them."""
    groups: dict[Group, list[Payment]] = defaultdict(list)
    for (event_time, _, status), payment in expected.payments.items():
        start = event_time - (event_time - EPOCH) % length.duration
        groups[Group(start, payment.payment_method, payment.currency, status)].append(payment)
    return {group: _figures(payments) for group, payments in groups.items()}


def assert_rolled_up(store: Store, expected: Expected) -> None:
    """Assert that hours and days, in the table and in the views, are those of the oracle."""
    for length, view in VIEWS.items():
        wanted = figures_of(expected, length)
        rows = store.rows(FIGURES, length=length)
        assert store.rows(VIEWED.format(view=view)) == rows
        found = {}
        for start, *group, count, total, low, high, average, p50, p95, p99, people, shops in rows:
            key = Group(start.astimezone(UTC), *group)
            half_a_digit = Fraction(Decimal(1).scaleb(average.as_tuple().exponent)) / 2
            assert abs(Fraction(average) - wanted[key].average) <= half_a_digit
            sums = Sums(count, total, low, high)
            found[key] = Figures(sums, wanted[key].average, p50, p95, p99, people, shops)
        assert found == wanted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_equal_those_of_all_payments_after_every_revision(store: Store, seed: int) -> None:
    sent = messages(*random_events(seed, 600))
    for upto in (300, 420, 600):
        store.metrics.process_batch(sent[:upto], now=NOW)
        close(store.database)
        roll_up_marked(store.database)
        assert_rolled_up(store, expected_of(sent[:upto], NOW))
    assert store.value("SELECT count(*) FROM roll_up_marks") == 0
    assert store.value("SELECT max(revision) FROM window_revisions") == 3


def test_days_end_at_midnight_of_utc_wherever_the_session_is(store: Store) -> None:
    store.execute("""
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(),
                           'Pacific/Chatham');
        END $$
    """)
    store.metrics.process_batch(
        messages(
            payment_event("before", event_time=NEXT_MIDNIGHT - MICROSECOND, amount="1"),
            payment_event("at", event_time=NEXT_MIDNIGHT, amount="2"),
        ),
        now=NOW,
    )
    there = store.engine().database
    later = NEXT_MIDNIGHT + timedelta(days=1)
    close(there, later)
    roll_up_marked(there, later)
    query = "SELECT period_start, period_end, amount_sum FROM {} ORDER BY 1"
    hour = timedelta(hours=1)
    with there.transaction() as connection:
        hours = connection.execute(text(query.format("payment_hours"))).all()
        days = connection.execute(text(query.format("payment_days"))).all()
    assert hours == [
        (NEXT_MIDNIGHT - hour, NEXT_MIDNIGHT, 1),
        (NEXT_MIDNIGHT, NEXT_MIDNIGHT + hour, 2),
    ]
    assert days == [(MIDNIGHT, NEXT_MIDNIGHT, 1), (NEXT_MIDNIGHT, later, 2)]


def test_a_day_has_24_hours_where_the_session_puts_its_clock_forward(store: Store) -> None:
    day = datetime(2025, 3, 30, tzinfo=UTC)
    insert = text("""
        INSERT INTO payment_metrics_5m (window_start, payment_method, currency, payment_status,
                                        payment_count, amount_sum, amount_min, amount_max)
        VALUES (:window_start, 3, 978, 1, 1, 1, 1, 1)
    """)
    with store.connection() as connection:
        connection.execute(text("SET LOCAL timezone = 'Europe/Berlin'"))
        for window_start in (day, day + timedelta(hours=24) - FIVE_MINUTES):
            connection.execute(insert, {"window_start": window_start})
        query = text("SELECT period_start, period_end, payment_count FROM payment_days")
        assert connection.execute(query).all() == [(day, day + timedelta(hours=24), 2)]


def test_a_closed_window_marks_its_hour_and_its_day(store: Store) -> None:
    store_closed(store, payment_event(), payment_event(event_time=WINDOW_START + 11 * FIVE_MINUTES))
    assert marked(store.database) == [HOUR, DAY]
    roll_up_marked(store.database)
    assert marked(store.database) == []


def test_periods_are_rolled_up_once_they_have_ended_hours_before_their_day(store: Store) -> None:
    last_hour = Period(PeriodLength.hour, NEXT_MIDNIGHT - timedelta(hours=1))
    first_hour = Period(PeriodLength.hour, MIDNIGHT)
    store_closed(
        store,
        payment_event("last", event_time=last_hour.start),
        payment_event("middle"),
        payment_event("first", event_time=MIDNIGHT),
    )
    assert marked(store.database, first_hour.end - MICROSECOND) == []
    assert marked(store.database, first_hour.end) == [first_hour]
    assert marked(store.database, DAY.end - MICROSECOND) == [first_hour, HOUR]
    assert marked(store.database, DAY.end) == [first_hour, HOUR, last_hour, DAY]


def test_a_late_payment_corrects_its_hour_and_its_day(store: Store) -> None:
    store_closed(store, payment_event("early", amount="1"))
    roll_up_marked(store.database)
    store_closed(store, payment_event("late", amount="3", customer={"id": "cus-2"}))
    assert [done.period for done in roll_up_marked(store.database)] == [HOUR, DAY]
    corrected = (
        "SELECT period_length, payment_count, amount_sum, amount_avg, amount_p99,"
        " distinct_customers FROM payment_metrics_rolled_up ORDER BY 1"
    )
    assert store.rows(corrected) == [("1d", 2, 4, 2, 3, 2), ("1h", 2, 4, 2, 3, 2)]


def test_a_second_roll_up_changes_nothing(store: Store) -> None:
    store_closed(store, *random_events(4, 60))
    first = roll_up_marked(store.database)
    before = store.rows(TABLE)
    mark_again(store)
    assert roll_up_marked(store.database) == first
    assert store.rows(TABLE) == before
    assert sum(done.groups for done in first) == len(before)
    assert sum(done.payment_count for done in first) == 60 * len(VIEWS)


def test_what_is_rolled_back_keeps_marks_and_figures(store: Store) -> None:
    store_closed(store, payment_event("early"))
    roll_up_marked(store.database)
    store_closed(store, payment_event("late"))
    before = store.rows(TABLE)
    with store.database.engine.connect() as connection:
        roll_up(connection, DAY)
        connection.rollback()
    assert store.rows(TABLE) == before
    assert marked(store.database) == [HOUR, DAY]
    roll_up_marked(store.database)
    assert store.rows(SUMS) == [(2, 21)]


def test_a_window_closed_during_a_roll_up_is_rolled_up_by_the_next(store: Store) -> None:
    store_closed(store, payment_event("early"))
    with store.engine().database.transaction("REPEATABLE READ") as connection:
        connection.execute(text("SELECT count(*) FROM leases"))
        store_closed(store, payment_event("late"))
        roll_up(connection, DAY)
    assert store.rows(SUMS) == [(1, Decimal("10.5"))]
    assert DAY in marked(store.database)
    roll_up_marked(store.database)
    assert store.rows(SUMS) == [(2, 21)]


def test_sums_come_from_closed_windows_and_percentiles_from_payments(store: Store) -> None:
    store_closed(store, payment_event("a", amount="10"), payment_event("b", amount="20"))
    store.execute(
        "UPDATE payment_metrics_5m_final SET amount_sum = 34, amount_min = 1, amount_max = 33,"
        " amount_p50 = 2, amount_p95 = 3, amount_p99 = 4, distinct_customers = 77"
    )
    roll_up_marked(store.database)
    figures = (
        "SELECT amount_sum, amount_min, amount_max, amount_avg, amount_p50, amount_p95, amount_p99,"
        " distinct_customers FROM payment_metrics_rolled_up"
    )
    assert store.rows(figures) == [(34, 1, 33, 17, 10, 20, 20, 1)] * 2


def test_what_was_measured_stands_when_its_payments_are_dropped(store: Store) -> None:
    store_closed(store, *random_events(5, 60))
    roll_up_marked(store.database)
    before = store.rows(TABLE)
    for day in (MIDNIGHT, MIDNIGHT - timedelta(days=1)):
        drop_payments(store, day)
    mark_again(store)
    assert all(done.unmeasured == 0 for done in roll_up_marked(store.database))
    assert store.rows(TABLE) == before


def test_what_was_closed_before_the_drop_is_added_up_after_it(store: Store) -> None:
    store_closed(store, payment_event("early", amount="1"))
    roll_up_marked(store.database)
    store_closed(
        store,
        payment_event("late", amount="3"),
        payment_event("never measured", amount="7", currency="CHF"),
    )
    drop_payments(store)
    assert [done.unmeasured for done in roll_up_marked(store.database)] == [1, 1]
    figures = (
        "SELECT currency, amount_sum, amount_p99, distinct_customers FROM payment_days"
        " ORDER BY amount_sum"
    )
    assert store.rows(figures) == [("EUR", 4, 1, 1), ("CHF", 7, None, None)]


def test_a_replay_into_a_dropped_day_measures_nothing_until_it_is_whole(store: Store) -> None:
    later = WINDOW_START + FIVE_MINUTES
    early = payment_event("early", amount="1")
    replayed = payment_event("replayed", event_time=later, amount="3")
    store_closed(store, early, replayed)
    roll_up_marked(store.database)
    drop_payments(store)
    store.execute("SELECT attach_payment_days(:day, :day)", {"day": NOW.date()})
    measured = "SELECT payment_count, amount_p50 FROM payment_metrics_rolled_up"
    store_closed(store, replayed)
    roll_up_marked(store.database)
    assert store.rows(measured) == [(2, 1)] * 2
    store_closed(store, early, payment_event("new", event_time=later, amount="5"))
    roll_up_marked(store.database)
    assert store.rows(measured) == [(3, 3)] * 2


def test_a_payment_that_waits_to_be_closed_stops_no_roll_up(store: Store) -> None:
    store_closed(store, payment_event("closed", amount="1"))
    store.metrics.process_batch(messages(payment_event("waits", amount="9")), now=NOW)
    roll_up_marked(store.database)
    assert store.rows(SUMS) == [(1, 1)]
    close(store.database)
    roll_up_marked(store.database)
    assert store.rows(SUMS) == [(2, 10)]


def test_views_count_every_payment_at_once_and_are_final_when_nothing_waits(store: Store) -> None:
    live = "SELECT payment_count, amount_sum, amount_avg, amount_p99, is_final FROM {}"

    def assert_viewed(*wanted: Any) -> None:
        for view in VIEWS.values():
            assert store.rows(live.format(view)) == [wanted]

    store.metrics.process_batch(messages(payment_event("a", amount="1")), now=NOW)
    assert_viewed(1, 1, 1, None, False)
    close(store.database)
    assert_viewed(1, 1, 1, None, False)
    roll_up_marked(store.database)
    assert_viewed(1, 1, 1, 1, True)
    store.metrics.process_batch(messages(payment_event("b", amount="4")), now=NOW)
    assert_viewed(2, 5, 2.5, 1, False)
    close(store.database)
    assert_viewed(2, 5, 2.5, 1, False)
    roll_up_marked(store.database)
    assert_viewed(2, 5, 2.5, 4, True)


def test_a_period_is_final_when_its_last_window_would_be(store: Store) -> None:
    store_closed(store, payment_event(), payment_event("b", event_time=WINDOW_START + FIVE_MINUTES))
    roll_up_marked(store.database)
    finality = "SELECT final_at, windows_closed FROM payment_metrics_rolled_up ORDER BY final_at"
    assert store.rows(finality) == [(HOUR.end + LATENESS, 2), (DAY.end + LATENESS, 2)]
    store.execute("UPDATE payment_metrics_rolled_up SET final_at = now() + interval '1 minute'")
    assert store.rows("SELECT is_final FROM payment_days") == [(False,)]


def test_the_writer_may_mark_and_roll_up(store: Store) -> None:
    store_closed(store, payment_event())
    with store.database.transaction("REPEATABLE READ") as connection:
        connection.execute(text("SET LOCAL ROLE payments_writer"))
        for period in marked_roll_ups(connection, DAY.end):
            roll_up(connection, period)
        mark_roll_ups(connection, window_of(WINDOW_START))
    assert store.rows(SUMS) == [(1, Decimal("10.5"))]
    assert marked(store.database) == [HOUR, DAY]


def test_windows_closed_before_the_revision_are_rolled_up_after_it(store: Store) -> None:
    store_closed(store, payment_event())
    with store.connection() as connection:
        migrate(connection, "0005")
    with store.connection() as connection:
        migrate(connection)
    assert [done.period for done in roll_up_marked(store.database)] == [HOUR, DAY]
    assert store.rows(SUMS) == [(1, Decimal("10.5"))]
