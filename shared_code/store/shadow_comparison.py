"""Compares what a shadow rule set found with what the active one found, in the same windows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.rules.outcomes import INDETERMINATE

_LAST_SHADOW: Final = text("""
    SELECT started.rule_set, version, started.activated_at, ended.activated_at AS ended_at
    FROM (
        SELECT * FROM rule_set_activations WHERE role = 'shadow'
        ORDER BY activation_id DESC LIMIT 1
    ) AS started
    JOIN rule_sets USING (rule_set)
    LEFT JOIN LATERAL (
        SELECT activated_at FROM rule_set_activations AS later
        WHERE later.activation_id > started.activation_id
          AND (later.role = 'shadow_ended'
               OR (later.role = 'active' AND later.rule_set = started.rule_set))
        ORDER BY activation_id
        LIMIT 1
    ) AS ended ON true
""")
# The windows that both have judged, and in them the payments that both have seen: a window may hold
# payments that were stored before the shadow started.
_WINDOWS: Final = """
    WITH windows AS MATERIALIZED (
        SELECT DISTINCT history.window_start
        FROM rule_history AS history
        WHERE history.rule_set = :shadow AND history.window_start >= :since
    )
"""
_SPAN: Final = text(f"""
    {_WINDOWS}
    SELECT count(*), min(window_start), max(window_start) + interval '5 minutes' FROM windows
""")
_MATCHES: Final = text(f"""
    {_WINDOWS},
    judged AS (
        SELECT definition.rule_id,
               bool_or(NOT metric.shadow AND metric.outcome <> {INDETERMINATE}) AS by_active,
               bool_or(metric.shadow AND metric.outcome <> {INDETERMINATE}) AS by_shadow,
               bool_or(NOT metric.shadow AND metric.outcome = {INDETERMINATE}) AS active_unsure,
               bool_or(metric.shadow AND metric.outcome = {INDETERMINATE}) AS shadow_unsure,
               max(metric.value) FILTER (WHERE NOT metric.shadow)
                   <> max(metric.value) FILTER (WHERE metric.shadow)
               OR max(outcomes.name) FILTER (WHERE NOT metric.shadow)
                   <> max(outcomes.name) FILTER (WHERE metric.shadow) AS other_value
        FROM dynamic_metrics AS metric
        JOIN rules AS definition USING (rule_set, rule)
        LEFT JOIN rule_outcomes AS outcomes USING (rule_set, rule, outcome)
        JOIN normalized_transactions AS payment
          USING (event_time, transaction_id, payment_status)
        JOIN windows
          ON windows.window_start = date_bin('5 minutes', metric.event_time, TIMESTAMPTZ 'epoch')
        WHERE metric.event_time >= :start AND metric.event_time < :end
          AND payment.event_time >= :start AND payment.event_time < :end
          AND payment.stored_at >= :started_at
          AND (NOT metric.shadow OR metric.rule_set = :shadow)
        GROUP BY metric.event_time, metric.transaction_id, metric.payment_status,
                 definition.rule_id
    )
    SELECT rule_id,
           count(*) FILTER (WHERE by_active AND by_shadow),
           count(*) FILTER (WHERE by_active AND NOT by_shadow),
           count(*) FILTER (WHERE by_shadow AND NOT by_active),
           count(*) FILTER (WHERE active_unsure),
           count(*) FILTER (WHERE shadow_unsure),
           count(*) FILTER (WHERE by_active AND by_shadow AND other_value)
    FROM judged
    GROUP BY rule_id
    ORDER BY rule_id
""")
_PAIRED_VALUES: Final = f"""
    {_WINDOWS},
    valued AS (
        SELECT window_start, measured.rule_set, definition.rule_id, dimensions, value,
               coalesce(outcomes.name, 'matched') AS name
        FROM rule_metrics_5m AS measured
        JOIN windows USING (window_start)
        JOIN rules AS definition USING (rule_set, rule)
        LEFT JOIN rule_outcomes AS outcomes USING (rule_set, rule, outcome)
    ),
    of_active AS (
        SELECT valued.*
        FROM valued
        JOIN LATERAL (
            SELECT rule_set FROM window_revisions AS revision
            WHERE revision.window_start = valued.window_start
            ORDER BY revision DESC LIMIT 1
        ) AS latest USING (rule_set)
    ),
    paired AS (
        SELECT rule_id, window_start, dimensions,
               ours.value AS active_value, theirs.value AS shadow_value,
               (ours.value, ours.name) IS DISTINCT FROM (theirs.value, theirs.name) AS differ
        FROM of_active AS ours
        FULL JOIN (SELECT * FROM valued WHERE rule_set = :shadow) AS theirs
          USING (rule_id, window_start, dimensions)
    )
"""
_VALUES: Final = text(f"""
    {_PAIRED_VALUES}
    SELECT rule_id,
           count(*) FILTER (WHERE NOT differ),
           count(*) FILTER (WHERE differ AND active_value IS NOT NULL
                                         AND shadow_value IS NOT NULL),
           count(*) FILTER (WHERE shadow_value IS NULL),
           count(*) FILTER (WHERE active_value IS NULL)
    FROM paired
    GROUP BY rule_id
    ORDER BY rule_id
