"""Fixtures on real local services, one of each for a whole test session."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg2
import pytest
from psycopg2 import sql

from local_azure.services.azurite import Azurite
from local_azure.services.postgresql import PostgreSQL

# The same folder as `python -m local_azure` uses, so that Azurite is installed once for both.
CACHE = Path(__file__).parents[1] / ".local" / "cache"


@dataclass(frozen=True)
class DatabaseServer:
    """A PostgreSQL server that tests share.

    Attributes:
        admin_url: URL of an existing database, as a role that may create others.
    """

    admin_url: str

    def url(self, database: str) -> str:
        """Return the URL of another database of the same server, existing or not."""
        return urlsplit(self.admin_url)._replace(path=f"/{quote(database, safe='')}").geturl()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, give its URL, and drop it afterwards."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composable) -> None:
        with closing(psycopg2.connect(self.admin_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[DatabaseServer]:
    """One server for the session: TEST_DATABASE_URL's, or one that is started for it."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield DatabaseServer(given)
        return
    with PostgreSQL() as server:
        yield DatabaseServer(server.url())


@pytest.fixture
def empty_database(postgresql_server: DatabaseServer) -> Iterator[str]:
    """URL of a new, empty database, dropped after the test."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """Connection string of a blob storage for the session, kept in memory.

    Tests share it: name containers uniquely.
    """
    with Azurite(CACHE) as storage:
        yield storage.connection_string
