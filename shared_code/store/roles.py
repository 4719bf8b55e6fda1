"""The roles of the database: who they are, what they own, and the defaults of those who log in.

Roles belong to the cluster, so that no revision creates them: revisions grant, and an operator
runs ``python -m shared_code roles``. That needs no superuser, whom Azure does not give away: a
login with CREATEROLE that owns the database will do.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text

from shared_code.errors import PaymentsError
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable
from shared_code.store.partitions import PARENTS
from shared_code.store.schema import FUNCTIONS, MIGRATOR, READER, VIEWS, WRITER
from shared_code.store.tables import metadata

# Who is a member of several is taken for the first.
GROUPS: Final = (MIGRATOR, WRITER, READER)

# Two databases of one cluster may be set up at once: whoever comes second finds the role there.
_CREATE_GROUP: Final = """\
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{group}') THEN
        CREATE ROLE {group} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$"""

# Settings of a group do not reach its members, so that each login has them, in this database only.
# They come with the connection, as PgBouncer's transaction mode needs it. What the functions set in
# their transactions goes before; this is for whatever else logs in as they do.
_DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    MIGRATOR: {
        "role": MIGRATOR,  # so that the group owns what is made
        "search_path": "public, pg_temp",
        "lock_timeout": "'10s'",
        "statement_timeout": "'0'",  # an index takes its time
        "idle_in_transaction_session_timeout": "'5min'",
    },
    WRITER: {
        "search_path": "public, pg_temp",
        "statement_timeout": "'5min'",
        "idle_in_transaction_session_timeout": "'1min'",
    },
    READER: {
        "search_path": "public, pg_temp",
        "default_transaction_read_only": "'on'",
        "statement_timeout": "'5min'",
        "idle_in_transaction_session_timeout": "'1min'",
    },
}
# Dictionaries keep the order in which a reader meets the names.
_SETTINGS: Final = {name: None for values in _DEFAULTS.values() for name in values}

# PostgreSQL 16 tells being a member from being allowed to act as the role; before, it was one. NULL
# if there is no such role yet.
_IS_MIGRATOR: Final = f"""
    SELECT CASE WHEN current_setting('server_version_num') >= '160000'
                THEN pg_has_role(current_user, oid, 'SET')
                ELSE pg_has_role(current_user, oid, 'MEMBER') END
    FROM pg_roles
    WHERE rolname = '{MIGRATOR}'
"""
_ACTS_AS_MIGRATOR: Final = text(f"""
    SELECT coalesce(
        ({_IS_MIGRATOR}) AND has_schema_privilege('{MIGRATOR}', 'public', 'CREATE'), false
    )
""")
_STANDING: Final = text(f"""
    SELECT current_database() AS database,
           coalesce(({_IS_MIGRATOR}), false) AS is_migrator,
           ARRAY(SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)) AS roles
""")
_LOGINS: Final = text("""
    WITH RECURSIVE members AS (
        SELECT oid AS member, rolname AS role_group FROM pg_roles WHERE rolname = ANY(:groups)
        UNION
        SELECT pg_auth_members.member, members.role_group
        FROM pg_auth_members
        JOIN members ON members.member = pg_auth_members.roleid
    )
    SELECT DISTINCT ON (login.rolname) login.rolname, members.role_group
    FROM members
    JOIN pg_roles AS login ON login.oid = members.member
    WHERE login.rolcanlogin AND NOT login.rolsuper AND NOT login.rolcreaterole
    ORDER BY login.rolname, array_position(:groups, CAST(members.role_group AS text))
""")
# Parents first, as batches lock them. Days follow their table's name, those left detached, too.
_FOREIGN_RELATIONS: Final = text("""
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relname
    FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v')
      AND (relname = ANY(:names) OR relname ~ :days) AND pg_get_userbyid(relowner) <> :owner
    ORDER BY array_position(:names, CAST(relname AS text)), relname
