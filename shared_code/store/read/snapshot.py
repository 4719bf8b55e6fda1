"""Transactions that only look: read-only, on one snapshot, and each statement with little time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.settings import READING_TIMEOUT
from shared_code.store.database import Database

_READ_ONLY: Final = text(f"""
    SET TRANSACTION READ ONLY;
    SET LOCAL statement_timeout = {int(READING_TIMEOUT.total_seconds() * 1000)};
    SET LOCAL TIME ZONE 'UTC';
    SET LOCAL jit = off
""")
_NOW: Final = text("SELECT now()")


class Snapshot(NamedTuple):
    """A connection in a transaction that only looks, and the instant that it shows."""

    connection: Connection
    as_of: datetime


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """Look at the database as it is at one instant; whatever is asked ends within seconds.

    Raises:
        StoreUnavailable: the database failed, or a statement took too long (SQLSTATE 57014).
        DataRefused: the database does not take a value.
    """
    with database.transaction("REPEATABLE READ") as connection:
        connection.execute(_READ_ONLY)
        as_of: datetime = connection.execute(_NOW).scalar_one()
        yield Snapshot(connection, as_of.astimezone(UTC))
