"""Alerts: what people have to look at. The same finding again is the same alert."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.vocabularies import Severity

_NAMESPACE: Final = uuid.UUID("6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51")
_RAISE: Final = text("""
    INSERT INTO alerts AS known
        (alert_id, kind, severity, rule_id, rule_set, window_start, subject, evidence,
         first_seen, last_seen)
    VALUES
        (:alert_id, :kind, :severity, :rule_id, :rule_set, :window_start, :subject,
         CAST(:evidence AS jsonb), :seen_at, :seen_at)
    ON CONFLICT (alert_id) DO UPDATE SET
        evidence = excluded.evidence,
        first_seen = least(known.first_seen, excluded.first_seen),
        last_seen = greatest(known.last_seen, excluded.last_seen)
""")


class Alert(NamedTuple):
    """One finding. Kind, rule, subject and window make it what it is; the rest may change."""

    kind: str
    severity: Severity
    subject: str
    evidence: Mapping[str, Any]
    seen_at: datetime
    rule_id: str | None = None
    rule_set: int | None = None
    window_start: datetime | None = None

    @property
    def alert_id(self) -> uuid.UUID:
        """The same for the same finding, however often it is made."""
        start = self.window_start.isoformat() if self.window_start else None
        return uuid.uuid5(_NAMESPACE, json.dumps([self.kind, self.rule_id, self.subject, start]))


def raise_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Insert alerts; one that was raised before is brought up to date."""
    rows = [
        {
            **alert._asdict(),
            "alert_id": alert.alert_id,
            "severity": int(alert.severity),
            "evidence": json.dumps(alert.evidence, default=str),
        }
        for alert in sorted(alerts, key=lambda alert: alert.alert_id)
    ]
    if rows:
        connection.execute(_RAISE, rows)
