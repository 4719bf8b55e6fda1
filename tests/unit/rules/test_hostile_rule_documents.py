"""Hostile documents are refused within a second, in little memory, and with short errors."""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from unit.rules.rule_samples import comparison, document, mistakes, rule, window_rule

from shared_code.rules.document_text import parse_document
from shared_code.rules.errors import MAX_ERRORS, RuleDocumentRefused, RuleError
from shared_code.rules.structure import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_DOCUMENT_BYTES,
    MAX_OBJECTS,
    MAX_VALUES,
)

MIB = 1024 * 1024
USD = comparison("currency", "eq", "USD")


def text_mistakes(content: bytes) -> list[RuleError]:
    """Return the mistakes for which a text is not read; none if it is, whatever it means."""
    try:
        parse_document(content)
    except RuleDocumentRefused as refused:
        return list(refused.errors)
    return []


def refusal(content: bytes, told: Callable[[bytes], list[RuleError]] = mistakes) -> list[RuleError]:
    """Return the errors of a refusal that is quick and whose texts are short and can be stored."""
    began = time.process_time()
    errors = told(content)
    assert time.process_time() - began < 1
    assert errors
    assert len(errors) <= MAX_ERRORS + 1
    for error in errors:
        assert error.suggestion
        assert len(str(error)) < 1000
        assert str(error).isascii()
        assert "\0" not in str(error)
    return errors


def with_number(text: str, operator: str = "gt") -> bytes:
    """Return a document that compares an amount with a number as it stands in the text."""
    return document(rule(when=comparison("amount", operator, 777))).replace(b"777", text.encode())


def nested(levels: int, innermost: Any) -> Any:
    for _ in range(levels):
        innermost = {"not": innermost}
    return innermost


def many_rules(count: int, **changes: Any) -> bytes:
    return document(*[rule(f"rule_{number:05}", **changes) for number in range(count)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"version": "\xff"}', "not UTF-8: see byte 13"),
        ("{}".encode("utf-16"), "not UTF-8: see byte 0"),
        (b"\xed\xa0\x80", "not UTF-8: see byte 0"),
        (b"{", "line 1"),
        (b'{"version": "1.0.0",\n "rules": [}', "line 2"),
        (b"{'version': 1}", "line 1"),
        (b"{} {}", "Extra data at line 1"),
        (b'{"a": 01}', "line 1"),
        (b'{"a": "\x00"}', "control character"),
        (b" " * (MAX_DOCUMENT_BYTES + 1), f"has {MAX_DOCUMENT_BYTES + 1} bytes"),
        (b"[" * MAX_DOCUMENT_BYTES, "deeper than"),
        (b'{"a":' * 170_000, "deeper than"),
        (b"1" * MAX_DOCUMENT_BYTES, "too large"),
    ],
)
def test_what_is_no_readable_json_is_refused_as_a_whole(content: bytes, message: str) -> None:
    (error,) = refusal(content)
    assert error.path == "$"
    assert message in error.message


