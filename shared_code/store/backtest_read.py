"""What a backtest reads: sizes of windows, and what rules that were in force have left behind."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.windows import Window

_DAY: Final = timedelta(days=1)
_SIZES: Final = text("""
    SELECT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch') AS window_start, count(*)
    FROM normalized_transactions
    WHERE event_time >= :start AND event_time < :end
    GROUP BY 1
    ORDER BY 1
""")
# Both tables are bounded: a bound on one of them does not reach the partitions of the other.
_METRICS: Final = text("""
    SELECT metric.rule_set, metric.rule, metric.outcome, payment.currency,
           count(*), sum(metric.value)
    FROM dynamic_metrics AS metric
    JOIN normalized_transactions AS payment USING (event_time, transaction_id, payment_status)
    WHERE metric.event_time >= :start AND metric.event_time < :end AND NOT metric.shadow
      AND payment.event_time >= :start AND payment.event_time < :end
    GROUP BY 1, 2, 3, 4
""")
_LATEST: Final = """
    JOIN LATERAL (
        SELECT rule_set
        FROM window_revisions AS revision
        WHERE revision.window_start = found.window_start
        ORDER BY revision.revision DESC
        LIMIT 1
    ) AS latest ON latest.rule_set = found.rule_set
    WHERE found.window_start >= :start AND found.window_start < :end
"""
# A sequence's value is one of the payment that completes it, which stands last in the evidence.
_WINDOW_VALUES: Final = text(f"""
    SELECT found.rule_set, found.rule, found.outcome,
           currencies.number AS currency, count(*), sum(found.value)
    FROM rule_metrics_5m AS found
    LEFT JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency'
     AND currencies.name = found.evidence #>> '{{payments,-1,currency}}'
    {_LATEST}
    GROUP BY 1, 2, 3, 4
""")
_COUNTS: Final = text(f"""
    SELECT found.rule_set, found.rule,
           sum(match_count)::bigint AS matched, sum(indeterminate_count)::bigint AS indeterminate
    FROM rule_history AS found
    {_LATEST}
    GROUP BY 1, 2
""")
# Suppressed alerts are among them: a suppression hides what a rule has found.
_ALERTS: Final = text("""
    SELECT rule_id, count(*)
    FROM alerts
    WHERE withdrawn_at IS NULL AND kind = ANY(:kinds)
      AND ((window_start >= :start AND window_start < :end)
        OR (window_start IS NULL AND last_seen >= :start AND first_seen < :end))
    GROUP BY rule_id
""")


class WindowSize(NamedTuple):
    """How many payments a window has."""

    window_start: datetime
    payment_count: int


class StoredValues(NamedTuple):
    """Values that a rule of a rule set has left with one outcome, in one currency.

    ``currency`` is the number of the payments' currency; None where there is no one payment.
    """

    rule_set: int
    rule: int
    outcome: int
    currency: int | None
    value_count: int
    value_sum: Decimal | None


class StoredCount(NamedTuple):
    """How a rule of a rule set fared in closed windows."""

    rule_set: int
    rule: int
    matched: int
    indeterminate: int


def forbid_writing(connection: Connection) -> None:
    """Make the transaction one that reads only: PostgreSQL refuses every write in it."""
    connection.execute(text("SET TRANSACTION READ ONLY"))


def window_sizes(connection: Connection, span: Window) -> list[WindowSize]:
    """Return the windows of a span that have payments, oldest first; by one query for each day."""
    sizes: list[WindowSize] = []
    start = span.start
    while start < span.end:
        end = min(start + _DAY, span.end)
        rows = connection.execute(_SIZES, {"start": start, "end": end})
        sizes += [WindowSize(*row) for row in rows]
        start = end
    return sizes


def stored_metrics(connection: Connection, span: Window) -> Sequence[StoredValues]:
    """Return what is kept with the payments of a span, but for shadows."""
    return [StoredValues(*row) for row in connection.execute(_METRICS, span._asdict())]


def stored_window_values(connection: Connection, span: Window) -> Sequence[StoredValues]:
    """Return the values of the windows of a span under the rule set of their latest revision."""
    return [StoredValues(*row) for row in connection.execute(_WINDOW_VALUES, span._asdict())]


def stored_counts(connection: Connection, span: Window) -> Sequence[StoredCount]:
    """Return how rules fared in the windows of a span, under their latest revision's rule set."""
    return [StoredCount(*row) for row in connection.execute(_COUNTS, span._asdict())]


def stored_alerts(connection: Connection, span: Window, kinds: Sequence[str]) -> dict[str, int]:
    """Return the number of alerts of a span by rule id, withdrawn ones left out."""
    parameters = {**span._asdict(), "kinds": list(kinds)}
    return {row[0]: int(row[1]) for row in connection.execute(_ALERTS, parameters)}
