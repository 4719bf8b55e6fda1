"""A readable summary of what is in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

# An event of a payment is known by its id and its status; people ask for it by the id.
_LEFT_OUT: Final = "payment_status"

_RULE_SET: Final = text("""
    SELECT 'version ' || version AS "active rule set",
           (SELECT count(*) FROM rules WHERE rules.rule_set = active.rule_set) AS rules,
           to_char(activated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "since (UTC)",
           activated_by AS by
    FROM rule_set_activations AS active
    JOIN rule_sets USING (rule_set)
    WHERE role = 'active'
    ORDER BY activation_id DESC
    LIMIT 1
""")
_WINDOWS: Final = text("""
    SELECT to_char(windows.window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "window (UTC)",
           sum(windows.payment_count)::bigint AS payments,
           count(*) AS groups,
           max(windows.revision) AS revision,
           bool_and(windows.is_final) AS final,
           coalesce(max(measured.values), 0) AS "rule values"
    FROM payment_windows AS windows
    LEFT JOIN (
        SELECT window_start, count(*) AS values FROM rule_values GROUP BY window_start
    ) AS measured USING (window_start)
    GROUP BY windows.window_start
    ORDER BY windows.window_start
""")
_AMOUNTS: Final = text("""
    SELECT currency, sum(payment_count)::bigint AS payments,
           sum(payment_count) FILTER (WHERE payment_status = 'completed') AS completed,
           sum(amount_sum) FILTER (WHERE payment_status = 'completed') AS "completed amount",
           sum(amount_sum) AS "amount in all"
    FROM payment_windows
    GROUP BY currency
    ORDER BY payments DESC
""")
_MATCHES: Final = text("""
    SELECT rule_id AS rule, category, severity, count(*) AS matches
    FROM rule_matches
    GROUP BY rule_id, category, severity
    ORDER BY matches DESC, rule
    LIMIT 10
""")
# The example of a window rule has the most payments: a share of a few payments says little.
_VALUES: Final = text("""
    WITH examples AS (
        SELECT DISTINCT ON (rule_id) scope, rule_id, metric_type, window_start, dimensions, value,
               payment_count
        FROM rule_values
        WHERE scope IN ('window', 'velocity')
        ORDER BY rule_id, CASE scope WHEN 'window' THEN payment_count ELSE value END DESC,
                 window_start, dimensions
    ),
    ranked AS (
        SELECT *,
               row_number() OVER (PARTITION BY scope ORDER BY payment_count DESC, rule_id) AS place
        FROM examples
    )
    SELECT scope, rule_id AS rule,
           to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI') AS window,
           dimensions AS "for example",
           CASE metric_type WHEN 'amount' THEN value ELSE trim_scale(round(value, 4)) END AS value
    FROM ranked
    WHERE place <= 5
    ORDER BY scope DESC, place
""")
_ALERTS: Final = text("""
    WITH counted AS (
        SELECT DISTINCT ON (severity, rule) severity, coalesce(rule_id, kind) AS rule,
               count(*) OVER (PARTITION BY severity, coalesce(rule_id, kind)) AS open,
               CASE WHEN rule_id IS NULL THEN to_jsonb(subject) ELSE CAST(subject AS jsonb) END
                   AS subject,
               evidence ->> 'value' AS value
        FROM open_alerts
        ORDER BY severity, rule, first_seen, alert_id
    )
    SELECT severity, rule, open, subject AS "for example", value
    FROM counted
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.name = counted.severity
    ORDER BY severities.number DESC, open DESC, rule
    LIMIT 15
""")
_REJECTED: Final = text("""
    SELECT reason, count(*) AS events, min(left(body, 44)) AS "for example"
    FROM rejected_events
    GROUP BY reason
    ORDER BY events DESC, reason
""")

_SECTIONS: Final = (
    ("Five-minute windows", _WINDOWS),
    ("Amounts by currency", _AMOUNTS),
    ("Rules", _RULE_SET),
    ("Top rules by matching payments", _MATCHES),
    ("Some values of windows, and of subjects in sliding windows", _VALUES),
    ("Open alerts by severity and rule", _ALERTS),
    ("Rejected events by reason", _REJECTED),
)


def print_summary(console: Console, connection: Connection) -> None:
    """Print windows, amounts, what rules found, alerts and rejected events as tables."""
    for title, query in _SECTIONS:
        result = connection.execute(query)
        console.print(_table(title, list(result.keys()), result.all()))


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in names:
        # The terminal of a pipe has 80 columns: ids of rules stay whole, what they found may wrap.
        table.add_column(name, overflow="fold", no_wrap=name == "rule")
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "not yet"
    shown = (_subject(value) or "all payments") if isinstance(value, dict) else str(value)
    return shown.replace("[", r"\[")


def _subject(dimensions: Mapping[str, Any]) -> str:
    """Return what a rule found something about: the values of fields, without their names."""
    values = (value for name, value in dimensions.items() if name != _LEFT_OUT)
    return " ".join("(none)" if value is None else str(value) for value in values)
