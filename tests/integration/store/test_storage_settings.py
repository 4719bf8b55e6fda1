"""Days are vacuumed and frozen while they are written, however they came about."""

from payment_messages import NOW, messages, varied_events
from sqlalchemy import text
from store_fixtures import Store, migrate

from shared_code.store.partitions import PARENTS

OF_DAYS = {
    "autovacuum_freeze_min_age=0",
    "autovacuum_vacuum_insert_scale_factor=0",
    "autovacuum_vacuum_insert_threshold=5000",
}
PARTS = """
    SELECT part.relname, part.reloptions
    FROM pg_inherits
    JOIN pg_class AS part ON part.oid = inhrelid AND part.relkind = 'r'
    WHERE inhparent = ANY (CAST(:parents AS regclass[]))
"""


def settings_of_days(store: Store) -> dict[str, set[str]]:
    found = store.rows(PARTS, parents=list(PARENTS))
    return {name: set(options or ()) for name, options in found}


def test_every_day_of_the_first_revision_has_the_settings(store: Store) -> None:
    days = settings_of_days(store)
    assert len(days) > 60
    assert [name for name, options in days.items() if options != OF_DAYS] == []


def test_a_day_attached_at_run_time_has_them_too(store: Store) -> None:
    store.execute("SELECT attach_payment_days('2031-01-01', '2031-01-01')")
    days = settings_of_days(store)
    assert {days[f"{parent}_p20310101"] == OF_DAYS for parent in PARENTS} == {True}


def test_days_with_payments_lose_and_get_them_back(store: Store) -> None:
    store.metrics.process_batch(messages(*varied_events(30)), now=NOW)
    with store.connection() as connection:
        migrate(connection, "0007")
        connection.execute(text("SELECT attach_payment_days('2031-01-01', '2031-01-01')"))
    assert set(map(frozenset, settings_of_days(store).values())) == {frozenset()}
    with store.connection() as connection:
        migrate(connection)
    assert set(map(frozenset, settings_of_days(store).values())) == {frozenset(OF_DAYS)}
    assert store.value("SELECT count(*) FROM normalized_transactions") == 30
