"""A page reads the rows that it shows and few others, however many the span has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_client import ApiClient, utc
from sqlalchemy import event
from store_fixtures import NewStore, Store

# Ten days of windows of three groups each, closed and rolled up.
DAYS = """
    INSERT INTO payment_metrics_5m
    SELECT date_bin('5 minutes', now(), 'epoch') - number * interval '5 minutes', method, 978, 1,
           10, 100, 5, 20
    FROM generate_series(1, 2900) AS number, generate_series(1, 3) AS method;
    INSERT INTO payment_metrics_5m_final
    SELECT window_start, payment_method, currency, payment_status, 1, payment_count, amount_sum,
           amount_min, amount_max, 10, 10, 20, 20, 3, 2
    FROM payment_metrics_5m;
    INSERT INTO window_revisions (window_start, revision, payment_count, rule_set, final_at)
    SELECT window_start, 1, 30, 1, window_start + interval '20 minutes'
    FROM payment_metrics_5m WHERE payment_method = 1;
    INSERT INTO payment_metrics_rolled_up
    SELECT '1h', date_bin('1 hour', window_start, 'epoch'), payment_method, currency,
           payment_status, sum(payment_count), sum(amount_sum), 5, 20, 10, 10, 20, 20, 3, 2, 12,
           date_bin('1 hour', window_start, 'epoch') + interval '75 minutes'
    FROM payment_metrics_5m GROUP BY 1, 2, 3, 4, 5;
    INSERT INTO rule_metrics_5m
        (window_start, rule_set, rule, dimensions, value, payment_count, revision)
    SELECT window_start, 1, number, '{}', 1, 30, 1
    FROM window_revisions, generate_series(0, 2) AS number;
    INSERT INTO rejected_events
        (eventhub_namespace, event_hub, partition_id, sequence_number, event_index, body_hash,
         reason, detail, body, rejected_at)
    SELECT 'namespace', 'payments', '0', number, 0, '\\x00', 'not_json', 'detail', 'body',
           now() - number * interval '70 seconds'
    FROM generate_series(1, 9000) AS number;
    INSERT INTO alerts (alert_id, kind, severity, subject, evidence, first_seen, last_seen)
    SELECT gen_random_uuid(), 'drift', 3, 'a subject', '{}', window_start, window_start
    FROM payment_metrics_5m;
"""
RULES = """
    INSERT INTO rule_sets (sha256, version, verdict, errors, document, source)
    VALUES (decode(repeat('00', 32), 'hex'), '1.0.0', 'accepted', '[]', '{}', 'a test');
    INSERT INTO rules (rule_set, rule, rule_id, scope, metric_name, metric_type, category, severity)
    SELECT rule_set, number, 'rule_' || number, 'window', 'm', 'count', 'fraud', 1
    FROM rule_sets, generate_series(0, 3) AS number
"""


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    with new_store() as store:
        for statement in (RULES + ";" + DAYS).split(";\n"):
            if statement.strip():
                store.execute(statement.replace(":", r"\:"))
        store.execute("ANALYZE")
        yield store


@contextmanager
def plans(store: Store) -> Iterator[list[dict[str, Any]]]:
    """Collect the plan of every statement that looks, with the rows that it read."""
    found: list[dict[str, Any]] = []

    def explained(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            with cursor.connection.cursor() as beside:
                beside.execute(
                    f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
                )
                found.append(beside.fetchone()[0][0]["Plan"])

    engine = ApiClient(store.reader_url, datetime.now(UTC)).database.engine
    event.listen(engine, "before_cursor_execute", explained)
    yield found
    event.remove(engine, "before_cursor_execute", explained)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows the scans of a plan have looked at."""
    inner: list[dict[str, Any]] = plan.get("Plans", [])
    if inner:
        return sum(map(rows_read, inner))
    looked_at = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return round(looked_at * plan["Actual Loops"])


@pytest.mark.parametrize(
    "address",
    [
        "windows?limit=100",
        "windows?limit=100&period=1h",
        "throughput?limit=100",
        "throughput?limit=100&period=1h",
        "metrics?limit=100",
        "alerts?limit=100",
        "rejected?limit=100",
    ],
)
def test_a_page_reads_few_rows(stored: Store, address: str) -> None:
    now = datetime.now(UTC)
    api = ApiClient(stored.reader_url, now)
    days = f"from={utc(now - timedelta(days=30, hours=23))}&to={utc(now)}"
    with plans(stored) as found:
        page = api.get(f"{address}&{days}")
    assert len(page["items"]) == 100
    assert page["next_cursor"]
    rows = sum(map(rows_read, found))
    assert rows < 4_000
