"""Fills a database with all that the dashboard shows: a month of payments, and what came of them.

The payments of the past are those of ``bench.growth_fill``. The windows after them are real: the
engine stores their payments and refusals, and closes them under the shipped rules. What those rules
measured, alerted of and clustered in the last of these windows is then copied to every window of
the past, and what was refused with it. Where rows point at payments, they point at payments of
their own window.
"""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg2

from bench import workload
from bench.growth_fill import DAYS, fill
from shared_code.domain.decoding import Message, Origin
from shared_code.domain.windows import WINDOW_LENGTH, windows_between
from shared_code.engine.metric_engine import SHIPPED_RULES, MetricEngine
from shared_code.rules.compiler import canonical_content
from shared_code.store.rule_store import activate

# A window of the pattern has at least so many payments: enough to be clustered, and to find some.
LEAST_OF_WINDOW: Final = 1_000
# The workload's merchants have a value each in every window; so many make half a million a month.
VALUES_OF_WINDOW: Final = 50
REFUSED_SHARE: Final = 0.01
_FRESH_WINDOWS: Final = 2
_STRUCTURING_CUSTOMERS: Final = 2
_TABLES: Final = (
    "normalized_transactions",
    "payment_metrics_5m",
    "payment_metrics_5m_final",
    "payment_metrics_rolled_up",
    "rule_history",
    "rule_metrics_5m",
    "alerts",
    "window_clusters",
    "window_outliers",
    "rejected_events",
)

_PAST: Final = """
    CREATE UNLOGGED TABLE reading_past AS
    SELECT window_start, window_start - %(pattern)s AS apart,
           row_number() OVER (ORDER BY window_start) AS number
    FROM window_revisions WHERE window_start < %(fresh)s;
    ANALYZE reading_past
"""
# Every statement copies rows of the pattern's window to the windows of the past.
_COPIES: Final = {
    "windows": """
        UPDATE window_revisions SET rule_set = (
            SELECT rule_set FROM window_revisions WHERE window_start = %(pattern)s
            ORDER BY revision DESC LIMIT 1
        ) WHERE window_start < %(fresh)s
    """,
    "rule history": """
        DELETE FROM rule_history WHERE window_start < %(fresh)s;
        INSERT INTO rule_history
            (window_start, rule_set, rule, payment_count, match_count, indeterminate_count)
        SELECT past.window_start, rule_set, rule, payment_count, match_count, indeterminate_count
        FROM reading_past AS past
        JOIN rule_history AS pattern ON pattern.window_start = %(pattern)s
    """,
    "rule values": """
        INSERT INTO rule_metrics_5m (window_start, rule_set, rule, dimensions, value,
            payment_count, revision, outcome, exceeded, evidence)
        SELECT past.window_start, rule_set, rule, dimensions, value,
               payment_count, revision, outcome, exceeded, evidence
        FROM reading_past AS past
        CROSS JOIN (
            SELECT * FROM rule_metrics_5m WHERE window_start = %(pattern)s
            ORDER BY row_number() OVER (PARTITION BY rule ORDER BY dimensions) LIMIT %(values)s
        ) AS pattern
    """,
    # One in ten was withdrawn again.
    "alerts": """
        INSERT INTO alerts (alert_id, kind, severity, rule_id, rule_set, window_start, subject,
            outcome, evidence, first_seen, last_seen, raised_at, withdrawn_at)
        SELECT gen_random_uuid(), kind, severity, rule_id, rule_set, pattern.window_start + apart,
               subject, outcome, evidence, first_seen + apart, last_seen + apart,
               raised_at + apart,
               CASE WHEN number %% 10 = 0 THEN raised_at + apart + interval '1 hour' END
        FROM reading_past AS past
        JOIN alerts AS pattern
          ON pattern.last_seen >= %(pattern)s
         AND pattern.last_seen < %(pattern)s + interval '5 minutes'
    """,
    "clusters": """
        INSERT INTO window_clusters (window_start, cluster, payment_count, share, centroid,
            outlier_score, sample_transaction_ids, algorithm, sample_size, silhouette,
            outlier_score_mean)
        SELECT past.window_start, cluster, payment_count, share, centroid, outlier_score,
               sample_transaction_ids, algorithm, sample_size, silhouette, outlier_score_mean
        FROM reading_past AS past
        JOIN window_clusters AS pattern ON pattern.window_start = %(pattern)s
    """,
    "outliers": """
        INSERT INTO window_outliers
            (window_start, event_time, transaction_id, payment_status, cluster, score)
        SELECT past.window_start, payment.event_time, payment.transaction_id,
               payment.payment_status, 0, 3 + random()
        FROM reading_past AS past
        CROSS JOIN LATERAL (
            SELECT event_time, transaction_id, payment_status FROM normalized_transactions
            WHERE event_time >= past.window_start
              AND event_time < past.window_start + interval '5 minutes'
            ORDER BY event_time
            LIMIT (SELECT count(*) FROM window_outliers WHERE window_start = %(pattern)s)
        ) AS payment
    """,
    "rejected events": """
        INSERT INTO rejected_events (eventhub_namespace, event_hub, partition_id, sequence_number,
            event_index, body_hash, reason, detail, body, rejected_at)
        SELECT eventhub_namespace, event_hub, 'past', number, copy * 1000 + event_index,
               body_hash, reason, detail, body,
               past.window_start + random() * interval '5 minutes'
        FROM reading_past AS past
        JOIN (
            SELECT *, row_number() OVER (ORDER BY sequence_number, event_index) - 1 AS copy
            FROM rejected_events
        ) AS pattern ON copy < %(refused)s
    """,
    # Percentiles and distinct counts are stand-ins, as those of the windows are.
    "hours and days": """
        INSERT INTO payment_metrics_rolled_up
        SELECT length, date_bin(lasting, window_start, TIMESTAMPTZ 'epoch') AS period_start,
               payment_method, currency, payment_status,
               sum(payment_count), sum(amount_sum), min(amount_min), max(amount_max),
               sum(amount_sum) / sum(payment_count), min(amount_min), max(amount_max),
               max(amount_max), 1, 1, count(DISTINCT window_start),
               max(window_start) + interval '20 minutes'
        FROM payment_metrics_5m_final
        CROSS JOIN (
            VALUES ('1h', interval '1 hour'), ('1d', interval '24 hours')
        ) AS periods (length, lasting)
        WHERE date_bin(lasting, window_start, TIMESTAMPTZ 'epoch') + lasting <= %(fresh)s
        GROUP BY length, period_start, payment_method, currency, payment_status
        ON CONFLICT DO NOTHING
    """,
}


