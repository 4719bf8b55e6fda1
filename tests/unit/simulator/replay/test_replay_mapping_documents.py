import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from foreign_files import FIELDS, ROW, csv_file, json_file, mapping
from jsonschema import Draft202012Validator

from simulator.replay.errors import InvalidMapping, UnreadableData
from simulator.replay.mapping import ReplayMapping, mapping_schema
from simulator.replay.mapping_reading import parse_mapping, read_mapping
from simulator.replay.replaying import Replay

SCHEMA = Path(__file__).parents[4] / "simulator/replay/mapping.schema.json"


def mistakes(document: Any) -> list[str]:
    with pytest.raises(InvalidMapping) as caught:
        parse_mapping(document if isinstance(document, str) else json.dumps(document))
    return list(caught.value.mistakes)


def in_fields(**fields: Any) -> list[str]:
    return mistakes({"fields": {**FIELDS, **fields}})


def test_published_schema_is_that_of_the_structures() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == json.loads(json.dumps(mapping_schema()))


def test_schema_is_valid_and_every_key_has_a_description() -> None:
    schema = mapping_schema()
    Draft202012Validator.check_schema(schema)
    for structure in schema["$defs"].values():
        for name, key in structure["properties"].items():
            assert key.get("description"), name


def test_schema_takes_what_the_reader_takes() -> None:
    document = {
        "format": {"type": "csv", "header": True, "skip_lines": 1},
        "null_values": [0, "NA"],
        "skip_when": [{"column": "kind", "equals": [1, "x"]}],
        "fields": {
            **FIELDS,
            "payment_method": {"column": "m", "translate": {"1": "credit_card"}},
            "metadata": {"x": {"constant": 7}},
        },
    }
    Draft202012Validator(mapping_schema()).validate(document)
    assert parse_mapping(yaml.safe_dump(document)).null_values == ("0", "NA")


def test_schema_refuses_unknown_keys() -> None:
    validator = Draft202012Validator(mapping_schema())
    assert not validator.is_valid({"feilds": {}})
    assert not validator.is_valid({"fields": {**FIELDS, "amount": {"unit": "cents"}}})


def test_all_mistakes_are_told_at_once_with_path_and_suggestion() -> None:
    found = mistakes("""
        formt: {}
        format: {type: csw, delimiter: ";;", header: maybe}
        skip_when: [{column: x}, {colum: y}, 3]
        fields:
          transaction_id: {column: a, row_number: true}
          event_time: {column: t, time_zone: Europe/Berlim, format: "%H:%M"}
          amount: {column: x, unit: mayor}
          currency: {constant: EURO}
          payment_method: {column: m, translate: {A: credit-card}}
          customer: {id: {colum: c}}
          metadata: {a: 3}
    """)
    assert found == [
        "formt: unknown; did you mean format?",
        "format.type: expected one of capture, csv, jsonl, parquet, found csw; did you mean csv?",
        "format.delimiter: Expected `str` matching regex '^(.|tab|)$', found ;;",
        "format.header: Expected `bool`, found maybe",
        "skip_when[0]: expected exactly one of equals, not_equals, found none of them",
        "skip_when[1].colum: unknown; did you mean column?",
        "skip_when[1].column: missing",
        "skip_when[2]: expected some of column, equals, not_equals, found 3",
        "fields.payment_status: missing",
        (
            "fields.transaction_id: expected exactly one of column, template, hash_of, row_number,"
            " found column and row_number"
        ),
        (
            "fields.event_time.time_zone: no time zone is called Europe/Berlim;"
            " did you mean Europe/Berlin?"
        ),
        "fields.event_time.format: the pattern %H:%M tells no year",
        "fields.amount.unit: expected one of major, minor, found mayor; did you mean major?",
        (
            "fields.currency.constant: expected one of the codes of ISO 4217, found EURO;"
            " did you mean EUR?"
        ),
        (
            "fields.payment_method.translate.A: expected one of credit_card, debit_card,"
            " bank_transfer, digital_wallet, cryptocurrency, cash_equivalent, found credit-card;"
            " did you mean credit_card?"
        ),
        "fields.customer.id.colum: unknown; did you mean column?",
        (
            "fields.metadata.a: expected some of column, constant, template, translate, otherwise,"
            " default, null_values, found 3"
        ),
    ]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"transaction_id": {"column": "a", "constant": "x"}}, "transaction_id.constant"),
        ({"transaction_id": {"template": "x{}"}}, "transaction_id.template"),
        ({"transaction_id": {"template": "x{a"}}, "transaction_id.template"),
        ({"transaction_id": {"template": "x{a!r}"}}, "transaction_id.template"),
        ({"transaction_id": {"template": "{a:>3}"}}, "transaction_id.template"),
        ({"transaction_id": {"template": "plain"}}, "transaction_id.template"),
        ({"transaction_id": {"hash_of": []}}, "transaction_id.hash_of"),
        ({"currency": {"constant": "EUR", "translate": {}}}, "currency.translate"),
        ({"currency": {"column": "a", "otherwise": "EUR"}}, "currency.otherwise"),
        ({"currency": {"column": "a", "default": "EURO"}}, "currency.default"),
        (
            {"channel": {"column": "a", "translate": {}, "otherwise": "shop"}},
            "channel.otherwise",
        ),
        ({"event_time": {}}, "event_time"),
        ({"event_time": {"constant": "2026-01-01T00:00:00Z", "time_column": "b"}}, "time_column"),
        ({"event_time": {"constant": "2026-01-01T00:00:00"}}, "event_time.constant"),
        ({"event_time": {"column": "a", "format": "steps"}}, "event_time.origin"),
        ({"event_time": {"column": "a", "origin": "2026-01-01T00:00:00Z"}}, "event_time.origin"),
        (
            {"event_time": {"column": "a", "time_column": "b", "format": "unix_seconds"}},
            "event_time.time_column",
        ),
        ({"event_time": {"column": "a", "format": "unix"}}, "event_time.format"),
        ({"event_time": {"column": "a", "format": "%Y-%Q"}}, "event_time.format"),
        ({"event_time": {"column": "a", "time_zone": "../etc"}}, "event_time.time_zone"),
        ({"amount": {"column": "a", "decimal": ",", "thousands": ","}}, "amount.thousands"),
        ({"amount": {"column": "a", "default": "ten"}}, "amount.default"),
        ({"amount": {"constant": "NaN"}}, "amount.constant"),
        ({"metadata": []}, "metadata"),
    ],
)
def test_mistake_in_a_field_is_told(fields: dict[str, Any], path: str) -> None:
    (found,) = in_fields(**fields)
    assert path in found.partition(": ")[0]


