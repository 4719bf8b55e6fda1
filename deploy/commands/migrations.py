"""The commands about the schema: checked, migrated, validated, taken back."""

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from deploy.console import say
from deploy.errors import DeployError, NotAsExpected
from deploy.migrations.lint import lint
from deploy.migrations.locks import locks_of, table_sizes
from deploy.migrations.migrating import downgrade, migrate, pending, undone
from deploy.migrations.preview import losses
from deploy.migrations.restore import note_restore_point
from deploy.migrations.revisions import Revision, Revisions, UnknownRevision
from deploy.migrations.validation import SCHEMA_FILE, differences, record_schema
from deploy.principals import ENTRA_DATABASE, grant_reading, let_in
from deploy.settings import database
from shared_code.settings import load_retention
from shared_code.store.database import Database
from shared_code.store.partitions import keep_days_attached
from shared_code.store.roles import set_up
from shared_code.store.schema import MIGRATOR, READER, WRITER

_LOGINS: Final = {
    "migrator": "migrates",
    "writer": "stores payments, as the functions do",
    "reader": "only reads",
}


def add_check(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check-migrations``."""
    parser.description = (
        "Lint the SQL of revisions with squawk; every revision must say how to take it back, and"
        " build indexes of partitioned tables part by part. With a database (DATABASE_URL or"
        " DATABASE_HOST) also show what it lacks, and which tables each revision locks for about"
        " how long. Findings that are argued away stand in deploy/migrations/accepted.py."
    )
    parser.add_argument("--base", metavar="REVISION", help="only revisions after this one (all)")
    parser.set_defaults(run=_check)


def add_restore_point(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``restore-point``."""
    parser.description = "Note the time by the database's clock, and how to restore to it."
    parser.add_argument(
        "--server", metavar="GROUP/NAME", help="the flexible server, to ask Azure how far back"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the note as JSON")
    parser.set_defaults(run=_restore_point)


def add_bootstrap(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``bootstrap-roles``."""
    parser.description = (
        "Set up the database's roles, as 'python -m shared_code roles bootstrap' does; again"
        " changes nothing. The login is OWNER_DATABASE_URL's or OWNER_DATABASE_USER, if one is set."
    )
    for name, what in _LOGINS.items():
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="LOGIN",
            help=f"a login that {what}; empty: none",
        )
    parser.add_argument(
        "--observe",
        action="store_true",
        help="let the login of this command read, too, for smoke-test and watch",
    )
    _add_smoke(parser)
    _add_dry_run(parser)
    parser.set_defaults(run=_bootstrap)


def add_migrate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``migrate``."""
    parser.description = (
        "Bring the database to the head: each revision in a transaction of its own, which waits"
        " 10 s for a lock and tries again. A database of a newer release is left as it is. That of"
        " the smoke test also gets the partitions of its days."
    )
    _add_smoke(parser)
    _add_dry_run(parser)
    parser.set_defaults(run=_migrate)


def add_validate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``validate-schema``."""
    parser.description = (
        "Compare the database with the models: tables, columns, types, constraints, indexes, views,"
        " functions, grants and vocabularies."
    )
    _add_smoke(parser)
    parser.add_argument(
        "--record", action="store_true", help="write what the models make in an empty database"
    )
    parser.set_defaults(run=_validate)


def add_preview(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``preview-downgrade``."""
    parser.description = "Count what a downgrade would drop; change nothing."
    _add_to(parser)
    _add_smoke(parser)
    parser.set_defaults(run=_preview)


def add_downgrade(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``downgrade``."""
    parser.description = (
        "Take revisions back, newest first. What they hold is lost; the pipeline never does this by"
        " itself, since the code of the release before runs on the newer schema."
    )
    _add_to(parser)
    _add_smoke(parser)
    _add_dry_run(parser)
    parser.add_argument("--yes", action="store_true", help="do it, having read the preview")
    parser.set_defaults(run=_downgrade)


def _add_smoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--smoke", action="store_true", help="the smoke test's database, SMOKE_DATABASE_NAME"
    )


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; do nothing")


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="REVISION", help="to end at; or base")


def _check(arguments: argparse.Namespace) -> None:
    revisions = Revisions()
    chosen = revisions.after(arguments.base)
    report = lint(revisions, chosen)
    if report.findings:
        raise NotAsExpected("the revisions are not safe", [str(each) for each in report.findings])
    say(f"{len(chosen)} revisions linted: no finding, {report.argued} argued away")
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_HOST"):
        _estimate(database(), revisions)
    else:
        say("no database is set: what it lacks and what would be locked is not shown")


def _estimate(of: Database, revisions: Revisions) -> None:
    try:
        missing = pending(of, revisions)
    except UnknownRevision as newer:
        say(f"nothing is pending: {newer}")
        return
    say(f"{len(missing)} revisions pending")
    with of.transaction() as connection:
        sizes = table_sizes(connection)
    for revision in missing:
        say(f"{revision.number} {revision.title}")
        locks = locks_of(revisions.upgrade_sql(revision), sizes)
        for lock in locks:
            say(
                f"  locks {lock.table} ({lock.size / 1e6:,.1f} MB) {lock.mode}: {lock.blocks} wait,"
                f" {lock.work.name.lower()}, about {lock.seconds:,.2f} s"
            )
        if not locks:
            say("  locks no table that is there already")


def _restore_point(arguments: argparse.Namespace) -> None:
    point = note_restore_point(database(), arguments.server)
    say(f"restore point {point.time:%Y-%m-%dT%H:%M:%S.%fZ}: {point.database} at {point.revision}")
    if point.earliest is not None:
        say(f"Azure can restore back to {point.earliest}")
    say(f"to get back: {point.how}")
    if arguments.output is not None:
        arguments.output.write_bytes(msgspec.json.format(msgspec.json.encode(point)) + b"\n")


def _bootstrap(arguments: argparse.Namespace) -> None:
    of = database(smoke=arguments.smoke, owner=True)
    server = database(owner=True, name=ENTRA_DATABASE)
    steps = [*set_up(of, dry_run=arguments.dry_run)]
    for name, group in (("migrator", MIGRATOR), ("writer", WRITER), ("reader", READER)):
        for login in filter(None, getattr(arguments, name)):
            steps += let_in(of, server, login, group, dry_run=arguments.dry_run)
    if arguments.observe:
        steps += grant_reading(of, dry_run=arguments.dry_run)
    if arguments.dry_run:
        for statement in steps:
            say(f"{statement};")
    else:
        say(f"roles of {_name(of)} set up in {len(steps)} statements")


def _migrate(arguments: argparse.Namespace) -> None:
    of, revisions = database(smoke=arguments.smoke, patient=True), Revisions()
    if arguments.dry_run:
        _estimate(of, revisions)
        return
    done = migrate(of, revisions, say)
    say(f"{_name(of)}: {len(done)} revisions run, {sum(each.seconds for each in done):.2f} s")
    if arguments.smoke:
        # No timer runs in the staging slot that would do it.
        with of.transaction() as connection:
            attached = keep_days_attached(connection, datetime.now(UTC), load_retention())
        say(f"{_name(of)}: {attached} partitions attached")


def _validate(arguments: argparse.Namespace) -> None:
    of = database(smoke=arguments.smoke)
    if arguments.record:
        file = Path(__file__).parents[1] / "migrations" / SCHEMA_FILE
        with of.engine.connect() as connection:  # never committed
            say(f"{file}: {record_schema(connection, file)} lines")
        return
    with of.transaction() as connection:
        found = differences(connection, Revisions())
    if found:
        what = f"{_name(of)} is not what the code wants"
        raise NotAsExpected(what, found)
    say(f"{_name(of)} is what the code wants")


def _preview(arguments: argparse.Namespace) -> None:
    _show_losses(database(smoke=arguments.smoke), Revisions(), arguments.to)


def _downgrade(arguments: argparse.Namespace) -> None:
    of, revisions = database(smoke=arguments.smoke, patient=True), Revisions()
    if not arguments.yes or arguments.dry_run:
        _show_losses(of, revisions, arguments.to)
        if not arguments.dry_run:
            raise DeployError("nothing was changed: say --yes to do it")
        return
    done = downgrade(of, revisions, arguments.to, say)
    say(f"{_name(of)}: {len(done)} revisions taken back")


def _show_losses(of: Database, revisions: Revisions, to: str) -> None:
    chosen: Sequence[Revision] = undone(of, revisions, to)
    say(f"{len(chosen)} revisions would be taken back")
    with of.transaction() as connection:
        for loss in losses(connection, revisions, chosen):
            say(f"  {loss}")


def _name(of: Database) -> str:
    return str(of.engine.url.database)
