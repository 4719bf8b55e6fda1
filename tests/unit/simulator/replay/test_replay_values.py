from pathlib import Path
from typing import Any

import pytest
from foreign_files import ROW, csv_file, json_file, mapping, refusal, replayed, replayed_row


def method_of(folder: Path, text: str, **spec: Any) -> str:
    fields = {"payment_method": {"column": "how", **spec}}
    return replayed_row(folder, {"how": text}, fields)["payment_method"]


WORDS = {"CC": "credit_card", "TRF": "bank_transfer", "NO": "cash_equivalent", "1": "debit_card"}


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("CC", {"translate": WORDS}, "credit_card"),
        ("NO", {"translate": WORDS}, "cash_equivalent"),
        ("1", {"translate": WORDS}, "debit_card"),
        ("?", {"translate": WORDS, "otherwise": "digital_wallet"}, "digital_wallet"),
        ("debit_card", {"translate": WORDS, "otherwise": "keep"}, "debit_card"),
        ("", {"translate": WORDS, "default": "debit_card"}, "debit_card"),
        ("", {"translate": {"": "cryptocurrency"}}, "cryptocurrency"),
        ("n/a", {"null_values": ["n/a"], "default": "debit_card"}, "debit_card"),
        ("DEBIT_CARD", {}, "debit_card"),
    ],
)
def test_value_is_translated_as_described(
    tmp_path: Path, text: str, spec: dict[str, Any], expected: str
) -> None:
    assert method_of(tmp_path, text, **spec) == expected


@pytest.mark.parametrize("otherwise", [{}, {"otherwise": "reject"}])
def test_value_without_translation_is_a_bad_row(tmp_path: Path, otherwise: dict[str, str]) -> None:
    fields = {"payment_method": {"column": "how", "translate": WORDS, **otherwise}}
    assert refusal(tmp_path, {"how": "?"}, fields) == (
        "untranslated",
        "payment_method: no translation for ?",
    )


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("currency", "EURO", "unknown_currency"),
        ("payment_method", "barter", "unknown_payment_method"),
        ("payment_status", "lost", "unknown_payment_status"),
        ("payment_status", "", "missing_field"),
        ("transaction_id", "", "missing_field"),
        ("transaction_id", "x" * 65, "invalid_length"),
        ("transaction_id", "a\0b", "invalid_text"),
    ],
)
def test_what_the_pipeline_would_refuse_is_a_bad_row(
    tmp_path: Path, field: str, text: str, reason: str
) -> None:
    assert refusal(tmp_path, {"other": text}, {field: {"column": "other"}})[0] == reason


def test_backslash_before_a_u_is_no_nul(tmp_path: Path) -> None:
    fields = {"transaction_id": {"column": "other"}}
    assert replayed_row(tmp_path, {"other": r"a\u0000b"}, fields)["transaction_id"] == r"a\u0000b"


def test_template_joins_columns(tmp_path: Path) -> None:
    fields = {"transaction_id": {"template": "{{{branch}}}-{id}", "prefix": "x"}}
    event = replayed_row(tmp_path, {"branch": "7"}, fields)
    assert event["transaction_id"] == "x{7}-p-1"


def test_template_of_empty_columns_is_empty(tmp_path: Path) -> None:
    fields = {"customer": {"id": {"template": "c-{who}", "default": "nobody"}}}
    assert replayed_row(tmp_path, {"who": ""}, fields)["customer"] == {"id": "nobody"}


def test_every_optional_field_finds_its_place(tmp_path: Path) -> None:
    fields = {
        "channel": {"constant": "web"},
        "device_type": {"column": "x"},
        "customer": {"id": {"constant": "c"}, "email": {"constant": "e@x.org"}},
        "merchant": {"id": {"constant": "m"}, "country": {"constant": "de"}},
        "card": {"brand": {"constant": "visa"}, "last4": {"column": "empty"}},
        "counterparty": {"id": {"constant": "k"}},
        "original_transaction_id": {"constant": "o"},
        "metadata": {"note": {"constant": "n"}, "none": {"column": "empty"}},
    }
    event = replayed_row(tmp_path, {"x": "MOBILE", "empty": ""}, fields)
    assert {name: event[name] for name in fields} == {
        "channel": "web",
        "device_type": "mobile",
        "customer": {"id": "c", "email": "e@x.org"},
        "merchant": {"id": "m", "country": "DE"},
        "card": {"brand": "visa"},
        "counterparty": {"id": "k"},
        "original_transaction_id": "o",
        "metadata": {"note": "n"},
    }


