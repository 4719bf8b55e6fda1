"""Alerts: what people have to look at. The same finding again is the same alert."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.vocabularies import Severity

type AlertTable = Literal["alerts", "shadow_alerts"]

_NAMESPACE: Final = uuid.UUID("6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51")
_COLUMNS: Final = """
    alert_id, kind, severity, rule_id, rule_set, window_start, subject, outcome, evidence,
    first_seen, last_seen
"""
_VALUES: Final = """
    :alert_id, :kind, :severity, :rule_id, :rule_set, :window_start, :subject, :outcome,
    CAST(:evidence AS jsonb), :first_seen, :last_seen
"""
# An older window that is computed again does not replace what was found later.
_UPDATE: Final = """
    evidence = CASE WHEN excluded.last_seen >= known.last_seen
                    THEN excluded.evidence ELSE known.evidence END,
    outcome = CASE WHEN excluded.last_seen >= known.last_seen
                   THEN excluded.outcome ELSE known.outcome END,
    severity = greatest(known.severity, excluded.severity),
    first_seen = least(known.first_seen, excluded.first_seen),
    last_seen = greatest(known.last_seen, excluded.last_seen),
    withdrawn_at = NULL
"""
# A suppression acts by the database's clock on alerts that are new while it runs.
_SUPPRESSION: Final = """
    SELECT suppression_id
    FROM rule_suppressions AS suppression
    WHERE suppression.rule_id = :rule_id AND suppression.until > now()
      AND (suppression.subject IS NULL OR suppression.subject = :subject OR EXISTS (
          SELECT FROM jsonb_each_text(CAST(:dimensions AS jsonb)) AS dimension
          WHERE dimension.value = suppression.subject))
    ORDER BY suppression.until DESC
    LIMIT 1
"""
_RAISE: Final = {
    "alerts": text(f"""
        INSERT INTO alerts AS known ({_COLUMNS}, suppression_id)
        VALUES ({_VALUES}, ({_SUPPRESSION}))
        ON CONFLICT (alert_id) DO UPDATE SET {_UPDATE}
    """),
    "shadow_alerts": text(f"""
        INSERT INTO shadow_alerts AS known ({_COLUMNS})
        VALUES ({_VALUES})
        ON CONFLICT (alert_id) DO UPDATE SET {_UPDATE}
    """),
}
_EPISODES: Final = """
    SELECT wanted.place, known.alert_id
    FROM unnest(CAST(:kinds AS text[]), CAST(:rule_ids AS text[]), CAST(:rule_sets AS integer[]),
                CAST(:subjects AS text[]), CAST(:earliest AS timestamptz[]),
                CAST(:latest AS timestamptz[]))
         WITH ORDINALITY AS wanted (kind, rule_id, rule_set, subject, earliest, latest, place)
    CROSS JOIN LATERAL (
        SELECT alert_id
        FROM {table} AS alert
        WHERE alert.kind = wanted.kind AND alert.rule_id = wanted.rule_id
          AND alert.subject = wanted.subject AND alert.window_start IS NULL
          AND alert.last_seen >= wanted.earliest AND alert.first_seen <= wanted.latest
          {of_one_set}
        ORDER BY first_seen
        LIMIT 1
    ) AS known
"""
_FIND_EPISODES: Final = {
    "alerts": text(_EPISODES.format(table="alerts", of_one_set="")),
    "shadow_alerts": text(
        _EPISODES.format(table="shadow_alerts", of_one_set="AND alert.rule_set = wanted.rule_set")
    ),
}
_WITHDRAW: Final = """
    UPDATE {table} SET withdrawn_at = now()
    WHERE window_start = :window_start AND rule_id = ANY(:rule_ids) AND withdrawn_at IS NULL
      AND alert_id <> ALL(CAST(:standing AS uuid[])) {of_one_set}
