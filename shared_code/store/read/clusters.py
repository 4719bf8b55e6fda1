"""Groups of alike payments in each window, and the payments that stand apart."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Key, Listing, Page, Span, at_scale, listing

_CLUSTERS: Final = text("""
    SELECT window_start, cluster, payment_count, CAST(share AS double precision) AS share, centroid,
           CAST(outlier_score AS double precision) AS outlier_score,
           CAST(outlier_score_mean AS double precision) AS outlier_score_mean, algorithm,
           sample_size, CAST(silhouette AS double precision) AS silhouette, sample_transaction_ids
    FROM window_clusters
    WHERE window_start >= :start AND window_start < :end
      AND (CAST(:after_start AS timestamptz) IS NULL
           OR (window_start, cluster)
              < (CAST(:after_start AS timestamptz), CAST(:after_cluster AS smallint)))
    ORDER BY window_start DESC, cluster DESC
    LIMIT :more
""")
_OUTLIERS: Final = text("""
    WITH page AS MATERIALIZED (
        SELECT window_start, event_time, transaction_id, payment_status, cluster, score
        FROM window_outliers
        WHERE window_start >= :start AND window_start < :end
          AND (CAST(:after_start AS timestamptz) IS NULL
               OR (window_start, event_time, transaction_id, payment_status)
                  < (CAST(:after_start AS timestamptz), CAST(:after_event_time AS timestamptz),
                     CAST(:after_transaction_id AS text), CAST(:after_status AS smallint)))
        ORDER BY window_start DESC, event_time DESC, transaction_id DESC, payment_status DESC
        LIMIT :more
    )
    SELECT page.window_start, page.event_time, page.transaction_id, page.payment_status,
           statuses.name AS status_name, page.cluster,
           CAST(page.score AS double precision) AS score,
           payment.amount, currencies.name AS currency, methods.name AS payment_method
    FROM page
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = page.payment_status
    LEFT JOIN LATERAL (
        SELECT amount, currency, payment_method
        FROM normalized_transactions AS stored
        WHERE stored.event_time = page.event_time AND stored.transaction_id = page.transaction_id
          AND stored.payment_status = page.payment_status
    ) AS payment ON true
    LEFT JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = payment.currency
    LEFT JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = payment.payment_method
    ORDER BY page.window_start DESC, page.event_time DESC, page.transaction_id DESC,
             page.payment_status DESC
""")


class SeenCluster(msgspec.Struct, frozen=True):
    """A group of alike payments of one window's sample; -1 holds those that are in no group."""

    window_start: datetime
    cluster: int
    payment_count: int
    share: float
    centroid: dict[str, Any]
    outlier_score: float
    outlier_score_mean: float
    algorithm: str
    sample_size: int
    silhouette: float | None
    sample_transaction_ids: list[str]


class SeenOutlier(msgspec.Struct, frozen=True):
    """A payment that stands apart; what is null is of a payment that is not kept any more."""

    window_start: datetime
    event_time: datetime
    transaction_id: str
    payment_status: str
    cluster: int
    score: float
    amount: Decimal | None
    currency: str | None
    payment_method: str | None


def clusters(connection: Connection, span: Span, page: Page) -> Listing[SeenCluster]:
    """Return the clusters of the windows of a span, newest first."""
    parameters = {**span.parameters(), **page.parameters("start", "cluster")}
    rows = connection.execute(_CLUSTERS, parameters).all()
    return listing(rows, page, _cluster_key, lambda row: SeenCluster(**row._asdict()))


def outliers(connection: Connection, span: Span, page: Page) -> Listing[SeenOutlier]:
    """Return the payments that stand apart in the windows of a span, newest first."""
    names = ("start", "event_time", "transaction_id", "status")
    parameters = {**span.parameters(), **page.parameters(*names)}
    return listing(connection.execute(_OUTLIERS, parameters).all(), page, _outlier_key, _outlier)


def _cluster_key(row: Any) -> Key:
    return row.window_start, row.cluster


def _outlier_key(row: Any) -> Key:
    return row.window_start, row.event_time, row.transaction_id, row.payment_status


def _outlier(row: Any) -> SeenOutlier:
    values = row._asdict()
    values["payment_status"] = values.pop("status_name")
    if row.currency is not None:
        values["amount"] = at_scale(row.amount, row.currency)
    return SeenOutlier(**values)
