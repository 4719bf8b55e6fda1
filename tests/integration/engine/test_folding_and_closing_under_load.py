"""Writers, folders and a closing loop at once: nothing is lost, doubled or counted in between."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from oracle import expected_of
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, message, messages, payment_event
from store_fixtures import Store
from stored_state import assert_closed, assert_stored

from shared_code.domain.decoding import Message
from shared_code.engine.metric_engine import MetricEngine
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable
from shared_code.store.folding import fold_deltas

COUNTERS = """
    SELECT sum(payment_count), sum(amount_sum) FROM payment_metrics_5m
"""


def late_traffic(writer: int, count: int) -> list[Message]:
    """Return messages into two windows, of one writer's own payments, each of three events."""
    chance = random.Random(writer)
    return [
        message(
            [
                payment_event(
                    f"w{writer}-{at}-{of}",
                    event_time=WINDOW_START
                    + chance.randrange(2) * FIVE_MINUTES
                    + timedelta(microseconds=chance.randrange(300_000_000)),
                    amount=f"{chance.randrange(10**6)}.{chance.randrange(100):02}",
                    payment_status=chance.choice(["completed", "failed"]),
                    customer={"id": f"cus-{chance.randrange(40)}"},
                )
                for of in range(3)
            ],
            at,
            partition_id=str(writer),
        )
        for at in range(count)
    ]


def in_threads(works: list[Callable[[], object]]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def test_late_events_by_many_writers_while_their_windows_are_closed_again_and_again(
    store: Store,
) -> None:
    writers = [
        store.engine(pool_size=1, fold_interval=timedelta(milliseconds=20)) for _ in range(8)
    ]
    traffic = [late_traffic(number, 60) for number in range(len(writers))]
    # Clusters would take most of the time, and are no matter of who writes meanwhile.
    aggregator = store.metrics._aggregator
    aggregator._clustering = replace(aggregator._clustering, enabled=False)
    done = threading.Event()

    def write(metrics: MetricEngine, sent: list[Message]) -> None:
        # Each message twice, once in a batch of its own and once more in a larger one.
        for at in range(0, len(sent), 4):
            for each in sent[at : at + 4]:
                metrics.process_batch([each], now=NOW)
            metrics.process_batch(sent[at : at + 4], now=NOW)

    def close_again_and_again() -> int:
        ticks = 0  # writers may be done before the second one
        while ticks < 3 or not done.is_set():
            store.metrics.aggregate(NOW)
            ticks += 1
        return ticks

    with ThreadPoolExecutor(1) as pool:
        ticks = pool.submit(close_again_and_again)
        works = [
            lambda metrics=metrics, sent=sent: write(metrics, sent)
            for metrics, sent in zip(writers, traffic, strict=True)
        ]
        try:
            in_threads(works)
        finally:
            done.set()
        ticks.result()
    store.metrics.aggregate(NOW)
    sent = [each for part in traffic for each in part]
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
        assert_closed(connection, expected_of(sent, NOW))
    assert store.value("SELECT count(*) FROM window_deltas") == 0
    assert store.value("SELECT max(revision) FROM window_revisions") > 2


def test_folders_and_writers_at_once_count_everything_once(store: Store) -> None:
    writers = [store.engine(pool_size=1) for _ in range(3)]
    folders = [store.engine(pool_size=1).database for _ in range(3)]
    traffic = [late_traffic(number, 20) for number in range(len(writers))]
    done = threading.Event()

    def write(metrics: MetricEngine, sent: list[Message]) -> None:
        for each in sent:
            metrics.process_batch([each], now=NOW)

    def fold(database: Database) -> None:
        while not done.is_set():
            fold_deltas(database)
            time.sleep(0.005)

    with ThreadPoolExecutor(len(folders)) as pool:
        folding = [pool.submit(fold, database) for database in folders]
        try:
            in_threads(
                [
                    lambda metrics=metrics, sent=sent: write(metrics, sent)
                    for metrics, sent in zip(writers, traffic, strict=True)
                ]
            )
        finally:
            done.set()
        for each in folding:
            each.result()
    fold_deltas(store.database)
    sent = [each for part in traffic for each in part]
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    payments = expected_of(sent, NOW).payments
    total = sum(payment.amount for payment in payments.values())
    assert store.rows(COUNTERS) == [(len(payments), total)]


def test_deltas_of_a_crash_before_the_fold_wait_for_the_next(store: Store) -> None:
    sent = late_traffic(1, 5)
    crashed = store.engine(fold_interval=timedelta(hours=1))
    crashed._next_fold = time.monotonic() + 3600
    crashed.process_batch(sent, now=NOW)
    assert store.rows(COUNTERS) == [(None, None)]
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    waiting = store.value("SELECT count(*) FROM window_deltas")
    assert fold_deltas(store.database) == waiting > 0
    assert fold_deltas(store.database) == 0
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    payments = expected_of(sent, NOW).payments
    assert store.rows(COUNTERS)[0][0] == len(payments)


def test_whoever_finds_another_folding_leaves_it_to_that_one(store: Store) -> None:
    store.metrics._next_fold = time.monotonic() + 3600
    store.metrics.process_batch(late_traffic(1, 2), now=NOW)
    waiting = store.value("SELECT count(*) FROM window_deltas")
    with store.connection() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('fold_window_deltas'))")
        assert fold_deltas(store.database) == 0
    assert fold_deltas(store.database) == waiting


def test_more_deltas_than_fit_one_statement_are_folded_in_several(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_code.store.folding._AT_ONCE", 3)
    store.metrics._next_fold = time.monotonic() + 3600
    for each in late_traffic(1, 10):
        store.metrics.process_batch([each], now=NOW)
    waiting = store.value("SELECT count(*) FROM window_deltas")
    assert fold_deltas(store.database) == waiting
    assert store.value("SELECT sum(payment_count) FROM payment_metrics_5m") == 30


def test_recomputing_and_closing_at_once_end_in_whole_revisions(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    engines = [store.engine() for _ in range(4)]
    start = threading.Barrier(len(engines))

    def recompute(metrics: MetricEngine) -> int:
        start.wait()
        try:
            return len(metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES))
        except StoreUnavailable:
            return 0

    with ThreadPoolExecutor(len(engines)) as pool:
        closed = sum(pool.map(recompute, engines))
    assert closed >= 1
    revisions = store.rows("SELECT revision, payment_count FROM window_revisions ORDER BY 1")
    assert revisions == [(at + 1, 1) for at in range(closed)]
