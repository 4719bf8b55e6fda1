"""CSV says what JSON says, and no spreadsheet runs any of it."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from shared_code.web.csv_text import csv_text


class Row(msgspec.Struct):
    value: Any


def cell(value: Any) -> str:
    header, (found,) = csv.reader(io.StringIO(csv_text(Row, [Row(value)]).decode(), newline=""))
    assert header == ["value"]
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ('quoted, "text"\nand lines', 'quoted, "text"\nand lines'),
        (Decimal("-10.50"), "-10.50"),
        ("-10.5", "-10.5"),
        (-3, "-3"),
        (0.25, "0.25"),
        (True, "true"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ({"customer.id": "c1"}, '{"customer.id":"c1"}'),
        (["a", "b"], '["a","b"]'),
    ],
)
def test_each_value_is_one_cell(value: Any, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_a_formula_is_made_a_text(first: str) -> None:
    assert cell(f"{first}cmd|' /C calc'!A1") == f"'{first}cmd|' /C calc'!A1"


def test_lines_end_as_rfc_4180_has_them() -> None:
    assert csv_text(Row, [Row("a"), Row("b")]) == b"value\r\na\r\nb\r\n"
