"""What a server refuses under load: deadlocks, serialization, time-outs, shutdown, no connection.

Every refusal is a real one, but for the error classes that a trigger raises at random.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import psycopg2
import pytest
from fault_report import FaultCount
from payment_messages import NOW, WINDOW_START, message, payment_event
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 - a class
from retried_batches import Delivery, all_messages, deliver, partition, settle
from store_fixtures import Store, migrate

from local_azure.services.postgresql import PostgreSQL
from shared_code.store.errors import StoreUnavailable

type Record = Callable[[FaultCount], None]

# A stored row under another key: whatever columns there are, the constraints hold.
INSERT_LIKE_STORED = """
    INSERT INTO normalized_transactions
    SELECT (jsonb_populate_record(
        stored,
        jsonb_build_object('transaction_id', %(transaction_id)s, 'event_time', %(event_time)s)
    )).*
    FROM normalized_transactions AS stored LIMIT 1
"""
BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
TERMINATE_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
RAISE_AT_RANDOM = """
    CREATE FUNCTION raise_at_random() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        states text[] := ARRAY['40001', '40P01', '40003', '53000', '53100', '53200', '53300',
            '53400', '57014', '57P01', '57P02', '57P03', '55P03', '58030'];
    BEGIN
        IF random() < 0.25 THEN
            RAISE EXCEPTION 'injected'
                USING ERRCODE = states[1 + floor(random() * array_length(states, 1))];
        END IF;
        RETURN NULL;
    END $$;
