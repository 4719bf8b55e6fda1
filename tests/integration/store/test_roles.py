"""An operator sets up the roles, by no more than CREATEROLE and ownership of the database."""

import io
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from local_services import DatabaseServer
from payment_messages import NOW, messages, varied_events
from pgbouncer_service import MISSING, PROGRAM, PgBouncer
from psycopg2 import sql
from sqlalchemy import text
from store_fixtures import migrate, store_settings

from local_azure.services.postgresql import PostgreSQL
from shared_code.__main__ import main
from shared_code.engine.metric_engine import MetricEngine
from shared_code.store.catalogue import describe
from shared_code.store.database import Database
from shared_code.store.roles import GROUPS, RolesRefused, admit, set_up

PASSWORD = "hunter2 'quoted' %s"


@dataclass(frozen=True)
class Owned:
    """A new database, and its owner, who is no superuser."""

    server: DatabaseServer
    name: str
    owner: str

    def url(self, login: str | None = None) -> str:
        """Return the URL as a login that needs no password, the owner's if none is named."""
        where = self.server.url(self.name).rpartition("@")[2]
        return f"postgresql://{login or self.owner}@{where}"

    def database(self, login: str | None = None) -> Database:
        return Database(store_settings(self.url(login)).database)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with (
            closing(psycopg2.connect(self.server.url(self.name))) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            return cursor.fetchall()

    def do(self, statement: str) -> None:
        """Do something with the administrator's hands."""
        DatabaseServer(self.server.url(self.name))._execute(sql.SQL(statement))

    def login(self, kind: str) -> str:
        return f"{kind}_{self.name}"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[DatabaseServer, Path]]:
    """A server whose roles are this module's, and its log, which holds every statement."""
    quick = {"fsync": "off", "full_page_writes": "off", "log_statement": "all"}
    with PostgreSQL(settings=quick) as server:
        yield DatabaseServer(server.url()), server.log


@pytest.fixture
def owned(server: tuple[DatabaseServer, Path]) -> Owned:
    name = f"db_{uuid.uuid4().hex[:8]}"
    made = Owned(server[0], name, f"owner_{name}")
    # Whose group roles are there already has no say over them: each owner starts without.
    for group in GROUPS:
        server[0]._execute(sql.SQL(f"DROP ROLE IF EXISTS {group}"))
    server[0]._execute(sql.SQL(f"CREATE ROLE {made.owner} LOGIN CREATEROLE CREATEDB"))
    server[0]._execute(sql.SQL(f"CREATE DATABASE {name} OWNER {made.owner}"))
    return made


@pytest.fixture(autouse=True)
def cleared(owned: Owned) -> Iterator[None]:
    yield
    for login in ("postgres", owned.owner, *map(owned.login, "mwr")):
        owned.database(login).engine.dispose()
    owned.server._execute(sql.SQL(f"DROP DATABASE {owned.name} WITH (FORCE)"))


def migrated(owned: Owned, login: str | None = None) -> None:
    with owned.database(login).engine.begin() as connection:
        migrate(connection)


def strangers(owned: Owned) -> list[tuple[object, ...]]:
    """Return what does not belong to the migrator in the schema."""
    return owned.rows("""
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
          AND pg_get_userbyid(relowner) <> 'payments_migrator'
        UNION ALL
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND pg_get_userbyid(proowner) <> 'payments_migrator'
    """)


def state(owned: Owned) -> list[object]:
    """Return all that setting up may change."""
    with owned.database("postgres").transaction() as connection:
        described = sorted(describe(connection))
    return [
        *described,
        *owned.rows("SELECT rolname FROM pg_roles ORDER BY rolname"),
        *owned.rows("SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2"),
        *owned.rows("SELECT datacl::text FROM pg_database WHERE datname = current_database()"),
        *owned.rows("SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'"),
        *owned.rows("SELECT roleid, member, grantor FROM pg_auth_members ORDER BY 1, 2, 3"),
        *strangers(owned),
    ]


def test_a_new_database_is_migrated_by_the_migrator_and_used_by_the_writer(owned: Owned) -> None:
    set_up(owned.database())
    for kind, group in zip("mwr", GROUPS, strict=True):
        admit(owned.database(), owned.login(kind), group)
    migrated(owned, owned.login("m"))
    assert strangers(owned) == []
    writer = MetricEngine(store_settings(owned.url(owned.login("w"))))
    assert writer.process_batch(messages(*varied_events(5)), now=NOW).stored == 5
    with owned.database(owned.login("r")).transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM payments")).scalar_one() == 5


