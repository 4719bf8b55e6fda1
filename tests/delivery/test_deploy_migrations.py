"""Revisions are checked, run one by one, compared with the models, and taken back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_checkouts import checkout
from local_services import DatabaseServer
from payment_messages import NOW, messages, varied_events
from sqlalchemy import text
from store_fixtures import Store, store_settings

from deploy.__main__ import main
from deploy.migrations.lint import lint
from deploy.migrations.locks import locks_of
from deploy.migrations.migrating import MigrationFailed, downgrade, migrate, pending, undone
from deploy.migrations.preview import losses
from deploy.migrations.revisions import Revisions, current_revision, statements
from deploy.migrations.validation import described, differences, expected_schema
from shared_code.store.database import Database
from shared_code.store.roles import ensure_roles
from shared_code.store.schema import create_schema

REVISIONS = Revisions()
HEAD = REVISIONS.all[-1].number
NEXT = f"{int(HEAD) + 1:04}"
REVISION = '''"""Something new."""

from alembic import op

revision = "{next}"
down_revision = "{head}"


def upgrade() -> None:
    op.execute({up!r})


def downgrade() -> None:
    {down}
'''


def with_next(folder: Path, up: str, down: str = 'op.execute("SELECT 1")') -> Revisions:
    """Return the revisions of a checkout that has one more, with locks that are soon given up."""
    name = f"alembic/versions/{NEXT}_next.py"
    root = checkout(folder, {name: REVISION.format(next=NEXT, head=HEAD, up=up, down=down)})
    env = root / "alembic" / "env.py"
    env.write_text(env.read_text().replace("lock_timeout = '10s'", "lock_timeout = '200ms'"))
    return Revisions(root)


@pytest.fixture
def empty(store_server: DatabaseServer) -> Iterator[Database]:
    with store_server.database() as url:
        database = Database(store_settings(url).database)
        yield database
        database.engine.dispose()


def revision_of(database: Database) -> str | None:
    with database.transaction() as connection:
        return current_revision(connection)


def test_the_shipped_revisions_are_safe() -> None:
    assert lint(REVISIONS, REVISIONS.all).findings == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX extra ON alerts (kind)", "require-concurrent-index-creation"),
        ("ALTER TABLE alerts ADD CONSTRAINT c CHECK (kind <> '')", "constraint-missing-not-valid"),
        ("ALTER TABLE alerts ADD COLUMN n TEXT NOT NULL", "adding-required-field"),
        ("CREATE INDEX CONCURRENTLY extra ON normalized_transactions (amount)", "index-of-parts"),
    ],
)
def test_a_revision_that_stops_payments_is_found(tmp_path: Path, statement: str, rule: str) -> None:
    revisions = with_next(tmp_path / "release", statement)
    found = lint(revisions, revisions.after(HEAD)).findings
    assert (NEXT, rule) in [(each.revision, each.rule) for each in found]


def test_an_index_of_parts_is_made_on_the_parent_alone(tmp_path: Path) -> None:
    up = "CREATE INDEX extra ON ONLY normalized_transactions (amount)"
    revisions = with_next(tmp_path / "release", up)
    assert lint(revisions, revisions.after(HEAD)).findings == []


def test_a_revision_without_a_way_back_is_found(tmp_path: Path) -> None:
    revisions = with_next(tmp_path / "release", "SELECT 1", down="pass")
    (finding,) = lint(revisions, revisions.after(HEAD)).findings
    assert finding.rule == "downgrade-missing"


def test_an_argument_for_nothing_is_found() -> None:
    (finding,) = lint(REVISIONS, REVISIONS.after(REVISIONS.all[-2].number), {(HEAD, "x"): ""})[0]
    assert "not found" in str(finding)


@pytest.mark.parametrize(
    ("statement", "mode", "blocks", "work"),
    [
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint", "ACCESS EXCLUSIVE", "everybody", "REWRITE"),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (true)", "ACCESS EXCLUSIVE", "everybody", "SCAN"),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (true) NOT VALID",
            *("ACCESS EXCLUSIVE", "everybody", "CATALOGUE"),
        ),
        ("ALTER TABLE a VALIDATE CONSTRAINT c", "SHARE UPDATE EXCLUSIVE", "nobody", "SCAN"),
        ("CREATE INDEX i ON a (b)", "SHARE", "writers", "INDEX"),
        ("CREATE INDEX CONCURRENTLY i ON a (b)", "SHARE UPDATE EXCLUSIVE", "nobody", "INDEX"),
        ("UPDATE a SET b = 1", "ROW EXCLUSIVE", "nobody", "ROWS"),
    ],
)
def test_locks_are_told_with_who_waits(statement: str, mode: str, blocks: str, work: str) -> None:
    (lock,) = locks_of(f"{statement};", {"a": 1_000_000_000})
    assert (lock.table, lock.mode, lock.blocks, lock.work.name) == ("a", mode, blocks, work)
    assert (lock.seconds > 1) is (work != "CATALOGUE")


def test_a_table_that_the_revision_makes_holds_nobody_up() -> None:
    assert locks_of("CREATE TABLE a (b int); CREATE INDEX i ON a (b);", {}) == []


def test_statements_end_where_no_text_or_body_holds_the_semicolon() -> None:
    script = "BEGIN;\n-- one;\nSELECT ';';\n\nDO $a$ x; $a$;\n\nCOMMIT;"
    assert list(statements(script)) == ["SELECT ';'", "DO $a$ x; $a$"]


def test_the_kept_schema_is_that_of_the_models(empty: Database) -> None:
    with empty.engine.begin() as connection:
        ensure_roles(connection)
        create_schema(connection)
        found = described(connection)
    assert found == expected_schema(), "run: python -m deploy validate-schema --record"


def test_an_empty_database_is_brought_to_the_head_and_is_what_the_code_wants(
    empty: Database,
) -> None:
    said: list[str] = []
    done = migrate(empty, REVISIONS, said.append)
    assert [each.revision for each in done] == [*REVISIONS.all] == [*REVISIONS.after(None)]
    assert len(said) == len(done)
    assert migrate(empty, REVISIONS, said.append) == []
    with empty.transaction() as connection:
        assert differences(connection, REVISIONS) == []


def test_two_pipelines_at_once_run_each_revision_once(empty: Database) -> None:
    said: list[str] = []
    runs = [
        threading.Thread(target=migrate, args=(empty, REVISIONS, said.append)) for _ in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    ran = [line.split()[1] for line in said if line.startswith("+")]
    assert sorted(ran) == [revision.number for revision in REVISIONS.all]


def test_a_revision_that_fails_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    up = "CREATE TABLE half (a int); SELECT 1 / 0"
    revisions = with_next(tmp_path / "release", up)
    with pytest.raises(MigrationFailed, match=rf"{NEXT} failed.*division by zero"):
        migrate(store.owner, revisions, print, [])
    assert revision_of(store.owner) == HEAD
    assert store.value("SELECT to_regclass('half')") is None


def test_a_lock_that_is_held_for_a_while_is_waited_for(store: Store, tmp_path: Path) -> None:
    revisions = with_next(tmp_path / "release", "ALTER TABLE alerts ADD COLUMN new TEXT")
    said: list[str] = []
    with store.connection() as holder:
        holder.execute(text("LOCK TABLE alerts"))
        with pytest.raises(MigrationFailed, match="lock timeout"):
            migrate(store.owner, revisions, said.append, [0.01])
    (applied,) = migrate(store.owner, revisions, said.append, [])
    assert applied.revision.number == NEXT
    assert "did not get its locks" in said[0]


def test_the_database_of_a_newer_release_is_left_as_it_is(store: Store) -> None:
    store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.execute("CREATE TABLE newer (a int)")
    said: list[str] = []
    assert migrate(store.owner, REVISIONS, said.append) == []
    assert "nothing to do" in said[0]
    with store.owner.transaction() as connection:
        assert differences(connection, REVISIONS) == []


def test_a_difference_from_the_models_is_told(store: Store) -> None:
    store.execute("DROP INDEX ix_alerts_last_seen")
    store.execute("CREATE INDEX extra ON alerts (kind)")
    with store.owner.transaction() as connection:
        missing, extra = differences(connection, REVISIONS)
    assert missing.startswith("is missing: index | alerts")
    assert extra.startswith("is not wanted: index | alerts")


def test_a_preview_counts_what_the_downgrade_then_drops(store: Store) -> None:
    store.metrics.process_batch(messages(*varied_events(30)), now=NOW)
    store.metrics.aggregate(NOW)
    rows = store.value("SELECT count(*) FROM look_back_blocks")
    chosen = undone(store.owner, REVISIONS, "0009")
    with store.connection() as connection:
        found = losses(connection, REVISIONS, chosen)
    assert ("0010", "table look_back_blocks", rows) in found
    assert store.value("SELECT count(*) FROM look_back_blocks") == rows
    downgrade(store.owner, REVISIONS, "0009", print)
    assert store.value("SELECT to_regclass('look_back_blocks')") is None
    assert [each.number for each in pending(store.owner, REVISIONS)] == [
        each.number for each in chosen
    ][::-1]


def test_the_command_line_changes_nothing_without_yes(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.owner_url)
    for command, exit_code in (
        (["check-migrations"], 0),
        (["downgrade", "--to", "0009"], 1),
        (["downgrade", "--to", "0009", "--yes", "--dry-run"], 0),
        (["preview-downgrade", "--to", "0009"], 0),
        (["migrate", "--dry-run"], 0),
        (["migrate"], 0),
        (["validate-schema"], 0),
        (["restore-point"], 0),
    ):
        assert main(command) == exit_code, capsys.readouterr().err
    assert revision_of(store.owner) == HEAD
    assert "0010 drops table look_back_blocks" in capsys.readouterr().out
