"""A parameter is described once; what the description says is what is taken and refused."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from shared_code.web.api.openapi import openapi_document
from shared_code.web.api.resources import RESOURCES
from shared_code.web.parameters import (
    Choice,
    Identifier,
    Instant,
    Kind,
    Parameter,
    Text,
    Whole,
    read_path,
    read_query,
)
from shared_code.web.problems import Problem

DOCUMENT = json.loads(json.dumps(openapi_document(RESOURCES)))
EXAMPLES = {
    Choice(("open", "all")): (["open", "all"], ["", "Open", "open ", "none"]),
    Whole(1, 1000): (["1", "1000", "007"], ["0", "1001", "-1", "1.0", "", " 1", "٣", "1e2"]),
    Instant(): (
        ["2026-01-31T23:55:00Z", "2026-01-31t23:55:00.123456789+05:30", "1970-01-01T00:00:00z"],
        [
            "2026-01-31",
            "2026-01-31T23:55:00",
            "2026-01-31 23:55:00Z",
            "2026-02-30T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "9999-12-31T23:59:59Z",
            "2026-01-31T23:55:00Z\n",
            "2026-01-31T23:55:00 05:30",
        ],
    ),
    Text("[a-z][a-z0-9_]{2,63}", 64, "high_value"): (
        ["high_value"],
        ["", "HIGH", "a", "high_value\n", "high\0value", "a" * 65],
    ),
    Identifier(): (
        ["6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51", "6F1F6D3C-5F0C-5D1E-9A39-2F6F6F0F7A51"],
        ["6f1f6d3c", "{6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51}", "6f1f6d3c5f0c5d1e9a392f6f6f0f7a51"],
    ),
}
LIMIT = Parameter("limit", Whole(1, 10), "How many.", default="5")
METHOD = Parameter("method", Choice(("a", "b")), "Which.", repeated=True)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, (good, _) in EXAMPLES.items() for text in good]
)
def test_what_fits_is_taken(kind: Kind, text: str) -> None:
    kind.read(text)
    schema = kind.schema()
    value = int(text) if schema["type"] == "integer" else text
    jsonschema.Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, (_, bad) in EXAMPLES.items() for text in bad]
)
def test_what_does_not_fit_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|month|day"):
        kind.read(text)


def test_instants_are_in_utc() -> None:
    found = Instant().read("2026-01-31T23:55:00+05:30")
    assert found == datetime(2026, 1, 31, 18, 25, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_repeated_parameter_is_a_list_and_others_are_single() -> None:
    found = read_query((LIMIT, METHOD), [("method", "a"), ("method", "b"), ("limit", "3")])
    assert found == {"limit": 3, "method": ["a", "b"]}


def test_what_is_left_out_is_its_default_or_nothing() -> None:
    free = Parameter("free", Whole(1, 2), "Anything.")
    assert read_query((LIMIT, METHOD, free), []) == {"limit": 5, "method": [], "free": None}


def test_every_wrong_parameter_is_told_at_once() -> None:
    query = [("limit", "11"), ("limits", "1"), ("method", "c"), ("limit", "1")]
    with pytest.raises(Problem) as raised:
        read_query((LIMIT, METHOD), query)
    assert raised.value.status == 400
    assert [each.parameter for each in raised.value.errors] == ["limits", "limit", "method"]


def test_the_key_of_the_function_is_no_parameter() -> None:
    assert read_query((LIMIT,), [("code", "secret"), ("limit", "1")]) == {"limit": 1}


def test_parameters_of_paths_are_checked_too() -> None:
    version = Parameter("version", Text("[0-9]+", 9, "1"), "Which.", place="path")
    assert read_path((version, LIMIT), {"version": "12"}) == {"version": "12"}
    with pytest.raises(Problem):
        read_path((version,), {"version": "latest"})


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.path)
def test_the_document_has_each_parameter_as_it_is_checked(resource: Any) -> None:
    described = DOCUMENT["paths"][resource.path]["get"]["parameters"]
    assert [each["name"] for each in described] == [each.name for each in resource.parameters]
    for one, parameter in zip(described, resource.parameters, strict=True):
        items = one["schema"].get("items", one["schema"])
        own = json.loads(json.dumps(parameter.kind.schema()))
        assert {name: items[name] for name in own} == own
        assert one["required"] == (parameter.place == "path")
    in_path = re.findall(r"\{(\w+)\}", resource.path)
    assert in_path == [each.name for each in resource.parameters if each.place == "path"]


def test_the_document_names_every_operation_once() -> None:
    names = [each["get"]["operationId"] for each in DOCUMENT["paths"].values()]
    assert len(names) == len(set(names)) == len(RESOURCES) + 1
