"""Each revision goes down and up again on a filled database, which loses no more than is told.

A revision's downgrade drops what only the newer schema knows. What both schemas know stays as it
is, but for the rows named here, which the older schema cannot hold.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from delivery_report import Counted
from payment_messages import NOW, WINDOW_START, messages, varied_events
from rule_documents import rapid_fire, rule, shadow_rules, use_rules
from sqlalchemy import Connection, text
from store_fixtures import ROOT, NewStore, Store, migrate

from shared_code.store.catalogue import PARTITION_SUFFIX, describe
from shared_code.store.rule_store import end_shadow

_SCRIPTS = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini")))
# Each revision with the one before it, the newest first. Before the first one there is no data.
STEPS = [
    (script.revision, script.down_revision)
    for script in _SCRIPTS.walk_revisions()
    if script.down_revision
]
TABLES = f"""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND relname !~ '{PARTITION_SUFFIX}' AND relname <> 'alembic_version'
"""
# Rows that the schema before a revision has no place for.
GIVEN_UP = {
    ("0005", "dynamic_metrics"): "shadow OR outcome = 2",
    ("0005", "rule_metrics_5m"): "outcome = 2",
    ("0005", "rule_set_activations"): "role = 'shadow_ended'",
}
# Closing their windows again makes these anew; the schema before does not say how they were found.
MADE_ANEW = {"0007": ("window_clusters",)}
# What the tests' payments leave empty.
BY_HAND = (
    """
    INSERT INTO rule_suppressions (rule_id, until, reason, created_by)
    VALUES ('rapid_fire', now() + interval '1 day', 'known', 'a test')
    """,
    "INSERT INTO rule_marks (window_start) VALUES (:window)",
    """
    INSERT INTO backfills (rule_set, first_window, next_window, end_window, started_by)
    SELECT min(rule_set), :window, :window, :window, 'a test' FROM rule_sets
    """,
    """
    INSERT INTO window_clusters
        (window_start, cluster, payment_count, share, centroid, outlier_score,
         sample_transaction_ids, algorithm, sample_size, silhouette, outlier_score_mean)
    VALUES (:window, 0, 20, 1, '{"amount": 1}', 2, '["txn-0"]', 'kmeans', 20, 0.5, 1)
    """,
    """
    INSERT INTO window_outliers
        (window_start, event_time, transaction_id, payment_status, cluster, score)
    VALUES (:window, :window, 'txn-0', 1, 0, 2)
    """,
    """
    INSERT INTO dynamic_metrics
        (event_time, transaction_id, payment_status, rule_set, rule, outcome, value)
    SELECT event_time, transaction_id, payment_status, rule_set, rule, 2, NULL
    FROM dynamic_metrics WHERE transaction_id = 'txn-0'
    """,
    """
    INSERT INTO rule_metrics_5m
        (window_start, rule_set, rule, dimensions, value, payment_count, revision, outcome)
    SELECT window_start, rule_set, rule, dimensions || '{"another": 1}', value, payment_count,
           revision, 2
    FROM rule_metrics_5m WHERE window_start = :window
    """,
)


@pytest.fixture(scope="module")
def filled(new_store: NewStore) -> Iterator[Store]:
    """A store whose every table holds rows; tests roll back what they change."""
    with new_store() as store:
        use_rules(store, rule("any"), rapid_fire(times=1))
        shadow_rules(store, rule("any"), rapid_fire(times=1, minutes=5))
        store.metrics.process_batch(messages(*varied_events(60), b"no json"), now=NOW)
        store.metrics.aggregate(NOW)
        late = varied_events(9, prefix="late")
        store.metrics.process_batch(messages(*late, first=100), now=NOW)
        with store.connection() as connection:
            end_shadow(connection, by="a test", reason="a test")
            for statement in BY_HAND:
                connection.execute(text(statement), {"window": WINDOW_START})
        yield store


type Row = Mapping[str, object]


def rows_of(
    connection: Connection, given_up: Mapping[str, str] = MappingProxyType({})
) -> dict[str, list[Row]]:
    """Return all rows of each table, without those that are given up."""
    return {
        table: [
            json.loads(row, parse_float=str)
            for row in connection.execute(
                text(
                    f"SELECT to_jsonb(found)::text FROM {table} AS found"
                    f" WHERE NOT ({given_up.get(table, 'false')})"
                )
            ).scalars()
        ]
        for table in connection.execute(text(TABLES)).scalars()
    }


def in_common(rows: Mapping[str, list[Row]], others: Mapping[str, list[Row]]) -> Mapping[str, Any]:
    """Return the rows of the tables that are in both, of the columns that are in both."""
    found = {}
    for table in rows.keys() & others.keys():
        names = sorted(set(*rows[table][:1]) & set(*others[table][:1]))
        found[table] = Counter(json.dumps([row[name] for name in names]) for row in rows[table])
    return found


def test_every_table_holds_rows_of_every_kind(filled: Store) -> None:
    with filled.connection() as connection:
        assert [table for table, rows in rows_of(connection).items() if not rows] == []
        for (_, table), condition in GIVEN_UP.items():
            count = text(f"SELECT count(*) FROM {table} WHERE {condition}")
            assert connection.execute(count).scalar_one() > 0


@pytest.mark.parametrize(("revision", "before"), STEPS)
def test_down_and_up_again_leaves_what_both_schemas_know(
    filled: Store, revision: str, before: str, counted: Counted
) -> None:
    given_up = {table: rows for (of, table), rows in GIVEN_UP.items() if of == revision}
    with filled.owner.engine.connect() as connection:
        migrate(connection, revision)
        schema, newer = describe(connection), rows_of(connection, given_up)
        migrate(connection, before)
        older = rows_of(connection)
        assert in_common(older, newer) == in_common(newer, older)
        migrate(connection, revision)
        again = rows_of(connection)
        for table in MADE_ANEW.get(revision, ()):
            assert again.pop(table) == []
        assert in_common(again, older) == in_common(older, again)
        assert describe(connection) == schema
        connection.rollback()
    counted("downgrades on data", 1)


def test_payments_sent_again_after_a_way_down_and_up_are_known(new_store: NewStore) -> None:
    with new_store() as store:
        sent = messages(*varied_events(30))
        store.metrics.process_batch(sent, now=NOW)
        with store.connection() as connection:
            migrate(connection, STEPS[-1][1])
            migrate(connection)
        stored = store.engine().process_batch(sent, now=NOW)
        assert (stored.stored, stored.duplicates) == (0, 30)
