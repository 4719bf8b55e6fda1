"""Connections that are cut, go silent or are slow: the batch comes again, and nothing is doubled.

A proxy between engine and server breaks them at the byte or statement that a test names.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fault_report import FaultCount
from payment_messages import NOW
from retried_batches import Delivery, all_messages, deliver, partition, settle
from store_fixtures import Store
from tcp_proxy import AtCommit, TcpProxy

from shared_code.store import database
from shared_code.store.errors import StoreUnavailable

type Record = Callable[[FaultCount], None]

TABLES = (
    "normalized_transactions",
    "dynamic_metrics",
    "window_deltas",
    "window_marks",
    "payment_metrics_5m",
    "rejected_events",
)


def everything(store: Store) -> list[list[tuple[object, ...]]]:
    """Return every row that batches leave behind."""
    return [store.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in TABLES]


@pytest.fixture
def proxy(store: Store) -> Iterator[TcpProxy]:
    with TcpProxy(store.url) as proxy:
        yield proxy


def test_a_connection_cut_at_any_byte_of_copy_loses_and_doubles_nothing(
    store: Store, proxy: TcpProxy, record: Record, *, full: bool
) -> None:
    cuts = 600 if full else 30
    draw = random.Random(41)
    engine = store.engine(url=proxy.url)
    batches = partition(1, cuts + 1)
    deliver(batches[:1], engine)
    in_a_batch = proxy.copied
    slowest = 0.0
    for batch in batches[1:]:
        proxy.cut_copy_after(draw.randrange(1, in_a_batch // 2))
        with pytest.raises(StoreUnavailable):
            engine.process_batch(batch, now=NOW)
        cut = time.monotonic()
        slowest = max(slowest, deliver([batch], engine).recovery_after(cut))
    assert proxy.struck == cuts
    settle(
        store,
        all_messages([batches]),
        record,
        fault="cut during COPY",
        times=cuts,
        recovery_seconds=slowest,
    )


def test_a_commit_whose_answer_is_lost_is_found_stored_by_the_next_delivery(
    store: Store, proxy: TcpProxy, record: Record, *, full: bool
) -> None:
    times = 300 if full else 15
    engine = store.engine(url=proxy.url)
    batches = partition(1, times + 1)
    deliver(batches[:1], engine)
    slowest = 0.0
    for at, batch in enumerate(batches[1:]):
        proxy.break_next_commit(AtCommit.LOSE_ANSWER)
        with pytest.raises(StoreUnavailable):
            engine.process_batch(batch, now=NOW)
        lost = time.monotonic()
        compared = at % 20 == 0
        before = everything(store) if compared else []
        assert engine.process_batch(batch, now=NOW).stored == 0
        slowest = max(slowest, time.monotonic() - lost)
        assert not compared or everything(store) == before
    assert proxy.struck == times
    settle(
        store,
        all_messages([batches]),
        record,
        fault="answer to COMMIT lost",
        times=times,
        recovery_seconds=slowest,
    )


def test_connections_cut_at_any_moment_under_load_only_delay(
    store: Store, proxy: TcpProxy, record: Record, *, full: bool
) -> None:
    draw = random.Random(43)
    partitions = [partition(number, 120 if full else 12) for number in range(4)]
    engines = [store.engine(url=proxy.url) for _ in partitions]
    moments = []
    with Delivery(partitions, engines) as delivery:
        while delivery.running:
            time.sleep(draw.uniform(0.02, 0.3))
            proxy.cut_all()
            moments.append(time.monotonic())
    assert delivery.failures
    slowest = max(map(delivery.recovery_after, moments))
    sent = all_messages(partitions)
    settle(
        store,
        sent,
        record,
        fault="all connections cut under load",
        times=len(moments),
        recovery_seconds=slowest,
    )


def test_a_server_that_never_hears_of_the_cut_gives_its_locks_up(
    store: Store,
    proxy: TcpProxy,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    *,
    full: bool,
) -> None:
    times = 20 if full else 2
    monkeypatch.setattr(database, "_IDLE_MILLISECONDS", 1000)
    engine = store.engine(url=proxy.url, statement_timeout=timedelta(seconds=5))
    batches = partition(1, times)
    slowest = 0.0
    for batch in batches:
        proxy.break_next_commit(AtCommit.CUT_CLIENT)
        with pytest.raises(StoreUnavailable):
            engine.process_batch(batch, now=NOW)
        cut = time.monotonic()
        slowest = max(slowest, deliver([batch], engine).recovery_after(cut))
    assert proxy.struck == times
    assert 0.5 < slowest < 5, "the next delivery waits for the locks, but not for ever"
    settle(
        store,
        all_messages([batches]),
        record,
        fault="client cut off, the server not told",
        times=times,
        recovery_seconds=slowest,
    )


def test_answers_later_than_a_statement_may_take_only_delay(
    store: Store, proxy: TcpProxy, record: Record, *, full: bool
) -> None:
    times = 10 if full else 1
    engine = store.engine(url=proxy.url, statement_timeout=timedelta(milliseconds=200))
    batches = partition(1, times + 1)
    deliver(batches[:1], engine)
    slowest = 0.0
    for batch in batches[1:]:
        # COPY begins with an answer, for which the server waits as for any part of a statement.
        proxy.answer_delay = 0.25
        with Delivery([[batch]], [engine]) as delivery:
            while delivery.running and not delivery.failures:
                time.sleep(0.01)
            proxy.answer_delay = 0.0
            over = time.monotonic()
        assert delivery.failures["57014"]
        slowest = max(slowest, delivery.recovery_after(over))
    settle(
        store,
        all_messages([batches]),
        record,
        fault="answers later than statement_timeout",
        times=times,
        recovery_seconds=slowest,
    )
