"""Rule documents in YAML: what they hold is what the same document in JSON would hold."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.rules.document_strategies import PRINTABLE_TEXT, documents

from shared_code.rules import json_text, yaml_text
from shared_code.rules.canonical import canonical_text
from shared_code.rules.document_text import parse_document
from shared_code.rules.errors import MAX_ERRORS, RuleDocumentRefused, RuleError
from shared_code.rules.structure import MAX_DEPTH, MAX_OBJECTS, MAX_VALUES


def read(text: str) -> Any:
    return parse_document(text.encode())


def refusal(text: str) -> list[RuleError]:
    with pytest.raises(RuleDocumentRefused) as refused:
        read(text)
    return list(refused.value.errors)


def scalar(text: str) -> Any:
    (value,) = read(f"key: {text}").values()
    return value


def test_block_and_flow_style_comments_and_quotes_are_read() -> None:
    text = """
    # Who changed what.
    version: "1.0.0"
    lists: {countries: [DE, "NO"], 'empty': []}
    rules:
      - id: first  # the only one
        description: >-
          Two lines
          in one.
        when:
          value: |
            a
            b
    """
    assert read(text) == {
        "version": "1.0.0",
        "lists": {"countries": ["DE", "NO"], "empty": []},
        "rules": [
            {"id": "first", "description": "Two lines in one.", "when": {"value": "a\nb\n"}},
        ],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0.330", Decimal("0.330")),
        ("-0.1", Decimal("-0.1")),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("1e3", Decimal("1E+3")),
        ("1.5E-3", Decimal("0.0015")),
        ("0.1234567890123456", Decimal("0.1234567890123456")),
        ("999999999999999999", 999999999999999999),
    ],
)
def test_words_and_numbers_of_the_core_schema_are_read_exactly(text: str, expected: Any) -> None:
    value = scalar(text)
    assert value == expected
    assert type(value) is type(expected)
    assert str(value) == str(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("NO", "no", "on", "off", "yes", "y", "tRUE", "nULL", "none"),
        *("12:30", "1:30", "2026-01-28", "2026-01-28T12:30:00Z", "1_000", "1,000", "1.0.0"),
        *("0123", "0742", "00", "00.5", "-01", "0o17", "0x1f", "0b1", "٣"),
        *("nan", "NaN", "Infinity", "inf", ".", "+", "e5", "1e", "+.", "=", "<<"),
    ],
)
def test_whatever_else_stands_without_quotes_is_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize("text", ["true", "null", "~", "", "12", "0.5", ".nan", "<<", "NO"])
def test_what_stands_in_quotes_or_in_a_block_is_text(text: str) -> None:
    assert scalar(f"'{text}'") == text
    assert scalar(f'"{text}"') == text
    if text:
        assert scalar(f"|-\n  {text}") == text


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.INF", "+.Inf"])
def test_what_is_no_number_is_refused_as_it_is_in_json(text: str) -> None:
    (expected,) = refusal('{"key": NaN}')
    assert refusal(f"key: {text}") == [expected]
    assert expected.path == "$.key"


@pytest.mark.parametrize("text", ["1e18", "-1e-19", "9" * 5000, "0." + "9" * 5000, "1e999999999"])
def test_numbers_beyond_every_amount_are_refused_as_they_are_in_json(text: str) -> None:
    assert refusal(f"rules: [{{value: {text}}}]") == refusal(f'{{"rules": [{{"value": {text}}}]}}')


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a: 1\nb: &x 2\n", "$.b", "an anchor, &x, stands at line 2"),
        ("a: 1\nb: &x {c: 2}\n", "$.b", "an anchor, &x, stands at line 2"),
        ("- a\n- c: *x\n", "$[1].c", "an alias, *x, stands at line 2"),
        ("a: !!int '2'\n", "$.a", "a tag, tag:yaml.org,2002:int, stands at line 1"),
        ("a: !!python/name:os.system x\n", "$.a", "a tag, tag:yaml.org,2002:python/name"),
        ("a: ! x\n", "$.a", "a tag, !, stands at line 1"),
        ("a:\n  - !x [1]\n", "$.a[0]", "a tag, !x, stands at line 2"),
        ("a:\n  <<: {b: 1}\n", "$.a", "a merge key, <<, stands at line 2"),
        ("a:\n  1: x\n", "$.a", 'the key "1" at line 2 is no text'),
        ("? \n: x\n", "$", 'the key "" at line 1 is no text'),
        ("a: {true: x}\n", "$.a", 'the key "true" at line 1 is no text'),
        ("a:\n  ? [b]\n  : x\n", "$.a", "an object or a list is a key at line 2"),
        ("a: 1\n---\nb: 1\n", "$", "a second document begins at or after line 2"),
        ("a: 1\n...\nb: 1\n", "$", "a second document begins at or after line 2"),
        ("# a\n\n%YAML 1.2\n---\na: 1\n", "$", "a directive, such as %YAML or %TAG, at line 3"),
        ("a: 1\n...\n%YAML 1.2\n---\n", "$", "a second document begins at or after line 2"),
    ],
)
def test_what_json_cannot_say_is_refused_by_its_name_and_line(
    text: str, path: str, message: str
) -> None:
    (error,) = refusal(text)
    assert error.path == path
    assert message in error.message
    assert error.suggestion


def test_all_that_json_cannot_say_is_told_at_once_up_to_a_hundred_times() -> None:
    assert [error.path for error in refusal("a: &x 1\nb: *x\nc: !t 1\n")] == ["$.a", "$.b", "$.c"]
    assert len(refusal("- !t 1\n" * (MAX_ERRORS + 5))) == MAX_ERRORS


def test_a_document_may_have_its_markers_and_comments_around_it() -> None:
    assert read("# é\n---\na: é  # é\n...\n# the end\n\n") == {"a": "é"}


def test_repeated_keys_are_told_at_their_places_all_at_once() -> None:
    text = "rules:\n- {id: 1, 'id': 2}\nversion: 1\nversion: 2\n"
    assert [error.path for error in refusal(text)] == ["$.version", "$.rules[0].id"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\n b: 2\n", 2, 3),
        ("a: 1\n\tb: 2\n", 2, 1),
        ("a:\n  - [1, 2\nb: 1\n", 3, 2),
        ("a: b: c\n", 1, 5),
        ("a: %\n", 1, 4),
        ('a: "\\ud800"\n', 1, 7),
        ('a: "\\q"\n', 1, 5),
    ],
)
def test_broken_yaml_is_refused_with_line_and_column(text: str, line: int, column: int) -> None:
    (error,) = refusal(text)
    assert error.path == "$"
    assert error.message.startswith("the document is no YAML: ")
    assert error.message.endswith(f" at line {line}")
    assert error.suggestion.startswith(f"Look at column {column} and just before it")


def test_a_quote_that_is_never_closed_is_told_with_the_line_where_it_opens() -> None:
    (error,) = refusal("a: 1\nb: 'open\n  c\n")
    assert "and at what begins at line 2." in error.suggestion


@pytest.mark.parametrize("character", ["\0", "\x01", "\x7f", "\ufffe"])
def test_a_character_that_yaml_does_not_have_is_refused_with_its_line(character: str) -> None:
    (error,) = refusal(f"é: 1\nb: {character}\n")
    assert error.message.endswith("at line 2")
    assert "escape in double quotes" in error.suggestion


@pytest.mark.parametrize("text", ["# nothing\n", "\n# a\n  # b"])
def test_a_document_of_comments_is_empty(text: str) -> None:
    (error,) = refusal(text)
    assert error.message == "the document is empty"


@pytest.mark.parametrize("text", [' \r\n\t{"a" 1}', '[{"a" 1}]'])
def test_what_begins_with_a_brace_or_a_bracket_is_json(text: str) -> None:
    (error,) = refusal(text)
    assert error.message.startswith("the document is no JSON: ")


def both(content: Any) -> tuple[Any, Any]:
    """Return what both readers say of one JSON text: a document, or its mistakes."""

    def said(parse: Any) -> Any:
        try:
            return parse(json.dumps(content).encode())
        except RuleDocumentRefused as refused:
            return refused.errors

    return said(json_text.parse), said(yaml_text.parse)


def nested(levels: int, innermost: Any) -> Any:
    for level in range(levels):
        innermost = [innermost] if level % 2 else {"a": innermost}
    return innermost


@pytest.mark.parametrize(
    "content",
    [
        nested(MAX_DEPTH, 1),
        nested(MAX_DEPTH, []),
        nested(MAX_DEPTH + 1, 1),
        nested(MAX_DEPTH + 1, {}),
        [{}] * MAX_OBJECTS,
        [{}] * (MAX_OBJECTS + 1),
        [1] * (MAX_VALUES - 1),
        [1] * MAX_VALUES,
        {str(number): number for number in range(MAX_VALUES)},
    ],
)
def test_the_limits_are_the_same_in_both_readers(content: Any) -> None:
    from_json, from_yaml = both(content)
    assert from_json == from_yaml


@given(documents(PRINTABLE_TEXT))
def test_json_read_as_yaml_holds_the_same(document: Any) -> None:
    content = canonical_text(document)
    from_json, from_yaml = json_text.parse(content), yaml_text.parse(content)
    assert from_yaml == from_json
    assert canonical_text(from_yaml) == canonical_text(from_json)


@given(st.text(max_size=200) | st.text(alphabet="a-:#&*!|>'\"%@`{}[],? \n\t<", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RuleDocumentRefused):
        canonical_text(read(text))
