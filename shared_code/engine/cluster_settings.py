"""How windows are clustered: one YAML file, checked by the JSON Schema that editors use, too."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal, override

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from shared_code.errors import PaymentsError
from shared_code.rules.errors import RuleError, json_path, shown
from shared_code.rules.shape import did_you_mean

SHIPPED_SETTINGS: Final = Path(__file__).parents[2] / "rules" / "clustering.yaml"
_SCHEMA_FILE: Final = SHIPPED_SETTINGS.with_name("clustering.schema.json")


class NumericFeature(StrEnum):
    """A number that payments are compared by."""

    log_amount = "log_amount"
    customer_payments = "customer_payments"
    window_position = "window_position"


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """Numbers of clusters to try, both ends included; of several the best silhouette chooses."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class KMeansParameters:
    """Round clusters about their means."""

    k: ClusterCounts


@dataclass(frozen=True, slots=True)
class DbscanParameters:
    """Dense clusters of any form; what lies in none is noise. ``eps`` is in feature units."""

    eps: float
    min_samples: int


@dataclass(frozen=True, slots=True)
class AgglomerativeParameters:
    """Clusters that are merged from payments by the distance which ``linkage`` names."""

    k: ClusterCounts
    linkage: Literal["ward", "average", "complete", "single"]


_ALWAYS_READ: Final = frozenset(
    {"event_time", "transaction_id", "payment_status", "amount", "currency"}
)
# What features are reckoned from; the others are columns themselves.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "log_amount": ("amount", "currency"),
    "window_position": ("event_time",),
    "customer_payments": ("customer_id",),
    "cross_border": ("customer_country", "merchant_country"),
}


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """What ``rules/clustering.yaml`` says; its schema describes each key.

    ``algorithm`` is the name of what ``parameters`` are for.
    """

    enabled: bool
    algorithm: str
    parameters: KMeansParameters | DbscanParameters | AgglomerativeParameters
    numeric_features: tuple[NumericFeature, ...]
    categorical_features: tuple[str, ...]
    category_weight: float
    rare_category_share: float
    sample_size: int
    minimum_payments: int
    outliers_kept: int
    seed: int

    @property
    def columns(self) -> frozenset[str]:
        """The stored columns of payments that clustering reads."""
        features = frozenset({*self.numeric_features, *self.categorical_features})
        stored = {name for feature in features for name in _COLUMNS.get(feature, (feature,))}
        return _ALWAYS_READ | stored


class ClusterSettingsRefused(PaymentsError):
    """Settings of clustering with at least one mistake; it carries them all."""

    def __init__(self, source: str, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join([f"{source} is refused:", *map(str, errors)]))
        self.errors = tuple(errors)


@cache
def load_cluster_settings(path: Path = SHIPPED_SETTINGS) -> ClusterSettings:
    """Return the settings of a file, which is read once per process.

    Raises:
        ClusterSettingsRefused: with every mistake found.
    """
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mistake = RuleError("$", f"cannot be read: {error}", "Ship a file in UTF-8 with the app.")
        raise ClusterSettingsRefused(path.name, [mistake]) from error
    return parse_cluster_settings(content, path.name)


def parse_cluster_settings(content: str, source: str = SHIPPED_SETTINGS.name) -> ClusterSettings:
    """Return the settings that a YAML text holds; errors name its ``source``.

    Raises:
        ClusterSettingsRefused: with every mistake found.
    """
    try:
        document = yaml.load(content, _Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        mistake = RuleError("$", f"is not YAML: {' '.join(str(error).split())}")
        raise ClusterSettingsRefused(source, [mistake]) from None
    errors = list(dict.fromkeys([*_shape_errors(document), *_meaning_errors(document)]))
    if errors:
        raise ClusterSettingsRefused(source, errors)
    defaults = {
        name: schema["default"]
        for name, schema in _schema()["properties"].items()
        if "default" in schema
    }
    return _settings(defaults | document)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would take the last in silence."""

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for at, key in enumerate(keys):
            if key in keys[:at]:
                mark = node.value[at][0].start_mark
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} is there twice", mark)
        return super().construct_mapping(node, deep)


@cache
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(_SCHEMA_FILE.read_text("utf-8"))
    return schema


@cache
def _validator() -> Draft202012Validator:
    # YAML knows .nan, which is within any limits.
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "number", lambda plain, value: _is_number(plain, value) and isfinite(value)
    )
    extend: Any = validators.extend  # it has no annotations
    validator: Draft202012Validator = extend(Draft202012Validator, type_checker=checker)(_schema())
    return validator


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shape_errors(document: Any) -> Iterator[RuleError]:
    errors = sorted(
        _validator().iter_errors(document), key=lambda error: list(map(str, error.absolute_path))
    )
    for error in errors:
        yield from _explained(error)


def _explained(error: ValidationError) -> Iterator[RuleError]:
    path = list(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    found: Any = error.instance
    wanted: Any = error.validator_value
    properties: Mapping[str, Any] = schema.get("properties", {})
    if error.validator == "required":
        known = _schema()["properties"] | properties
        for name in wanted:
            if name not in found:
                advice = known.get(name, {}).get("description", "")
                yield RuleError(json_path(path), f"{name!r} is missing", advice)
    elif error.validator == "additionalProperties":
        for name in found:
            if name not in properties:
                advice = did_you_mean(name, properties)
                yield RuleError(json_path([*path, str(name)]), "is not known here", advice)
    elif error.validator == "enum":
        advice = did_you_mean(found, wanted)
        yield RuleError(json_path(path), f"{shown(found)} is not known here", advice)
    else:
        message = f"{shown(found)} does not fit"
        yield RuleError(json_path(path), message, schema.get("description", ""))


def _meaning_errors(document: Any) -> Iterator[RuleError]:
    """Tell what the schema cannot say, of those parts whose shape lets it be judged."""
    if not isinstance(document, dict):
        return
    if document.get("numeric_features") == [] == document.get("categorical_features"):
        message = "there is no feature to compare payments by"
        yield RuleError("$", message, "Give at least one numeric or categorical feature.")
    for algorithm in ("k_means", "agglomerative"):
        match document.get(algorithm):
            case {"k": {"least": int(least), "most": int(most)}} if least > most:
                message = f"least ({least}) is above most ({most})"
                yield RuleError(json_path([algorithm, "k"]), message, "Swap the two.")


def _settings(document: Mapping[str, Any]) -> ClusterSettings:
    algorithm: str = document["algorithm"]
    return ClusterSettings(
        enabled=document["enabled"],
        algorithm=algorithm,
        parameters=_parameters(algorithm, document[algorithm]),
        numeric_features=tuple(map(NumericFeature, document["numeric_features"])),
        categorical_features=tuple(document["categorical_features"]),
        category_weight=float(document["category_weight"]),
        rare_category_share=float(document["rare_category_share"]),
        # To JSON Schema 50.0 is a whole number, too.
        sample_size=int(document["sample_size"]),
        minimum_payments=int(document["minimum_payments"]),
        outliers_kept=int(document["outliers_kept"]),
        seed=int(document["seed"]),
    )


def _parameters(
    algorithm: str, given: Mapping[str, Any]
) -> KMeansParameters | DbscanParameters | AgglomerativeParameters:
    if algorithm == "dbscan":
        return DbscanParameters(float(given["eps"]), int(given["min_samples"]))
    k = given["k"]
    least, most = (k["least"], k["most"]) if isinstance(k, Mapping) else (k, k)
    counts = ClusterCounts(int(least), int(most))
    if algorithm == "k_means":
        return KMeansParameters(counts)
    return AgglomerativeParameters(counts, given["linkage"])