def test_what_somebody_else_migrated_is_handed_over_whole(owned: Owned) -> None:
    migrated(owned)
    before = MetricEngine(store_settings(owned.url()))
    assert before.process_batch(messages(*varied_events(5)), now=NOW).stored == 5
    assert ("normalized_transactions",) in strangers(owned)
    set_up(owned.database())
    assert strangers(owned) == []
    admit(owned.database(), owned.login("w"), "payments_writer")
    writer = MetricEngine(store_settings(owned.url(owned.login("w"))))
    sent = messages(*varied_events(5), *varied_events(5, prefix="other"))
    result = writer.process_batch(sent, now=NOW)
    assert (result.stored, result.duplicates) == (5, 5)
    with writer.database.transaction() as connection:
        assert connection.execute(
            text("SELECT attach_payment_days('2031-01-01', '2031-01-02')")
        ).scalar_one()


def test_setting_up_again_changes_nothing(owned: Owned) -> None:
    migrated(owned)
    set_up(owned.database())
    admit(owned.database(), owned.login("w"), "payments_writer", password=PASSWORD)
    before = state(owned)
    again = set_up(owned.database())
    admit(owned.database(), owned.login("w"), "payments_writer")
    assert state(owned) == before
    assert not [statement for statement in again if "OWNER" in statement]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(owned: Owned) -> None:
    migrated(owned)
    before = state(owned)
    said = set_up(owned.database(), dry_run=True)
    assert 'ALTER TABLE public."normalized_transactions" OWNER TO "payments_migrator"' in said
    admit(owned.database(), owned.login("w"), "payments_writer", dry_run=True)
    assert state(owned) == before
    assert set_up(owned.database()) == said


def test_nobody_else_creates_connects_or_makes_temporary_tables(owned: Owned) -> None:
    owned.do("GRANT CREATE ON SCHEMA public TO PUBLIC")
    set_up(owned.database())
    stranger = owned.login("stranger")
    owned.do(f"CREATE ROLE {stranger} LOGIN")
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(owned.url(stranger))
    for kind, group in (("w", "payments_writer"), ("r", "payments_reader")):
        admit(owned.database(), owned.login(kind), group)
        for statement in ("CREATE TABLE mine (a integer)", "CREATE TEMP TABLE mine (a integer)"):
            with (
                closing(psycopg2.connect(owned.url(owned.login(kind)))) as connection,
                connection.cursor() as cursor,
                pytest.raises(psycopg2.errors.Error, match=r"permission denied|read-only"),
            ):
                cursor.execute(statement)


DEFAULTS = {
    "payments_migrator": ("0", "5min", "10s", "off", "payments_migrator"),
    "payments_writer": ("5min", "1min", "0", "off", None),
    "payments_reader": ("5min", "1min", "0", "on", None),
}
SHOWN = """
    SELECT current_setting('statement_timeout'),
           current_setting('idle_in_transaction_session_timeout'),
           current_setting('lock_timeout'), current_setting('default_transaction_read_only'),
           nullif(current_user, session_user), current_setting('search_path')
"""


