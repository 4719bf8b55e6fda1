"""Every query of the Grafana dashboard runs on a migrated database, as the reader."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from payment_messages import NOW, messages, payment_event, varied_events
from store_fixtures import NewStore, Store

ROOT = Path(__file__).parents[3]
BOARD = json.loads((ROOT / "docs" / "telemetry" / "grafana.json").read_text("utf-8"))
PANELS = {panel["title"]: panel for panel in BOARD["panels"]}
VARIABLES = {
    each["name"]: each["query"] for each in BOARD["templating"]["list"] if each["type"] == "query"
}
ANNOTATIONS = [each["target"]["rawSql"] for each in BOARD["annotations"]["list"]]
# What shows nothing while all is well.
QUIET = {"Windows that wait to be closed", "Counters that wait to be folded"}


@pytest.fixture(scope="module")
def filled(new_store: NewStore) -> Iterator[Store]:
    """A database with payments, a late one, a rejected one, a revision, and alerts."""
    with new_store() as store:
        failed = payment_event("txn-failed", payment_status="failed")
        refused = payment_event("txn-refused", currency="XXY")
        sent = messages(*varied_events(200), failed, refused)
        soon = datetime.now(UTC)
        store.metrics.process_batch([each._replace(enqueued_at=soon) for each in sent], now=NOW)
        store.metrics.aggregate(NOW)
        store.metrics.process_batch(messages(payment_event("txn-late"), first=300), now=NOW)
        store.metrics.aggregate(NOW)
        store.execute("UPDATE rule_metrics_5m SET exceeded = true")
        yield store


def asked(store: Store, sql: str) -> list[dict[str, Any]]:
    """Return what a query answers, its macros and variables filled in as Grafana fills them."""
    until = datetime.now(UTC) + timedelta(hours=1)
    between = f"BETWEEN '{(until - timedelta(days=5)).isoformat()}' AND '{until.isoformat()}'"
    sql = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 {between}", sql)
    for name, query in VARIABLES.items():
        if f"${{{name}:sqlstring}}" in sql:
            values = ", ".join(f"'{row['name']}'" for row in asked(store, query))
            sql = sql.replace(f"${{{name}:sqlstring}}", values)
    assert "$" not in sql
    with store.engine(url=store.reader_url).database.transaction() as connection:
        return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_shows_what_is_there(filled: Store, title: str) -> None:
    (target,) = PANELS[title]["targets"]
    rows = asked(filled, target["rawSql"])
    assert rows
    if title not in QUIET:
        assert any(value for row in rows for value in row.values())
    if target["format"] == "time_series":
        times = [row["time"] for row in rows]
        assert times == sorted(times)
        assert {
            type(value)
            for row in rows
            for key, value in row.items()
            if key not in {"time", "metric"}
        } <= {float, type(None)}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_has_values_to_choose(filled: Store, name: str) -> None:
    assert len(asked(filled, VARIABLES[name])) > 3


@pytest.mark.parametrize("sql", ANNOTATIONS)
def test_activated_rules_are_marked(filled: Store, sql: str) -> None:
    filled.execute("UPDATE rule_set_activations SET activated_at = now()")
    (row,) = asked(filled, sql)
    assert row["text"].startswith("rules ")


def test_payments_of_the_dashboard_are_those_that_are_stored(filled: Store) -> None:
    (target,) = PANELS["Payments by status"]["targets"]
    shown = sum(row["payments"] for row in asked(filled, target["rawSql"]))
    assert shown == filled.value("SELECT count(*) FROM normalized_transactions")


def test_every_panel_stands_apart_and_asks_the_chosen_data_source() -> None:
    places = set()
    for panel in PANELS.values():
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        taken = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not places & taken
        places |= taken
        assert panel["datasource"]["uid"] == "${datasource}"
    assert len({panel["id"] for panel in PANELS.values()}) == len(BOARD["panels"])