def test_a_document_of_a_hundred_megabytes_is_not_even_read() -> None:
    content = b" " * (100 * MIB)
    tracemalloc.start()
    (error,) = refusal(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "at most 1048576 are read" in error.message
    assert peak < MIB


def test_a_document_of_just_the_greatest_size_is_read() -> None:
    content = document(rule())
    assert mistakes(content + b" " * (MAX_DOCUMENT_BYTES - len(content))) == []


@pytest.mark.parametrize(
    "number",
    [
        "1e18",
        "-1e18",
        "1000000000000000000",
        "1e-19",
        "0.1234567890123456789",
        "1e999999999",
        "-1e999999999",
        "1e-999999999",
        "1e99999999999999999999",
        "0e999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        "9" * 5000,
        "0." + "9" * 5000,
        "9" * 900_000,
    ],
)
@pytest.mark.parametrize("operator", ["gt", "is_round_amount"])
def test_numbers_that_no_amount_needs_are_refused_at_their_place(
    number: str, operator: str
) -> None:
    (error,) = refusal(with_number(number, operator))
    assert error.path == "$.rules[0].when.value"
    assert f"at most {MAX_DIGITS} digits" in error.suggestion


@pytest.mark.parametrize(
    "number", ["999999999999999999", "999999999999999999.999999999999999999", "1e17", "1e-18"]
)
def test_numbers_of_18_digits_on_either_side_are_taken(number: str) -> None:
    assert mistakes(with_number(number)) == []
    assert mistakes(with_number(number, "is_round_amount")) == []


def test_repeated_keys_are_told_at_their_places_all_at_once() -> None:
    content = b'{"version": "1.0.0", "rules": [{"id": 1, "id": 2}], "rules": [{"id": 1, "id": 2}]}'
    assert [error.path for error in refusal(content)] == ["$.rules", "$.rules[0].id"]


@pytest.mark.parametrize("levels", [100, 1_000, 10_000, 100_000])
def test_a_condition_nested_too_deeply_is_refused(levels: int) -> None:
    content = document(rule(when=777)).replace(
        b"777", b'{"not":' * levels + json.dumps(USD).encode() + b"}" * levels
    )
    (error,) = refusal(content)
    assert f"deeper than {MAX_DEPTH} levels" in error.message


def test_a_condition_nested_as_deeply_as_is_allowed_works() -> None:
    levels = MAX_DEPTH - 4  # the document, its rules, the rule, and the comparison's own values
    assert mistakes(document(rule(when=nested(levels, USD)))) == []
    (error,) = refusal(document(rule(when=nested(levels + 1, USD))))
    assert error.path == "$.rules[0].when" + ".not" * (levels + 1)


DUPLICATES = b"{" + b",".join(b'"k%d":1' % number for number in range(80_000)) + b',"k7":1}'
MANY_CODES = comparison("merchant.mcc", "in", ["541x"] * 49)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "10,000 rules": lambda: many_rules(10_000),
    "5,000 rules": lambda: many_rules(5_000),
    "1,001 rules": lambda: many_rules(1_001),
    "1,000 wrong rules": lambda: many_rules(1_000, severity="hi"),
    "1,000 rules of no meaning": lambda: many_rules(1_000, when=comparison("colour", "eq", "red")),
    "45,000 wrong codes": lambda: many_rules(900, when=MANY_CODES),
    "80,000 keys, one of them twice": lambda: DUPLICATES,
    "80,000 unknown keys": lambda: DUPLICATES.replace(b',"k7":1}', b"}"),
    "40,000 unknown keys": lambda: document(**{f"k{number}": 1 for number in range(40_000)}),
    "500,000 numbers": lambda: b"[" + b"1," * 500_000 + b"1]",
    "500,000 objects": lambda: b"[" + b"{}," * 340_000 + b"{}]",
    "a key of 900,000 letters": lambda: document(rule(**{"k" * 900_000: 1})),
    "a field of 900,000 letters": lambda: document(rule(when=comparison("k" * 900_000, "eq", "a"))),
    "a value of 900,000 letters": lambda: document(
        rule(when=comparison("currency", "eq", "\U0001f4b6" * 200_000))
    ),
    "an operator of 900,000 letters": lambda: document(
        rule(when=comparison("currency", "e" * 900_000, "USD"))
    ),
    "a version of 900,000 digits": lambda: document(rule(), version="1." * 450_000),
    "surrogates and NUL in keys": lambda: (
        b'{"version": "1.0.0", "rules": [], "lists": {"\\ud800\\u0000": "\\udfff"}, "\\udfff": 1}'
    ),
    "surrogates in values": lambda: document(
        rule(when=comparison("currency", "eq", "SURROGATE"))
    ).replace(b"SURROGATE", b"\\ud800"),
    "a tree of values too wide": lambda: document(rule(value=777)).replace(
        b"777", json.dumps(_doubled(6)).encode()
    ),
    "wrong conditions that hold much": lambda: document(
        rule(when={"all": [{"any": [comparison("customer.id", "in", ["x" * 100] * 900)] * 7}, 1]})
    ),
}


