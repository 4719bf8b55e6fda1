import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from foreign_files import CARD_NUMBER, ROW, csv_file, json_file, replayed
from payment_messages import payment_event

from simulator.replay.describing.describing import describe
from simulator.replay.mapping import FileFormat, ReplayMapping
from simulator.replay.mapping_reading import parse_mapping

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def proposal(path: Path) -> tuple[str, ReplayMapping]:
    """Return the proposed text, and the mapping it is read as, which the file is replayed by."""
    text = describe(path)
    mapped = parse_mapping(text)
    _, replay = replayed(path, mapped)
    assert replay.summary.bad == {}
    return text, mapped


def plain(part: Any) -> Any:
    """Return what a part of a mapping says besides its defaults."""
    return {
        name: value
        for name in part.__struct_fields__
        if (value := getattr(part, name)) not in {None, "", False} and name != "sign"
    }


def rows(**columns: Any) -> list[dict[str, Any]]:
    """Return rows of columns, each of a list of values or one value."""
    lengths = {len(values) for values in columns.values() if isinstance(values, list)} or {3}
    return [
        {
            name: values[number] if isinstance(values, list) else values
            for name, values in columns.items()
        }
        for number in range(lengths.pop())
    ]


BASE: dict[str, Any] = {"amount": ["1.50", "2.50", "3.50"], "time": "2026-01-31T12:00:00Z"}


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("trx_amount", ["7.10", "8.20", "9.30"], "amount"),
        ("theamountpaid", ["7.10", "8.20", "9.30"], "amount"),
        ("amt", ["7.10", "8.20", "9.30"], "amount"),
        ("ccy", ["EUR", "USD", "usd"], "currency"),
        ("unnamed", ["EUR", "USD", "CHF"], "currency"),
        ("TransactionID", ["a", "b", "c"], "transaction_id"),
        ("card_no", [CARD_NUMBER, "5500005555555559", "340000000000009"], "card.number"),
        ("unnamed", [CARD_NUMBER, "5500005555555559", "340000000000009"], "card.number"),
        ("mail", "ada@example.com", "customer.email"),
        ("clientId", ["c1", "c2", "c1"], "customer.id"),
        ("merchant_name", ["Shop", "Bar", "Shop"], "merchant.name"),
        ("mcc", ["5411", "5812", "5411"], "merchant.mcc"),
        ("merchant_country", ["DE", "FR", "US"], "merchant.country"),
        ("recipient", ["x", "y", "z"], "counterparty.id"),
        ("card_bin", ["411111", "550000", "411111"], "card.bin"),
        ("status", ["APPROVED", "DECLINED", "APPROVED"], "payment_status"),
        ("tx_type", ["wire", "crypto", "cash"], "payment_method"),
        ("entry mode", ["POS", "online", "ATM"], "channel"),
        ("device", ["smartphone", "PC", "tablet"], "device_type"),
    ],
)
def test_column_is_recognised(tmp_path: Path, name: str, values: Any, field: str) -> None:
    columns = {**BASE, name: values}
    if field == "amount":
        del columns["amount"]
    _, mapped = proposal(csv_file(tmp_path, rows(**columns)))
    part: Any = mapped.fields
    for step in field.split("."):
        part = getattr(part, step)
    assert part.column == name


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("2026-01-31T12:00:00+01:00", {"format": "rfc3339"}),
        ("2026-01-31 12:00:00", {"format": "rfc3339", "time_zone": "UTC"}),
        ("1769860800", {"format": "unix_seconds"}),
        ("1769860800123", {"format": "unix_milliseconds"}),
        ("1769860800123456", {"format": "unix_microseconds"}),
        ("13.02.2026 10:00", {"format": "%d.%m.%Y %H:%M", "time_zone": "UTC"}),
        ("02/13/2026 10:00:00 PM", {"format": "%m/%d/%Y %I:%M:%S %p", "time_zone": "UTC"}),
        ("13/02/2026", {"format": "%d/%m/%Y", "time_zone": "UTC"}),
        ("17", {"format": "steps", "origin": START.replace(day=1, hour=0)}),
    ],
)
def test_format_of_times_is_recognised(tmp_path: Path, values: str, expected: Any) -> None:
    columns = {"when": values, "timestamp": values, "amount": ["1.5", "2.5", "3.5"]}
    del columns["when"]
    _, mapped = proposal(csv_file(tmp_path, rows(**columns)))
    assert mapped.fields is not None
    found = plain(mapped.fields.event_time)
    assert {name: found[name] for name in found if name not in {"step", "column"}} == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.234,50", "7,00", "8,10"], (",", ".", "reject")),
        (["1,234.50", "7.00", "8.10"], (None, ",", "reject")),
        (["-1.50", "7.00", "8.10"], (None, None, "refund")),
        (["100", "200", "300"], (None, None, "reject")),
    ],
)
def test_notation_of_amounts_is_recognised(
    tmp_path: Path, values: list[str], expected: tuple[str | None, str | None, str]
) -> None:
    path = csv_file(tmp_path, rows(amount=values, time="2026-01-31T12:00:00Z"))
    text, mapped = proposal(path)
    assert mapped.fields is not None
    found = (mapped.format.decimal, mapped.format.thousands, mapped.fields.amount.sign)
    assert found == expected
    assert ("cents" in text) is (values[0] == "100")


