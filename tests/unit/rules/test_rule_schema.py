"""The published schema is a valid one, and says what the code knows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from shared_code.rules.comparison_meaning import _OPERATORS
from shared_code.rules.document import (
    AlertThreshold,
    Band,
    Lookup,
    Measure,
    Pattern,
    Previous,
    Rates,
    Rule,
    RuleDocument,
    Term,
)
from shared_code.rules.fields import (
    FIELDS,
    FIELDS_WITH_ORIGINAL,
    FIELDS_WITH_PREVIOUS,
    GROUPABLE,
    SUBJECTS,
)
from shared_code.rules.shape import SCHEMA_FILE

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
CONDITION = SCHEMA["$defs"]["condition"]["properties"]


def names_in(description: str) -> set[str]:
    return set(re.findall(r"[a-z_.0-9]+", description.split("One of: ")[1].removesuffix(".")))


def test_the_schema_is_valid_in_its_draft() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(SchemaError):
        Draft202012Validator.check_schema(SCHEMA | {"type": "no type"})


def test_the_description_of_field_lists_every_field_with_its_kind() -> None:
    listed = CONDITION["field"]["description"].split("One of: ")[1].removesuffix(".").split("; ")
    assert listed == [f"{field.name} ({field.kind})" for field in FIELDS.values()]


def test_editors_offer_every_field() -> None:
    assert CONDITION["field"]["examples"] == list(FIELDS)


def test_the_fields_of_pairs_are_told_by_prefix_and_name() -> None:
    pairs = FIELDS_WITH_PREVIOUS.keys() | FIELDS_WITH_ORIGINAL.keys()
    named = CONDITION["field"]["description"].split("One of: ")[0]
    for name in pairs - FIELDS.keys():
        prefix, _, own = name.partition(".")
        assert (own in FIELDS and f"{prefix}." in named) or f"{name} (number)" in named


def test_the_subjects_are_those_that_rules_may_follow() -> None:
    assert SCHEMA["$defs"]["rule"]["properties"]["subject"]["enum"] == list(SUBJECTS)


def test_the_description_of_group_by_lists_every_field_that_makes_groups() -> None:
    group_by = SCHEMA["$defs"]["rule"]["properties"]["group_by"]
    assert names_in(group_by["description"]) == GROUPABLE


def test_the_operators_are_those_that_some_field_takes() -> None:
    assert set(CONDITION["operator"]["enum"]) == frozenset().union(*_OPERATORS.values())


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("rule", Rule),
        ("measure", Measure),
        ("alert", AlertThreshold),
        ("band", Band),
        ("previous", Previous),
        ("lookup", Lookup),
        ("pattern", Pattern),
        ("term", Term),
        ("rates", Rates),
    ],
)
def test_the_keys_are_those_that_are_read(name: str, struct: type[msgspec.Struct]) -> None:
    assert set(SCHEMA["$defs"][name]["properties"]) == set(struct.__struct_fields__)


def test_the_keys_of_the_document_are_those_that_are_read_and_one_for_editors() -> None:
    assert set(SCHEMA["properties"]) == {*RuleDocument.__struct_fields__, "$schema"}


def test_defaults_are_those_of_what_is_read() -> None:
    for name, struct in (
        ("rule", Rule),
        ("alert", AlertThreshold),
        ("pattern", Pattern),
        ("lookup", Lookup),
    ):
        read = {
            key: list(default) if default == () else default
            for key, default in zip(
                reversed(struct.__struct_fields__),
                reversed(struct.__struct_defaults__),
                strict=False,
            )
        }
        for key, part in SCHEMA["$defs"][name]["properties"].items():
            if "default" in part:
                assert part["default"] == read[key], f"{name}.{key}"


def test_every_part_that_people_write_is_described() -> None:
    def undescribed(schema: Any, path: str) -> list[str]:
        missing = [
            f"{path}.{name}"
            for name, part in schema.get("properties", {}).items()
            if "description" not in part and "$ref" not in part
        ]
        for name, part in schema.get("properties", {}).items():
            missing += undescribed(part, f"{path}.{name}")
        return missing

    parts = {"$": SCHEMA} | SCHEMA["$defs"]
    assert [name for path, part in parts.items() for name in undescribed(part, path)] == []


def test_every_example_is_of_the_form_that_it_shows() -> None:
    def parts(schema: Any) -> Iterator[Any]:
        if isinstance(schema, dict):
            yield schema
            for part in schema.values():
                yield from parts(part)
        elif isinstance(schema, list):
            for part in schema:
                yield from parts(part)

    shown = [part for part in parts(SCHEMA) if isinstance(part.get("examples"), list)]
    assert len(shown) > 20
    for part in shown:
        validator = Draft202012Validator(part | {"$defs": SCHEMA["$defs"]})
        for example in part["examples"]:
            validator.validate(example)


def test_every_object_is_closed_and_every_minute_bounded() -> None:
    for name, part in SCHEMA["$defs"].items():
        assert part["additionalProperties"] is False, name
        for key, minutes in part["properties"].items():
            if key in {"within_minutes", "cooldown_minutes"}:
                assert (minutes["minimum"], minutes["maximum"]) == (1, 43_200), name
