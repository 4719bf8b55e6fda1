"""Fixtures on a migrated database: one template for the session, a copy of it for each test."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
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


class Store:
    """One migrated database of a test, with as many engines on it as the test likes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = store_settings(url, FOLD_INTERVAL_MILLISECONDS="300000")
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self.metrics = self.engine()

    @property
    def database(self) -> Database:
        """The database of the test's first engine."""
        return self.metrics.database

    def engine(self, **changes: Any) -> MetricEngine:
        """Return a metric engine of its own pool, like that of another process.

        Args:
            changes: of the settings; ``url`` is taken for that of the database.
        """
        url = changes.pop("url", self.url)
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
        """Open a transaction of READ COMMITTED isolation, committed at the end."""
        with self.database.engine.begin() as connection:
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
            " window_clusters window_outliers backfills"
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
def migrated_template(store_server: DatabaseServer) -> Iterator[str]:
    """Name of a migrated database to copy, with the days around the tests' moment attached."""
    with store_server.database() as url:
        database = Database(store_settings(url).database)
        with database.engine.begin() as connection:
            migrate(connection)
        database.engine.dispose()
        yield urlsplit(url).path.removeprefix("/")


type NewStore = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def new_store(store_server: DatabaseServer, migrated_template: str) -> NewStore:
    """Make stores at will; most tests need but one."""

    @contextmanager
    def copy() -> Iterator[Store]:
        name = f"test_{uuid.uuid4().hex}"
        store_server._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(migrated_template)
            )
        )
        store = Store(store_server.url(name))
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