def test_words_are_translated_and_unknown_ones_named(tmp_path: Path) -> None:
    columns = rows(**BASE, state=["Approved", "DECLINED", "odd"])
    text = describe(csv_file(tmp_path, columns))
    mapped = parse_mapping(text)
    assert mapped.fields is not None
    assert mapped.fields.payment_status.translate == {"Approved": "completed", "DECLINED": "failed"}
    assert "# FILL IN: no translation is known for odd" in text


def test_gaps_are_named_and_confidence_is_given(tmp_path: Path) -> None:
    text, mapped = proposal(csv_file(tmp_path, rows(**BASE, extra=["x", "y", "z"])))
    assert mapped.fields is not None
    assert mapped.fields.transaction_id.row_number
    assert mapped.fields.currency.constant == "EUR"
    assert text.count("# FILL IN:") == 4
    assert "# confidence: high, by its name, and 100% of the values fit; such as 1.50" in text
    assert "#   extra; such as x, y, z" in text


def test_repeated_ids_are_pointed_out(tmp_path: Path) -> None:
    text, _ = proposal(csv_file(tmp_path, rows(**BASE, id=["a", "a", "b"])))
    assert "some ids stand in several rows" in text


def test_nothing_recognisable_still_gives_a_mapping(tmp_path: Path) -> None:
    text, mapped = proposal(csv_file(tmp_path, rows(theamountpaid=["x", "1.5", "z"])))
    assert mapped.fields is not None
    assert mapped.fields.event_time.constant is not None
    assert mapped.fields.amount.constant == "1"
    assert text.count("# FILL IN:") == 6


def test_samples_show_neither_card_numbers_nor_addresses(tmp_path: Path) -> None:
    wrong = "4111111111111112"
    columns = rows(
        **BASE,
        pan=[CARD_NUMBER, wrong, "4111 1111 1111 1111"],
        email="ada@example.com",
        note=[f"to {CARD_NUMBER}", "x\ny" * 40, wrong],
        status=["ok", CARD_NUMBER, wrong],
    )
    text = describe(csv_file(tmp_path, columns))
    parse_mapping(text)
    for secret in (CARD_NUMBER, wrong, "4111 1111 1111 1111", "ada@example.com"):
        assert secret not in text
    assert "411111******1111" in text


def test_own_events_are_recognised(tmp_path: Path) -> None:
    path = json_file(tmp_path, [payment_event(), payment_event("b", amount=3)])
    text, mapped = proposal(path)
    assert mapped == parse_mapping("format: {type: jsonl}")
    assert "as they are" in text


def test_nested_json_is_described_by_its_paths(tmp_path: Path) -> None:
    row = {"payment": {**ROW, "ccy": "EUR"}, "payer": {"id": "c"}}
    _, mapped = proposal(json_file(tmp_path, [row] * 3))
    assert mapped.fields is not None
    assert mapped.fields.amount.column == "payment.amount"
    assert mapped.fields.customer.id is not None
    assert mapped.fields.customer.id.column == "payer.id"


def test_format_that_is_known_is_used(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("report\nid;amount\n1;2,50\n1\n")
    text = describe(path, FileFormat(skip_lines=1))
    assert "1 of which cannot be read" in text
    mapped = parse_mapping(text)
    assert (mapped.format.skip_lines, mapped.format.delimiter) == (1, ";")
    events, _ = replayed(path, mapped)
    assert [event["amount"] for event in events] == ["2.50"]


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[f"v_{n}" for n in range(60)], [f"x{n}" for n in range(60)]])
    assert "#   and 20 more" in describe(path)


def test_date_and_time_of_day_are_put_together(tmp_path: Path) -> None:
    moments = [START + timedelta(minutes=number) for number in range(3)]
    columns = rows(
        booked_at=[f"{moment:%d.%m.%Y}" for moment in moments],
        clock=[f"{moment:%H:%M}" for moment in moments],
        amount=["1.5", "2.5", "3.5"],
        words=["x", "y", "z"],
    )
    path = csv_file(tmp_path, columns)
    _, mapped = proposal(path)
    events, _ = replayed(path, mapped)
    assert [event["event_time"] for event in events] == [
        f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments
    ]


def test_proposal_is_readable_for_any_names(tmp_path: Path) -> None:
    names = ['a "b"', "c: d", "é{x}", "# no", "- 1", "line\nbreak", "'"]
    columns = dict.fromkeys(names, "2026-01-31T12:00:00Z") | {'amount: "x"': "1.5"}
    path = json_file(tmp_path, [columns])
    text, mapped = proposal(path)
    assert mapped.fields is not None
    assert mapped.fields.amount.column == 'amount: "x"'
    assert json.dumps("x") not in text.splitlines()[0]
