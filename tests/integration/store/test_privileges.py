"""Each role may do what it is for, and nothing else."""

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from oracle import expected_of
from payment_messages import NOW, messages, varied_events
from rule_documents import document, rapid_fire
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from store_fixtures import Store
from stored_state import assert_closed, assert_stored

from shared_code.engine.metric_engine import MetricEngine
from shared_code.store.rule_store import activate, start_shadow


@pytest.fixture(scope="module")
def logins(shared_store: Store) -> Iterator[dict[str, MetricEngine]]:
    """Engines that log in as members of the writer's and the reader's role."""
    names = {role: f"{role}_{uuid.uuid4().hex[:8]}" for role in ("writer", "reader")}
    parts = urlsplit(shared_store.url)
    for role, name in names.items():
        shared_store.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw' IN ROLE payments_{role}")
    where = parts.netloc.rpartition("@")[2]
    yield {
        role: shared_store.engine(url=parts._replace(netloc=f"{name}:pw@{where}").geturl())
        for role, name in names.items()
    }
    shared_store.close()
    for name in names.values():
        # A backend that is still ending owns its staging tables, and with them its role stays.
        shared_store.rows(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = :name",
            name=name,
        )
        shared_store.execute(f"DROP ROLE {name}")


def test_the_writer_can_do_all_that_the_functions_do(
    shared_store: Store, logins: dict[str, MetricEngine]
) -> None:
    writer = logins["writer"]
    sent = messages(*varied_events(40), b"no json")
    writer.process_batch(sent, now=NOW)
    writer.aggregate(NOW)
    writer.process_batch(messages(*varied_events(5, prefix="late"), first=100), now=NOW)
    writer.aggregate(NOW)
    newer = document("99.0.0", rapid_fire(times=2, cooldown_minutes=5))
    with writer.database.transaction() as connection:
        assert activate(connection, newer, by="a test", reason="a test").version == "99.0.0"
        start_shadow(connection, document("100.0.0", rapid_fire()), by="a test", reason="a test")
    writer.process_batch(messages(*varied_events(5), first=200), now=NOW)
    writer.process_recent_transactions(72)
    sent += messages(*varied_events(5, prefix="late"), first=100)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
        assert_closed(connection, expected_of(sent, NOW))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE normalized_transactions SET amount = 1",
        "DELETE FROM normalized_transactions",
        "TRUNCATE normalized_transactions",
        f"DELETE FROM normalized_transactions_p{NOW:%Y%m%d}",
        "DROP TABLE normalized_transactions",
        "UPDATE dynamic_metrics SET value = 1",
        "UPDATE rejected_events SET body = ''",
        "DELETE FROM payment_metrics_5m",
        "UPDATE payment_metrics_5m_final SET amount_sum = 0",
        "DELETE FROM rule_set_activations",
        "UPDATE vocabularies SET name = 'x'",
        "DELETE FROM alerts",
        "CREATE TABLE mine (a integer)",
    ],
)
def test_the_writer_can_do_nothing_else(logins: dict[str, MetricEngine], statement: str) -> None:
    with (
        logins["writer"].database.engine.connect() as connection,
        pytest.raises(ProgrammingError) as raised,
    ):
        connection.execute(text(statement))
    assert raised.value.orig.pgcode == "42501"  # type: ignore[union-attr]


def test_the_reader_reads_everything_and_writes_nothing(
    shared_store: Store, logins: dict[str, MetricEngine]
) -> None:
    shared_store.metrics.process_batch(messages(*varied_events(3)), now=NOW)
    tables = shared_store.rows("""
        SELECT relname, relkind = 'v' FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND NOT relispartition AND relname <> 'alembic_version'
    """)
    engine = logins["reader"].database.engine
    for table, is_view in tables:
        with engine.connect() as connection:
            connection.execute(text(f"SELECT * FROM {table} LIMIT 1"))
            if is_view:
                continue
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                with pytest.raises(ProgrammingError) as raised, connection.begin_nested():
                    connection.execute(text(statement))
                assert raised.value.orig.pgcode == "42501", statement  # type: ignore[union-attr]
    with engine.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("SELECT attach_payment_days(current_date, current_date)"))
