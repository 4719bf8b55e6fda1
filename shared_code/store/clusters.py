"""Clusters of a window's payments, and the payments that stand apart: replaced as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, text

from shared_code.domain.windows import Window
from shared_code.store.tables import window_clusters, window_outliers

NOISE: Final = -1

_DELETE_CLUSTERS: Final = text("DELETE FROM window_clusters WHERE window_start = :window_start")
_DELETE_OUTLIERS: Final = text("DELETE FROM window_outliers WHERE window_start = :window_start")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a sample.

    Args:
        cluster: its number, from 0 for the largest; ``NOISE`` for payments of no cluster.
        payment_count: payments of the sample that are in it.
        share: of the sample, 0 to 1.
        centroid: its middle in real units, as ``docs/clustering.md`` describes it.
        outlier_score: the highest score of its payments.
        outlier_score_mean: the mean of their scores.
        sample_transaction_ids: those nearest to its middle.
    """

    cluster: int
    payment_count: int
    share: float
    centroid: Mapping[str, Any]
    outlier_score: float
    outlier_score_mean: float
    sample_transaction_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A payment that stands apart; a score of 1 is as far out as payments are on average."""

    event_time: datetime
    transaction_id: str
    payment_status: int
    cluster: int
    score: float


@dataclass(frozen=True, slots=True)
class WindowClusters:
    """What was found in one window's sample. Silhouette: -1 to 1; None where it has no meaning."""

    algorithm: str
    sample_size: int
    silhouette: float | None
    clusters: Sequence[Cluster]
    outliers: Sequence[Outlier]


def replace_clusters(
    connection: Connection, window: Window, clusters: WindowClusters | None
) -> None:
    """Replace what is stored of a window by other clusters, or by none."""
    for delete in (_DELETE_CLUSTERS, _DELETE_OUTLIERS):
        connection.execute(delete, {"window_start": window.start})
    if clusters is None:
        return
    found = [_cluster_row(window, clusters, cluster) for cluster in clusters.clusters]
    connection.execute(insert(window_clusters), found)
    outliers = [_outlier_row(window, outlier) for outlier in clusters.outliers]
    if outliers:
        connection.execute(insert(window_outliers), outliers)


def _cluster_row(window: Window, clusters: WindowClusters, cluster: Cluster) -> dict[str, Any]:
    return {
        "window_start": window.start,
        "algorithm": clusters.algorithm,
        "sample_size": clusters.sample_size,
        "silhouette": clusters.silhouette,
        "cluster": cluster.cluster,
        "payment_count": cluster.payment_count,
        "share": cluster.share,
        "centroid": dict(cluster.centroid),
        "outlier_score": cluster.outlier_score,
        "outlier_score_mean": cluster.outlier_score_mean,
        "sample_transaction_ids": list(cluster.sample_transaction_ids),
    }


def _outlier_row(window: Window, outlier: Outlier) -> dict[str, Any]:
    return {
        "window_start": window.start,
        "event_time": outlier.event_time,
        "transaction_id": outlier.transaction_id,
        "payment_status": outlier.payment_status,
        "cluster": outlier.cluster,
        "score": outlier.score,
    }
