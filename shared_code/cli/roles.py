"""``python -m shared_code roles``: who may do what in the database."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from shared_code.settings import load_database_settings
from shared_code.store.database import Database
from shared_code.store.roles import GROUPS, admit, set_up
from shared_code.store.schema import MIGRATOR, READER, WRITER

_GROUP_OF: Final = {"migrator": MIGRATOR, "writer": WRITER, "reader": READER}
_WHO: Final = (
    "DATABASE_URL names the owner of the database, who needs CREATEROLE and need be no superuser."
)
_LONGEST_PASSWORD: Final = 1024


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands about roles to a parser."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    bootstrap = commands.add_parser(
        "bootstrap",
        help="set up the roles in a database, new or migrated before",
        description=f"Create the group roles {', '.join(GROUPS)} unless they are there, let nobody"
        " else create objects, hand over to the migrator what others migrated, and give every login"
        " that is a member the defaults of its role. All of it is done, or nothing; doing it again"
        f" changes nothing. {_WHO}",
        epilog="example: python -m shared_code roles bootstrap --dry-run",
    )
    bootstrap.set_defaults(run=_bootstrap)

    login = commands.add_parser(
        "login",
        help="let a login role act as migrator, writer or reader",
        description="Make a login role a member of a group role and give it the group's defaults in"
        " this database. The login is created unless it is there, as it is where Entra made it. The"
        f" server gets the SCRAM verifier of a password, never the password. {_WHO}",
        epilog="example: python -m shared_code roles login id-payments-prod --as writer",
    )
    login.add_argument("login", metavar="NAME", help="name of the login role")
    login.add_argument(
        "--as", dest="role", required=True, choices=_GROUP_OF, help="what the login may do"
    )
    login.add_argument(
        "--password-stdin", action="store_true", help="set the password to the line on stdin"
    )
    login.set_defaults(run=_login)

    for command in (bootstrap, login):
        command.add_argument(
            "--dry-run", action="store_true", help="print the SQL, without passwords; do nothing"
        )


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen command.

    Raises:
        SettingsError: an app setting is missing or wrong.
        RolesRefused: the login may not do this.
        StoreUnavailable: the database failed.
    """
    database = Database(load_database_settings())
    statements: Sequence[str] = arguments.run(arguments, database)
    if arguments.dry_run:
        said = "\n".join(f"{statement};" for statement in statements)
    else:
        said = f"done in {len(statements)} statements"
    print(said)  # noqa: T201 - its output


def _bootstrap(arguments: argparse.Namespace, database: Database) -> Sequence[str]:
    return set_up(database, dry_run=arguments.dry_run)


def _login(arguments: argparse.Namespace, database: Database) -> Sequence[str]:
    return admit(
        database,
        arguments.login,
        _GROUP_OF[arguments.role],
        password=_password() if arguments.password_stdin else None,
        dry_run=arguments.dry_run,
    )


def _password() -> str:
    """Return the first line of standard input.

    Arguments and environments of processes are seen by others; a pipe is not.
    """
    return sys.stdin.readline(_LONGEST_PASSWORD).rstrip("\r\n")
