"""Each role may do what it is for, and nothing else."""

from collections.abc import Iterator

import pytest
from oracle import expected_of
from payment_messages import NOW, messages, varied_events
from rule_documents import document, rapid_fire
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from store_fixtures import Store
from stored_state import assert_closed, assert_stored

from shared_code.store.rule_store import activate, start_shadow

NOT_ALLOWED = "42501"


@pytest.fixture(scope="module")
def reader(shared_store: Store) -> Engine:
    return shared_store.engine(url=shared_store.reader_url).database.engine


def assert_refused(engine: Engine, statement: str) -> None:
    with engine.connect() as connection, pytest.raises(ProgrammingError) as raised:
        connection.execute(text(statement))
    assert raised.value.orig.pgcode == NOT_ALLOWED, statement  # type: ignore[union-attr]


def test_the_writer_can_do_all_that_the_functions_do(shared_store: Store) -> None:
    writer = shared_store.metrics
    assert shared_store.writer_url.partition("@")[0].startswith("postgresql://test_writer_")
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
        f"SELECT * FROM normalized_transactions_p{NOW:%Y%m%d}",
        "DROP TABLE normalized_transactions",
        "ALTER TABLE normalized_transactions OWNER TO CURRENT_USER",
        "UPDATE dynamic_metrics SET value = 1",
        "UPDATE rejected_events SET body = ''",
        "SELECT body FROM rejected_events",
        "DELETE FROM payment_metrics_5m",
        "UPDATE payment_metrics_5m_final SET amount_sum = 0",
        "DELETE FROM rule_set_activations",
        "UPDATE vocabularies SET name = 'x'",
        "DELETE FROM alerts",
        "CREATE TABLE mine (a integer)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE payments_migrator",
        "SET ROLE payments_reader",
    ],
)
def test_the_writer_can_do_nothing_else(shared_store: Store, statement: str) -> None:
    assert_refused(shared_store.database.engine, statement)


@pytest.fixture(scope="module")
def relations(shared_store: Store) -> list[tuple[str, bool]]:
    """Every table and view, and whether it is a view."""
    return shared_store.rows("""
        SELECT relname, relkind = 'v' FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND NOT relispartition AND relname <> 'alembic_version'
    """)


def readable(store: Store, relation: str) -> Iterator[str]:
    """Yield the columns that the reader may read."""
    query = """
        SELECT attname FROM pg_attribute
        WHERE attrelid = to_regclass(:relation) AND attnum > 0 AND NOT attisdropped
          AND has_column_privilege('payments_reader', attrelid, attnum, 'SELECT')
        ORDER BY attnum
    """
    yield from (name for (name,) in store.rows(query, relation=relation))


def test_the_reader_reads_every_table_and_view(
    shared_store: Store, reader: Engine, relations: list[tuple[str, bool]]
) -> None:
    shared_store.metrics.process_batch(messages(*varied_events(3), b"no json"), now=NOW)
    with reader.connect() as connection:
        for relation, _ in relations:
            columns = ", ".join(readable(shared_store, relation))
            connection.execute(text(f"SELECT {columns} FROM {relation} LIMIT 1"))
            connection.execute(text(f"SELECT count(*) FROM {relation}"))


@pytest.mark.parametrize(
    ("relation", "hidden"),
    [
        ("normalized_transactions", ["content_hash", "customer_email_hash", "card_fingerprint"]),
        ("rejected_events", ["body"]),
    ],
)
def test_hashes_of_people_and_refused_bodies_are_not_for_the_reader(
    shared_store: Store, reader: Engine, relation: str, hidden: list[str]
) -> None:
    every = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:it) AND attnum > 0"
    names = {name for (name,) in shared_store.rows(every, it=relation)}
    assert names - set(readable(shared_store, relation)) == set(hidden)
    for column in hidden:
        assert_refused(reader, f"SELECT {column} FROM {relation}")


def test_no_view_shows_the_reader_what_tables_hide(
    shared_store: Store, relations: list[tuple[str, bool]]
) -> None:
    for relation, is_view in relations:
        if is_view:
            shown = set(readable(shared_store, relation))
            assert not shown & {"content_hash", "customer_email_hash", "card_fingerprint", "body"}


def test_the_reader_changes_nothing(reader: Engine, relations: list[tuple[str, bool]]) -> None:
    for relation, is_view in relations:
        if not is_view:
            assert_refused(reader, f"DELETE FROM {relation}")
            assert_refused(reader, f"INSERT INTO {relation} DEFAULT VALUES")
    for statement in (
        "SELECT attach_payment_days(current_date, current_date)",
        "CREATE TABLE mine (a integer)",
        "SET ROLE payments_writer",
        f"SELECT * FROM normalized_transactions_p{NOW:%Y%m%d}",
    ):
        assert_refused(reader, statement)


def test_the_migrator_owns_everything_that_the_revisions_made(shared_store: Store) -> None:
    owners = shared_store.rows("""
        SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION
        SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """)
    assert owners == [("payments_migrator",)]


def test_days_that_the_writer_has_attached_belong_to_the_migrator(shared_store: Store) -> None:
    with shared_store.database.transaction() as connection:
        connection.execute(text("SELECT attach_payment_days('2031-01-01', '2031-01-01')"))
    query = "SELECT tableowner FROM pg_tables WHERE tablename LIKE '%\\_p20310101'"
    assert shared_store.rows(query) == [("payments_migrator",)] * 2
    assert_refused(shared_store.database.engine, "DROP TABLE normalized_transactions_p20310101")