""")
_FOREIGN_FUNCTIONS: Final = text("""
    SELECT 'FUNCTION', proname
    FROM pg_proc
    WHERE pronamespace = to_regnamespace('public') AND proname = ANY(:names)
      AND pg_get_userbyid(proowner) <> :owner
    ORDER BY proname
""")
_RELATIONS: Final = [
    *PARENTS,
    *(name for name in metadata.tables if name not in PARENTS),
    *VIEWS,
    "alembic_version",
]
_DAYS: Final = f"^({'|'.join(PARENTS)})_p[0-9]{{8}}$"
_EVERYBODY_CREATES: Final = text("SELECT has_schema_privilege('public', 'public', 'CREATE')")
_NOT_ALLOWED: Final = "42501"
_BUSY: Final = "55P03"


class RolesRefused(PaymentsError):
    """The roles cannot be set up in this way; nothing has changed."""


class Step(NamedTuple):
    """One statement: what the server gets, and what people are shown if that holds a secret."""

    statement: sql.Composable
    shown: sql.Composable | None = None


type Steps = Callable[[Connection, str], Iterable[Step]]


def ensure_roles(connection: Connection) -> None:
    """Create the group roles unless they are there."""
    for group in GROUPS:
        connection.execute(text(_CREATE_GROUP.format(group=group)))


def act_as_migrator(connection: Connection) -> None:
    """Act as the migrator for the rest of the transaction, or until ``RESET ROLE``.

    What is made then belongs to the migrator, whoever has logged in. Nothing is done where the
    database was not set up, or where the login may not act as the migrator.
    """
    if connection.execute(_ACTS_AS_MIGRATOR).scalar_one():
        connection.execute(text(f"SET LOCAL ROLE {MIGRATOR}"))


def set_up(database: Database, *, dry_run: bool = False) -> Sequence[str]:
    """Set up the roles in a database; doing it again changes nothing.

    The group roles are created, nobody else may create anything in ``public``, what was migrated by
    somebody else is handed over to the migrator, and every login that is a member gets the defaults
    of its role. All of it happens, or nothing.

    Args:
        database: reached as its owner, who may create roles.
        dry_run: only say what would be done.

    Returns:
        The SQL.

    Raises:
        RolesRefused: whoever runs this may not, or everybody could still create objects.
        StoreUnavailable: the database failed.
    """
    return _run(database, _set_up, dry_run=dry_run)


def admit(
    database: Database,
    login: str,
    group: str,
    *,
    password: str | None = None,
    dry_run: bool = False,
) -> Sequence[str]:
    """Make a login role a member of a group role, with the group's defaults in this database.

    The login is created unless it is there, as it is where Entra made it. The server, and with it
    the server's log, gets the SCRAM verifier of a password and never the password.

    Args:
        database: reached as its owner, who may create roles.
        login: name of the login role.
        group: one of ``GROUPS``.
        password: None for a login that needs none, by Entra, or has one already.
        dry_run: only say what would be done.

    Returns:
        The SQL, without the password.

    Raises:
        RolesRefused: whoever runs this may not; the password is empty; the name is a group's.
        StoreUnavailable: the database failed.
    """
    if login in GROUPS:
        message = f"{login} is a group role, which nobody logs in as; choose another name"
        raise RolesRefused(message)
    if password == "":
        raise RolesRefused("the password is empty")

    def steps(connection: Connection, database_name: str) -> Iterator[Step]:
        name = sql.Identifier(login)
        if login not in connection.execute(_STANDING, {"names": [login]}).one().roles:
            yield Step(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        if password is not None:
            yield _password(connection, login, password)
        yield Step(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), name))
        yield from _defaults(login, group, database_name)

    return _run(database, steps, dry_run=dry_run)


def _run(database: Database, steps: Steps, *, dry_run: bool) -> Sequence[str]:
    """Plan, then do it in one transaction; return the SQL as it may be shown."""
    try:
        with database.transaction() as connection:
            # A table in use must not hold up every writer behind it for long.
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            plan = list(_plan(connection, steps))
            cursor: Any = connection.connection.cursor()
            if not dry_run:
                for step in plan:
                    cursor.execute(step.statement)
                _check_nobody_else_creates(connection)
            return [(step.shown or step.statement).as_string(cursor) for step in plan]
    except StoreUnavailable as error:
        if error.sqlstate == _NOT_ALLOWED:
            message = (
                f"{error.what}; log in as the owner of the database with CREATEROLE, who is a"
                " member of whoever owns the tables now"
            )
            raise RolesRefused(message) from None
        if error.sqlstate == _BUSY:
            message = f"{error.what}: a table is in use; nothing has changed, try again"
            raise RolesRefused(message) from None
        raise


def _plan(connection: Connection, steps: Steps) -> Iterator[Step]:
    """Yield the steps between what they need: the groups, and the right to act as the migrator."""
    standing = connection.execute(_STANDING, {"names": list(GROUPS)}).one()
    for group in GROUPS:
        if group not in standing.roles:
            yield Step(sql.SQL(_CREATE_GROUP.format(group=group)))
    migrator = sql.Identifier(MIGRATOR)
    if not standing.is_migrator:
        yield Step(sql.SQL("GRANT {} TO CURRENT_USER").format(migrator))
    yield from steps(connection, standing.database)
    if not standing.is_migrator:
        yield Step(sql.SQL("REVOKE {} FROM CURRENT_USER").format(migrator))


def _set_up(connection: Connection, database_name: str) -> Iterator[Step]:
    database = sql.Identifier(database_name)
    groups = sql.SQL(", ").join(map(sql.Identifier, GROUPS))
    migrator = sql.Identifier(MIGRATOR)
    yield from map(
        Step,
        (
            sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database),
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, groups),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(groups),
            sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(migrator),
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
            ).format(migrator),
        ),
    )
    yield from _hand_over(connection)
    for login, group in connection.execute(_LOGINS, {"groups": list(GROUPS)}):
        yield from _defaults(login, group, database_name)


def _hand_over(connection: Connection) -> Iterator[Step]:
    """Give the migrator what the revisions made and somebody else owns; leave all else alone."""
    parameters = {"owner": MIGRATOR, "names": _RELATIONS, "days": _DAYS}
    found = connection.execute(_FOREIGN_RELATIONS, parameters).all()
    parameters = {"owner": MIGRATOR, "names": list(FUNCTIONS)}
    for kind, name in [*found, *connection.execute(_FOREIGN_FUNCTIONS, parameters)]:
        yield Step(
            sql.SQL("ALTER {} public.{} OWNER TO {}").format(
                sql.SQL(kind), sql.Identifier(name), sql.Identifier(MIGRATOR)
            )
        )


def _defaults(login: str, group: str, database_name: str) -> Iterator[Step]:
    """Give a login the settings of its group, and take those of another group from it."""
    head = sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(
        sql.Identifier(login), sql.Identifier(database_name)
    )
    for name in _SETTINGS:
        value = _DEFAULTS[group].get(name)
        change = f"RESET {name}" if value is None else f"SET {name} = {value}"
        yield Step(head + sql.SQL(change))


def _password(connection: Connection, login: str, password: str) -> Step:
    driver: Any = connection.connection.dbapi_connection
    verifier = encrypt_password(password, login, scope=driver, algorithm="scram-sha-256")
    head = sql.SQL("ALTER ROLE {} PASSWORD ").format(sql.Identifier(login))
    return Step(head + sql.Literal(verifier), head + sql.SQL("'<SCRAM-SHA-256 verifier>'"))


def _check_nobody_else_creates(connection: Connection) -> None:
    """Refuse a database whose schema ``public`` belongs to somebody who lets everybody in.

    PostgreSQL does not fail when there is nothing that this login could revoke.
    """
    if connection.execute(_EVERYBODY_CREATES).scalar_one():
        message = (
            "everybody may still create objects in the schema public: its owner has to"
            " 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'"
        )
        raise RolesRefused(message)
