"""Is a database what the models of this release want? Compares catalogues, line by line."""

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection

from deploy.errors import DeployError
from deploy.migrations.revisions import Revisions, UnknownRevision, current_revision
from shared_code.store.catalogue import describe
from shared_code.store.roles import ensure_roles
from shared_code.store.schema import create_schema

# What the models make, as PostgreSQL's catalogue tells it. Whoever migrates may create no database
# to build them in, so that this is kept; a test compares it with the models.
SCHEMA_FILE: Final = "schema.json"
_SHOWN: Final = 160
_FROM_ONE: Final = re.compile(r"\bFROM (\w+)\b(?!.*\bJOIN\b)", re.DOTALL)


def expected_schema() -> frozenset[str]:
    """Return the lines that describe what the models make."""
    content = files("deploy.migrations").joinpath(SCHEMA_FILE).read_bytes()
    return frozenset(msgspec.json.decode(content, type=list[str]))


def described(connection: Connection) -> frozenset[str]:
    """Return the lines that describe a database, alike for PostgreSQL 15 and later."""
    return frozenset(map(_alike, describe(connection)))


def differences(connection: Connection, revisions: Revisions) -> Sequence[str]:
    """Return what a database lacks and what it has too much, a line each.

    A database of a newer release may hold more than this one knows: then only what it lacks counts.

    Raises:
        DeployError: it was never migrated.
    """
    current = current_revision(connection)
    if current is None:
        raise DeployError("the database was never migrated: run 'python -m deploy migrate'")
    found, wanted = described(connection), expected_schema()
    try:
        revisions.after(current)
    except UnknownRevision:
        return list(_lines("is missing", wanted - found))
    return [*_lines("is missing", wanted - found), *_lines("is not wanted", found - wanted)]


def record_schema(connection: Connection, file: Path) -> int:
    """Write what the models make in an empty database; return the number of lines.

    Args:
        connection: to be rolled back by the caller.
        file: to write.

    Raises:
        DeployError: the database is not empty.
    """
    if current_revision(connection) is not None:
        raise DeployError("the database is not empty: name an empty one by DATABASE_URL")
    ensure_roles(connection)
    create_schema(connection)
    lines = sorted(described(connection))
    file.write_bytes(msgspec.json.format(msgspec.json.encode(lines), indent=0) + b"\n")
    return len(lines)


def _lines(what: str, lines: Iterable[str]) -> Iterable[str]:
    for line in sorted(lines):
        shown = " ".join(line.split())
        yield f"{what}: {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + ' ...'}"


def _alike(line: str) -> str:
    """Take the table's name off the columns of a view of one table, as PostgreSQL 16 does."""
    if not line.startswith("view |"):
        return line
    table = _FROM_ONE.search(line)
    return line if table is None else line.replace(f"{table[1]}.", "")
