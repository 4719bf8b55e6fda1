"""The same event, however often and in whatever company it comes, leaves the same rows."""

import random
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import expected_of
from payment_messages import NOW, message, messages, payment_event, varied_events
from sqlalchemy import Connection
from store_fixtures import ROOT, Store
from stored_state import assert_stored

from shared_code.domain.decoding import Message
from shared_code.rules.columns import Columns
from shared_code.store.write_path import standing_hashes

WORKER = Path(__file__).with_name("batch_worker.py")

# Everything that a delivery must leave alike; not when, and in whose company, an event came.
PAYMENT_ROWS = """
    SELECT to_jsonb(payment) - 'stored_at' - 'enqueued_at'
    FROM normalized_transactions AS payment ORDER BY event_time, transaction_id, payment_status
"""
METRIC_ROWS = """
    SELECT to_jsonb(metric) FROM dynamic_metrics AS metric
    ORDER BY event_time, transaction_id, payment_status, rule
"""
REJECTED_ROWS = """
    SELECT to_jsonb(refused) - 'rejected_at' FROM rejected_events AS refused
    ORDER BY partition_id, sequence_number, event_index
"""


def rows_of(store: Store) -> Sequence[Any]:
    with store.connection() as connection:
        found = [connection.exec_driver_sql(query).all() for query in (PAYMENT_ROWS, METRIC_ROWS)]
        return [*found, connection.exec_driver_sql(REJECTED_ROWS).all()]


def traffic() -> list[Message]:
    """Return messages of good, bad, repeated and contradicting events, packed and single."""
    events = varied_events(12)
    contradiction = payment_event("txn-0", amount="99.99") | {
        "event_time": events[0]["event_time"],
        "payment_status": events[0]["payment_status"],
    }
    return messages(
        events[:5],
        events[5],
        b"{no json",
        [events[6], payment_event("bad-1", amount="-1"), events[7]],
        contradiction,
        events[2],
        [contradiction, events[0]],
        events[8:],
    )


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Message]]:
    """Deliver each message one, two or five times, in any order, cut into any batches.

    The first two messages come first: of contradicting events the first committed stands.
    """
    sent = traffic()
    repeated = [each for each in sent for _ in range(draw(st.sampled_from([1, 2, 5])))]
    order = [*sent[:2], *draw(st.permutations(repeated))]
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@given(batches=deliveries())
@settings(
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_repeats_orders_and_batches_leave_the_same_rows(
    shared_store: Store, batches: list[list[Message]]
) -> None:
    shared_store.empty()
    for batch in batches:
        shared_store.metrics.process_batch(batch, now=NOW)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(traffic(), NOW))
    found = rows_of(shared_store)
    shared_store.empty()
    shared_store.metrics.process_batch(traffic(), now=NOW)
    assert rows_of(shared_store) == found


def test_a_redelivered_batch_counts_as_duplicates(store: Store) -> None:
    batch = messages(varied_events(10), b"[]", b"")
    first = store.metrics.process_batch(batch, now=NOW)
    second = store.metrics.process_batch(batch, now=NOW)
    assert (first.messages, first.stored, first.duplicates, first.rejected) == (3, 10, 0, 1)
    assert (second.messages, second.stored, second.duplicates, second.rejected) == (3, 0, 10, 1)


def test_threads_with_pools_of_their_own_store_shared_events_once(store: Store) -> None:
    sent = messages(*varied_events(120, windows=6))
    engines = [store.engine(pool_size=1, fold_interval=store.settings.fold_interval * 0)]
    engines += [store.engine(pool_size=1) for _ in range(3)]
    start = threading.Barrier(len(engines))

    def deliver(number: int) -> int:
        order = random.Random(number).sample(sent, len(sent))
        start.wait()
        batches = [order[at : at + 15] for at in range(0, len(order), 15)]
        return sum(engines[number].process_batch(batch, now=NOW).stored for batch in batches)

    with ThreadPoolExecutor(len(engines)) as pool:
        stored = list(pool.map(deliver, range(len(engines))))
    assert sum(stored) == len(sent)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    metrics = rows_of(store)[1]
    store.empty()
    store.metrics.process_batch(sent, now=NOW)
    assert metrics == rows_of(store)[1]


