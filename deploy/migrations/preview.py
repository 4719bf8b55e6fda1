"""What a downgrade would drop, counted before anybody decides."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from deploy.migrations.revisions import Revision, Revisions, statements

_TABLE: Final = re.compile(r"DROP TABLE\s+(?:IF EXISTS\s+)?(?P<table>\w+)", re.IGNORECASE)
_OTHER: Final = re.compile(r"DROP (?P<kind>VIEW|INDEX|FUNCTION)\s+(?P<name>\w+)", re.IGNORECASE)
_ALTERED: Final = re.compile(r"ALTER TABLE\s+(?:ONLY\s+)?(?P<table>\w+)", re.IGNORECASE)
_COLUMN: Final = re.compile(r"DROP COLUMN\s+(?:IF EXISTS\s+)?(?P<column>\w+)", re.IGNORECASE)
_DELETED: Final = re.compile(
    r"DELETE FROM\s+(?P<table>\w+)(?P<where>\s+WHERE\s.*)?$", re.IGNORECASE | re.DOTALL
)
_EXISTS: Final = text("""
    SELECT EXISTS (
        SELECT FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = :table
          AND column_name = coalesce(:column, column_name)
    )
""")


class Loss(NamedTuple):
    """Something that a downgrade takes away.

    Attributes:
        revision: that is taken back.
        what: such as ``table alerts`` or ``column alerts.outcome``.
        rows: that hold data in it; None for what holds none.
    """

    revision: str
    what: str
    rows: int | None

    def __str__(self) -> str:
        """Return the loss as a line."""
        counted = "" if self.rows is None else f": {self.rows:,} rows"
        return f"{self.revision} drops {self.what}{counted}"


def losses(
    connection: Connection, revisions: Revisions, chosen: Sequence[Revision]
) -> Sequence[Loss]:
    """Return what taking back the chosen revisions would drop, in that order.

    Rows are counted one by one, which reads the tables that would go.
    """
    found: list[Loss] = []
    for revision in chosen:
        for statement in statements(revisions.downgrade_sql(revision)):
            found += _losses_of(connection, revision.number, statement)
    return found


def _losses_of(connection: Connection, revision: str, statement: str) -> Iterator[Loss]:
    if dropped := _TABLE.match(statement):
        table = dropped["table"]
        if _there(connection, table):
            yield Loss(revision, f"table {table}", _count(connection, f"FROM {table}"))
    elif dropped := _OTHER.match(statement):
        yield Loss(revision, f"{dropped['kind'].lower()} {dropped['name']}", None)
    elif deleted := _DELETED.match(statement):
        table, where = deleted["table"], deleted["where"] or ""
        if _there(connection, table):
            rows = _count(connection, f"FROM {table}{where}")
            yield Loss(revision, " ".join(["rows of", table, *where.split()]), rows)
    elif altered := _ALTERED.match(statement):
        table = altered["table"]
        for column in _COLUMN.finditer(statement):
            name = column["column"]
            if _there(connection, table, name):
                rows = _count(connection, f"FROM {table} WHERE {name} IS NOT NULL")
                yield Loss(revision, f"column {table}.{name}", rows)


def _there(connection: Connection, table: str, column: str | None = None) -> bool:
    return bool(connection.execute(_EXISTS, {"table": table, "column": column}).scalar_one())


def _count(connection: Connection, of: str) -> int:
    # Composed of names and conditions of this checkout's own revisions.
    statement = text(f"SELECT count(*) {of}".replace(":", r"\:"))
    return int(connection.execute(statement).scalar_one())