"""
RAISING = ("window_deltas", "window_marks", "dynamic_metrics", "payment_metrics_5m")


@contextmanager
def saboteur(store: Store) -> Iterator[DriverConnection]:
    """Open a second session, rolled back at the end."""
    session = psycopg2.connect(store.url)
    try:
        yield session
    finally:
        session.close()


def execute(session: DriverConnection, statement: str, **parameters: object) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def await_blocked(store: Store) -> None:
    """Wait until a session waits for a lock."""
    deadline = time.monotonic() + 20
    while not store.value(BLOCKED):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def set_for_new_sessions(store: Store, setting: str) -> None:
    store.execute(f"ALTER DATABASE {store.value('SELECT current_database()')} SET {setting}")


def test_a_batch_that_dies_in_a_deadlock_is_stored_by_its_next_delivery(
    store: Store, record: Record, *, full: bool
) -> None:
    times = 25 if full else 3
    set_for_new_sessions(store, "deadlock_timeout = '300ms'")
    engine = store.engine()
    batches = [
        [
            message([payment_event(f"{at}-{key}", event_time=WINDOW_START) for key in "ab"], at),
        ]
        for at in range(times + 1)
    ]
    deliver(batches[:1], engine)
    slowest = 0.0
    for at, batch in enumerate(batches[1:], start=1):
        with saboteur(store) as session:
            # Looks for deadlocks so late that the batch, which does soon, is the one to die.
            execute(session, "SET deadlock_timeout = '20s'")
            execute(
                session,
                INSERT_LIKE_STORED,
                transaction_id=f"{at}-b",
                event_time=WINDOW_START.isoformat(),
            )
            with Delivery([[batch]], [engine]) as delivery:
                await_blocked(store)
                execute(
                    session,
                    INSERT_LIKE_STORED,
                    transaction_id=f"{at}-a",
                    event_time=WINDOW_START.isoformat(),
                )
                session.rollback()
                over = time.monotonic()
        # The next delivery may run into the same insert once more, before that has gone.
        assert delivery.failures.keys() == {"40P01"}
        slowest = max(slowest, delivery.recovery_after(over))
    settle(
        store,
        all_messages([batches]),
        record,
        fault="deadlock, 40P01",
        times=times,
        recovery_seconds=slowest,
    )


def test_a_window_whose_closing_is_not_serializable_is_closed_by_the_next_tick(
    store: Store, record: Record, *, full: bool
) -> None:
    times = 25 if full else 3
    batches = partition(1, times)
    for batch in batches:
        deliver([batch], store.metrics)
        failures: list[str | None] = []

        def close(failures: list[str | None] = failures) -> None:
            try:
                store.metrics.aggregate(NOW)
            except StoreUnavailable as failure:
                failures.append(failure.sqlstate)

        with saboteur(store) as session:
            execute(session, "UPDATE window_marks SET window_start = window_start")
            closing = threading.Thread(target=close)
            closing.start()
            await_blocked(store)
            session.commit()
            closing.join()
        assert failures == ["40001"]
    settle(store, all_messages([batches]), record, fault="not serializable, 40001", times=times)


def test_errors_of_every_class_that_heals_only_delay(
    store: Store, record: Record, *, full: bool
) -> None:
    partitions = [partition(number, 80 if full else 12) for number in range(3)]
    store.execute(RAISE_AT_RANDOM)
    for table in RAISING:
        store.execute(
            f"CREATE TRIGGER raise_at_random AFTER INSERT ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION raise_at_random()"
        )
    engines = [store.engine(fold_interval=timedelta(0)) for _ in partitions]
    with Delivery(partitions, engines) as delivery:
        pass
    store.execute("DROP FUNCTION raise_at_random CASCADE")
    times = delivery.failures.total()
    assert len(delivery.failures) > (10 if full else 3)
    sent = all_messages(partitions)
    settle(store, sent, record, fault="raised, classes 40 53 55 57 58", times=times)


@pytest.mark.parametrize(
    ("setting", "sqlstate"), [("lock_timeout", "55P03"), ("statement_timeout", "57014")]
)
def test_locks_held_too_long_only_delay(
    store: Store, record: Record, setting: str, sqlstate: str, *, full: bool
) -> None:
    times = 25 if full else 3
    soon = timedelta(milliseconds=150)
    if setting == "lock_timeout":
        set_for_new_sessions(store, "lock_timeout = '150ms'")
        engine = store.engine()
    else:
        engine = store.engine(statement_timeout=soon)
    batches = partition(1, times)
    slowest = 0.0
    for batch in batches:
        with saboteur(store) as session:
            execute(session, "LOCK TABLE window_deltas IN EXCLUSIVE MODE")
            with Delivery([[batch]], [engine]) as delivery:
                while delivery.running and not delivery.failures:
                    time.sleep(0.01)
                session.rollback()
                over = time.monotonic()
        assert set(delivery.failures) == {sqlstate}
        slowest = max(slowest, delivery.recovery_after(over))
    settle(
        store,
        all_messages([batches]),
        record,
        fault=f"{setting}, {sqlstate}",
        times=times,
        recovery_seconds=slowest,
    )


def test_sessions_terminated_at_any_moment_only_delay(
    store: Store, record: Record, *, full: bool
) -> None:
    draw = random.Random(47)
    partitions = [partition(number, 100 if full else 15) for number in range(4)]
    engines = [store.engine(fold_interval=timedelta(0)) for _ in partitions]
    moments = []
    with saboteur(store) as session:
        session.autocommit = True
        with Delivery(partitions, engines) as delivery:
            while delivery.running:
                time.sleep(draw.uniform(0.02, 0.3))
                execute(session, TERMINATE_OTHERS)
                moments.append(time.monotonic())
    assert delivery.failures
    settle(
        store,
        all_messages(partitions),
        record,
        fault="all sessions terminated, 57P01",
        times=len(moments),
        recovery_seconds=max(map(delivery.recovery_after, moments)),
    )


def test_a_server_without_a_free_connection_only_delays(record: Record, *, full: bool) -> None:
    times = 20 if full else 2
    with PostgreSQL(settings={"max_connections": "12", "fsync": "off"}) as server:
        store = Store(server.ensure_database("payments"))
        try:
            with store.connection() as connection:
                migrate(connection)
            batches = partition(1, times)
            slowest = 0.0
            for batch in batches:
                hogs = occupy(store)
                with Delivery([[batch]], [store.metrics]) as delivery:
                    while delivery.running and delivery.failures.total() < 3:
                        time.sleep(0.01)
                    for hog in hogs:
                        hog.close()
                    over = time.monotonic()
                assert delivery.failures.total() >= 3
                slowest = max(slowest, delivery.recovery_after(over))
            settle(
                store,
                all_messages([batches]),
                record,
                fault="too many connections, 53300",
                times=times,
                recovery_seconds=slowest,
            )
        finally:
            store.close()


def occupy(store: Store) -> list[DriverConnection]:
    """Take every connection that the server has, those in use first."""
    hogs = [psycopg2.connect(store.url)]
    hogs[0].autocommit = True
    execute(hogs[0], TERMINATE_OTHERS)
    with suppress(psycopg2.OperationalError):
        while True:
            hogs.append(psycopg2.connect(store.url))
    return hogs