def test_processes_store_shared_events_once(store: Store) -> None:
    sent = messages(*varied_events(60))
    with ExitStack() as running:
        workers = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WORKER), store.url, str(seed)],
                    cwd=ROOT,
                    env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONWARNINGS": "error"},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for seed in range(2)
        ]
        stored = [int(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sum(stored) == len(sent)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


CONTRADICTION = [payment_event(amount="10.50"), payment_event(amount="11.50")]


@pytest.mark.parametrize("order", [CONTRADICTION, CONTRADICTION[::-1]], ids=["low", "high"])
@pytest.mark.parametrize("batches", [1, 2])
def test_the_first_of_two_contents_stands_and_the_other_is_rejected(
    store: Store, order: list[dict[str, Any]], batches: int
) -> None:
    sent = messages(*order)
    for batch in [sent] if batches == 1 else [[each] for each in sent]:
        store.metrics.process_batch(batch, now=NOW)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    assert store.value("SELECT amount::text FROM payments") == order[0]["amount"]
    ((reason, body),) = store.rows("SELECT reason, body FROM rejected_events")
    assert reason == "conflicting_duplicate"
    assert order[1]["amount"] in body


def test_of_contradictions_committed_at_once_one_stands_and_every_other_is_rejected(
    store: Store,
) -> None:
    engines = [store.engine(pool_size=1) for _ in range(4)]
    start = threading.Barrier(len(engines))

    def deliver(number: int) -> None:
        events = [payment_event(f"txn-{at}", amount=f"{number + 1}.00") for at in range(20)]
        start.wait()
        engines[number].process_batch([message(events, number)], now=NOW)

    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(deliver, range(len(engines))))
    stood = store.rows("SELECT transaction_id, amount FROM payments")
    assert len(stood) == 20
    rejected = store.rows("SELECT sequence_number, event_index, reason FROM rejected_events")
    assert {row[2] for row in rejected} == {"conflicting_duplicate"}
    everything = {(number, at) for number in range(4) for at in range(20)}
    winners = {(int(amount) - 1, int(name.removeprefix("txn-"))) for name, amount in stood}
    assert {row[:2] for row in rejected} == everything - winners
    assert store.value("SELECT sum(amount_sum) FROM payment_windows") == sum(
        amount for _, amount in stood
    )


def test_a_stored_event_beside_its_contradiction_is_no_conflict(store: Store) -> None:
    stored, contradiction = (message(event, at) for at, event in enumerate(CONTRADICTION))
    store.metrics.process_batch([stored], now=NOW)
    result = store.metrics.process_batch([contradiction, stored, contradiction], now=NOW)
    assert store.rows("SELECT sequence_number FROM rejected_events") == [(1,)]
    assert (result.stored, result.duplicates, result.rejected) == (0, 1, 2)


def test_every_message_of_a_contradiction_is_rejected_in_one_batch_or_several(
    store: Store,
) -> None:
    first, *others = (message(CONTRADICTION[at > 0], at) for at in range(3))
    store.metrics.process_batch([first], now=NOW)
    store.metrics.process_batch(others, now=NOW)
    found = store.rows("SELECT sequence_number FROM rejected_events ORDER BY 1")
    assert found == [(1,), (2,)]


def test_metadata_in_another_order_are_the_same_content(store: Store) -> None:
    sent = messages(
        payment_event(metadata={"a": 1, "b": [True, None]}),
        payment_event(metadata={"b": [True, None], "a": 1}),
    )
    result = store.metrics.process_batch(sent, now=NOW)
    assert (result.stored, result.duplicates, result.rejected) == (1, 1, 0)


def test_metrics_are_written_with_new_payments_only(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event("old", amount="9500")), now=NOW)
    before = store.value("SELECT count(*) FROM dynamic_metrics")
    assert before > 0
    store.metrics.process_batch(
        messages(payment_event("old", amount="9500"), payment_event("new", amount="9500")), now=NOW
    )
    found = store.rows("SELECT transaction_id, count(*) FROM dynamic_metrics GROUP BY 1 ORDER BY 1")
    assert found == [("new", before), ("old", before)]


