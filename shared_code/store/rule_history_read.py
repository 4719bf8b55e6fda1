"""Reads back what became of rule documents: who activated what when, and what was refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.rules.errors import RuleError

_ACTIVATIONS: Final = text("""
    SELECT activated_at, role, version, activated_by, reason
    FROM rule_set_activations
    JOIN rule_sets USING (rule_set)
    ORDER BY activation_id DESC
    LIMIT :limit
""")
_REFUSALS: Final = text("""
    SELECT received_at, source, errors #>> '{0,path}', errors #>> '{0,message}',
           jsonb_array_length(errors)
    FROM rule_sets
    WHERE verdict = 'refused'
    ORDER BY rule_set DESC
    LIMIT :limit
""")
_EVER_ACTIVE: Final = text("""
    SELECT EXISTS (
        SELECT FROM rule_set_activations
        JOIN rule_sets USING (rule_set)
        WHERE role = 'active' AND sha256 = :sha256
    )
""")
_REFUSED_BECAUSE: Final = text("""
    SELECT errors FROM rule_sets WHERE sha256 = :sha256 AND verdict = 'refused'
""")


class Activation(NamedTuple):
    """A rule set came into force, as the active one or as a shadow, or a shadow ended."""

    activated_at: datetime
    role: str
    version: str
    by: str
    reason: str


class Refusal(NamedTuple):
    """A document that was refused, with the first of its errors."""

    received_at: datetime
    source: str
    path: str
    message: str
    error_count: int


def activations(connection: Connection, limit: int) -> Sequence[Activation]:
    """Return the last activations, newest first."""
    return [Activation(*row) for row in connection.execute(_ACTIVATIONS, {"limit": limit})]


def refusals(connection: Connection, limit: int) -> Sequence[Refusal]:
    """Return the documents that were refused last, newest first."""
    return [Refusal(*row) for row in connection.execute(_REFUSALS, {"limit": limit})]


def was_activated(connection: Connection, sha256: bytes) -> bool:
    """Tell whether a document is the active one, or was."""
    return bool(connection.execute(_EVER_ACTIVE, {"sha256": sha256}).scalar_one())


def refused_because(connection: Connection, sha256: bytes) -> tuple[RuleError, ...] | None:
    """Return the errors for which a document was refused; None if it was not."""
    errors = connection.execute(_REFUSED_BECAUSE, {"sha256": sha256}).scalar_one_or_none()
    return None if errors is None else tuple(RuleError(**error) for error in errors)
