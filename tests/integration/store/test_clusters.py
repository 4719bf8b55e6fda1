"""Clusters of a window are stored as they were found, and replaced as a whole."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from payment_messages import (
    FIVE_MINUTES,
    NOW,
    WINDOW_START,
    messages,
    payment_event,
    varied_events,
)
from sqlalchemy import text
from store_fixtures import Store, migrate

from shared_code.domain.windows import Window
from shared_code.engine.cluster_settings import (
    SHIPPED_SETTINGS,
    NumericFeature,
    load_cluster_settings,
)
from shared_code.engine.clustering import cluster_window
from shared_code.rules.columns import Columns
from shared_code.store.clusters import Cluster, Outlier, WindowClusters, replace_clusters
from shared_code.store.errors import DataRefused

WINDOW = Window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
NEXT = Window(WINDOW.end, WINDOW.end + FIVE_MINUTES)
CENTROID = {"amounts": [{"currency": "EUR", "payment_count": 3, "median": "10.50"}]}
CLUSTERS = "SELECT * FROM window_clusters ORDER BY window_start, cluster"
OUTLIERS = "SELECT * FROM window_outliers ORDER BY window_start, score DESC"


def cluster(number: int = 0, **changes: Any) -> Cluster:
    plain = Cluster(number, 3, 0.75, CENTROID, 2.5, 1.0, ["txn-1", "txn-2"])
    return replace(plain, **changes)


def outlier(transaction_id: str = "txn-9", score: float = 2.5) -> Outlier:
    return Outlier(WINDOW.start + timedelta(seconds=3), transaction_id, 1, 0, score)


def found(clusters: Sequence[Cluster], outliers: Sequence[Outlier] = ()) -> WindowClusters:
    return WindowClusters("k_means", 4, 0.5, clusters, outliers)


def keep(store: Store, clusters: WindowClusters | None, window: Window = WINDOW) -> None:
    with store.database.transaction() as connection:
        replace_clusters(connection, window, clusters)


def test_clusters_and_outliers_are_stored_as_they_were_found(store: Store) -> None:
    keep(store, found([cluster()], [outlier()]))
    with store.connection() as connection:
        (row,) = connection.execute(text(CLUSTERS)).mappings()
        (apart,) = connection.execute(text(OUTLIERS)).mappings()
    assert dict(row) == {
        "window_start": WINDOW.start,
        "cluster": 0,
        "payment_count": 3,
        "share": Decimal("0.75"),
        "centroid": CENTROID,
        "outlier_score": Decimal("2.5"),
        "sample_transaction_ids": ["txn-1", "txn-2"],
        "algorithm": "k_means",
        "sample_size": 4,
        "silhouette": Decimal("0.5"),
        "outlier_score_mean": Decimal(1),
    }
    assert dict(apart) == {
        "window_start": WINDOW.start,
        "event_time": WINDOW.start + timedelta(seconds=3),
        "transaction_id": "txn-9",
        "payment_status": 1,
        "cluster": 0,
        "score": Decimal("2.5"),
    }


def test_other_clusters_replace_those_of_the_window_only(store: Store) -> None:
    keep(store, found([cluster(0), cluster(1)], [outlier("a"), outlier("b")]))
    keep(store, found([cluster(0)], [outlier("a")]), NEXT)
    keep(store, found([cluster(0, payment_count=4)], [outlier("c")]))
    keep(store, found([cluster(0, payment_count=4)], [outlier("c")]))
    rows = store.rows("SELECT window_start, cluster, payment_count FROM window_clusters ORDER BY 1")
    assert list(map(tuple, rows)) == [(WINDOW.start, 0, 4), (NEXT.start, 0, 3)]
    rows = store.rows("SELECT window_start, transaction_id FROM window_outliers ORDER BY 1")
    assert list(map(tuple, rows)) == [(WINDOW.start, "c"), (NEXT.start, "a")]


def test_no_clusters_leave_nothing_behind(store: Store) -> None:
    keep(store, found([cluster()], [outlier()]))
    keep(store, None)
    assert store.rows(CLUSTERS) == []
    assert store.rows(OUTLIERS) == []


def test_clusters_that_are_refused_leave_those_of_before(store: Store) -> None:
    keep(store, found([cluster()], [outlier()]))
    with pytest.raises(DataRefused, match="share_in_range"):
        keep(store, found([cluster(share=1.5)]))
    assert len(store.rows(CLUSTERS)) == len(store.rows(OUTLIERS)) == 1


def test_the_writer_may_replace_and_the_reader_may_look(store: Store) -> None:
    with store.connection() as connection:
        connection.execute(text("SET LOCAL ROLE payments_writer"))
        replace_clusters(connection, WINDOW, found([cluster()], [outlier()]))
        connection.execute(text("SET LOCAL ROLE payments_reader"))
        assert len(connection.execute(text(OUTLIERS)).all()) == 1


def stored_payments(store: Store) -> Columns:
    with store.connection() as connection:
        query = "SELECT * FROM normalized_transactions ORDER BY event_time, transaction_id"
        rows = connection.execute(text(query)).mappings().all()
    return Columns(len(rows), lambda column: [row[column] for row in rows])


def test_stored_payments_are_clustered_whole(store: Store) -> None:
    small = [payment_event(f"small-{at:03}", amount=f"{20 + at / 10:.2f}") for at in range(60)]
    large = [
        payment_event(f"large-{at:03}", amount=f"{9000 + at}.00", payment_method="cryptocurrency")
        for at in range(40)
    ]
    far = payment_event("far", amount="99999999999.00", currency="EUR", channel="atm")
    store.metrics.process_batch(messages(*small, *large, far), now=NOW)
    columns = stored_payments(store)
    keep(store, cluster_window(columns, WINDOW.start, load_cluster_settings()))
    assert store.value("SELECT sum(payment_count) FROM window_clusters") == 101
    apart = store.rows("SELECT transaction_id FROM window_outliers ORDER BY score DESC")
    assert apart[0] == ("far",)
    first = store.value("SELECT centroid FROM window_clusters WHERE cluster = 0")
    assert first["amounts"][0]["currency"] == "EUR"
    assert isinstance(first["amounts"][0]["mean"], str)


def test_every_feature_of_the_schema_can_be_read_from_stored_payments(store: Store) -> None:
    schema = json.loads(SHIPPED_SETTINGS.with_name("clustering.schema.json").read_text("utf-8"))
    features = schema["properties"]["categorical_features"]["items"]["enum"]
    store.metrics.process_batch(messages(*varied_events(60, windows=1)), now=NOW)
    given = replace(
        load_cluster_settings(),
        numeric_features=tuple(NumericFeature),
        categorical_features=tuple(features),
    )
    columns = stored_payments(store)
    assert columns.size == 60
    keep(store, cluster_window(columns, WINDOW.start, given))
    centroid = store.value("SELECT centroid FROM window_clusters WHERE cluster = 0")
    assert set(centroid["categories"]) == set(features)
    assert set(centroid["numbers"]) == {"customer_payments", "window_position"}


def test_a_downgrade_and_an_upgrade_pass_with_clusters_stored(store: Store) -> None:
    keep(store, found([cluster()], [outlier()]))
    with store.connection() as connection:
        migrate(connection, "0006")
        migrate(connection)
    assert store.rows(CLUSTERS) == []
    keep(store, found([cluster()], [outlier()]))