def test_a_batch_without_events_changes_nothing(store: Store) -> None:
    result = store.metrics.process_batch([], now=NOW)
    assert result[:4] == (0, 0, 0, 0)
    assert rows_of(store) == [[], [], []]


def test_a_batch_of_bad_events_only_is_rejected_whole(store: Store) -> None:
    sent = messages(b"\xff\xfe", b"", [1, 2], payment_event(currency="ZZZ"), {"amount": 1})
    result = store.metrics.process_batch(sent, now=NOW)
    assert result[:4] == (5, 0, 0, 6)
    assert store.value("SELECT count(*) FROM rejected_events") == 6
    assert store.value("SELECT count(*) FROM window_marks") == 0


@given(bodies=st.lists(st.binary(max_size=60) | st.text(max_size=30).map(str.encode), max_size=5))
@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_bytes_arrive_the_good_payment_beside_them_is_stored(
    shared_store: Store, bodies: list[bytes]
) -> None:
    shared_store.empty()
    sent = messages(*bodies, payment_event())
    assert shared_store.metrics.process_batch(sent, now=NOW).stored == 1


def test_contradictions_at_both_ends_of_a_batch_are_found(store: Store) -> None:
    events = varied_events(6)
    store.metrics.process_batch(messages(*events), now=NOW)
    others = [each | {"amount": "1"} for each in events]
    result = store.metrics.process_batch(messages(*others, first=10), now=NOW)
    assert (result.stored, result.duplicates, result.rejected) == (0, 0, 6)


def test_batches_that_share_payments_in_opposite_orders_do_not_lock_each_other_up(
    store: Store,
) -> None:
    engines = [store.engine(pool_size=1) for _ in range(2)]
    start = threading.Barrier(len(engines), timeout=20)

    def deliver(number: int) -> int:
        stored = 0
        for turn in range(4):
            events = [payment_event(f"txn-{turn}-{at:04}") for at in range(1500)]
            batch = [message(events[:: -1 if number else 1], turn, str(number))]
            start.wait()
            stored += engines[number].process_batch(batch, now=NOW).stored
        return stored

    with ThreadPoolExecutor(len(engines)) as pool:
        assert sum(pool.map(deliver, range(len(engines)))) == 6000


@pytest.mark.parametrize(("size", "overtaken"), [(6, range(6)), (6, range(2, 4)), (1, range(1))])
def test_payments_that_another_instance_stores_after_the_look_are_duplicates(
    store: Store, monkeypatch: pytest.MonkeyPatch, size: int, overtaken: range
) -> None:
    events = varied_events(size)
    other = store.engine()
    store.metrics.process_batch([], now=NOW)  # whoever comes first activates the shipped rules
    overtake = messages(*(events[at] for at in overtaken), first=10)

    def look_and_be_overtaken(connection: Connection, columns: Columns) -> Mapping[int, bytes]:
        found = standing_hashes(connection, columns)
        if overtake:
            sent, overtake[:] = list(overtake), []
            assert other.process_batch(sent, now=NOW).stored == len(sent)
        return found

    monkeypatch.setattr("shared_code.engine.batch.standing_hashes", look_and_be_overtaken)
    result = store.metrics.process_batch(messages(*events), now=NOW)
    assert (result.stored, result.duplicates) == (size - len(overtaken), len(overtaken))
    with store.connection() as connection:
        assert_stored(connection, expected_of(messages(*events), NOW))


def test_a_unique_index_of_an_operator_blocks_one_payment_and_not_its_partition(
    store: Store,
) -> None:
    store.execute(f"CREATE UNIQUE INDEX ON normalized_transactions_p{NOW:%Y%m%d} (customer_id)")
    twice = [payment_event(f"txn-{at}", customer={"id": f"c-{at % 4}"}) for at in range(5)]
    result = store.metrics.process_batch(messages(*twice), now=NOW)
    assert (result.stored, result.rejected) == (4, 1)
    assert store.rows("SELECT reason FROM rejected_events") == [("refused_by_database",)]
