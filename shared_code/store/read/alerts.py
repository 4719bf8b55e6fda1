"""Alerts: open, suppressed or withdrawn, with what to look at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Key, Listing, Page, Span, listing
from shared_code.store.read.subjects import shown_subject

STATES: Final = ("open", "suppressed", "withdrawn")
ALL_STATES: Final = "all"

_ALERTS: Final = """
    SELECT alert_id, kind, severities.name AS severity, rule_id,
           rule_sets.version AS rule_set_version, subject, outcome, evidence, first_seen, last_seen,
           raised_at, window_start,
           CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
                WHEN suppression_id IS NOT NULL THEN 'suppressed'
                ELSE 'open' END AS state
    FROM alerts AS alert
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = alert.severity
    LEFT JOIN rule_sets USING (rule_set)
"""
_OF_SPAN: Final = text(f"""
    {_ALERTS}
    WHERE last_seen >= :start AND last_seen < :end AND last_seen <= :newest
      AND CASE CAST(:state AS text)
              WHEN 'open' THEN withdrawn_at IS NULL AND suppression_id IS NULL
              WHEN 'suppressed' THEN withdrawn_at IS NULL AND suppression_id IS NOT NULL
              WHEN 'withdrawn' THEN withdrawn_at IS NOT NULL
              ELSE true END
      AND (CAST(:severities AS smallint[]) IS NULL
           OR alert.severity = ANY(CAST(:severities AS smallint[])))
      AND (CAST(:rule AS text) IS NULL OR rule_id = :rule)
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:subject AS text) IS NULL OR subject = :subject
           OR CASE WHEN rule_id IS NOT NULL AND starts_with(subject, '{{') THEN EXISTS (
                  SELECT FROM jsonb_each_text(CAST(subject AS jsonb)) AS dimension
                  WHERE dimension.value = :subject) END)
      AND (CAST(:after_last_seen AS timestamptz) IS NULL
           OR (last_seen, alert_id)
              < (CAST(:after_last_seen AS timestamptz), CAST(:after_alert_id AS uuid)))
    ORDER BY last_seen DESC, alert_id DESC
    LIMIT :more
""")
_ONE: Final = text(f"{_ALERTS} WHERE alert_id = :alert_id")


class SeenAlert(msgspec.Struct, frozen=True):
    """Something to look at; the same finding again is the same alert, with a later last_seen."""

    alert_id: UUID
    kind: str
    severity: str
    rule_id: str | None
    rule_set_version: str | None
    subject: str
    outcome: str | None
    evidence: dict[str, Any]
    first_seen: datetime
    last_seen: datetime
    raised_at: datetime
    window_start: datetime | None
    state: str


def alerts(
    connection: Connection,
    span: Span,
    page: Page,
    *,
    state: str,
    severities: Sequence[int] | None,
    rule: str | None,
    kind: str | None,
    subject: str | None,
) -> Listing[SeenAlert]:
    """Return the alerts that were last seen in a span, newest first; None means all.

    A subject is the whole of it, or what one of its dimensions is: a customer's id, say.
    """
    parameters = {
        **span.parameters(),
        **page.parameters("last_seen", "alert_id"),
        "newest": span.end if page.after is None else page.after[0],
        "state": state,
        "severities": list(severities) if severities else None,
        "rule": rule,
        "kind": kind,
        "subject": subject,
    }
    return listing(connection.execute(_OF_SPAN, parameters).all(), page, _key, _alert)


def alert(connection: Connection, alert_id: UUID) -> SeenAlert | None:
    """Return one alert, whatever its state; None if there is none."""
    row = connection.execute(_ONE, {"alert_id": alert_id}).one_or_none()
    return None if row is None else _alert(row)


def _key(row: Any) -> Key:
    return row.last_seen, row.alert_id


def _alert(row: Any) -> SeenAlert:
    return SeenAlert(**row._asdict() | {"subject": shown_subject(row.subject)})
