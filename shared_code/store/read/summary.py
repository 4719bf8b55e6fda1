"""How the pipeline is doing, in one small answer."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.partitions import attached_days
from shared_code.store.rule_store import Role, RuleSet, rule_sets_in_force

# The newest by event time, which is what the key is ordered by; future ones are a day off at most.
_NEWEST_PAYMENTS: Final = text("""
    SELECT max(stored_at) AS last_stored_at,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) AS p50, max(lag) AS max
    FROM (
        SELECT stored_at, extract(epoch FROM stored_at - enqueued_at)::double precision AS lag
        FROM normalized_transactions
        WHERE event_time < now() + interval '2 days'
        ORDER BY event_time DESC
        LIMIT 1000
    ) AS newest
""")
# Counters of the window before and of the one that fills: five to ten minutes of event time.
_RATE: Final = text("""
    WITH counted AS (
        SELECT window_start, payment_count FROM payment_metrics_5m
        UNION ALL
        SELECT window_start, payment_count FROM window_deltas
    ), since AS (
        SELECT date_bin('5 minutes', now(), TIMESTAMPTZ 'epoch') - interval '5 minutes' AS moment
    )
    SELECT coalesce(sum(payment_count), 0)::double precision
               / extract(epoch FROM now() - (SELECT moment FROM since))::double precision
    FROM counted
    WHERE window_start >= (SELECT moment FROM since) AND window_start <= now()
""")
_OPEN_WINDOWS: Final = text("""
    SELECT count(DISTINCT window_start), min(window_start) FROM window_marks
    WHERE window_start <= now() - interval '5 minutes'
""")
_OPEN_ALERTS: Final = text("""
    SELECT severities.name AS severity, count(alert.alert_id) AS alert_count
    FROM vocabularies AS severities
    LEFT JOIN alerts AS alert
      ON alert.severity = severities.number AND alert.withdrawn_at IS NULL
     AND alert.suppression_id IS NULL AND alert.last_seen >= now() - interval '31 days'
    WHERE severities.vocabulary = 'severity'
    GROUP BY severities.name
""")
_REJECTED_LAST_HOUR: Final = text("""
    SELECT count(*) FROM masked_rejected_events
    WHERE rejected_at >= now() - interval '1 hour'
""")
_ACTIVATED_AT: Final = text("""
    SELECT max(activated_at) FROM rule_set_activations
    WHERE rule_set = :rule_set AND role = :role
""")


class LagSeconds(msgspec.Struct, frozen=True):
    """How long payments took from Event Hubs to the database; null before the first."""

    p50: float | None
    max: float | None


class RuleSetInForce(msgspec.Struct, frozen=True):
    """A rule set and since when it has been in force."""

    version: str
    activated_at: datetime


class Summary(msgspec.Struct, frozen=True):
    """How the pipeline is doing.

    ``lag_seconds`` is of the newest 1,000 payments, ``payments_per_second`` of the last whole
    window and the one that fills; ``open_windows`` have ended and wait to be closed;
    ``days_ahead`` is for how many days payments can be stored; ``open_alerts`` were last seen
    within 31 days.
    """

    as_of: datetime
    last_stored_at: datetime | None
    lag_seconds: LagSeconds
    payments_per_second: float
    open_windows: int
    oldest_open_window: datetime | None
    days_ahead: int
    open_alerts: dict[str, int]
    rejected_last_hour: int
    active_rule_set: RuleSetInForce | None
    shadow_rule_set: RuleSetInForce | None


def summary(connection: Connection, as_of: datetime) -> Summary:
    """Return how the pipeline is doing at the instant of a snapshot."""
    newest = connection.execute(_NEWEST_PAYMENTS).one()
    open_windows, oldest = connection.execute(_OPEN_WINDOWS).one()
    days = attached_days(connection)
    active, shadow = rule_sets_in_force(connection)
    return Summary(
        as_of=as_of,
        last_stored_at=newest.last_stored_at,
        lag_seconds=LagSeconds(newest.p50, newest.max),
        payments_per_second=round(connection.execute(_RATE).scalar_one(), 3),
        open_windows=open_windows,
        oldest_open_window=oldest,
        days_ahead=0 if days is None else max(0, (days.last - as_of.date()).days),
        open_alerts={row.severity: row.alert_count for row in connection.execute(_OPEN_ALERTS)},
        rejected_last_hour=connection.execute(_REJECTED_LAST_HOUR).scalar_one(),
        active_rule_set=_in_force(connection, active, "active"),
        shadow_rule_set=_in_force(connection, shadow, "shadow"),
    )


def _in_force(
    connection: Connection, rule_set: RuleSet | None, role: Role
) -> RuleSetInForce | None:
    if rule_set is None:
        return None
    asked = {"rule_set": rule_set.rule_set, "role": role}
    return RuleSetInForce(rule_set.version, connection.execute(_ACTIVATED_AT, asked).scalar_one())
