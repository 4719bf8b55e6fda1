"""Fixtures on a migrated database: one template for the session, a copy of it for each test.

A login of each role is made for the session, as an operator would make it: the migrator's migrates,
the engines of tests are the writer's, so that a grant that is missing fails a test. Only what tests
do with their own hands is done as the server's administrator.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from alembic.config import Config
from local_services import DatabaseServer
from psycopg2 import sql
from sqlalchemy import Connection, Engine, text

from alembic import command
from local_azure.services.postgresql import PostgreSQL
from shared_code.engine.metric_engine import MetricEngine
from shared_code.settings import Settings, load_settings
from shared_code.store.database import Database
from shared_code.store.roles import admit, set_up
from shared_code.store.schema import MIGRATOR, READER, WRITER

ROOT = Path(__file__).parents[1]
PII_HASH_KEY = "5a" * 32

_number = count()


def store_settings(url: str, **values: str) -> Settings:
    """Return settings for a database; values are app settings."""
    return load_settings({"DATABASE_URL": url, "PII_HASH_KEY": PII_HASH_KEY, **values})


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring a database to a revision, up or down, in the caller's transaction."""
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["quiet"] = True
    config.attributes["connection"] = connection
    current = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one()
    applied = (
        current
        and connection.execute(text("SELECT max(version_num) FROM alembic_version")).scalar_one()
    )
    if revision == "base" or (applied and revision != "head" and revision < applied):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


@dataclass(frozen=True)
class Logins:
    """Names of login roles for the session, and the password of each."""

    migrator: str
    writer: str
    reader: str
    password: str

    def url(self, url: str, login: str) -> str:
        """Return the URL of a database as one of the logins."""
        parts = urlsplit(url)
        where = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{login}:{self.password}@{where}").geturl()


class Store:
    """One migrated database of a test, with as many engines on it as the test likes.

    Without logins, on a server of a test's own, everything is done as the server's administrator.

    Attributes:
        url: as the server's administrator.
        writer_url: as the functions reach it.
        reader_url: as analysts and the dashboard reach it.
        owner_url: as the migrator, who owns the tables.
    """

    def __init__(self, url: str, logins: Logins | None = None) -> None:
        self.url = url
        self.writer_url = logins.url(url, logins.writer) if logins else url
        self.reader_url = logins.url(url, logins.reader) if logins else url
        self.owner_url = logins.url(url, logins.migrator) if logins else url
        self.settings = store_settings(url, FOLD_INTERVAL_MILLISECONDS="300000")
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self.metrics = self.engine()
        self._hand = self.engine(url=url).database

    @property
    def database(self) -> Database:
        """The database of the test's first engine."""
        return self.metrics.database

    @cached_property
    def owner(self) -> Database:
        """The database as the migrator, who owns the tables."""
        return self.engine(url=self.owner_url).database

    def engine(self, **changes: Any) -> MetricEngine:
        """Return a metric engine of its own pool, like that of another process.

        Args:
            changes: of the settings; ``url`` is taken for that of the database.
        """
        url = changes.pop("url", self.writer_url)
        # Engines are shared by equal settings; a second more of patience makes them differ.
        patience = timedelta(seconds=60 + next(_number) % 3000)
        database = replace(
            store_settings(url).database,
            statement_timeout=changes.pop("statement_timeout", patience),
            pool_size=changes.pop("pool_size", 2),
        )
        metric_engine = MetricEngine(replace(self.settings, database=database, **changes))
        with self._lock:
            self._engines.append(metric_engine.database.engine)
        return metric_engine

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a transaction of the administrator, READ COMMITTED, committed at the end."""
        with self._hand.engine.begin() as connection:
            yield connection

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connection() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def value(self, query: str, **parameters: Any) -> Any:
        """Return the one value of a query."""
        ((value,),) = self.rows(query, **parameters)
        return value

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Execute one statement and commit."""
        with self.connection() as connection:
            connection.execute(text(statement), parameters or {})

    def empty(self) -> None:
        """Delete everything but the schema's own rows."""
        tables = (
            "normalized_transactions dynamic_metrics window_deltas window_marks payment_metrics_5m"
            " payment_metrics_5m_final window_revisions rule_metrics_5m rejected_events"
            " alerts shadow_alerts rule_history rule_marks roll_up_marks payment_metrics_rolled_up"
            " window_clusters window_outliers look_back_blocks backfills"
        )
        with self.connection() as connection:
            for table in tables.split():
                connection.execute(text(f"DELETE FROM {table}"))

    def close(self) -> None:
        """Close every connection of every engine."""
        for engine in self._engines:
            engine.dispose()


@pytest.fixture(scope="session")
def store_server() -> Iterator[DatabaseServer]:
    """A server that does not wait for the disk, since it never has to survive a power cut."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield DatabaseServer(given)
        return
    with PostgreSQL(settings={"fsync": "off", "full_page_writes": "off"}) as server:
        yield DatabaseServer(server.url())


@pytest.fixture(scope="session")
def logins(store_server: DatabaseServer) -> Iterator[Logins]:
    """Login roles of this session, since others may use the server at the same time."""
    session = uuid.uuid4().hex
    groups = {MIGRATOR: "migrator", WRITER: "writer", READER: "reader"}
    names = {group: f"test_{name}_{session[:8]}" for group, name in groups.items()}
    made = Logins(*names.values(), password=session)
    admin = Database(store_settings(store_server.admin_url).database)
    for group, name in names.items():
        admit(admin, name, group, password=made.password)
    admin.engine.dispose()
    yield made
    for name in names.values():
        store_server._execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrated_template(store_server: DatabaseServer, logins: Logins) -> Iterator[str]:
    """Name of a migrated database to copy, with the days around the tests' moment attached."""
    with store_server.database() as url:
        admin = Database(store_settings(url).database)
        set_up(admin)
        admin.engine.dispose()
        database = Database(store_settings(logins.url(url, logins.migrator)).database)
        with database.engine.begin() as connection:
            migrate(connection)
        database.engine.dispose()
        yield urlsplit(url).path.removeprefix("/")


type NewStore = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def new_store(store_server: DatabaseServer, migrated_template: str, logins: Logins) -> NewStore:
    """Make stores at will; most tests need but one."""

    @contextmanager
    def copy() -> Iterator[Store]:
        name = f"test_{uuid.uuid4().hex}"
        store_server._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(migrated_template)
            )
        )
        store = Store(store_server.url(name), logins)
        try:
            yield store
        finally:
            store.close()
            store_server._execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

    return copy


@pytest.fixture
def store(new_store: NewStore) -> Iterator[Store]:
    """One store, gone after the test."""
    with new_store() as made:
        yield made


@pytest.fixture(scope="module")
def shared_store(new_store: NewStore) -> Iterator[Store]:
    """One store for the tests of a module, which empty it themselves."""
    with new_store() as made:
        yield made
