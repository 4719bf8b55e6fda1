"""Settings of clustering are read once, and every mistake in them is told at once."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared_code.engine.cluster_settings import (
    SHIPPED_SETTINGS,
    AgglomerativeParameters,
    ClusterCounts,
    ClusterSettingsRefused,
    DbscanParameters,
    KMeansParameters,
    NumericFeature,
    load_cluster_settings,
    parse_cluster_settings,
)
from shared_code.rules.fields import FIELDS
from shared_code.store.tables import normalized_transactions

SHIPPED = SHIPPED_SETTINGS.read_text("utf-8")
SCHEMA = json.loads(SHIPPED_SETTINGS.with_name("clustering.schema.json").read_text("utf-8"))
PROPERTIES = SCHEMA["properties"]


def document(**changes: Any) -> str:
    """Return the shipped settings with changes; a key given as None is left out."""
    keys = yaml.safe_load(SHIPPED) | changes
    return yaml.safe_dump({name: value for name, value in keys.items() if value is not None})


def mistakes(content: str) -> list[str]:
    """Return the mistakes, without the descriptions that follow them."""
    with pytest.raises(ClusterSettingsRefused) as caught:
        parse_cluster_settings(content)
    return [f"{error.path}: {error.message}" for error in caught.value.errors]


def test_the_shipped_settings_are_accepted_and_read_once() -> None:
    shipped = load_cluster_settings()
    assert shipped.enabled
    assert shipped.parameters == KMeansParameters(ClusterCounts(2, 8))
    assert load_cluster_settings() is shipped


def test_the_schema_is_one_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert all(schema.get("description") for schema in PROPERTIES.values())


def test_the_schema_knows_the_features_of_the_code() -> None:
    assert set(PROPERTIES["numeric_features"]["items"]["enum"]) == set(NumericFeature)
    categories = set(PROPERTIES["categorical_features"]["items"]["enum"]) - {"cross_border"}
    assert categories <= {field.column for field in FIELDS.values()}
    assert categories <= set(normalized_transactions.columns.keys())


@pytest.mark.parametrize(
    ("algorithm", "given", "parameters"),
    [
        ("k_means", {"k": 3}, KMeansParameters(ClusterCounts(3, 3))),
        ("k_means", {"k": {"least": 2, "most": 4}}, KMeansParameters(ClusterCounts(2, 4))),
        ("dbscan", {"eps": 1, "min_samples": 4}, DbscanParameters(1.0, 4)),
        (
            "agglomerative",
            {"k": 2, "linkage": "average"},
            AgglomerativeParameters(ClusterCounts(2, 2), "average"),
        ),
    ],
)
def test_the_algorithm_decides_which_parameters_count(
    algorithm: str, given: Any, parameters: Any
) -> None:
    found = parse_cluster_settings(document(**{"algorithm": algorithm, algorithm: given}))
    assert (found.algorithm, found.parameters) == (algorithm, parameters)


def test_optional_keys_have_the_defaults_of_the_schema() -> None:
    found = parse_cluster_settings(document(category_weight=None, rare_category_share=None))
    assert found.category_weight == PROPERTIES["category_weight"]["default"]
    assert found.rare_category_share == PROPERTIES["rare_category_share"]["default"]


def test_every_mistake_is_told_at_once_with_advice() -> None:
    content = """
        enabled: maybe
        algorithm: kmeans
        k_means: {k: {least: 5, most: 3}}
        dbscan: {eps: .nan, min_sample: 3}
        agglomerative: {k: 2.5, linkage: wards}
        numeric_features: []
        categorical_features: []
        sample_size: 20000
        minimum_payment: 3
        outliers_kept: true
    """
    assert sorted(mistakes(content)) == [
        "$.agglomerative.k: 2.5 does not fit",
        '$.agglomerative.linkage: "wards" is not known here',
        '$.algorithm: "kmeans" is not known here',
        "$.dbscan.eps: NaN does not fit",
        "$.dbscan.min_sample: is not known here",
        "$.dbscan: 'min_samples' is missing",
        '$.enabled: "maybe" does not fit',
        "$.k_means.k: least (5) is above most (3)",
        "$.minimum_payment: is not known here",
        "$.outliers_kept: true does not fit",
        "$.sample_size: 20000 does not fit",
        "$: 'minimum_payments' is missing",
        "$: 'seed' is missing",
        "$: there is no feature to compare payments by",
    ]
    with pytest.raises(ClusterSettingsRefused, match="Did you mean 'k_means'") as caught:
        parse_cluster_settings(content)
    assert all(error.suggestion for error in caught.value.errors)


@pytest.mark.parametrize(
    ("algorithm", "most"), [("k_means", 10_000), ("dbscan", 4_000), ("agglomerative", 2_000)]
)
def test_what_costs_the_square_has_a_smaller_sample(algorithm: str, most: int) -> None:
    found = parse_cluster_settings(document(algorithm=algorithm, sample_size=most))
    assert found.sample_size == most
    told = mistakes(document(algorithm=algorithm, sample_size=most + 1))
    assert told[0] == f"$.sample_size: {most + 1} does not fit"


def test_the_parameters_of_the_algorithm_are_needed() -> None:
    assert mistakes(document(algorithm="dbscan", dbscan=None)) == ["$: 'dbscan' is missing"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "null does not fit"),
        ("[enabled]", "a list of 1 does not fit"),
        ("seed: 1\nseed: 2", "the key 'seed' is there twice"),
        ("k_means: {k: 1, k: 2}", "the key 'k' is there twice"),
        ("? [a]\n: 1", "unhashable key"),
        ("seed: [", "is not YAML"),
        ("seed: !!python/object:int 1", "could not determine a constructor"),
        ("1: 2", '$["1"]: is not known here'),
    ],
)
def test_what_is_no_mapping_of_settings_is_refused(content: str, told: str) -> None:
    assert any(told in mistake for mistake in mistakes(content))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    with pytest.raises(ClusterSettingsRefused, match=r"missing\.yaml is refused"):
        load_cluster_settings(missing)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"# caf\xe9")
    with pytest.raises(ClusterSettingsRefused, match="UTF-8"):
        load_cluster_settings(latin)