class Filled(NamedTuple):
    """What a filled database holds.

    Attributes:
        window: start of the last closed window, which the engine closed.
        alert: id of an alert of that window, as text, whose evidence names payments.
        rows: of each table.
    """

    window: datetime
    alert: str
    rows: dict[str, int]


def fill_all(
    engine: MetricEngine,
    url: str,
    payments: int,
    now: Callable[[], datetime],
    progress: Callable[[str], None],
    *,
    days: float = DAYS,
) -> Filled:
    """Fill an empty database until now.

    Args:
        engine: on the database.
        url: of the same database.
        payments: of the days before.
        now: the clock, aware UTC: filling takes minutes, and what is stored ends when it ends.
        progress: is told how far it is.
        days: how many; a part of one will do.
    """
    fresh = windows_between(now(), now() + WINDOW_LENGTH)[0].start - _FRESH_WINDOWS * WINDOW_LENGTH
    fill(engine, url, payments, fresh, progress, days=days)
    with engine.database.transaction() as connection:
        activate(
            connection,
            canonical_content(SHIPPED_RULES.read_bytes()),
            by="bench",
            reason="benchmark",
        )
    of_window = max(LEAST_OF_WINDOW, round(payments * (WINDOW_LENGTH / timedelta(days=days))))
    progress("windows of the last minutes")
    closed = _fresh_windows(engine, fresh, now(), of_window)
    admin = psycopg2.connect(url)
    admin.autocommit = True
    with admin.cursor() as cursor:
        bound = {
            "fresh": fresh,
            "pattern": closed,
            "values": VALUES_OF_WINDOW,
            "refused": max(1, round(of_window * REFUSED_SHARE)),
        }
        cursor.execute(_PAST, bound)
        for name, statement in _COPIES.items():
            progress(f"past: {name}")
            cursor.execute(statement, bound)
        cursor.execute("DROP TABLE reading_past")
        progress("vacuum and checkpoint")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
        filled = Filled(closed, _alert(cursor, closed), _rows(cursor))
    admin.close()
    return filled


def _fresh_windows(engine: MetricEngine, start: datetime, now: datetime, payments: int) -> datetime:
    """Store what came since the start, close the windows that ended; return the last one's start.

    The window that is open keeps its payments waiting.
    """
    windows = windows_between(start, now)
    for number, window in enumerate(windows):
        end = min(window.end, now) - timedelta(microseconds=1)
        messages = workload.messages(payments, number, end)
        messages += _structured(number, end) + _refused(payments, number, end)
        engine.process_batch(messages, None, now)
    closed = engine.aggregate(now).closed
    # Payments of the open window may be earlier than it, and all others are of their own.
    if [each.window for each in closed] != windows[:-1]:
        msg = f"{[each.window for each in closed]} were closed instead of {windows[:-1]}"
        raise RuntimeError(msg)
    return closed[-1].window.start


def _structured(seed: int, end: datetime) -> list[Message]:
    """Return payments that the shipped rules alert of: customers cut up a sum below 10,000."""
    source = random.Random(-seed - 1)
    payments = [
        {
            **workload.payment(source, end),
            "amount": "9500.00",
            "currency": "USD",
            "payment_status": "completed",
            "customer": {"id": f"structuring-{seed}-{number % _STRUCTURING_CUSTOMERS}"},
        }
        for number in range(_STRUCTURING_CUSTOMERS * 4)
    ]
    origin = Origin("bench", "payments", f"structured-{seed}", 0)
    return [Message(origin, json.dumps(payments).encode())]


def _refused(payments: int, seed: int, end: datetime) -> list[Message]:
    """Return messages of one event each that is refused, by turns for one of four reasons."""
    source = random.Random(seed)
    breaks: list[dict[str, Any]] = [
        {"amount": "-5.00"},
        {"currency": "XYZ"},
        {"payment_method": "cheque"},
        {"event_time": "yesterday"},
    ]
    return [
        Message(
            Origin("bench", "payments", f"refused-{seed}", number),
            json.dumps({**workload.payment(source, end), **breaks[number % len(breaks)]}).encode(),
        )
        for number in range(max(len(breaks), round(payments * REFUSED_SHARE)))
    ]


def _alert(cursor: Any, window: datetime) -> str:
    cursor.execute(
        """
        SELECT CAST(alert_id AS text) FROM alerts
        WHERE last_seen >= %(window)s AND evidence::text LIKE '%%"transaction_id"%%'
        ORDER BY length(evidence::text) DESC
        LIMIT 1
        """,
        {"window": window},
    )
    ((alert,),) = cursor.fetchall()
    return str(alert)


def _rows(cursor: Any) -> dict[str, int]:
    rows = {}
    for table in _TABLES:
        cursor.execute(f"SELECT count(*) FROM {table}")
        ((rows[table],),) = cursor.fetchall()
    return rows