@pytest.mark.parametrize(
    ("file_format", "key"),
    [
        ({"type": "jsonl", "delimiter": ";", "skip_lines": 1}, "delimiter skip_lines"),
        ({"encoding": "utf9"}, "encoding"),
        ({"encoding": "base64"}, "encoding"),
        ({"delimiter": ""}, "delimiter"),
        ({"quote": "tab"}, "quote"),
        ({"quote": ";", "delimiter": ";"}, "quote"),
        ({"columns": ["a", "a"]}, "columns"),
        ({"thousands": "."}, "thousands"),
    ],
)
def test_mistake_in_the_format_is_told(file_format: dict[str, Any], key: str) -> None:
    found = mistakes({"format": file_format, "fields": FIELDS})
    assert [text.partition(": ")[0] for text in found] == [f"format.{name}" for name in key.split()]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("a: [", "it is no YAML"),
        (
            "description: 1\ndescription: 2",
            "it is no YAML: the key description stands twice, again in line 2",
        ),
        ("- 1", "the document: expected some of description"),
        ("skip_when: 3", "skip_when: expected a list"),
        ("skip_when: [{column: a, equals: [1]}]", "skip_when: needs fields"),
        ("format: {type: csv}", "fields: missing"),
        ("? [a]\n: 1", "it is no YAML"),
    ],
)
def test_document_that_is_no_mapping_is_told(document: str, said: str) -> None:
    (found,) = mistakes(document)
    assert found.startswith(said)


def test_scalars_are_taken_for_the_text_they_are() -> None:
    read = parse_mapping(
        """
        format: {header: true, columns: [007, no]}
        null_values: [null, NO, 1_000, 2026-01-01]
    """
    )
    assert read.format.columns == ("007", "no")
    assert read.null_values == ("null", "NO", "1_000", "2026-01-01")


def test_empty_document_is_the_mapping_of_events_as_they_are() -> None:
    assert parse_mapping("") == ReplayMapping()


def test_file_is_read_and_named_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("description: ok")
    assert read_mapping(path).description == "ok"
    path.write_text("descriptoin: ok")
    with pytest.raises(InvalidMapping, match=r"map\.yaml has a mistake"):
        read_mapping(path)
    path.write_bytes(b"\xff")
    with pytest.raises(UnreadableData, match=r"map\.yaml"):
        read_mapping(path)


def test_unknown_columns_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    fields = {
        "amount": {"column": "amont"},
        "event_time": {"column": "time", "time_column": "clok"},
        "transaction_id": {"hash_of": ["id", "nr"]},
        "merchant": {"name": {"template": "{shop}"}},
    }
    mapped = mapping(fields, skip_when=[{"column": "kind", "equals": ["x"]}])
    with pytest.raises(InvalidMapping) as caught:
        Replay([csv_file(tmp_path, [{**ROW, "clock": ""}])], mapped)
    assert caught.value.mistakes == (
        "skip_when[0].column: rows.csv has no column kind; did you mean id?",
        "fields.transaction_id.hash_of: rows.csv has no column nr; it has id, time, amount, clock",
        "fields.event_time.time_column: rows.csv has no column clok; did you mean clock?",
        "fields.amount.column: rows.csv has no column amont; did you mean amount?",
        (
            "fields.merchant.name.template: rows.csv has no column shop; it has id, time, amount,"
            " clock"
        ),
    )


def test_fields_of_json_that_no_event_can_lack_have_to_be_there(tmp_path: Path) -> None:
    path = json_file(tmp_path, [{"x": 1}, {"id": 2, "amont": 3}])
    fields = {"merchant": {"name": {"column": "rare"}}, "event_time": {"column": "time"}}
    fields["event_time"]["default"] = "2026-01-01T00:00:00Z"
    with pytest.raises(InvalidMapping) as caught:
        Replay([path], mapping(fields))
    assert caught.value.mistakes == (
        "fields.amount.column: rows.jsonl has no column amount; did you mean amont?",
    )


def test_foreign_file_without_fields_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidMapping, match=r"rows\.csv is csv, which holds no events"):
        Replay([csv_file(tmp_path, [ROW])], ReplayMapping())