"""
_WITHDRAW_FROM: Final = {
    "alerts": text(_WITHDRAW.format(table="alerts", of_one_set="")),
    "shadow_alerts": text(
        _WITHDRAW.format(table="shadow_alerts", of_one_set="AND rule_set = :rule_set")
    ),
}


class Alert(NamedTuple):
    """One finding that people have to look at.

    Kind, rule, subject and window make it what it is; the rest may change. With a ``cooldown`` it
    is part of an episode instead, which goes on until so long nothing has happened, and
    ``window_start`` is None.

    Attributes:
        kind: ``threshold`` (window rules), ``payment``, ``velocity``, ``sequence``, ``score``, or
            what the pipeline itself reports: ``drift``, ``partitions``, ``rule_guard``, ...
        severity: how urgent.
        subject: whom it is about; dimensions as canonical JSON, or a name.
        evidence: what to look at; fit for JSON.
        first_seen: event time, aware UTC.
        last_seen: likewise, not before ``first_seen``.
        rule_id: of the rule that found it, if one did.
        rule_set: number of the rule set that the rule is of.
        window_start: of the window that it was found in.
        outcome: name of the rule's outcome.
        cooldown: how long nothing has to happen until an episode is over.
    """

    kind: str
    severity: Severity
    subject: str
    evidence: dict[str, Any]
    first_seen: datetime
    last_seen: datetime
    rule_id: str | None = None
    rule_set: int | None = None
    window_start: datetime | None = None
    outcome: str | None = None
    cooldown: timedelta | None = None


def raise_alerts(
    connection: Connection, alerts: Sequence[Alert], table: AlertTable = "alerts"
) -> Sequence[uuid.UUID]:
    """Insert alerts, or bring those up to date that were raised before; return their ids.

    An episode of which a part was raised before is continued.
    """
    whole = [alert for alert in alerts if alert.cooldown is None]
    episodes = list(merged_episodes(alert for alert in alerts if alert.cooldown is not None))
    known = _known_episodes(connection, episodes, table)
    identified = [(_alert_id(alert, table), alert) for alert in whole]
    identified += [
        (known.get(place) or _alert_id(episode, table), episode)
        for place, episode in enumerate(episodes)
    ]
    rows = [_row(alert_id, alert) for alert_id, alert in sorted(identified, key=lambda at: at[0])]
    if rows:
        connection.execute(_RAISE[table], rows)
    return [alert_id for alert_id, _ in identified]


def withdraw_alerts(
    connection: Connection,
    window_start: datetime,
    rule_ids: Sequence[str],
    standing: Sequence[uuid.UUID],
    *,
    rule_set: int,
    table: AlertTable = "alerts",
) -> None:
    """Mark the alerts of a window as withdrawn that its rules do not find any more.

    Args:
        connection: in the transaction that has judged the window.
        window_start: of the window.
        rule_ids: the rules that have judged it.
        standing: ids of the alerts that were found.
        rule_set: number of the rule set; counts for shadows, which know no other's alerts.
        table: whose alerts.
    """
    parameters = {
        "window_start": window_start,
        "rule_ids": list(rule_ids),
        "standing": [str(alert_id) for alert_id in standing],
        "rule_set": rule_set,
    }
    connection.execute(_WITHDRAW_FROM[table], parameters)


def _alert_id(alert: Alert, table: AlertTable) -> uuid.UUID:
    """Return the same for the same finding, however often it is made."""
    start = alert.first_seen if alert.cooldown is not None else alert.window_start
    parts = [alert.kind, alert.rule_id, alert.subject, start.isoformat() if start else None]
    if table == "shadow_alerts":
        parts.append(str(alert.rule_set))
    return uuid.uuid5(_NAMESPACE, json.dumps(parts))


def merged_episodes(alerts: Iterable[Alert]) -> Iterator[Alert]:
    """Yield episodes: alerts of one rule and subject that follow each other within the cooldown.

    Args:
        alerts: with a cooldown; episodes that were merged before may be among them.
    """

    def of_one(alert: Alert) -> tuple[str, str, str]:
        return alert.kind, alert.rule_id or "", alert.subject

    episode: Alert | None = None
    for alert in sorted(alerts, key=lambda each: (of_one(each), each.first_seen, each.last_seen)):
        if episode is None:
            episode = alert
        elif of_one(episode) == of_one(alert) and _continues(episode, alert):
            episode = alert._replace(
                first_seen=episode.first_seen,
                last_seen=max(episode.last_seen, alert.last_seen),
                severity=max(episode.severity, alert.severity),
            )
        else:
            yield episode
            episode = alert
    if episode is not None:
        yield episode


def _continues(episode: Alert, alert: Alert) -> bool:
    return alert.first_seen - episode.last_seen <= (episode.cooldown or timedelta())


def _known_episodes(
    connection: Connection, episodes: Sequence[Alert], table: AlertTable
) -> dict[int, uuid.UUID]:
    """Return by place the episodes that go on from what was raised before."""
    if not episodes:
        return {}
    cooldowns = [episode.cooldown or timedelta() for episode in episodes]
    parameters = {
        "kinds": [episode.kind for episode in episodes],
        "rule_ids": [episode.rule_id for episode in episodes],
        "rule_sets": [episode.rule_set for episode in episodes],
        "subjects": [episode.subject for episode in episodes],
        "earliest": [
            episode.first_seen - cooldown
            for episode, cooldown in zip(episodes, cooldowns, strict=True)
        ],
        "latest": [
            episode.last_seen + cooldown
            for episode, cooldown in zip(episodes, cooldowns, strict=True)
        ],
    }
    rows = connection.execute(_FIND_EPISODES[table], parameters)
    return {place - 1: alert_id for place, alert_id in rows}


def _row(alert_id: uuid.UUID, alert: Alert) -> dict[str, Any]:
    return {
        **alert._asdict(),
        "alert_id": alert_id,
        "severity": int(alert.severity),
        "evidence": json.dumps(alert.evidence, default=str),
        # Only subjects of rules are made of dimensions.
        "dimensions": alert.subject if alert.rule_id is not None else "{}",
    }
