"""Whether the database is there, has the schema that this release needs, and lets rules be read."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.store.rule_store import rule_sets_in_force
from shared_code.store.schema import REVISION

_REVISION: Final = text("SELECT max(version_num) FROM alembic_version")


class Readiness(NamedTuple):
    """Whether the schema is not behind the release; the active version, None before the first."""

    has_schema: bool
    active_version: str | None


def readiness(connection: Connection) -> Readiness:
    """Return how ready the database is; whatever fails raises."""
    revision: str | None = connection.execute(_REVISION).scalar_one()
    active = rule_sets_in_force(connection).active
    return Readiness(
        revision is not None and revision >= REVISION, None if active is None else active.version
    )
