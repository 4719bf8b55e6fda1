from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from foreign_files import ROW, json_file, mapping, refusal, replayed, replayed_row
from pyarrow import Table, array, float32, float64, parquet


def amount_of(folder: Path, text: str, currency: str = "EUR", **spec: Any) -> str:
    fields = {"amount": {"column": "amount", **spec}, "currency": {"constant": currency}}
    return replayed_row(folder, {"amount": text}, fields)["amount"]


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("10.5", {}, "10.50"),
        ("+10.50", {}, "10.50"),
        ("10.50 ", {}, "10.50"),
        ("1.5E2", {}, "150.00"),
        (".5", {}, "0.50"),
        ("12,50", {"decimal": ","}, "12.50"),
        ("1.234.567,89", {"decimal": ",", "thousands": "."}, "1234567.89"),
        ("1234567,89", {"decimal": ",", "thousands": "."}, "1234567.89"),
        ("1,234.50", {"thousands": ","}, "1234.50"),
        ("12,34,567.50", {"thousands": ","}, "1234567.50"),
        ("1\N{NARROW NO-BREAK SPACE}234,50", {"decimal": ",", "thousands": " "}, "1234.50"),
        ("1'234.50", {"thousands": "'"}, "1234.50"),
        ("1050", {"unit": "minor"}, "10.50"),
        ("1050.0", {"unit": "minor"}, "10.50"),
        ("", {"default": "7"}, "7.00"),
    ],
)
def test_amount_is_read_as_described(
    tmp_path: Path, text: str, spec: dict[str, str], expected: str
) -> None:
    assert amount_of(tmp_path, text, **spec) == expected


@pytest.mark.parametrize(
    ("currency", "expected"), [("JPY", "1050"), ("EUR", "10.50"), ("KWD", "1.050")]
)
def test_minor_units_are_those_of_the_currency(
    tmp_path: Path, currency: str, expected: str
) -> None:
    assert amount_of(tmp_path, "1050", currency, unit="minor") == expected


@pytest.mark.parametrize(
    ("text", "spec", "reason"),
    [
        ("12,50", {}, "invalid_amount"),
        ("1.234", {"decimal": ","}, "invalid_amount"),
        ("1,23,4", {"thousands": ","}, "invalid_amount"),
        ("1.234.5", {}, "invalid_amount"),
        ("ten", {}, "invalid_amount"),
        ("-", {}, "invalid_amount"),
        ("(10.50", {}, "invalid_amount"),
        ("-10.50-", {}, "invalid_amount"),
        ("NaN", {}, "invalid_amount"),
        ("10.505", {}, "too_many_decimals"),
        ("1050.5", {"unit": "minor"}, "too_many_decimals"),
        ("1e-60", {}, "too_many_decimals"),
        ("1234567890123456", {}, "too_many_digits"),
        ("1e99", {}, "too_many_digits"),
        ("9" * 60, {}, "too_many_digits"),
        ("-10.50", {}, "negative_amount"),
        ("", {}, "missing_field"),
    ],
)
def test_amount_that_does_not_fit_is_a_bad_row(
    tmp_path: Path, text: str, spec: dict[str, str], reason: str
) -> None:
    assert (
        refusal(tmp_path, {"amount": text}, {"amount": {"column": "amount", **spec}})[0] == reason
    )


def test_decimals_are_never_rounded_away(tmp_path: Path) -> None:
    reason, detail = refusal(tmp_path, {"amount": "1.5"}, {"currency": {"constant": "JPY"}})
    assert reason == "too_many_decimals"
    assert "JPY" in detail


@pytest.mark.parametrize(
    ("sign", "text", "expected"),
    [
        ("drop", "-10.50", ("10.50", "failed")),
        ("refund", "-10.50", ("10.50", "refunded")),
        ("refund", "10.50-", ("10.50", "refunded")),
        ("refund", "(10.50)", ("10.50", "refunded")),
        ("refund", "\N{MINUS SIGN}10.50", ("10.50", "refunded")),
        ("refund", "10.50", ("10.50", "failed")),
        ("refund", "-0.00", ("0.00", "failed")),
        ("refund_positive", "10.50", ("10.50", "refunded")),
        ("refund_positive", "-10.50", ("10.50", "failed")),
    ],
)
def test_sign_means_what_the_mapping_says(
    tmp_path: Path, sign: str, text: str, expected: tuple[str, str]
) -> None:
    fields = {
        "amount": {"column": "amount", "sign": sign},
        "payment_status": {"constant": "failed"},
    }
    event = replayed_row(tmp_path, {"amount": text}, fields)
    assert (event["amount"], event["payment_status"]) == expected


def test_decimal_mark_of_the_format_holds_unless_the_amount_has_its_own(tmp_path: Path) -> None:
    event = replayed_row(tmp_path, {"amount": "1.234,5"}, format={"decimal": ",", "thousands": "."})
    assert event["amount"] == "1234.50"


def test_constant_amount_stands_in_every_row(tmp_path: Path) -> None:
    assert replayed_row(tmp_path, {}, {"amount": {"constant": "3"}})["amount"] == "3.00"


@pytest.mark.parametrize("number", ["10.50", "1050e-2", "10.5000000000"])
def test_json_numbers_are_read_exactly_whatever_mark_text_has(tmp_path: Path, number: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"id": "a", "time": "{ROW["time"]}", "amount": {number}}}')
    fields = {"amount": {"column": "amount", "decimal": ","}}
    events, _ = replayed(path, mapping(fields))
    assert events[0]["amount"] == "10.50"


def test_json_number_finer_than_a_float_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"id": "a", "time": "{ROW["time"]}", "amount": 10.500000000000000000001}}')
    _, replay = replayed(path, mapping())
    assert replay.summary.bad == {"too_many_decimals": 1}


def test_truth_value_is_no_amount(tmp_path: Path) -> None:
    _, replay = replayed(json_file(tmp_path, [{**ROW, "amount": True}]), mapping())
    assert replay.summary.bad == {"invalid_amount": 1}


@pytest.mark.parametrize("kind", [float32(), float64()])
def test_parquet_floats_are_the_decimals_they_stand_for(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "rows.parquet"
    amounts = array([10.1, 0.07, None, float("nan"), float("inf")], kind)
    columns = {"id": list("abcde"), "time": [ROW["time"]] * 5, "amount": amounts}
    parquet.write_table(Table.from_pydict(columns), path)
    events, replay = replayed(path, mapping())
    assert [Decimal(event["amount"]) for event in events] == [Decimal("10.10"), Decimal("0.07")]
    assert replay.summary.bad == {"missing_field": 2, "invalid_amount": 1}
