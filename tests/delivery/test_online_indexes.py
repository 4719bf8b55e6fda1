"""Revisions that build indexes of tables in use, outside a transaction and part by part."""

import threading
import time
from pathlib import Path

import pytest
from deploy_checkouts import checkout
from payment_messages import NOW, messages, varied_events
from sqlalchemy import text
from store_fixtures import Store

from alembic import command
from deploy.migrations.lint import lint
from deploy.migrations.locks import locks_of
from deploy.migrations.migrating import MigrationFailed, downgrade, migrate
from deploy.migrations.revisions import Revisions, statements
from shared_code.store.partitions import PARENTS
from shared_code.store.schema import MIGRATOR

PARENT = PARENTS[0]
HEAD = Revisions().all[-1].number
NEXT = f"{int(HEAD) + 1:04}"
REVISION = '''"""Another index."""

from alembic import op
from shared_code.store.online_index import create_index, drop_index

revision = "{next}"
down_revision = "{head}"
online = True


def upgrade() -> None:
    create_index(op.get_context(), "extra", "{table}", "{definition}", unique={unique})


def downgrade() -> None:
    drop_index(op.get_context(), "extra", "{table}")
'''
BUILDING = "FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
INDEXES = """
    SELECT index.relkind::text || ' ' || indexed.relname
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
    JOIN pg_class AS indexed ON indexed.oid = indrelid
    LEFT JOIN pg_inherits ON inhrelid = indexrelid
    WHERE to_regclass('extra') IN (indexrelid, inhparent) AND indisvalid
    ORDER BY 1
"""


def with_index(folder: Path, table: str, definition: str, *, unique: bool = False) -> Revisions:
    """Return the revisions of a checkout that has one more, which makes an index."""
    source = REVISION.format(
        next=NEXT, head=HEAD, table=table, definition=definition, unique=unique
    )
    return Revisions(checkout(folder, {f"alembic/versions/{NEXT}_next.py": source}))


def indexes(store: Store) -> list[str]:
    return [index for (index,) in store.rows(INDEXES)]


def parts_of(store: Store, parent: str) -> list[str]:
    asked = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:p)"
    return sorted(part for (part,) in store.rows(asked, p=parent))


def test_a_partitioned_table_gets_its_index_part_by_part_and_loses_it_again(
    store: Store, tmp_path: Path
) -> None:
    store.metrics.process_batch(messages(*varied_events(30)), now=NOW)
    revisions = with_index(tmp_path / "release", PARENT, "(amount)")
    (applied,) = migrate(store.owner, revisions, print, [])
    assert applied.revision.online
    parts = parts_of(store, PARENT)
    assert len(parts) > 1
    assert indexes(store) == [f"I {PARENT}", *(f"i {part}" for part in parts)]
    downgrade(store.owner, revisions, HEAD, print, [])
    assert indexes(store) == []


def test_a_day_that_is_attached_afterwards_has_the_index_too(store: Store, tmp_path: Path) -> None:
    migrate(store.owner, with_index(tmp_path / "release", PARENT, "(amount)"), print, [])
    before = indexes(store)
    store.execute("SELECT attach_payment_days(current_date + 100, current_date + 100)")
    assert len(indexes(store)) == len(before) + 1


def test_writers_go_on_while_an_index_waits_for_those_before(store: Store, tmp_path: Path) -> None:
    revisions = with_index(tmp_path / "release", "alerts", "(kind)")
    run = threading.Thread(target=migrate, args=(store.owner, revisions, print, []), daemon=True)
    deadline = time.monotonic() + 20
    with store.connection() as writer:
        writer.execute(text("LOCK TABLE alerts IN ROW EXCLUSIVE MODE"))
        run.start()
        while not store.value(f"SELECT count(*) {BUILDING}"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # An index that is built within a transaction would have this wait behind it.
        store.execute("LOCK TABLE alerts IN ROW EXCLUSIVE MODE NOWAIT")
    run.join()
    assert indexes(store) == ["i alerts"]


def test_a_build_that_failed_is_done_again(store: Store, tmp_path: Path) -> None:
    store.execute("CREATE TABLE numbers AS SELECT 1 AS number FROM generate_series(1, 2)")
    store.execute(f"ALTER TABLE numbers OWNER TO {MIGRATOR}")
    revisions = with_index(tmp_path / "release", "numbers", "(number)", unique=True)
    with pytest.raises(MigrationFailed, match=r"can go on from where it was left.*extra"):
        migrate(store.owner, revisions, print, [])
    assert indexes(store) == []
    store.execute("DELETE FROM numbers WHERE ctid = (SELECT min(ctid) FROM numbers)")
    (applied,) = migrate(store.owner, revisions, print, [])
    assert applied.revision.number == NEXT
    assert indexes(store) == ["i numbers"]


def test_a_build_that_lost_some_parts_goes_on_with_the_others(store: Store, tmp_path: Path) -> None:
    first, second, *_ = parts_of(store, PARENT)
    store.execute(f"CREATE INDEX extra ON ONLY {PARENT} (amount)")
    store.execute(f"CREATE INDEX {first}_extra ON {first} (amount)")
    store.execute(f"CREATE INDEX own ON {second} (amount)")
    store.execute("ALTER INDEX extra ATTACH PARTITION own")
    migrate(store.owner, with_index(tmp_path / "release", PARENT, "(amount)"), print, [])
    assert indexes(store) == [f"I {PARENT}", *(f"i {part}" for part in parts_of(store, PARENT))]


def test_by_hand_it_is_built_in_the_revisions_transaction(store: Store, tmp_path: Path) -> None:
    revisions = with_index(tmp_path / "release", PARENT, "(amount)")
    with store.owner.engine.begin() as connection:
        command.upgrade(revisions.config(connection=connection), "head")
    assert len(indexes(store)) > len(parts_of(store, PARENT))
    with store.owner.engine.begin() as connection:
        command.downgrade(revisions.config(connection=connection), HEAD)
    assert indexes(store) == []


@pytest.mark.parametrize(
    ("table", "statement", "blocks"),
    [
        (PARENT, f"CREATE INDEX IF NOT EXISTS extra ON ONLY {PARENT} (amount)", "writers"),
        ("alerts", "CREATE INDEX CONCURRENTLY IF NOT EXISTS extra ON alerts (amount)", "nobody"),
    ],
)
def test_its_sql_is_what_the_linter_asks_for(
    tmp_path: Path, table: str, statement: str, blocks: str
) -> None:
    revisions = with_index(tmp_path / "release", table, "(amount)")
    (revision,) = revisions.after(HEAD)
    sql = revisions.upgrade_sql(revision)
    assert list(statements(sql)) == [statement]
    assert lint(revisions, [revision]).findings == []
    (lock,) = locks_of(sql, {table: 1_000_000_000})
    assert (lock.table, lock.blocks) == (table, blocks)
