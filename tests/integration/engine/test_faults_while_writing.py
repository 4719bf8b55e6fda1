"""What the database refuses harms one payment; what it cannot do now harms none."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import expected_of
from payment_messages import NOW, message, messages, payment_event, varied_events
from psycopg2 import connect
from sqlalchemy import event
from store_fixtures import Store, migrate
from stored_state import assert_stored

from local_azure.services.postgresql import PostgreSQL, StopMode
from shared_code.errors import PaymentsError
from shared_code.store.errors import DataRefused, StoreUnavailable

# Far too small for numeric's scale, yet nothing but zero to a decoder of floats.
TOO_SMALL = b'{"metadata": {"x": 1e-20000}, '


def too_small(transaction_id: str) -> bytes:
    return TOO_SMALL + message(payment_event(transaction_id)).body[1:]


@pytest.mark.parametrize("at_fault", [{0}, {3}, {6}, {1, 2, 5}, set(range(7))])
def test_a_payment_that_the_database_refuses_is_rejected_alone(
    store: Store, at_fault: set[int]
) -> None:
    sent = messages(
        *(
            too_small(f"txn-{at}") if at in at_fault else payment_event(f"txn-{at}")
            for at in range(7)
        ),
        b"no json",
    )
    result = store.metrics.process_batch(sent, now=NOW)
    assert (result.stored, result.rejected) == (7 - len(at_fault), len(at_fault) + 1)
    refused = store.rows(
        "SELECT sequence_number FROM rejected_events WHERE reason = 'refused_by_database'"
    )
    assert {row[0] for row in refused} == at_fault
    stored = store.rows("SELECT transaction_id FROM payments")
    assert {row[0] for row in stored} == {f"txn-{at}" for at in set(range(7)) - at_fault}
    assert store.metrics.process_batch(sent, now=NOW).stored == 0


@pytest.fixture
def refusing_store(store: Store) -> Store:
    """A store with a CHECK that the tests add: no amount of 13."""
    store.execute("ALTER TABLE normalized_transactions ADD CONSTRAINT no_13 CHECK (amount <> 13)")
    return store


def test_what_contradicts_a_refused_payment_is_stored_in_its_place(refusing_store: Store) -> None:
    amounts = ("13.00", "13.00", "14.00", "15.00", "14.00", "13.00")
    sent = messages(*(payment_event(amount=amount) for amount in amounts))
    result = refusing_store.metrics.process_batch(sent, now=NOW)
    assert (result.stored, result.duplicates, result.rejected) == (1, 1, 4)
    assert refusing_store.rows("SELECT amount::text FROM payments") == [("14.00",)]
    found = refusing_store.rows(
        "SELECT sequence_number, reason FROM rejected_events ORDER BY sequence_number"
    )
    refused, conflict = "refused_by_database", "conflicting_duplicate"
    assert found == [(0, refused), (1, refused), (3, conflict), (5, refused)]


def test_a_refusal_names_the_constraint_and_nothing_of_the_payment(refusing_store: Store) -> None:
    sent = messages(
        payment_event(
            "secret-id", amount="13.00", customer={"id": "secret-customer", "email": "a@b.example"}
        )
    )
    refusing_store.metrics.process_batch(sent, now=NOW)
    detail = refusing_store.value("SELECT detail FROM rejected_events")
    assert "no_13" in detail
    assert "23514" in detail
    for secret in ("secret-id", "secret-customer", "a@b.example", "13.00"):
        assert secret not in detail


def test_refused_rejections_are_blamed_on_no_payment(store: Store) -> None:
    store.execute("ALTER TABLE rejected_events ADD CHECK (reason <> 'not_json')")
    sent = messages(payment_event("a"), b"no json", payment_event("b"))
    with pytest.raises(DataRefused):
        store.metrics.process_batch(sent, now=NOW)
    assert store.rows("SELECT * FROM rejected_events") == []


def test_a_missing_day_rejects_nothing_and_heals(store: Store) -> None:
    for parent in ("normalized_transactions", "dynamic_metrics"):
        store.execute(f"DROP TABLE {parent}_p{NOW:%Y%m%d}")
    sent = messages(*varied_events(10), payment_event("elsewhere", event_time=NOW - timedelta(2)))
    with pytest.raises(StoreUnavailable, match="attach-days") as raised:
        store.metrics.process_batch(sent, now=NOW)
    assert raised.value.sqlstate == "23514"
    assert "elsewhere" not in str(raised.value)
    assert store.value("SELECT count(*) FROM payments") == 0
    assert store.value("SELECT count(*) FROM rejected_events") == 0
    with store.connection() as connection:
        connection.exec_driver_sql(
            "SELECT attach_payment_days(%(day)s, %(day)s)", {"day": NOW.date()}
        )
    store.metrics.process_batch(sent, now=NOW)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


RAISE = """
    CREATE FUNCTION raise_state() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'ada@example.com pays with 4111111111111111'
            USING ERRCODE = '{state}', DETAIL = 'Failing row contains (secret).';
    END $$;
    CREATE TRIGGER raise_state BEFORE INSERT ON window_deltas EXECUTE FUNCTION raise_state();
