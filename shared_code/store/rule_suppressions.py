"""Suppressions: alerts of a rule that nobody has to look at for a while, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.card_numbers import mask_card_numbers

_INSERT: Final = text("""
    INSERT INTO rule_suppressions (rule_id, subject, until, reason, created_by)
    VALUES (:rule_id, :subject, :until, :reason, :by)
    RETURNING suppression_id
""")
_IN_FORCE: Final = text("""
    SELECT suppression_id, rule_id, subject, until, reason, created_by, created_at
    FROM rule_suppressions
    WHERE until > now()
    ORDER BY until, suppression_id
""")
_RULE_IDS: Final = text("SELECT rule_id FROM rules WHERE rule_set = :rule_set")


class Suppression(NamedTuple):
    """A rule whose new alerts are kept out of sight until a time.

    ``subject`` is a value of an alert's subject, such as a customer's id; None means all subjects.
    """

    suppression_id: int
    rule_id: str
    subject: str | None
    until: datetime
    reason: str
    by: str
    created_at: datetime


def insert_suppression(
    connection: Connection,
    rule_id: str,
    subject: str | None,
    until: datetime,
    *,
    by: str,
    reason: str,
) -> int:
    """Record a suppression and return its number."""
    parameters = {
        "rule_id": rule_id,
        "subject": subject,
        "until": until,
        "reason": mask_card_numbers(reason),
        "by": by,
    }
    return int(connection.execute(_INSERT, parameters).scalar_one())


def suppressions_in_force(connection: Connection) -> Sequence[Suppression]:
    """Return the suppressions that have not ended, the next to end first."""
    return [Suppression(*row) for row in connection.execute(_IN_FORCE)]


def rule_ids_of(connection: Connection, rule_set: int) -> Sequence[str]:
    """Return the ids of the rules of a rule set."""
    return connection.execute(_RULE_IDS, {"rule_set": rule_set}).scalars().all()
