"""Alembic's entry: runs revisions against the database of the app settings."""

import re
from logging.config import fileConfig
from typing import Any

from sqlalchemy import Connection, text

from alembic import context
from shared_code.settings import REVISION_TIMEOUT, load_database_settings
from shared_code.store.catalogue import PARTITION_SUFFIX
from shared_code.store.database import engine_for
from shared_code.store.roles import act_as_migrator, ensure_roles
from shared_code.store.tables import metadata

# A lock that is not had soon must not hold up every writer behind it, nor a statement that was
# thought to be quick keep its locks for long.
_TIME_OUTS = (
    "SET LOCAL lock_timeout = '10s'",
    f"SET LOCAL statement_timeout = '{REVISION_TIMEOUT.total_seconds():.0f}s'",
)
_ONLINE = context.config.attributes.get("online", False)
_RUN_TIME_PARTITION = re.compile(f"{PARTITION_SUFFIX}($|_)")


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out the day partitions that are made and dropped at run time."""
    return kind != "table" or name is None or _RUN_TIME_PARTITION.search(name) is None


def time_outs() -> list[str]:
    """Return what sets the time-outs: of the transaction, or else of the connection."""
    return [each.replace("SET LOCAL", "SET") if _ONLINE else each for each in _TIME_OUTS]


def run_migrations(connection: Connection) -> None:
    """Run the revisions in one transaction, all of them or none; an online one outside any."""
    for statement in time_outs():
        connection.execute(text(statement))
    ensure_roles(connection)
    act_as_migrator(connection)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("RESET ROLE"))


def run_offline() -> None:
    """Print the SQL of the revisions, for review and for linters."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=metadata,
        literal_binds=True,
        as_sql=True,
        transactional_ddl=not _ONLINE,
    )
    with context.begin_transaction():
        for statement in time_outs():
            context.execute(statement)
        context.run_migrations()


if context.config.config_file_name is not None and not context.config.attributes.get("quiet"):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
if context.is_offline_mode():
    run_offline()
elif (given := context.config.attributes.get("connection")) is not None:
    run_migrations(given)
else:
    own_engine = engine_for(load_database_settings().for_revisions())
    with own_engine.begin() as own_connection:
        run_migrations(own_connection)
