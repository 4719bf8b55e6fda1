"""The group roles of the database. They belong to the cluster, so that no revision creates them."""

from typing import Final

from sqlalchemy import Connection, text

from shared_code.store.schema import READER, WRITER

# Two databases of one cluster may be set up at once: whoever comes second finds the role there.
_CREATE_ROLE: Final = """\
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$"""


def ensure_roles(connection: Connection) -> None:
    """Create the writer's and the reader's group role unless they are there."""
    for role in (WRITER, READER):
        connection.execute(text(_CREATE_ROLE.format(role=role)))