"""
HEALABLE = {
    "deadlock": "40P01",
    "serialization": "40001",
    "statement timeout": "57014",
    "lock timeout": "55P03",
    "disk full": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "read-only": "25006",
    "shutdown": "57P01",
    "input/output": "58030",
    "missing column, in the middle of a deployment": "42703",
    "missing privilege": "42501",
}


@pytest.mark.parametrize("state", HEALABLE.values(), ids=HEALABLE.keys())
def test_faults_that_heal_reject_nothing_and_quote_nothing(shared_store: Store, state: str) -> None:
    shared_store.empty()
    with shared_store.connection() as connection:
        connection.exec_driver_sql(RAISE.format(state=state))
    sent = messages(*varied_events(5), b"no json")
    try:
        with pytest.raises(StoreUnavailable) as raised:
            shared_store.metrics.process_batch(sent, now=NOW)
    finally:
        shared_store.execute("DROP FUNCTION raise_state CASCADE")
    assert raised.value.sqlstate == state
    assert raised.value.__suppress_context__
    for secret in ("ada@", "4111111111111111", "secret"):
        assert secret not in str(raised.value)
    assert shared_store.value("SELECT count(*) FROM rejected_events") == 0
    shared_store.metrics.process_batch(sent, now=NOW)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


def test_a_statement_that_waits_too_long_is_given_up(store: Store) -> None:
    impatient = store.engine(statement_timeout=timedelta(milliseconds=200))
    with store.connection() as connection:
        connection.exec_driver_sql("LOCK TABLE normalized_transactions IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable) as raised:
            impatient.process_batch(messages(payment_event()), now=NOW)
    assert raised.value.sqlstate == "57014"
    assert impatient.process_batch(messages(payment_event()), now=NOW).stored == 1


def test_who_computes_on_a_snapshot_is_given_longer_than_who_writes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_code.store.database._IDLE_MILLISECONDS", 100)
    with store.database.transaction("REPEATABLE READ") as connection:
        time.sleep(0.5)
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    with pytest.raises(StoreUnavailable), store.database.transaction() as connection:
        connection.exec_driver_sql(f"SELECT {time.sleep(0.5) or 1}")


def test_a_read_only_database_rejects_nothing(store: Store) -> None:
    name = store.value("SELECT current_database()")
    store.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    follower = store.engine()
    with pytest.raises(StoreUnavailable) as raised:
        follower.process_batch(messages(payment_event()), now=NOW)
    assert raised.value.sqlstate == "25006"


def test_no_free_connection_is_a_fault_that_heals(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = store.engine(pool_size=1)
    monkeypatch.setattr(single.database.engine.pool, "_timeout", 0.1)
    with (
        single.database.engine.connect(),
        pytest.raises(StoreUnavailable, match="no connection became free"),
    ):
        single.process_batch(messages(payment_event()), now=NOW)


def test_an_unreachable_server_is_named_without_its_password(store: Store) -> None:
    away = store.engine(url="postgresql://writer:s3cret@127.0.0.1:1/payments")
    with pytest.raises(StoreUnavailable) as raised:
        away.process_batch(messages(payment_event()), now=NOW)
    assert raised.value.sqlstate is None
    assert "127.0.0.1" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@contextmanager
def before_statement(store: Store, fragment: str) -> Iterator[threading.Event]:
    """Terminate the connection just before its first statement that holds ``fragment``."""
    done = threading.Event()
    engine = store.database.engine

    def terminate(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if fragment in statement and not done.is_set():
            done.set()
            terminate_backend(store, connection.connection.dbapi_connection.info.backend_pid)

    event.listen(engine, "before_cursor_execute", terminate)
    yield done
    event.remove(engine, "before_cursor_execute", terminate)


def terminate_backend(store: Store, process_id: int) -> None:
    other = connect(store.url)
    try:
        with other, other.cursor() as cursor:
            # With a wait, so that the connection is gone when its owner next uses it.
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (process_id,))
    finally:
        other.close()


@pytest.mark.parametrize("fragment", ["rule_set_activations", "INTO rejected_events"])
def test_a_lost_connection_loses_and_doubles_nothing(store: Store, fragment: str) -> None:
    sent = messages(*varied_events(8), b"no json")
    with before_statement(store, fragment) as lost:
        with pytest.raises(StoreUnavailable):
            store.metrics.process_batch(sent, now=NOW)
        assert lost.is_set()
        assert store.value("SELECT count(*) FROM payments") == 0
        store.metrics.process_batch(sent, now=NOW)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


def test_a_commit_whose_answer_was_lost_is_not_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = messages(*varied_events(8), b"no json")
    dialect = store.database.engine.dialect
    commit = dialect.do_commit
    # The first transaction looks for days, the second writes the batch.
    commits = iter([False, True])

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        if next(commits, False):
            terminate_backend(store, connection.dbapi_connection.info.backend_pid)
            connection.cursor().execute("SELECT 'the answer'")

    monkeypatch.setattr(dialect, "do_commit", commit_and_lose)
    with pytest.raises(StoreUnavailable):
        store.metrics.process_batch(sent, now=NOW)
    assert store.value("SELECT count(*) FROM payments") == 8
    result = store.metrics.process_batch(sent, now=NOW)
    assert (result.stored, result.duplicates) == (0, 8)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


@pytest.mark.parametrize("mode", StopMode)
def test_a_server_that_stops_and_starts_only_delays(tmp_path: Path, mode: StopMode) -> None:
    with PostgreSQL(tmp_path) as server:
        store = Store(server.ensure_database("payments"))
        try:
            with store.connection() as connection:
                migrate(connection)
            sent = messages(*varied_events(30))
            store.metrics.process_batch(sent[:10], now=NOW)
            server.stop(mode)
            with pytest.raises(StoreUnavailable):
                store.metrics.process_batch(sent[10:20], now=NOW)
            with pytest.raises(PaymentsError):
                store.metrics.aggregate(NOW)
            server.start()
            store.metrics.process_batch(sent[10:20], now=NOW)
            store.metrics.process_batch(sent, now=NOW)
            store.metrics.aggregate(NOW)
            with store.connection() as connection:
                assert_stored(connection, expected_of(sent, NOW))
        finally:
            store.close()


def test_a_fold_that_fails_leaves_the_stored_batch_alone(store: Store) -> None:
    store.execute("ALTER TABLE payment_metrics_5m ADD CHECK (payment_count < 3)")
    folding = store.engine(fold_interval=timedelta(0))
    sent = messages(*(payment_event(f"txn-{at}") for at in range(5)))
    assert folding.process_batch(sent, now=NOW).stored == 5
    assert store.value("SELECT count(*) FROM window_deltas") == 1
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
