"""Days come ahead and go behind without anyone waiting."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from payment_messages import NOW, messages, payment_event
from sqlalchemy import Connection, text
from store_fixtures import Store

from shared_code.store.errors import StoreUnavailable
from shared_code.store.partitions import (
    PARENTS,
    AttachedDays,
    attach_days,
    attached_days,
    drop_days_before,
    every_attached_day,
    keep_days_attached,
)

DAY = timedelta(days=1)


def attached(store: Store) -> AttachedDays:
    with store.connection() as connection:
        days = attached_days(connection)
    assert days is not None
    return days


@contextmanager
def open_writer(store: Store) -> Iterator[Connection]:
    """Hold a transaction open that has written and read payments."""
    with store.engine().database.transaction() as connection:
        connection.execute(text("SELECT count(*) FROM normalized_transactions"))
        connection.execute(text("LOCK TABLE dynamic_metrics IN ROW EXCLUSIVE MODE"))
        connection.execute(text("LOCK TABLE normalized_transactions IN ROW EXCLUSIVE MODE"))
        yield connection


def test_attaching_is_idempotent(store: Store) -> None:
    first, last = date(2031, 1, 30), date(2031, 2, 2)
    with store.connection() as connection:
        assert attach_days(connection, first, last) == 4 * len(PARENTS)
    with store.connection() as connection:
        assert attach_days(connection, first, last + DAY) == len(PARENTS)


def test_attaching_the_same_days_at_once_attaches_each_once(store: Store) -> None:
    databases = [store.engine(pool_size=1).database for _ in range(4)]
    start = threading.Barrier(len(databases))

    def attach(at: int) -> int:
        start.wait()
        with databases[at].transaction() as connection:
            return attach_days(connection, date(2031, 1, 1), date(2031, 1, 5))

    with ThreadPoolExecutor(len(databases)) as pool:
        assert sum(pool.map(attach, range(len(databases)))) == 5 * len(PARENTS)


def test_attaching_neither_waits_for_a_writer_nor_holds_one_up(store: Store) -> None:
    with open_writer(store), store.connection() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '2s'"))
        attach_days(connection, date(2031, 1, 1), date(2031, 1, 2))
        # Not committed yet, and others write on.
        impatient = store.engine(statement_timeout=timedelta(seconds=2))
        assert impatient.process_batch(messages(payment_event()), now=NOW).stored == 1


def test_days_of_the_horizon_and_ahead_are_kept_attached(store: Store) -> None:
    now = datetime(2031, 3, 1, 23, 59, tzinfo=UTC)
    with store.connection() as connection:
        keep_days_attached(connection, now, timedelta(days=2))
    assert attached(store) == AttachedDays(date(2031, 2, 27), date(2031, 3, 16))


def test_a_day_begins_at_midnight_utc_whatever_the_session_s_time_zone(store: Store) -> None:
    with store.connection() as connection:
        connection.execute(text("SET LOCAL timezone = 'Pacific/Auckland'"))
        attach_days(connection, date(2031, 1, 1), date(2031, 1, 1))
    bound = store.value("""
        SELECT pg_get_expr(relpartbound, oid) FROM pg_class
        WHERE relname = 'normalized_transactions_p20310101'
    """)
    assert "2031-01-01 00:00:00+00" in bound.replace("+00:00", "+00")


def test_days_behind_are_dropped_and_the_day_of_the_horizon_stays(store: Store) -> None:
    before = attached(store)
    horizon = datetime.combine(before.first + 2 * DAY, datetime.max.time(), UTC)
    dropped = drop_days_before(store.owner.engine, horizon)
    assert dropped == [
        f"{parent}_p{before.first + at * DAY:%Y%m%d}" for parent in PARENTS for at in range(2)
    ]
    assert attached(store) == AttachedDays(before.first + 2 * DAY, before.last)
    assert drop_days_before(store.owner.engine, horizon) == []


def test_dropping_does_not_hold_up_writers(store: Store) -> None:
    first = attached(store).first
    horizon = datetime.combine(first + DAY, datetime.min.time(), UTC)
    with ThreadPoolExecutor(1) as pool:
        with open_writer(store):
            dropping = pool.submit(drop_days_before, store.owner.engine, horizon)
            impatient = store.engine(statement_timeout=timedelta(seconds=2))
            for at in range(10):
                sent = messages(payment_event(f"txn-{at}"))
                assert impatient.process_batch(sent, now=NOW).stored == 1
            assert not dropping.done()
        assert len(dropping.result()) == len(PARENTS)


def test_a_day_with_a_window_that_waits_to_be_closed_is_kept(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    midnight = datetime.combine(NOW.date() + DAY, datetime.min.time(), UTC)
    assert drop_days_before(store.owner.engine, midnight) == []
    store.metrics.aggregate(NOW)
    assert drop_days_before(store.owner.engine, midnight) == [], "the day is not rolled up yet"
    store.metrics.aggregate(midnight)
    assert f"normalized_transactions_p{NOW:%Y%m%d}" in drop_days_before(
        store.owner.engine, midnight
    )


def test_a_window_that_waits_on_a_day_that_stays_holds_nothing_up(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    assert drop_days_before(store.owner.engine, NOW) != []


def test_an_interrupted_drop_is_finished_by_the_next(store: Store) -> None:
    first = attached(store).first
    horizon = datetime.combine(first + DAY, datetime.min.time(), UTC)
    name = f"{PARENTS[0]}_p{first:%Y%m%d}"
    autocommit = store.owner.engine.execution_options(isolation_level="AUTOCOMMIT")
    with open_writer(store), autocommit.connect() as connection:
        connection.execute(text("SET lock_timeout = '100ms'"))
        detach = text(f"ALTER TABLE {PARENTS[0]} DETACH PARTITION {name} CONCURRENTLY")
        with pytest.raises(Exception, match="lock timeout"):
            connection.execute(detach)
        connection.detach()
    assert first != attached(store).first
    assert name in drop_days_before(store.owner.engine, horizon)
    assert store.value("SELECT to_regclass(:name)", name=name) is None


def test_a_drop_that_cannot_begin_is_a_fault_that_heals(store: Store) -> None:
    away = store.engine(url="postgresql://writer@127.0.0.1:1/payments").database.engine
    with pytest.raises(StoreUnavailable):
        drop_days_before(away, NOW)


def test_days_before_a_gap_do_not_count_but_are_kept(store: Store) -> None:
    with store.connection() as connection:
        attach_days(connection, date(2001, 1, 1), date(2001, 1, 2))
    assert attached(store).first > date(2001, 1, 2)
    with store.connection() as connection:
        assert date(2001, 1, 2) in every_attached_day(connection)


def test_days_that_were_attached_for_a_replay_open_the_horizon(store: Store) -> None:
    first = attached(store).first
    long_ago = datetime.combine(first - 3 * DAY, datetime.min.time(), UTC)
    sent = messages(payment_event(event_time=long_ago))
    assert store.metrics.process_batch(sent, now=NOW).rejected == 1
    with store.connection() as connection:
        attach_days(connection, first - 3 * DAY, first)
    assert store.metrics.process_batch(sent, now=NOW).stored == 1
