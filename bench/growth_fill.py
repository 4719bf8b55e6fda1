"""Fills a database with millions of payments of the last thirty days, as a running system had them.

Rows go straight into the tables by SQL: copies of payments that the engine stored, with their
metrics, under random ids and in about the order of time. Every window of the past has its counters,
its figures and its revision, too; tables are vacuumed and analysed, and a checkpoint is written.
"""

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg2

from bench import workload
from shared_code.engine.metric_engine import MetricEngine

DAYS: Final = 30
BYTES_PER_PAYMENT: Final = 1_200  # with its metrics, indexes and share of the write-ahead log
_PATTERN: Final = 20_000
_BATCH: Final = 5_000
_STEP: Final = 50_000
_THREADS: Final = 2

# Copies of what the engine stored for some thousands of payments are what is multiplied.
_KEEP_PATTERN: Final = """
    CREATE UNLOGGED TABLE growth_payments AS
    SELECT row_number() OVER () - 1 AS number, payment.* FROM normalized_transactions AS payment;
    CREATE UNLOGGED TABLE growth_metrics AS
    SELECT pattern.number, metric.*
    FROM dynamic_metrics AS metric
    JOIN growth_payments AS pattern USING (event_time, transaction_id, payment_status);
    CREATE INDEX ON growth_payments (number);
    CREATE INDEX ON growth_metrics (number);
    TRUNCATE normalized_transactions, dynamic_metrics, window_deltas, window_marks,
        payment_metrics_5m;
    ANALYZE growth_payments, growth_metrics
"""
# A payment arrives up to five minutes after its event time.
_MULTIPLY: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT number %% {pattern} AS number,
               greatest(%(start)s, %(start)s + (%(end)s - %(start)s) * number / %(most)s
                   - random() * interval '5 minutes') AS event_time,
               replace(gen_random_uuid()::text, '-', '') AS transaction_id
        FROM generate_series(%(first)s, %(last)s) AS number
    ), payments AS (
        INSERT INTO normalized_transactions (event_time, transaction_id, {payment_columns})
        SELECT fresh.event_time, fresh.transaction_id, {payment_columns}
        FROM fresh
        JOIN (SELECT number, {payment_columns} FROM growth_payments) AS pattern USING (number)
    )
    INSERT INTO dynamic_metrics (event_time, transaction_id, {metric_columns})
    SELECT fresh.event_time, fresh.transaction_id, {metric_columns}
    FROM fresh
    JOIN (SELECT number, {metric_columns} FROM growth_metrics) AS pattern USING (number)
"""
_COLUMNS: Final = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('event_time', 'transaction_id')
"""
# Percentiles and distinct counts are stand-ins: what counts here is how many rows there are.
_WINDOWS: Final = """
    INSERT INTO payment_metrics_5m
    SELECT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch') AS window_start,
           payment_method, currency, payment_status,
           count(*), sum(amount), min(amount), max(amount)
    FROM normalized_transactions
    GROUP BY 1, 2, 3, 4;
    INSERT INTO payment_metrics_5m_final
    SELECT window_start, payment_method, currency, payment_status, 1,
           payment_count, amount_sum, amount_min, amount_max, amount_sum / payment_count,
           amount_min, amount_max, amount_max, 1, 1
    FROM payment_metrics_5m;
    INSERT INTO window_revisions (window_start, revision, payment_count, rule_set, final_at)
    SELECT window_start, 1, sum(payment_count), 1, window_start + interval '20 minutes'
    FROM payment_metrics_5m
    GROUP BY window_start;
    INSERT INTO rule_history (window_start, rule_set, rule, payment_count, match_count)
    SELECT window_start, metric.rule_set, rule, window_revisions.payment_count, count(*)
    FROM window_revisions
    JOIN dynamic_metrics AS metric
      ON metric.event_time >= %(since)s
     AND date_bin('5 minutes', metric.event_time, TIMESTAMPTZ 'epoch') = window_start
    WHERE window_start >= %(since)s
    GROUP BY window_start, metric.rule_set, rule, window_revisions.payment_count;
    DROP TABLE growth_payments, growth_metrics
"""


def require_space(payments: int) -> None:
    """Check that the folder of throwaway servers has room for so many payments.

    Raises:
        SystemExit: it has not.
    """
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < payments * BYTES_PER_PAYMENT:
        wanted = payments * BYTES_PER_PAYMENT >> 30
        msg = f"{wanted} GiB are wanted in {tempfile.gettempdir()}, and {free >> 30} are free"
        raise SystemExit(msg)


def fill(
    engine: MetricEngine,
    url: str,
    payments: int,
    moment: datetime,
    progress: Callable[[str], None],
    *,
    days: float = DAYS,
) -> None:
    """Store so many payments of the days before a moment, evenly spread.

    Args:
        engine: on the empty database.
        url: of the same database.
        payments: how many; none leaves an empty database, vacuumed like the others.
        moment: aware UTC; what is stored ends here.
        progress: is told how far it is.
        days: how many.
    """
    if payments:
        _multiply(engine, url, payments, moment, progress, days=days)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        progress(f"{payments:,} payments: vacuum and checkpoint")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    connection.close()


def _multiply(
    engine: MetricEngine,
    url: str,
    payments: int,
    moment: datetime,
    progress: Callable[[str], None],
    *,
    days: float,
) -> None:
    for number in range(_PATTERN // _BATCH):
        messages = workload.messages(_BATCH, number, moment)
        engine.process_batch(messages, workload.rules_document(), moment)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_KEEP_PATTERN)
        statement = _MULTIPLY.format(
            pattern=_PATTERN,
            payment_columns=_columns(cursor, "normalized_transactions"),
            metric_columns=_columns(cursor, "dynamic_metrics"),
        )
    connection.close()
    start = moment - timedelta(days=days)
    steps = [
        {
            "start": start,
            "end": moment,
            "most": payments,
            "first": first + 1,
            "last": min(first + _STEP, payments),
        }
        for first in range(0, payments, _STEP)
    ]
    done = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        # Each thread goes through a half of the time of its own, in order, as payments arrive.
        halves = [steps[: len(steps) // 2], steps[len(steps) // 2 :]]

        def run(half: list[dict[str, Any]]) -> None:
            nonlocal done
            connection = psycopg2.connect(url)
            for step in half:
                with connection, connection.cursor() as cursor:
                    cursor.execute(statement, step)
                done += 1
                progress(f"{payments:,} payments: {done * _STEP:,} stored")
            connection.close()

        list(pool.map(run, halves))
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        progress(f"{payments:,} payments: windows")
        cursor.execute(_WINDOWS, {"since": moment - timedelta(days=1)})
    connection.close()


def _columns(cursor: Any, table: str) -> str:
    cursor.execute(_COLUMNS, (table,))
    (names,) = cursor.fetchone()
    return str(names)
