"""Notes the time that a database can be restored to, before it is changed."""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from deploy.migrations.revisions import current_revision
from deploy.targets.az import az
from shared_code.store.database import Database


class RestorePoint(msgspec.Struct, frozen=True):
    """A moment before a change, and how to get back to it.

    Attributes:
        time: by the database's clock, UTC.
        database: its name.
        revision: of the schema at that time; None if it was never migrated.
        log_position: of the write-ahead log, for restores of other than Azure.
        earliest: what Azure can restore to at the earliest, if that was asked.
        how: what to do to get back.
    """

    time: datetime
    database: str
    revision: str | None
    log_position: str
    earliest: str | None
    how: str


def note_restore_point(database: Database, server: str | None) -> RestorePoint:
    """Return the restore point of now.

    Args:
        database: that is about to be changed.
        server: ``RESOURCE_GROUP/NAME`` of a flexible server in Azure; None for any other.

    Raises:
        StoreUnavailable: the database failed.
        ToolFailed: Azure did not answer.
    """
    with database.transaction() as connection:
        row = connection.execute(
            text("SELECT clock_timestamp(), current_database(), pg_current_wal_lsn()::text")
        ).one()
        revision = current_revision(connection)
    time: datetime = row[0].astimezone(UTC)
    earliest, how = None, _ELSEWHERE.format(time=f"{time:%Y-%m-%d %H:%M:%S.%f}+00")
    if server is not None:
        group, _, name = server.partition("/")
        chosen = ("--resource-group", group, "--name", name)
        shown = az("postgres", "flexible-server", "show", *chosen, "--query", _EARLIEST)
        earliest = str(shown)
        how = _AZURE.format(group=group, name=name, time=f"{time:%Y-%m-%dT%H:%M:%SZ}")
    return RestorePoint(time, str(row[1]), revision, str(row[2]), earliest, how)


_EARLIEST = "backup.earliestRestoreDate"
_AZURE = (
    "az postgres flexible-server restore --resource-group {group} --name {name}-restored"
    " --source-server {name} --restore-time {time}"
)
_ELSEWHERE = "restore the last base backup with recovery_target_time = '{time}'"
