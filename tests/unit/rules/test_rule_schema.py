"""The published schema is a valid one, and says what the code knows."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from shared_code.rules.comparison_meaning import _OPERATORS
from shared_code.rules.document import Measure, Rule
from shared_code.rules.fields import FIELDS, GROUPABLE
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


def test_the_description_of_group_by_lists_every_field_that_makes_groups() -> None:
    group_by = SCHEMA["$defs"]["rule"]["properties"]["group_by"]
    assert names_in(group_by["description"]) == GROUPABLE


def test_the_operators_are_those_that_some_field_takes() -> None:
    assert set(CONDITION["operator"]["enum"]) == frozenset().union(*_OPERATORS.values())


def test_the_keys_of_rules_and_measures_are_those_that_are_read() -> None:
    assert set(SCHEMA["$defs"]["rule"]["properties"]) == set(Rule.__struct_fields__)
    assert set(SCHEMA["$defs"]["measure"]["properties"]) == set(Measure.__struct_fields__)


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
