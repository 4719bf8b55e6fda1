"""What an explanation reads: the stored events of a payment, and the alerts about it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

# No index leads to a transaction id alone: every partition's key is read through.
_EVENTS: Final = text("""
    SELECT event_time, transaction_id, payment_status
    FROM normalized_transactions
    WHERE transaction_id = :transaction_id
    ORDER BY event_time, payment_status
""")
_ALERTS: Final = text("""
    SELECT rule_id, subject, kind, severity, outcome, first_seen, last_seen,
           withdrawn_at IS NOT NULL AS withdrawn, suppression_id IS NOT NULL AS suppressed
    FROM alerts
    WHERE rule_id = ANY(:rule_ids) AND subject = ANY(:subjects)
      AND (window_start = :window_start
        OR (window_start IS NULL AND first_seen <= :event_time AND last_seen >= :event_time))
    ORDER BY first_seen, alert_id
""")


class StoredEvent(NamedTuple):
    """The key of a stored payment event."""

    event_time: datetime
    transaction_id: str
    payment_status: int


class StoredAlert(NamedTuple):
    """An alert that was raised, and whether people still see it."""

    rule_id: str
    subject: str
    kind: str
    severity: int
    outcome: str | None
    first_seen: datetime
    last_seen: datetime
    withdrawn: bool
    suppressed: bool


def stored_events(connection: Connection, transaction_id: str) -> Sequence[StoredEvent]:
    """Return the events of a payment, oldest first."""
    rows = connection.execute(_EVENTS, {"transaction_id": transaction_id})
    return [StoredEvent(*row) for row in rows]


def alerts_about(
    connection: Connection,
    event: StoredEvent,
    window_start: datetime,
    *,
    rule_ids: Collection[str],
    subjects: Collection[str],
) -> Sequence[StoredAlert]:
    """Return the alerts of some rules about some subjects that cover a payment event.

    Args:
        connection: in a transaction.
        event: which lies in the alerts' window, or in the time that an episode lasted.
        window_start: of the event's window.
        rule_ids: of the rules.
        subjects: as canonical JSON.
    """
    parameters = {
        "rule_ids": list(rule_ids),
        "subjects": list(subjects),
        "window_start": window_start,
        "event_time": event.event_time,
    }
    return [StoredAlert(*row) for row in connection.execute(_ALERTS, parameters)]
