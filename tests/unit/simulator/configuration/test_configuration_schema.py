import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from simulator.configuration.forms import form_of
from simulator.configuration.schema import (
    SCHEMA_FILE,
    configuration_schema,
    schema_text,
    write_schema,
)


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from patterns(value)


def test_the_schema_in_the_repository_is_that_of_the_structures() -> None:
    assert SCHEMA_FILE.read_text("utf-8") == schema_text(), (
        "run python -m simulator.configuration.schema"
    )


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(configuration_schema())


def test_editors_may_find_their_schema_and_profiles_in_the_file() -> None:
    document = {"$schema": "simulation.schema.json", "extends": "steady", "seed": 1}
    assert Draft202012Validator(configuration_schema()).is_valid(document)


def test_descriptions_are_fit_for_editors() -> None:
    description = configuration_schema()["$defs"]["TimeSpan"]["description"]
    assert "At most two of `start`, `end` and `duration`; with neither start nor" in description


def test_every_pattern_is_told_in_plain_words() -> None:
    assert all(form_of(pattern).words for pattern in patterns(configuration_schema()))


def test_the_schema_can_be_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    write_schema(file)
    assert json.loads(file.read_text("utf-8")) == configuration_schema()
