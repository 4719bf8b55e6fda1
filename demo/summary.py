"""A readable summary of what is in the database."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

_WINDOWS: Final = text("""
    SELECT to_char(windows.window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS "window (UTC)",
           sum(windows.payment_count)::bigint AS payments,
           count(*) AS groups,
           max(windows.revision) AS revision,
           bool_and(windows.is_final) AS final,
           coalesce(max(measured.values), 0) AS "rule values"
    FROM payment_windows AS windows
    LEFT JOIN (
        SELECT window_start, count(*) AS values FROM rule_metrics_5m GROUP BY window_start
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
_METRICS: Final = text("""
    SELECT rule_id AS rule, category, severity, count(*) AS matches
    FROM rule_matches
    GROUP BY rule_id, category, severity
    ORDER BY matches DESC
    LIMIT 10
""")
_ALERTS: Final = text("""
    SELECT kind, rule_id AS rule, severities.name AS severity, count(*) AS alerts,
           min(subject) AS "for example"
    FROM alerts
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = alerts.severity
    GROUP BY kind, rule_id, severities.name
    ORDER BY alerts DESC
""")
_REJECTED: Final = text("""
    SELECT reason, count(*) AS events, min(left(body, 60)) AS "for example"
    FROM rejected_events
    GROUP BY reason
    ORDER BY events DESC, reason
""")

_SECTIONS: Final = (
    ("Five-minute windows", _WINDOWS),
    ("Amounts by currency", _AMOUNTS),
    ("Top rules by matching payments", _METRICS),
    ("Alerts", _ALERTS),
    ("Rejected events by reason", _REJECTED),
)


def print_summary(console: Console, connection: Connection) -> None:
    """Print windows, amounts, rules, alerts and rejected events as tables."""
    for title, query in _SECTIONS:
        result = connection.execute(query)
        console.print(_table(title, list(result.keys()), result.all()))


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "not yet"
    return str(value).replace("[", r"\[")
