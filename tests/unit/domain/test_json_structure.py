import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain.payment_strategies import JSON_VALUES

from shared_code.domain.json_structure import nesting_depth, split_array


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (b"[]", []),
        (b" [ \n ] ", []),
        (b"[1]", [b"1"]),
        (b'[ {"a":[1,2]} ,\t"x,]" ]', [b'{"a":[1,2]}', b'"x,]"']),
        (b'["a\\"],[", 2]', [b'"a\\"],["', b"2"]),
        (b'["a\\\\", 2]', [b'"a\\\\"', b"2"]),
        (b"[tru, {x}, 01]", [b"tru", b"{x}", b"01"]),
        (b"[1,,2]", [b"1", b"", b"2"]),
        (b"[1,]", [b"1", b""]),
        (b"[{], 2]", [b"{]", b"2"]),
        (b'["\xff", 2]', [b'"\xff"', b"2"]),
        (b'["\x00,", 2]', [b'"\x00,"', b"2"]),
    ],
)
def test_items_are_told_by_brackets_commas_and_strings(text: bytes, items: list[bytes]) -> None:
    assert split_array(text) == items


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"1", b'"[]"', b"[", b"]", b"[1", b'["a]', b"[[1]", b"[1]]", b"[1][2]", b"[1] 2"],
)
def test_what_is_no_array_has_no_items(text: bytes) -> None:
    assert split_array(text) is None


@given(values=st.lists(JSON_VALUES, max_size=5), indent=st.none() | st.integers(0, 3))
def test_items_of_any_array_are_those_of_the_json_module(
    values: list[Any], indent: int | None
) -> None:
    items = split_array(json.dumps(values, indent=indent).encode())
    assert items is not None
    assert [json.loads(item) for item in items] == values


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"1", 0), (b'"[[["', 0), (b"{}", 1), (b'{"a":[]}', 2), (b"[[],[[]],[]]", 3), (b"[[[", 3),
        (b'{"a":"\\"[["}', 1),
    ],
)  # fmt: skip
def test_depth_is_the_most_brackets_open_at_once(text: bytes, depth: int) -> None:
    assert nesting_depth(text) == depth


@pytest.mark.parametrize(
    "text",
    [b"[" * 300_000, b'["' + b'\\"' * 150_000, b"[" + b'"' * 300_000, b"[" + b"," * 300_000 + b"]",
     b"[" * 150_000 + b"]" * 150_000, b"[" + b"\\" * 300_000],
    ids=lambda text: repr(text[:4]),
)  # fmt: skip
def test_hostile_text_takes_linear_time(text: bytes) -> None:
    started = time.perf_counter()
    split_array(text)
    nesting_depth(text)
    assert time.perf_counter() - started < 3
