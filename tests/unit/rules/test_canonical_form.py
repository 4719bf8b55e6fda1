"""One canonical form of each rule document, and what people edit of it."""

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from unit.rules.document_strategies import AWKWARD, documents

from shared_code.rules.canonical import canonical_text
from shared_code.rules.document_text import (
    READING_ORDER,
    json_text_for_people,
    parse_document,
    yaml_text,
)
from shared_code.rules.errors import RuleDocumentRefused
from shared_code.rules.shape import SCHEMA_FILE
from shared_code.rules.structure import MAX_DOCUMENT_BYTES

SHIPPED = SCHEMA_FILE.parent / "metric_derivation_rules.json"


def without_schema(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: value for key, value in document.items() if key != "$schema"}
    return document


def canonical_number(text: str) -> str:
    return canonical_text(parse_document(f"[{text}]".encode())).decode().strip("[] \n")


def test_the_canonical_form_is_sorted_json_that_people_can_read() -> None:
    document = {
        "version": "1.0.0",
        "$schema": "./schema.json",
        "rules": [{"id": "é", "$schema": "kept", "group_by": ["b", "a"], "when": {}, "lists": []}],
    }
    assert canonical_text(document).decode() == (
        "{\n"
        '  "rules": [\n'
        "    {\n"
        '      "$schema": "kept",\n'
        '      "group_by": [\n'
        '        "b",\n'
        '        "a"\n'
        "      ],\n"
        '      "id": "é",\n'
        '      "lists": [],\n'
        '      "when": {}\n'
        "    }\n"
        "  ],\n"
        '  "version": "1.0.0"\n'
        "}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.330", "0.33"),
        ("5.0", "5"),
        ("5", "5"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("1.00e2", "100"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0e17", "0"),
        ("-0.50", "-0.5"),
        ("1e-18", "0.000000000000000001"),
        ("1e17", "100000000000000000"),
        ("999999999999999999.999999999999999999", "999999999999999999.999999999999999999"),
    ],
)
def test_a_number_has_one_plain_spelling(text: str, expected: str) -> None:
    assert canonical_number(text) == expected


@given(documents(decimals=False))
def test_without_decimals_the_form_is_what_the_standard_library_writes(document: Any) -> None:
    expected = json.dumps(without_schema(document), ensure_ascii=False, indent=2, sort_keys=True)
    assert canonical_text(document).decode() == expected + "\n"


@given(documents())
def test_the_canonical_form_reads_as_the_same_document_and_is_its_own_form(document: Any) -> None:
    content = canonical_text(document)
    again = parse_document(content)
    assert again == without_schema(document)
    assert canonical_text(again) == content


@given(documents())
def test_a_document_written_for_people_is_the_same_in_json_and_yaml(document: Any) -> None:
    for text in (json_text_for_people(document), yaml_text(document)):
        again = parse_document(text.encode())
        assert again == document
        assert canonical_text(again) == canonical_text(document)


@given(documents(decimals=False))
def test_other_readers_of_yaml_read_the_same(document: Any) -> None:
    assert yaml.safe_load(yaml_text(document)) == document


def test_yaml_is_written_in_blocks_in_reading_order() -> None:
    document = {
        "zeta": None,
        "rules": [
            {
                "when": {"value": ["NO", "DE"], "operator": "in", "field": "customer.country"},
                "alert": {"value": Decimal("0.330"), "operator": "gt"},
                "description": "A rule of the tests that says at length why it stands there, and "
                "more than that: what follows from it.",
                "id": "first",
                "enabled": True,
                "alpha": "two\nlines of é\n",
            }
        ],
        "version": "1.0.0",
    }
    expected = """\
version: 1.0.0
rules:
- id: first
  description: >-
    A rule of the tests that says at length why it stands there, and more than that: what follows
    from it.
  enabled: true
  when:
    field: customer.country
    operator: in
    value:
    - 'NO'
    - DE
  alert:
    operator: gt
    value: 0.33
  alpha: |
    two
    lines of é
zeta: null
"""
    assert yaml_text(document) == expected


def test_json_for_people_has_the_same_order() -> None:
    document = {"rules": [{"value": Decimal("1E+3"), "b": 1, "a": 2, "id": "x"}], "version": "1"}
    assert json_text_for_people(document) == (
        "{\n"
        '  "version": "1",\n'
        '  "rules": [\n'
        "    {\n"
        '      "id": "x",\n'
        '      "value": 1000,\n'
        '      "a": 2,\n'
        '      "b": 1\n'
        "    }\n"
        "  ]\n"
        "}\n"
    )


@pytest.mark.parametrize("text", [*AWKWARD, " word" * 30, "word  " * 30, "a\n" + " word" * 30])
def test_awkward_text_survives_as_a_key_and_as_a_value(text: str) -> None:
    document = {"lists": {text: [text, {text: text}]}}
    assert parse_document(yaml_text(document).encode()) == document
    assert parse_document(json_text_for_people(document).encode()) == document


def test_equal_parts_are_written_out_each_time() -> None:
    part = {"field": "amount", "operator": "gt", "value": Decimal("0.5")}
    document = {"rules": [{"when": part}, {"when": part}]}
    assert parse_document(yaml_text(document).encode()) == document


def test_the_shipped_rules_survive_both_ways() -> None:
    document = parse_document(SHIPPED.read_bytes())
    for text in (yaml_text(document), json_text_for_people(document)):
        assert parse_document(text.encode()) == document


def test_every_key_of_the_schema_has_its_place_in_the_reading_order() -> None:
    assert schema_keys(SCHEMA_FILE) <= set(READING_ORDER)
    assert len(set(READING_ORDER)) == len(READING_ORDER)


def schema_keys(file: Path) -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [json.loads(file.read_text("utf-8"))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found |= part.get("properties", {}).keys()
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def test_a_document_whose_lines_are_too_large_to_be_read_again_is_refused() -> None:
    deep: Any = [1] * 40_000
    for _ in range(15):
        deep = [deep]
    content = json.dumps(deep).encode()
    assert len(content) < MAX_DOCUMENT_BYTES
    with pytest.raises(RuleDocumentRefused, match="once it is laid out in lines"):
        canonical_text(parse_document(content))


def test_a_document_of_a_mebibyte_is_written_within_a_second() -> None:
    texts = {f"key_{number}": "NO " * 7 for number in range(19_000)}
    numbers = [Decimal(number) / 1000 for number in range(19_000)]
    document = {"texts": texts, "numbers": numbers}
    assert len(canonical_text(document)) > MAX_DOCUMENT_BYTES * 0.9
    began = time.process_time()
    canonical_text(document)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("content", [b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'["\\udfff\\ud800"]'])
def test_half_a_character_has_no_canonical_form_and_is_refused(content: bytes) -> None:
    with pytest.raises(RuleDocumentRefused, match="a surrogate that stands alone"):
        parse_document(content)