def _doubled(levels: int) -> Any:
    tree: Any = 9
    for _ in range(levels):
        tree = {"multiply": [tree, tree]}
    return tree


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (document(rule(), description="a\0b"), "$.description"),
        (document(rule(owner="\0")), "$.rules[0].owner"),
        (document(rule(), **{"\0": 1}), '$["\\u0000"]'),
        (b'version: 1.0.0\ndescription: "a\\0b"\n', "$.description"),
    ],
)
def test_a_text_that_no_database_stores_is_refused_at_its_place(content: bytes, path: str) -> None:
    (error,) = refusal(content)
    assert (error.path, error.message) == (path, "the text holds a NUL character")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_within_a_second(name: str) -> None:
    refusal(HOSTILE[name]())


def test_of_very_many_mistakes_a_hundred_are_told_and_that_there_are_more() -> None:
    for content in (
        many_rules(1_000, severity="hi"),
        many_rules(1_000, when=comparison("colour", "eq", "red")),
    ):
        errors = refusal(content)
        assert len(errors) == MAX_ERRORS + 1
        assert errors[-1].message == "there are more mistakes than these"


def test_what_is_broken_behind_a_hundred_mistakes_is_not_judged_by_its_meaning() -> None:
    wrong = [rule(f"rule_{number}", severity="hi") for number in range(200)]
    content = document(*wrong, window_rule("last_rule", group_by=5, when={"all": 5}))
    assert len(refusal(content)) == MAX_ERRORS + 1


def test_the_limits_on_objects_and_values_are_told() -> None:
    for content in (many_rules(MAX_OBJECTS), b"[" + b"1," * MAX_VALUES + b"1]"):
        (error,) = refusal(content)
        assert (
            error.message == f"the document has over {MAX_OBJECTS} objects or {MAX_VALUES} values"
        )


def test_a_thousand_rules_are_read_in_a_few_seconds() -> None:
    began = time.process_time()
    assert mistakes(many_rules(1_000, when=USD)) == []
    assert time.process_time() - began < 5


def yaml_lines(line: str, count: int) -> bytes:
    return "".join(line.format(number) for number in range(count)).encode()


