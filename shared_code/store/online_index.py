"""Indexes of tables in use: made and dropped by revisions while payments go on being written.

A revision says ``online = True`` and calls these. The pipeline then runs it outside a transaction,
where PostgreSQL can build an index without holding up writers; run again after a failure, it goes
on from where it was. On a partitioned table the index is made for the parent alone, then for each
part, and attached: PostgreSQL has no ``CONCURRENTLY`` for the whole. Within a transaction, as
``alembic upgrade head`` runs revisions by hand, the index is built as usual.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from shared_code.store.partitions import PARENTS

# A build waits for transactions that began before it, and holds up nobody meanwhile.
_PATIENT: Final = "SET lock_timeout = '10min'"
_BRIEF: Final = "SET lock_timeout = '10s'"
_STATE: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_PARTS_LACKING_IT: Final = text("""
    SELECT part.inhrelid::regclass::text
    FROM pg_inherits AS part
    WHERE part.inhparent = to_regclass(:parent)
      AND NOT EXISTS (
          SELECT FROM pg_index AS index
          JOIN pg_inherits AS attached ON attached.inhrelid = index.indexrelid
          WHERE index.indrelid = part.inhrelid AND attached.inhparent = to_regclass(:name)
      )
    ORDER BY 1
""")


def create_index(
    context: MigrationContext, name: str, table: str, definition: str, *, unique: bool = False
) -> None:
    """Make an index unless it is there.

    Args:
        context: of the revision, ``op.get_context()``.
        name: of the index.
        table: that it is of, partitioned or not.
        definition: what follows the table's name, such as ``(amount) WHERE amount > 0``.
        unique: whether it is one of unique values.
    """
    make = "CREATE UNIQUE INDEX" if unique else "CREATE INDEX"
    parted = table in PARENTS
    connection = _connection(context)
    if connection is None:
        how, of = ("", "ONLY ") if parted else ("CONCURRENTLY ", "")
        context.execute(f"{make} {how}IF NOT EXISTS {name} ON {of}{table} {definition}")
    elif not _outside_transaction(connection):
        _run(connection, f"{make} IF NOT EXISTS {name} ON {table} {definition}")
    elif parted:
        _run(connection, f"{make} IF NOT EXISTS {name} ON ONLY {table} {definition}")
        for part in _lacking(connection, name, table):
            own_name = f"{part}_{name}"
            _build(connection, make, own_name, part, definition)
            _run(connection, f"ALTER INDEX {name} ATTACH PARTITION {own_name}")
    else:
        _build(connection, make, name, table, definition)


def drop_index(context: MigrationContext, name: str, table: str) -> None:
    """Drop an index if it is there; that of a partitioned table locks it for a moment."""
    connection = _connection(context)
    online = connection is not None and _outside_transaction(connection)
    how = "CONCURRENTLY IF EXISTS" if online and table not in PARENTS else "IF EXISTS"
    context.execute(f"DROP INDEX {how} {name}")


def _connection(context: MigrationContext) -> Connection | None:
    """Return the connection of a revision; None if its SQL is only printed."""
    return None if context.as_sql else context.connection


def _outside_transaction(connection: Connection) -> bool:
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


def _build(connection: Connection, make: str, name: str, table: str, definition: str) -> None:
    """Build an index of one table; what an interrupted build left is dropped."""
    valid = connection.execute(_STATE, {"name": name}).scalar()
    if valid:
        return
    _run(connection, _PATIENT)
    if valid is not None:
        _run(connection, f"DROP INDEX CONCURRENTLY {name}")
    _run(connection, f"{make} CONCURRENTLY {name} ON {table} {definition}")
    _run(connection, _BRIEF)


def _lacking(connection: Connection, name: str, parent: str) -> Iterator[str]:
    """Yield the parts whose index is not attached, those too that are added meanwhile."""
    asked = {"name": name, "parent": parent}
    while parts := _parts(connection, asked):
        yield from parts


def _parts(connection: Connection, asked: dict[str, str]) -> Sequence[str]:
    return connection.execute(_PARTS_LACKING_IT, asked).scalars().all()


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
