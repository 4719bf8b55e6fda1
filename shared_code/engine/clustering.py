"""Clusters of the payments of one window, and the payments that stand apart from them.

Pure: the same payments and settings give the same clusters. What each figure means is told in
``docs/clustering.md``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from statistics import median, median_low
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.engine.cluster_features import (
    Matrix,
    Sample,
    draw_sample,
    feature_matrix,
    random_generator,
)
from shared_code.engine.cluster_settings import (
    ClusterCounts,
    ClusterSettings,
    DbscanParameters,
    KMeansParameters,
    NumericFeature,
)
from shared_code.rules.columns import Columns
from shared_code.store.clusters import NOISE, Cluster, Outlier, WindowClusters

type Labels = NDArray[np.intp]
type Floats = NDArray[np.float64]

# Distances between that many payments are taken for a silhouette, whatever the sample.
_SILHOUETTE_PAYMENTS: Final = 2000
_WORKING_MEGABYTES: Final = 64
# k-means starts that often, since one start may end in a poor optimum.
_STARTS: Final = 4
# The largest clusters that together hold that share are large (He, Xu and Deng: alpha).
_LARGE_SHARE: Final = 0.9
# Of equal payments any other one would be infinitely far out. In standard deviations.
_LEAST_SPREAD: Final = 0.1
_AVERAGE_SCORE: Final = 1.0
_DECIMALS: Final = 6
# Currencies, categories and payments that a cluster is described by.
_LISTED: Final = 5


def cluster_window(
    columns: Columns, window_start: datetime, settings: ClusterSettings
) -> WindowClusters | None:
    """Return the clusters of a sample of a window's payments.

    None if clustering is disabled or the window has fewer payments than it needs.

    Args:
        columns: the payments, in the order of their key.
        window_start: start of the window; with the seed it decides which payments are sampled.
        settings: what is compared, and how.
    """
    if not settings.enabled or columns.size < settings.minimum_payments:
        return None
    # Imported where needed, as everything of scikit-learn: it costs seconds of every cold start.
    from sklearn import config_context  # type: ignore[import-untyped]  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    random = random_generator(settings, window_start)
    sample = draw_sample(columns, window_start, settings.sample_size, random)
    # Threads would add up in an order of their own, and sums of floats depend on the order.
    with threadpool_limits(limits=1), config_context(working_memory=_WORKING_MEGABYTES):
        matrix = feature_matrix(sample, settings)
        clustering = _Clustering(matrix, settings, random)
        labels = clustering.labels()
        silhouette = clustering.silhouette(labels)
    scores = np.round(outlier_scores(matrix, labels), _DECIMALS)
    return WindowClusters(
        algorithm=settings.algorithm,
        sample_size=len(sample.positions),
        silhouette=silhouette,
        clusters=list(_clusters(sample, settings, matrix, labels, scores)),
        outliers=_outliers(sample, labels, scores, settings.outliers_kept),
    )


class _Clustering:
    """Finds clusters in the rows of a matrix, and tells how well they are apart."""

    def __init__(
        self, matrix: Matrix, settings: ClusterSettings, random: np.random.Generator
    ) -> None:
        self._matrix = matrix
        self._parameters = settings.parameters
        self._seed = int(random.integers(2**31))
        rows = len(matrix)
        measured = random.choice(rows, min(rows, _SILHOUETTE_PAYMENTS), replace=False)
        self._measured = np.sort(measured)

    def labels(self) -> Labels:
        """Return the cluster of each row, numbered from 0 for the largest."""
        match self._parameters:
            case KMeansParameters(k):
                found = self._best(k, self._k_means)
            case DbscanParameters(eps, min_samples):
                found = self._dbscan(eps, min_samples)
            case parameters:
                linkage = parameters.linkage
                found = self._best(parameters.k, partial(self._agglomerative, linkage))
        return _by_size(found)

    def silhouette(self, labels: Labels) -> float | None:
        """Return the mean silhouette, noise left out; None of fewer than two clusters."""
        from sklearn.metrics import (  # type: ignore[import-untyped]  # noqa: PLC0415
            silhouette_score,
        )

        rows = self._measured[labels[self._measured] != NOISE]
        clusters = len(np.unique(labels[rows]))
        if not 1 < clusters < len(rows):
            return None
        return round(float(silhouette_score(self._matrix[rows], labels[rows])), _DECIMALS)

    def _best(self, counts: ClusterCounts, find: Callable[[int], Labels]) -> Labels:
        """Return the labels with the best silhouette; of equal ones those of fewest clusters."""
        # There are no more clusters than different rows.
        different = len({row.tobytes() for row in self._matrix})
        if different == 1:
            return np.zeros(len(self._matrix), dtype=np.intp)
        most = min(counts.most, different)
        least = min(counts.least, most)
        if least == most:
            return find(most)
        found = (find(count) for count in range(least, most + 1))
        return max(found, key=self._apart)

    def _apart(self, labels: Labels) -> float:
        silhouette = self.silhouette(labels)
        return -1.0 if silhouette is None else silhouette

    def _k_means(self, count: int) -> Labels:
        from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # noqa: PLC0415

        model = KMeans(count, n_init=_STARTS, random_state=self._seed)
        labels: Labels = model.fit_predict(self._matrix)
        return labels

    def _dbscan(self, eps: float, min_samples: int) -> Labels:
        from sklearn.cluster import DBSCAN  # noqa: PLC0415

        labels: Labels = DBSCAN(eps=eps, min_samples=min_samples).fit_predict(self._matrix)
        return labels

    def _agglomerative(self, linkage: str, count: int) -> Labels:
        from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415

        model = AgglomerativeClustering(count, linkage=linkage)
        labels: Labels = model.fit_predict(self._matrix)
        return labels


def outlier_scores(matrix: Matrix, labels: Labels) -> Floats:
    """Return how far out each row is: 1 is as far as the rows of its cluster are on average.

    The distance to the centre of the row's cluster, if that is large, else to the nearest centre
    of a large one, is divided by the mean distance of that cluster's rows to its centre. A lone
    row is so no cluster of its own with a distance of 0. Large and small clusters are those of
    He, Xu and Deng, "Discovering cluster-based local outliers", Pattern Recognition Letters
    24 (2003); dividing by the mean distance follows Amer and Goldstein's LDCOF (2012).

    Args:
        matrix: a row for each payment.
        labels: the cluster of each row, numbered from 0 for the largest; ``NOISE`` for none.
    """
    if (labels == NOISE).all():
        labels = np.zeros_like(labels)
    sizes = np.bincount(labels[labels != NOISE])
    large = int(np.searchsorted(np.cumsum(sizes), _LARGE_SHARE * sizes.sum())) + 1
    distances = np.stack(
        [_distances(matrix, matrix[labels == number]) for number in range(large)], axis=1
    )
    spreads = np.array(
        [max(distances[labels == number, number].mean(), _LEAST_SPREAD) for number in range(large)]
    )
    is_large = (labels != NOISE) & (labels < large)
    nearest = np.where(is_large, labels, distances.argmin(axis=1))
    scores: Floats = distances[np.arange(len(labels)), nearest] / spreads[nearest]
    return scores


def _distances(rows: Matrix, members: Matrix) -> Floats:
    """Return how far rows are from the centre of some members."""
    distances: Floats = np.linalg.norm(rows - members.mean(axis=0), axis=1)
    return distances


def _by_size(labels: Labels) -> Labels:
    """Number clusters from 0 for the largest; of equal ones the one with the first row."""
    found, first, sizes = np.unique(labels[labels != NOISE], return_index=True, return_counts=True)
    numbers = {found[at]: number for number, at in enumerate(np.lexsort((first, -sizes)))}
    return np.array([numbers.get(label, NOISE) for label in labels], dtype=np.intp)


def _outliers(sample: Sample, labels: Labels, scores: Floats, kept: int) -> list[Outlier]:
    """Return the payments that are further out than average, the furthest first."""
    furthest = np.argsort(-scores, kind="stable")[:kept].tolist()
    times, ids = sample.values("event_time"), sample.values("transaction_id")
    statuses = sample.values("payment_status")
    return [
        Outlier(times[row], ids[row], statuses[row], int(labels[row]), float(scores[row]))
        for row in furthest
        if scores[row] > _AVERAGE_SCORE
    ]


def _clusters(
    sample: Sample, settings: ClusterSettings, matrix: Matrix, labels: Labels, scores: Floats
) -> Iterator[Cluster]:
    ids = sample.values("transaction_id")
    for number in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == number)
        nearest = rows[np.argsort(_distances(matrix[rows], matrix[rows]), kind="stable")]
        highest = float(scores[rows].max())
        yield Cluster(
            cluster=number,
            payment_count=len(rows),
            share=round(len(rows) / len(matrix), _DECIMALS),
            centroid=_centroid(sample.of(rows.tolist()), settings),
            outlier_score=highest,
            # The mean of equal scores may be rounded to above them.
            outlier_score_mean=min(highest, round(float(scores[rows].mean()), _DECIMALS)),
            sample_transaction_ids=[ids[row] for row in nearest[:_LISTED]],
        )


def _centroid(members: Sample, settings: ClusterSettings) -> Mapping[str, Any]:
    """Return the middle of a cluster in real units."""
    numbers: dict[str, float] = {}
    if NumericFeature.customer_payments in settings.numeric_features:
        numbers["customer_payments"] = median_low(members.customer_payments())
    if NumericFeature.window_position in settings.numeric_features:
        numbers["window_position"] = median(members.window_position())
    return {
        "amounts": _amounts(members.values("currency"), members.values("amount")),
        "numbers": numbers,
        "categories": {
            feature: _shares(members.categories(feature))
            for feature in settings.categorical_features
        },
    }


def _amounts(currencies: Sequence[int], amounts: Sequence[Decimal]) -> list[dict[str, Any]]:
    """Return the middle amounts of the most frequent currencies, as exact decimal text."""
    described = []
    for number, count in _most_frequent(currencies):
        currency = CURRENCY_BY_NUMBER[number]
        mine = [amount for amount, own in zip(amounts, currencies, strict=True) if own == number]
        unit = Decimal(1).scaleb(-currency.minor_unit)
        described.append(
            {
                "currency": currency.code,
                "payment_count": count,
                "median": f"{median_low(mine).quantize(unit):f}",
                "mean": f"{(sum(mine, Decimal(0)) / count).quantize(unit):f}",
            }
        )
    return described


def _shares(categories: Sequence[str | None]) -> list[dict[str, Any]]:
    return [
        {"value": value, "share": round(count / len(categories), _DECIMALS)}
        for value, count in _most_frequent(categories)
    ]


def _most_frequent[Value](values: Iterable[Value]) -> list[tuple[Value, int]]:
    """Return values with their counts; of equal ones the first in alphabetical order."""
    counts = Counter(values).items()
    return sorted(counts, key=lambda item: (-item[1], str(item[0])))[:_LISTED]
