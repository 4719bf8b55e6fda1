"""``python -m shared_code maintenance``: what an operator does to the database by hand."""

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from shared_code.settings import load_database_settings, load_retention
from shared_code.store.database import Database
from shared_code.store.partitions import attach_days, attached_days, drop_days_before


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the maintenance commands to a parser."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    attach = commands.add_parser(
        "attach-days",
        help="attach the partitions of a span of days",
        description="Attach the partitions of a span of days, for example before payments that are"
        " older than the retention are replayed. Days that are attached already are left alone.",
    )
    attach.add_argument("first", type=date.fromisoformat, help="first day, such as 2026-01-31")
    attach.add_argument("last", type=date.fromisoformat, help="last day, inclusive")
    attach.set_defaults(run=_attach)

    drop = commands.add_parser(
        "drop-days",
        help="drop the days that lie behind the retention",
        description="Detach and drop the days that lie wholly before now minus RETENTION_DAYS. Run"
        " it as the owner of the tables, straight against PostgreSQL and not through PgBouncer.",
    )
    drop.set_defaults(run=_drop)


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen command.

    Raises:
        SettingsError: an app setting is missing or wrong.
        StoreUnavailable: the database failed.
    """
    command: Final[Callable[[argparse.Namespace, Database], str]] = arguments.run
    print(command(arguments, Database(load_database_settings())))  # noqa: T201 - its output


def _attach(arguments: argparse.Namespace, database: Database) -> str:
    with database.transaction() as connection:
        attached = attach_days(connection, arguments.first, arguments.last)
        days = attached_days(connection)
    span = f"{days.first} to {days.last}" if days else "no day"
    return f"{attached} partitions attached; payments of {span} can be stored"


def _drop(_arguments: argparse.Namespace, database: Database) -> str:
    horizon = datetime.now(UTC) - load_retention()
    dropped = drop_days_before(database.engine, horizon)
    kept = f"days from {horizon:%Y-%m-%d} on are kept"
    return f"{len(dropped)} partitions dropped; {kept}"