@pytest.mark.parametrize("group", GROUPS)
def test_a_login_has_the_defaults_of_its_group_in_this_database_only(
    owned: Owned, group: str
) -> None:
    set_up(owned.database())
    login = owned.login("w")
    for other in (*GROUPS, group):  # what another group's defaults were is forgotten
        admit(owned.database(), login, other)
    with owned.database(login).engine.connect() as connection:
        (found,) = connection.execute(text(SHOWN)).all()
    assert tuple(found) == (*DEFAULTS[group], "public, pg_temp")
    elsewhere = owned.server.admin_url.replace("postgres@", f"{login}@", 1)
    with closing(psycopg2.connect(elsewhere)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ('"$user", public',)


def test_logins_that_were_members_before_get_their_defaults(owned: Owned) -> None:
    set_up(owned.database())
    login = owned.login("w")
    admit(owned.database(), login, "payments_writer")
    owned.do(f"ALTER ROLE {login} IN DATABASE {owned.name} RESET ALL")
    set_up(owned.database())
    with owned.database(login).engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5min"


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_defaults_come_through_the_transaction_mode_of_pgbouncer(owned: Owned) -> None:
    set_up(owned.database())
    login = owned.login("r")
    admit(owned.database(), login, "payments_reader")
    with PgBouncer(owned.url(login), pool_size=1) as bouncer:
        database = Database(store_settings(bouncer.url(owned.url(login))).database)
        with database.transaction() as connection:
            assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "1min"
        with database.engine.connect() as connection:
            (found,) = connection.execute(text(SHOWN)).all()
        database.engine.dispose()
    assert tuple(found) == (*DEFAULTS["payments_reader"], "public, pg_temp")


def test_a_password_reaches_neither_the_server_nor_its_log(
    owned: Owned, server: tuple[DatabaseServer, Path]
) -> None:
    set_up(owned.database())
    login = owned.login("w")
    said = admit(owned.database(), login, "payments_writer", password=PASSWORD)
    assert f"ALTER ROLE \"{login}\" PASSWORD '<SCRAM-SHA-256 verifier>'" in said
    ((kept,),) = owned.rows(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{login}'")
    assert str(kept).startswith("SCRAM-SHA-256$")
    log = server[1].read_text("utf-8")
    assert f'ALTER ROLE "{login}" PASSWORD' in log
    assert "hunter2" not in log


def test_whoever_does_not_own_the_database_is_refused_and_nothing_has_changed(
    owned: Owned,
) -> None:
    migrated(owned)
    before = state(owned)
    stranger = owned.login("w")
    owned.do(f"CREATE ROLE {stranger} LOGIN")
    with pytest.raises(RolesRefused, match="log in as the owner of the database"):
        set_up(owned.database(stranger))
    owned.do(f"DROP ROLE {stranger}")
    assert state(owned) == before


def test_a_schema_that_stays_open_to_everybody_is_told(owned: Owned) -> None:
    owned.do("ALTER SCHEMA public OWNER TO postgres")
    owned.do(f"GRANT ALL ON SCHEMA public TO {owned.owner} WITH GRANT OPTION")
    owned.do("GRANT CREATE ON SCHEMA public TO PUBLIC")
    with pytest.raises(RolesRefused, match="everybody may still create objects"):
        set_up(owned.database())


def test_a_table_in_use_is_told_and_nothing_has_changed(owned: Owned) -> None:
    migrated(owned)
    before = state(owned)
    with closing(psycopg2.connect(owned.url())) as user, user.cursor() as cursor:
        cursor.execute("LOCK TABLE leases IN ROW SHARE MODE")
        with pytest.raises(RolesRefused, match="in use; nothing has changed, try again"):
            set_up(owned.database())
    assert state(owned) == before


def test_a_group_is_no_login_and_an_empty_password_none(owned: Owned) -> None:
    with pytest.raises(RolesRefused, match="group role"):
        admit(owned.database(), "payments_writer", "payments_reader")
    with pytest.raises(RolesRefused, match="empty"):
        admit(owned.database(), owned.login("w"), "payments_writer", password="")


def test_the_command_line_sets_up_and_prints_no_password(
    owned: Owned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", owned.url())
    login = f'{owned.login("w")}-"%s$$'
    assert main(["roles", "bootstrap", "--dry-run"]) == 0
    assert "REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n" in capsys.readouterr().out
    assert main(["roles", "bootstrap"]) == 0
    assert re.fullmatch(r"done in \d+ statements\n", capsys.readouterr().out)
    for dry_run in (["--dry-run"], []):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        command = ["roles", "login", login, "--as", "writer", "--password-stdin", *dry_run]
        assert main(command) == 0
        said = capsys.readouterr()
        assert "hunter2" not in said.out + said.err
    assert owned.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE '%$$'") == [(login,)]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["roles", "login", "x", "--as", "writer", "--password-stdin"]) == 1
    assert capsys.readouterr().err == "error: the password is empty\n"


@pytest.mark.parametrize("arguments", [[], ["login", "x"], ["login", "x", "--as", "root"]])
def test_wrong_usage_of_roles_ends_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["roles", *arguments])
    assert ended.value.code == 2
