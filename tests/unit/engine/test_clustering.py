"""Payments of one window fall into the groups they were made in, and those apart are told."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np
import pytest

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import Channel, PaymentMethod, PaymentStatus
from shared_code.engine.cluster_features import draw_sample, feature_matrix
from shared_code.engine.cluster_settings import (
    AgglomerativeParameters,
    ClusterCounts,
    ClusterSettings,
    DbscanParameters,
    KMeansParameters,
    NumericFeature,
    load_cluster_settings,
)
from shared_code.engine.clustering import cluster_window, outlier_scores
from shared_code.rules.columns import Columns
from shared_code.store.clusters import NOISE, WindowClusters

NOON = datetime(2026, 1, 28, 12, 30, tzinfo=UTC)
EUR, USD, JPY, KWD = (CURRENCIES[code].number for code in ("EUR", "USD", "JPY", "KWD"))
ANY_K = ClusterCounts(2, 6)
K_MEANS = KMeansParameters(ANY_K)
ALGORITHMS: Mapping[str, Any] = {
    "k_means": K_MEANS,
    "dbscan": DbscanParameters(eps=0.8, min_samples=5),
    "agglomerative": AgglomerativeParameters(ANY_K, "ward"),
}

type Payment = Mapping[str, Any]


def settings(algorithm: str = "k_means", **changes: Any) -> ClusterSettings:
    given = {"parameters": ALGORITHMS[algorithm], "algorithm": algorithm, "minimum_payments": 1}
    return replace(load_cluster_settings(), **(given | changes))


def payment(amount: str, **fields: Any) -> Payment:
    plain = {
        "event_time": NOON,
        "payment_status": PaymentStatus.completed,
        "payment_method": PaymentMethod.credit_card,
        "currency": EUR,
        "amount": Decimal(amount),
        "channel": None,
        "customer_id": None,
        "customer_country": None,
        "merchant_country": None,
        "merchant_category": None,
    }
    return plain | fields


def columns_of(payments: Sequence[Payment]) -> Columns:
    numbers = count()
    rows = [{"transaction_id": f"txn-{next(numbers):05}"} | item for item in payments]
    return Columns(len(rows), lambda column: [row[column] for row in rows])


def clustered(payments: Sequence[Payment], given: ClusterSettings) -> WindowClusters:
    found = cluster_window(columns_of(payments), NOON, given)
    assert found is not None
    return found


def around(middle: int, size: int, **fields: Any) -> list[Payment]:
    """Return payments whose amounts lie within a tenth of a middle one."""
    draw = random.Random(middle)
    return [payment(f"{middle * draw.uniform(0.9, 1.1):.2f}", **fields) for _ in range(size)]


def three_groups() -> list[Payment]:
    return [
        *around(20, 60, payment_method=PaymentMethod.credit_card, channel=Channel.web),
        *around(2_000, 40, payment_method=PaymentMethod.bank_transfer, channel=Channel.api),
        *around(150_000, 30, payment_method=PaymentMethod.cryptocurrency, channel=Channel.phone),
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_groups_that_are_apart_are_found(algorithm: str) -> None:
    found = clustered(three_groups(), settings(algorithm))
    assert found.algorithm == algorithm
    assert [(item.cluster, item.payment_count) for item in found.clusters] == [
        (0, 60),
        (1, 40),
        (2, 30),
    ]
    assert [item.share for item in found.clusters] == [0.461538, 0.307692, 0.230769]
    methods = [item.centroid["categories"]["payment_method"] for item in found.clusters]
    assert methods == [
        [{"value": "credit_card", "share": 1.0}],
        [{"value": "bank_transfer", "share": 1.0}],
        [{"value": "cryptocurrency", "share": 1.0}],
    ]
    assert found.silhouette is not None
    assert found.silhouette > 0.8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("position", [0, 70, 130])
def test_a_payment_far_from_all_others_has_the_highest_score(algorithm: str, position: int) -> None:
    payments = three_groups()
    far = payment("900000000.00", transaction_id="far", channel=Channel.atm)
    payments.insert(position, far)
    found = clustered(payments, settings(algorithm))
    assert found.outliers[0].transaction_id == "far"
    assert all(other.score < found.outliers[0].score / 2 for other in found.outliers[1:])
    cluster = next(item for item in found.clusters if item.cluster == found.outliers[0].cluster)
    assert cluster.outlier_score == found.outliers[0].score


def test_dbscan_puts_a_lone_payment_into_no_cluster() -> None:
    far = payment("900000000.00", transaction_id="far")
    found = clustered([*three_groups(), far], settings("dbscan"))
    assert [item.cluster for item in found.clusters] == [NOISE, 0, 1, 2]
    assert found.outliers[0].cluster == NOISE
    assert found.clusters[0].sample_transaction_ids == ["far"]


def test_dbscan_may_find_no_cluster_at_all() -> None:
    given = settings("dbscan", parameters=DbscanParameters(eps=0.001, min_samples=5))
    found = clustered(around(20, 30), given)
    assert [item.cluster for item in found.clusters] == [NOISE]
    assert found.silhouette is None
    assert found.outliers


def test_a_customer_who_pays_again_and_again_stands_apart() -> None:
    once = [{**item, "customer_id": f"cus-{at}"} for at, item in enumerate(around(20, 100))]
    again = around(20, 8, customer_id="burst")
    found = clustered([*once, *again], settings(parameters=KMeansParameters(ClusterCounts(2, 2))))
    assert [item.payment_count for item in found.clusters] == [100, 8]
    assert found.clusters[1].centroid["numbers"] == {"customer_payments": 8}


def test_a_customer_s_payments_outside_the_sample_count_too() -> None:
    found = clustered(around(20, 300, customer_id="cus-1"), settings(sample_size=40))
    assert {item.centroid["numbers"]["customer_payments"] for item in found.clusters} == {300}


def test_a_cluster_is_shown_by_the_payments_nearest_to_its_middle() -> None:
    amounts = ["1", "10", "99", "100", "101", "102", "103", "1000", "10000"]
    payments = [payment(amount, transaction_id=f"of-{amount}") for amount in amounts]
    one = KMeansParameters(ClusterCounts(1, 1))
    (cluster,) = clustered(payments, settings(parameters=one)).clusters
    assert set(cluster.sample_transaction_ids) == {f"of-{amount}" for amount in range(99, 104)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_payments_give_the_same_clusters(algorithm: str) -> None:
    # Without groups there are many ways to divide them.
    draw = random.Random(1)
    payments = [
        payment(f"{draw.lognormvariate(4, 1):.2f}", channel=draw.choice(list(Channel)))
        for _ in range(400)
    ]
    given = settings(algorithm, sample_size=300)
    if algorithm == "k_means":
        given = replace(given, parameters=KMeansParameters(ClusterCounts(9, 9)))
    assert clustered(payments, given) == clustered(payments, given)


def test_seed_and_window_decide_what_is_sampled() -> None:
    columns = columns_of(around(20, 500))
    given = settings(sample_size=50, outliers_kept=50)
    first = cluster_window(columns, NOON, given)
    assert first != cluster_window(columns, NOON + timedelta(minutes=5), given)
    assert first != cluster_window(columns, NOON, replace(given, seed=6))


def test_the_sample_bounds_what_is_computed() -> None:
    given = settings(sample_size=100)
    columns = columns_of(around(20, 3_000))
    sample = draw_sample(columns, NOON, given.sample_size, np.random.default_rng(1))
    assert len(feature_matrix(sample, given)) == 100
    found = cluster_window(columns, NOON, given)
    assert found is not None
    assert found.sample_size == 100
    assert sum(item.payment_count for item in found.clusters) == 100


def test_each_payment_is_as_likely_to_be_sampled() -> None:
    columns = columns_of(around(20, 10))
    randomness = np.random.default_rng(1)
    drawn = np.zeros(10)
    for _ in range(2_000):
        positions = list(draw_sample(columns, NOON, 3, randomness).positions)
        assert positions == sorted(set(positions))
        drawn[positions] += 1
    assert drawn == pytest.approx(600, rel=0.15)


def test_centroids_are_exact_in_units_of_each_currency() -> None:
    payments = [
        payment("10.00"),
        payment("20.00"),
        payment("999999999999999.99"),
        payment("100", currency=JPY),
        payment("101", currency=JPY),
        payment("0.125", currency=KWD),
    ]
    found = clustered(payments, settings(parameters=KMeansParameters(ClusterCounts(1, 1))))
    (cluster,) = found.clusters
    assert cluster.centroid["amounts"] == [
        {
            "currency": "EUR",
            "payment_count": 3,
            "median": "20.00",
            "mean": "333333333333343.33",
        },
        {"currency": "JPY", "payment_count": 2, "median": "100", "mean": "100"},
        {"currency": "KWD", "payment_count": 1, "median": "0.125", "mean": "0.125"},
    ]


def test_amounts_of_currencies_are_compared_without_rates() -> None:
    payments = [
        *around(20, 50),
        *[{**item, "amount": item["amount"] * 100, "currency": JPY} for item in around(20, 50)],
    ]
    given = settings(numeric_features=(NumericFeature.log_amount,), categorical_features=())
    columns = columns_of(payments)
    rows = feature_matrix(draw_sample(columns, NOON, 1_000, np.random.default_rng(1)), given)
    assert rows[:50] == pytest.approx(rows[50:])


def test_one_other_category_is_the_weight_apart() -> None:
    columns = columns_of([payment("5.00", channel=Channel.web), payment("5.00", channel=None)] * 2)
    given = settings(category_weight=0.6)
    rows = feature_matrix(draw_sample(columns, NOON, 10, np.random.default_rng(1)), given)
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(0.6)


def test_rare_categories_count_as_one() -> None:
    payments = [payment("5.00", merchant_category="grocery")] * 96
    payments += [payment("5.00", merchant_category=f"rare-{at}") for at in range(4)]
    given = settings(rare_category_share=0.02, categorical_features=("merchant_category",))
    columns = columns_of(payments)
    rows = feature_matrix(draw_sample(columns, NOON, 100, np.random.default_rng(1)), given)
    assert len(np.unique(rows, axis=0)) == 2


def test_a_border_is_crossed_between_two_known_countries() -> None:
    countries = [(276, 276), (276, 840), (276, None), (None, 840)]
    payments = [
        payment("5.00", customer_country=customer, merchant_country=merchant)
        for customer, merchant in countries
    ]
    sample = draw_sample(columns_of(payments), NOON, 10, np.random.default_rng(1))
    assert sample.categories("cross_border") == ["domestic", "cross_border", None, None]


def test_the_place_in_the_window_is_in_seconds() -> None:
    payments = [
        payment("5.00", event_time=NOON + timedelta(seconds=at)) for at in (1, 2, 3, 291, 292, 293)
    ]
    given = settings(
        numeric_features=(NumericFeature.window_position,),
        parameters=KMeansParameters(ClusterCounts(2, 2)),
    )
    found = clustered(payments, given)
    assert [item.centroid["numbers"]["window_position"] for item in found.clusters] == [2, 292]


def test_a_small_cluster_is_measured_from_the_nearest_large_one() -> None:
    rows = np.array([[0.0], [2.0], [0.0], [2.0], [100.0], [102.0], [100.0], [102.0], [5.0]])
    scores = outlier_scores(rows, np.array([0, 0, 0, 0, 1, 1, 1, 1, 2]))
    # One cluster of 4 + 4 of 9 payments is not yet 0.9 of them, so that all three are large.
    assert scores[8] == 0
    scores = outlier_scores(
        np.vstack([rows[:8], rows]), np.array([0, 0, 0, 0, 1, 1, 1, 1] * 2 + [2])
    )
    assert scores[:16].tolist() == [1] * 16
    assert scores[16] == 4


def test_no_more_outliers_are_kept_than_asked_for() -> None:
    one = KMeansParameters(ClusterCounts(1, 1))
    apart = clustered(around(20, 100), settings(parameters=one, outliers_kept=100)).outliers
    assert 3 < len(apart) < 100  # those nearer than average are none
    scores = [item.score for item in apart]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 1
    for kept in (3, 0):
        given = settings(parameters=one, outliers_kept=kept)
        assert clustered(around(20, 100), given).outliers == apart[:kept]


def test_small_windows_and_disabled_clustering_give_nothing() -> None:
    columns = columns_of(around(20, 9))
    assert cluster_window(columns, NOON, settings(minimum_payments=10)) is None
    assert cluster_window(columns, NOON, settings(enabled=False)) is None
    assert cluster_window(columns, NOON, settings(minimum_payments=9)) is not None
    assert cluster_window(Columns(0, lambda _: ()), NOON, settings()) is None


ODD: Mapping[str, list[Payment]] = {
    "one payment": [payment("5.00")],
    "two payments": [payment("5.00"), payment("7.00", channel=Channel.atm)],
    "identical payments": [payment("5.00")] * 40,
    "two kinds of identical payments": [payment("5.00")] * 20 + [payment("9.00")] * 20,
    "zero amounts": [payment("0.00"), payment("0", currency=JPY), payment("1.00")] * 10,
    "many currencies": [payment("5", currency=currency.number) for currency in CURRENCIES.values()],
    "every category rare": [
        payment("5.00", merchant_category=f"category-{at}") for at in range(300)
    ],
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("payments", ODD.values(), ids=ODD.keys())
def test_odd_windows_are_clustered_whole(payments: list[Payment], algorithm: str) -> None:
    found = clustered(payments, settings(algorithm))
    assert sum(item.payment_count for item in found.clusters) == len(payments)
    scores = [item.outlier_score for item in found.clusters]
    assert np.isfinite(scores).all()
    assert all(item.outlier_score_mean <= item.outlier_score for item in found.clusters)


@pytest.mark.parametrize("linkage", ["ward", "average", "complete", "single"])
def test_every_linkage_finds_the_groups(linkage: Any) -> None:
    given = settings("agglomerative", parameters=AgglomerativeParameters(ANY_K, linkage))
    found = clustered(three_groups(), given)
    assert [item.payment_count for item in found.clusters] == [60, 40, 30]


def test_a_fixed_number_of_clusters_is_kept() -> None:
    given = settings(parameters=KMeansParameters(ClusterCounts(5, 5)))
    assert len(clustered(three_groups(), given).clusters) == 5
