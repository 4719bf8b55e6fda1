"""Lets identities of Azure, and other logins, into the database in one role each."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from shared_code.store.database import Database
from shared_code.store.roles import admit
from shared_code.store.schema import READER

# On a server of Azure the functions that know Entra are in this database alone.
ENTRA_DATABASE: Final = "postgres"
_KNOWN: Final = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :login)")
_KNOWS_ENTRA: Final = text("SELECT to_regproc('pgaadauth_create_principal') IS NOT NULL")
_CREATE: Final = text("SELECT pgaadauth_create_principal(:login, false, false)")
_READING: Final = f"GRANT {READER} TO CURRENT_USER"


def let_in(
    of: Database, server: Database, login: str, group: str, *, dry_run: bool
) -> Sequence[str]:
    """Make a login a member of a group role; on a server of Azure a new one logs in by Entra.

    Args:
        of: the database, as its owner.
        server: the database ``ENTRA_DATABASE`` of the same server, as the same login.
        login: name of the login: in Azure that of the identity.
        group: the group role.
        dry_run: only say what would be done.

    Returns:
        The SQL.

    Raises:
        RolesRefused: whoever runs this may not.
        StoreUnavailable: the database failed.
    """
    created = []
    with server.transaction() as connection:
        known = connection.execute(_KNOWN, {"login": login}).scalar_one()
        if not known and connection.execute(_KNOWS_ENTRA).scalar_one():
            shown = login.replace("'", "''")
            created = [f"SELECT pgaadauth_create_principal('{shown}', false, false)"]
            if not dry_run:
                connection.execute(_CREATE, {"login": login})
    return [*created, *admit(of, login, group, dry_run=dry_run)]


def grant_reading(of: Database, *, dry_run: bool) -> Sequence[str]:
    """Let the login itself read what people may read.

    It is no member that gets a reader's defaults: it has to write roles.

    Raises:
        StoreUnavailable: the database failed.
    """
    if not dry_run:
        with of.transaction() as connection:
            connection.execute(text(_READING))
    return [_READING]