LAUGHS = b"a: &a [x, x]\n" + yaml_lines("b{0}: &b{0} [*a, *a, *a, *a]\n", 30_000)
HOSTILE_YAML: dict[str, tuple[Callable[[], bytes], str]] = {
    "lists in lists": (lambda: b"- " * (MIB // 2), "deeper than"),
    "brackets": (lambda: b"a: " + b"[" * 1_000_000, "deeper than"),
    "braces": (lambda: b"a: " + b"{b: " * 250_000, "deeper than"),
    "a staircase": (
        lambda: "".join(f"{' ' * level}a:\n" for level in range(1_400)).encode(),
        "deeper than",
    ),
    "keys in keys": (lambda: b"? " * (MIB // 2), "is a key at line 1"),
    "90,000 keys": (lambda: yaml_lines("k{}: 1\n", 90_000), "50000 values"),
    "40,000 keys, one of them twice": (
        lambda: yaml_lines("k{}: 1\n", 40_000) + b"k7: 1\n",
        '"k7" stands twice',
    ),
    "500,000 numbers": (lambda: b"a: [" + b"1," * 500_000 + b"1]", "50000 values"),
    "340,000 objects": (lambda: b"a: [" + b"{}," * 340_000 + b"{}]", "5000 objects"),
    "200,000 pairs": (lambda: b"a: [" + b"a: 1," * 200_000 + b"]", "5000 objects"),
    "nothing, 500,000 times": (lambda: b"a:\n" + b"-\n" * 500_000, "50000 values"),
    "a billion laughs": (lambda: LAUGHS, "an anchor, &a"),
    "an alias of itself": (lambda: b"a: &a [*a]", "an anchor, &a"),
    "an anchor of 1,000,000 letters": (lambda: b"a: &" + b"a" * 1_000_000, "an anchor, &aaa"),
    "a tag of 1,000,000 letters": (lambda: b"a: !" + b"a" * 1_000_000 + b" x", "a tag, !aaa"),
    "40,000 tag directives": (
        lambda: yaml_lines("%TAG !a{}! tag:x,2000:\n", 35_000) + b"--- x",
        "a directive",
    ),
    "40,000 tag directives after an end": (
        lambda: b"a\n...\n" + yaml_lines("%TAG !a{}! tag:x,2000:\n", 35_000) + b"--- x",
        "a second document",
    ),
    "200,000 documents": (lambda: b"---\n" * 200_000, "a second document"),
    "a number of 1,000,000 digits": (lambda: b"a: " + b"1" * 1_000_000, "too large"),
    "a fraction of 1,000,000 digits": (lambda: b"a: ." + b"1" * 1_000_000, "too fine"),
    "a key of 1,000,000 letters": (lambda: b"k" * 1_000_000 + b": 1", "at line 1"),
    "a key of 1,000,000 letters, asked for": (
        lambda: b"? " + b"k" * 500_000 + b"\n? " + b"k" * 500_000,
        "stands twice",
    ),
    "a quote that is not closed": (lambda: b'a: "' + b"x\n" * 500_000, "end of stream"),
    "a quote of escapes": (lambda: b'a: "' + b"\\u0000" * 170_000, "end of stream"),
    "only comments": (lambda: b"#\n" * 500_000, "is empty"),
    "one long comment": (lambda: b"#" * 1_000_000, "is empty"),
    "tabs": (lambda: b"a:\n" + b"\t" * 1_000_000, "no YAML"),
    "colons": (lambda: b": " * 500_000, "no YAML"),
    "question marks": (lambda: b"a: {" + b"? " * 500_000, "no YAML"),
    "control characters": (lambda: b"a: " + b"\x01" * 1_000_000, "control characters"),
    "no number in keys": (lambda: yaml_lines("{}: 1\n", 90_000), 'the key "0" at line 1'),
    "more than a mebibyte": (lambda: b"a: 1\n" * 250_000, "at most 1048576 are read"),
}


@pytest.mark.parametrize("name", HOSTILE_YAML)
def test_hostile_yaml_is_refused_within_a_second(name: str) -> None:
    make, message = HOSTILE_YAML[name]
    error, *_ = refusal(make(), text_mistakes)
    assert message in error.message


@pytest.mark.parametrize("name", ["90,000 keys", "340,000 objects", "a billion laughs", "braces"])
def test_hostile_yaml_is_refused_in_little_memory(name: str) -> None:
    make, _ = HOSTILE_YAML[name]
    content = make()
    tracemalloc.start()
    assert text_mistakes(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MIB


HARMLESS_YAML: dict[str, Callable[[], bytes]] = {
    "blank lines in a block": lambda: b"a: |\n" + b"\n" * 1_000_000,
    "lines of a block": lambda: b"a: |\n" + b"  x\n" * 250_000,
    "lines of plain text": lambda: b"a: " + b"x\n " * 330_000,
    "lines of quoted text": lambda: b"a: '" + b"x\n " * 330_000 + b"'",
    "a text of 250,000 emoji": lambda: b'a: "' + "\U0001f4b6".encode() * 250_000 + b'"',
    "49,000 texts": lambda: b"a: [" + b"x, " * 49_000 + b"]",
    "49,000 keys": lambda: yaml_lines("k{}: 1\n", 49_000),
}


@pytest.mark.parametrize("name", HARMLESS_YAML)
def test_large_yaml_of_simple_structure_is_read_within_a_second(name: str) -> None:
    content = HARMLESS_YAML[name]()
    began = time.process_time()
    assert text_mistakes(content) == []
    assert time.process_time() - began < 1
