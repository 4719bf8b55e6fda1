"""Runs revisions one by one, each in its own transaction, and waits for locks with patience.

A revision that says ``online = True`` runs outside any, since it builds what PostgreSQL builds
without holding up writers only there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from alembic.util import CommandError
from psycopg2 import Error as DriverError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from alembic import command
from deploy.errors import DeployError
from deploy.migrations.revisions import Revision, Revisions, UnknownRevision, current_revision
from shared_code.store.database import Database
from shared_code.store.roles import act_as_migrator
from shared_code.store.schema import READER

# Lock not available, deadlock, serialisation: somebody else was in the way, and will not stay.
_IN_THE_WAY: Final = frozenset({"55P03", "40P01", "40001"})
_PAUSES_SECONDS: Final = (1, 2, 5, 10, 30)
# Two pipelines must not run one revision at once. The lock ends with the transaction, or with the
# connection.
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtext('payment-metrics migrations'))")
_ALONE_ONLINE: Final = text("SELECT pg_advisory_lock(hashtext('payment-metrics migrations'))")
# Pipelines that only read look at what is pending.
_SHOW_REVISION: Final = text(f"GRANT SELECT ON alembic_version TO {READER}")

type Say = Callable[[str], None]


class MigrationFailed(DeployError):
    """A revision failed; nothing of it was kept, unless it is an online one.

    Attributes:
        revision: its id.
    """

    def __init__(self, revision: Revision, why: str, *, upwards: bool) -> None:
        direction = "revision" if upwards else "taking back revision"
        left = "can go on from where it was left" if revision.online else "left nothing behind"
        super().__init__(
            f"{direction} {revision.number} failed and {left}: {why}. Revisions before it stay, and"
            " the code in production runs on them; mend it and run this again"
        )
        self.revision = revision.number


class Applied(NamedTuple):
    """A revision that was run, how long it took and at which attempt it went through."""

    revision: Revision
    seconds: float
    attempts: int


class _Overtaken(Exception):
    """Another pipeline has run the revision meanwhile."""


def pending(database: Database, revisions: Revisions) -> Sequence[Revision]:
    """Return the revisions that a database lacks, oldest first.

    Raises:
        UnknownRevision: a newer release migrated it.
        StoreUnavailable: the database failed.
    """
    with database.transaction() as connection:
        return revisions.after(current_revision(connection))


def migrate(
    database: Database,
    revisions: Revisions,
    say: Say,
    pauses: Sequence[float] = _PAUSES_SECONDS,
) -> Sequence[Applied]:
    """Bring a database to the head; a database of a newer release is left as it is.

    Args:
        database: reached as the migrator.
        revisions: of this release.
        say: told of each revision.
        pauses: before each further attempt at a revision that waited in vain for a lock, seconds.

    Raises:
        MigrationFailed: a revision failed, or did not get its locks.
        StoreUnavailable: the database failed.
    """
    try:
        missing = pending(database, revisions)
    except UnknownRevision as newer:
        say(f"nothing to do: {newer}")
        return []
    done = _run_each(database, revisions, missing, say, pauses, upwards=True)
    with database.transaction() as connection:
        act_as_migrator(connection)
        connection.execute(_SHOW_REVISION)
    return done


def downgrade(
    database: Database,
    revisions: Revisions,
    to: str,
    say: Say,
    pauses: Sequence[float] = _PAUSES_SECONDS,
) -> Sequence[Applied]:
    """Take back the revisions after ``to``, newest first.

    Raises:
        MigrationFailed: one failed, or did not get its locks.
        UnknownRevision: the database, or the caller, names a revision that is not here.
        StoreUnavailable: the database failed.
    """
    return _run_each(
        database, revisions, undone(database, revisions, to), say, pauses, upwards=False
    )


def undone(database: Database, revisions: Revisions, to: str) -> Sequence[Revision]:
    """Return the revisions that a downgrade would take back, newest first.

    Raises:
        UnknownRevision: the database, or the caller, names a revision that is not here.
        StoreUnavailable: the database failed.
    """
    with database.transaction() as connection:
        current = current_revision(connection)
    ahead = {revision.number for revision in revisions.after(current)}
    if current is None:
        return []
    return [each for each in revisions.after(to) if each.number not in ahead][::-1]


def _run_each(
    database: Database,
    revisions: Revisions,
    chosen: Sequence[Revision],
    say: Say,
    pauses: Sequence[float],
    *,
    upwards: bool,
) -> Sequence[Applied]:
    done = []
    for revision in chosen:
        try:
            applied = _patiently(database, revisions, revision, say, pauses, upwards=upwards)
        except _Overtaken:
            say(f"{revision.number} was run by somebody else meanwhile")
            continue
        sign = "+" if upwards else "-"
        attempts = f", attempt {applied.attempts}" if applied.attempts > 1 else ""
        say(f"{sign} {revision.number} {revision.title} ({applied.seconds:.2f} s{attempts})")
        done.append(applied)
    return done


def _patiently(
    database: Database,
    revisions: Revisions,
    revision: Revision,
    say: Say,
    pauses: Sequence[float],
    *,
    upwards: bool,
) -> Applied:
    for attempt, pause in enumerate((*pauses, None), start=1):
        started = time.monotonic()
        try:
            _run_one(database, revisions, revision, upwards=upwards)
        except DBAPIError as error:
            state, why = _reason(error)
            if state not in _IN_THE_WAY or pause is None:
                raise MigrationFailed(revision, why, upwards=upwards) from None
            say(f"{revision.number} did not get its locks ({why}); again in {pause:g} s")
            time.sleep(pause)
        except CommandError as error:
            raise MigrationFailed(revision, str(error), upwards=upwards) from error
        else:
            return Applied(revision, time.monotonic() - started, attempt)
    raise AssertionError("the last attempt returns or raises")


def _run_one(
    database: Database, revisions: Revisions, revision: Revision, *, upwards: bool
) -> None:
    before, after = revision.before, revision.number
    start, end = (before, after) if upwards else (after, before)
    with (_online if revision.online else _at_once)(database) as connection:
        if (current_revision(connection) or "base") != start:
            raise _Overtaken
        config = revisions.config(connection=connection, online=revision.online)
        (command.upgrade if upwards else command.downgrade)(config, end)


# The other time-outs are those that alembic/env.py sets.
@contextmanager
def _at_once(database: Database) -> Iterator[Connection]:
    """Give a connection alone in one transaction: all of a revision is kept or nothing."""
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(_ALONE)
        yield connection


@contextmanager
def _online(database: Database) -> Iterator[Connection]:
    """Give a connection, alone, whose statements each are a transaction."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # What is set for this connection ends with it: it does not go back to the pool.
        connection.detach()
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.execute(_ALONE_ONLINE)
        yield connection


def _reason(error: DBAPIError) -> tuple[str | None, str]:
    original = error.orig
    if isinstance(original, DriverError):
        return original.pgcode, str(original.diag.message_primary or original).partition("\n")[0]
    return None, str(original)