def test_metadata_of_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"id": "a", "time": "2026-01-31T12:00:00Z", "amount": 1, "n": 12.50, "b": true, "s": "7",'
        ' "deep": {"list": [1, 2.5]}}'
    )
    names = ("n", "b", "s", "deep.list")
    fields = {"metadata": {name: {"column": name} for name in names}}
    replay = replayed(path, mapping(fields))[1]
    assert replay.summary.bad == {}
    events, _ = replayed(path, mapping(fields))
    assert events[0]["metadata"] == {"n": 12.5, "b": True, "s": "7", "deep.list": "[1,2.5]"}


def test_metadata_that_are_too_large_make_a_bad_row(tmp_path: Path) -> None:
    fields = {"metadata": {"note": {"column": "note"}}}
    assert refusal(tmp_path, {"note": "x" * 17000}, fields)[0] == "metadata_too_large"


def test_row_number_counts_rows_of_all_files(tmp_path: Path) -> None:
    first = csv_file(tmp_path, [ROW, {**ROW, "amount": "bad"}, ROW], "a.csv")
    second = csv_file(tmp_path, [ROW], "b.csv")
    fields = {"transaction_id": {"row_number": True, "prefix": "r-"}}
    events, _ = replayed([first, second], mapping(fields))
    assert [event["transaction_id"] for event in events] == ["r-1", "r-3", "r-4"]


def test_hash_tells_rows_apart_by_its_columns(tmp_path: Path) -> None:
    rows = [{"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, {"a": "x", "b": "yz"}]
    path = csv_file(tmp_path, [{**ROW, **row} for row in rows])
    events, _ = replayed(path, mapping({"transaction_id": {"hash_of": ["a", "b"]}}))
    one, other, again = [event["transaction_id"] for event in events]
    assert one == again != other
    assert one == "99147575395dc34e0a4eb5e8370a9fa8"


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"column": "kind", "equals": ["fee", ""]}, ["sale"]),
        ({"column": "kind", "not_equals": ["fee"]}, ["fee"]),
    ],
)
def test_rows_that_are_no_payments_are_skipped(
    tmp_path: Path, condition: dict[str, Any], kept: list[str]
) -> None:
    rows = [{**ROW, "kind": kind} for kind in ("sale", "fee", "")]
    fields = {"metadata": {"kind": {"column": "kind"}}}
    events, replay = replayed(csv_file(tmp_path, rows), mapping(fields, skip_when=[condition]))
    assert [event["metadata"]["kind"] for event in events] == kept
    assert replay.summary.skipped == 2
    assert replay.summary.bad == {}


def test_null_values_of_the_mapping_hold_in_every_column(tmp_path: Path) -> None:
    fields = {"customer": {"id": {"column": "who"}}}
    event = replayed_row(tmp_path, {"who": "NULL"}, fields, null_values=["NULL"])
    assert "customer" not in event


@pytest.mark.parametrize("field", ["merchant", "metadata"])
def test_half_of_a_surrogate_pair_makes_a_bad_row(tmp_path: Path, field: str) -> None:
    assert refusal(tmp_path, {}, {field: {"name": {"constant": "\ud800"}}})[0] == "invalid_text"


def test_json_with_half_of_a_surrogate_pair_is_a_bad_row(tmp_path: Path) -> None:
    _, replay = replayed(json_file(tmp_path, [{**ROW, "m": "\ud800"}]), mapping())
    assert replay.summary.bad == {"unreadable": 1}