""")
_DIFFERENCES: Final = text(f"""
    {_PAIRED_VALUES}
    SELECT rule_id, window_start, dimensions, active_value, shadow_value
    FROM paired
    WHERE differ
    ORDER BY window_start DESC, rule_id, dimensions
    LIMIT :limit
""")
# An episode is the same alert if it overlaps; how the pipeline itself fares is no rule's business.
_ALERTS: Final = text(f"""
    {_WINDOWS},
    seen AS (
        SELECT alert.*, false AS shadow
        FROM (SELECT rule_id, subject, kind, first_seen, last_seen, withdrawn_at
              FROM alerts) AS alert
        UNION ALL
        SELECT alert.*, true
        FROM (SELECT rule_id, subject, kind, first_seen, last_seen, withdrawn_at
              FROM shadow_alerts WHERE rule_set = :shadow) AS alert
    ),
    inside AS (
        SELECT *
        FROM seen
        WHERE withdrawn_at IS NULL AND rule_id IS NOT NULL AND kind <> 'rule_guard'
          AND last_seen >= :start AND first_seen <= :end
          AND EXISTS (
              SELECT FROM windows
              WHERE first_seen <= windows.window_start + interval '5 minutes'
                AND last_seen >= windows.window_start)
    ),
    paired AS (
        SELECT one.rule_id, one.shadow,
               EXISTS (
                   SELECT FROM inside AS other
                   WHERE other.shadow <> one.shadow AND other.rule_id = one.rule_id
                     AND other.kind = one.kind AND other.subject = one.subject
                     AND other.first_seen <= one.last_seen AND other.last_seen >= one.first_seen
               ) AS in_both
        FROM inside AS one
    )
    SELECT rule_id,
           count(*) FILTER (WHERE in_both AND NOT shadow),
           count(*) FILTER (WHERE NOT in_both AND NOT shadow),
           count(*) FILTER (WHERE NOT in_both AND shadow)
    FROM paired
    GROUP BY rule_id
    ORDER BY rule_id
""")


class Shadow(NamedTuple):
    """The rule set that ran as a shadow last; ``ended_at`` is None while it runs."""

    rule_set: int
    version: str
    started_at: datetime
    ended_at: datetime | None


class MatchComparison(NamedTuple):
    """Payments that a transaction rule matches under both rule sets, or under one, by its id.

    ``other_value`` are those of both whose value or outcome differs.
    """

    rule_id: str
    both: int
    only_active: int
    only_shadow: int
    active_indeterminate: int
    shadow_indeterminate: int
    other_value: int


class ValueComparison(NamedTuple):
    """Values of windows that a rule has under both rule sets, or under one, by its id."""

    rule_id: str
    equal: int
    different: int
    only_active: int
    only_shadow: int


class AlertComparison(NamedTuple):
    """Alerts that a rule raises under both rule sets, or under one, by its id."""

    rule_id: str
    both: int
    only_active: int
    only_shadow: int


class ValueDifference(NamedTuple):
    """A value of a window on which the rule sets differ; None where one has none."""

    rule_id: str
    window_start: datetime
    dimensions: dict[str, Any]
    active_value: Any
    shadow_value: Any


class ShadowReport(NamedTuple):
    """How a shadow fares beside the active rule set, over the windows that both have judged.

    ``start`` and ``end`` are of the first and the last window; None if there was none.
    """

    shadow: Shadow
    windows: int
    start: datetime | None
    end: datetime | None
    matches: Sequence[MatchComparison]
    values: Sequence[ValueComparison]
    alerts: Sequence[AlertComparison]
    differences: Sequence[ValueDifference]


def last_shadow(connection: Connection) -> Shadow | None:
    """Return the shadow that runs, else the one that ran last; None if none ever did."""
    row = connection.execute(_LAST_SHADOW).one_or_none()
    return None if row is None else Shadow(*row)


def compare_shadow(
    connection: Connection, shadow: Shadow, since: datetime, examples: int
) -> ShadowReport:
    """Compare a shadow with the active rule set.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        shadow: which.
        since: only windows that do not start before it count.
        examples: how many values that differ are listed, newest first.
    """
    where: dict[str, Any] = {"shadow": shadow.rule_set, "since": since}
    windows, start, end = connection.execute(_SPAN, where).one()
    if not windows:
        return ShadowReport(shadow, 0, None, None, (), (), (), ())
    spanned = where | {"start": start, "end": end}
    matches = connection.execute(_MATCHES, spanned | {"started_at": shadow.started_at})
    values = connection.execute(_VALUES, where)
    alerts = connection.execute(_ALERTS, spanned)
    differences = connection.execute(_DIFFERENCES, where | {"limit": examples})
    return ShadowReport(
        shadow,
        windows,
        start,
        end,
        [MatchComparison(*row) for row in matches],
        [ValueComparison(*row) for row in values],
        [AlertComparison(*row) for row in alerts],
        [ValueDifference(*row) for row in differences],
    )
