import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from unit.domain.payment_samples import body_of, decode, payment_event
from unit.domain.payment_strategies import VALID_EVENTS, mutated_events

from shared_code.domain import payment_event as contract
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import (
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    RejectReason,
)

SCHEMA = json.loads(Path(contract.__file__).with_name("payment_event.schema.json").read_text())
PROPERTIES = SCHEMA["properties"]
VALIDATOR = Draft202012Validator(SCHEMA)
STRUCTS = {
    "customer": contract.Customer,
    "merchant": contract.Merchant,
    "card": contract.Card,
    "counterparty": contract.Counterparty,
}
OBJECTS = [
    pytest.param(SCHEMA, contract.PaymentEvent, id="payment event"),
    *[pytest.param(SCHEMA["$defs"][name], struct, id=name) for name, struct in STRUCTS.items()],
]

# What a schema cannot say; all else that the code refuses, the schema refuses too.
BEYOND_THE_SCHEMA = {
    RejectReason.outside_horizon,
    RejectReason.invalid_event_time,  # 30 February, year 0
    RejectReason.too_many_decimals,  # of a JSON number
    RejectReason.too_many_digits,  # of a JSON number, or beyond 64 bits
    RejectReason.invalid_amount,  # a JSON number in a notation of its own
    RejectReason.invalid_text,  # half a surrogate pair, or NUL in a key
    RejectReason.metadata_too_large,
    RejectReason.too_deep,
}


def schema_accepts(event: Any) -> bool:
    return VALIDATOR.is_valid(event)


def code_accepts(event: Any) -> bool:
    batch = decode(json.dumps(event).encode())
    assert len(batch.payments) + len(batch.rejected) == 1
    return bool(batch.payments)


def text_of(field: msgspec.inspect.Type) -> tuple[msgspec.inspect.StrType | None, bool]:
    """Return the string type of a field, if it is one, and whether null is allowed."""
    options = field.types if isinstance(field, msgspec.inspect.UnionType) else (field,)
    strings = [option for option in options if isinstance(option, msgspec.inspect.StrType)]
    nullable = any(isinstance(option, msgspec.inspect.NoneType) for option in options)
    return (strings[0] if strings else None), nullable


def test_schema_is_a_versioned_draft_2020_12_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "urn:payment-metrics:payment-event:1"


@pytest.mark.parametrize(("schema", "struct"), OBJECTS)
def test_fields_of_schema_and_structs_are_the_same(
    schema: dict[str, Any], struct: type[msgspec.Struct]
) -> None:
    fields = {field.encode_name for field in msgspec.inspect.type_info(struct).fields}
    ignored = {"simulation"} if struct is contract.PaymentEvent else set()
    assert set(schema["properties"]) == fields | ignored
    assert schema.get("additionalProperties", True) is True


@pytest.mark.parametrize(("schema", "struct"), OBJECTS)
def test_required_fields_of_schema_and_structs_are_the_same(
    schema: dict[str, Any], struct: type[msgspec.Struct]
) -> None:
    required = [f.encode_name for f in msgspec.inspect.type_info(struct).fields if f.required]
    assert schema.get("required", []) == required


@pytest.mark.parametrize(("schema", "struct"), OBJECTS)
def test_texts_of_schema_and_structs_have_the_same_lengths_and_nullability(
    schema: dict[str, Any], struct: type[msgspec.Struct]
) -> None:
    checked = 0
    for field in msgspec.inspect.type_info(struct).fields:
        text, nullable = text_of(field.type)
        if text is None:
            continue
        said = schema["properties"][field.encode_name]
        assert said["type"] == (["string", "null"] if nullable else "string"), field.name
        assert said["maxLength"] == text.max_length, field.name
        assert said.get("minLength") == text.min_length, field.name
        checked += 1
    assert checked >= 2


def test_objects_within_the_event_may_be_null() -> None:
    for name in STRUCTS:
        assert PROPERTIES[name] == {"$ref": f"#/$defs/{name}"}
        assert SCHEMA["$defs"][name]["type"] == ["object", "null"]


def test_vocabularies_of_schema_and_code_are_the_same() -> None:
    assert PROPERTIES["currency"]["enum"] == sorted(CURRENCIES)
    assert PROPERTIES["payment_method"]["enum"] == [member.name for member in PaymentMethod]
    assert PROPERTIES["payment_status"]["enum"] == [member.name for member in PaymentStatus]
    assert PROPERTIES["channel"]["examples"] == [member.name for member in Channel]
    assert PROPERTIES["device_type"]["examples"] == [member.name for member in DeviceType]


def test_limits_that_only_words_can_give_are_those_of_the_code() -> None:
    words = PROPERTIES["metadata"]["description"]
    assert str(contract.MAX_METADATA_BYTES) in words
    assert f"{contract.MAX_METADATA_DEPTH} levels" in words


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_decimals_of_every_currency_are_those_of_the_code(currency: str) -> None:
    decimals = CURRENCIES[currency].minor_unit
    fits = payment_event(currency=currency, amount="1." + "1" * decimals if decimals else "1")
    too_fine = payment_event(currency=currency, amount="1." + "1" * (decimals + 1))
    assert (schema_accepts(fits), code_accepts(fits)) == (True, True)
    assert (schema_accepts(too_fine), code_accepts(too_fine)) == (False, False)


def test_every_property_is_described() -> None:
    for schema in (SCHEMA, *SCHEMA["$defs"].values()):
        assert schema["description"].endswith(".")
        for name, said in schema.get("properties", {}).items():
            assert "$ref" in said or said["description"].endswith("."), name


def test_examples_of_the_schema_are_good_events() -> None:
    for example in SCHEMA["examples"]:
        assert schema_accepts(example)
        (payment,) = decode(
            body_of(example | {"event_time": payment_event()["event_time"]})
        ).payments
        assert payment.accepted.payment.transaction_id == example["transaction_id"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(event=VALID_EVENTS)
def test_valid_event_is_accepted_by_schema_and_code(event: Any) -> None:
    VALIDATOR.validate(event)
    batch = decode(body_of(event))
    assert batch.rejected == []
    assert len(batch.payments) == 1


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(event=mutated_events())
def test_what_the_schema_refuses_the_code_refuses(event: Any) -> None:
    assert schema_accepts(event) or not code_accepts(event)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(event=mutated_events())
def test_what_the_code_refuses_the_schema_refuses_where_it_can(event: Any) -> None:
    for refused in decode(json.dumps(event).encode()).rejected:
        assert not schema_accepts(event) or refused.reason in BEYOND_THE_SCHEMA


@settings(max_examples=300)
@given(
    sign=st.sampled_from(["", "-"]),
    whole=st.text("0129", max_size=18),
    fraction=st.none() | st.text("0129", max_size=7),
    currency=st.sampled_from(["JPY", "EUR", "KWD", "UYW"]),
)
def test_schema_and_code_agree_on_every_decimal_string(
    sign: str, whole: str, fraction: str | None, currency: str
) -> None:
    amount = sign + whole + ("" if fraction is None else f".{fraction}")
    event = payment_event(amount=amount, currency=currency)
    beyond_64_bits = currency == "UYW" and len(whole.lstrip("0")) == 15
    assert schema_accepts(event) == code_accepts(event) or beyond_64_bits


@pytest.mark.parametrize(
    "event",
    [
        payment_event(amount=-0.01),
        payment_event(amount=1e15),
        payment_event(amount=0.5, currency="JPY"),
        payment_event(amount=True),
        payment_event(amount={}),
        payment_event(amount="1e2"),
        payment_event(amount="٤٢"),
        payment_event(currency="XAU"),
        payment_event(event_time="2026-01-31T11:00:60Z"),
        payment_event(event_time="2026-01-31T24:00:00Z"),
        payment_event(event_time="2026-01-31T11:00:00"),
        payment_event(event_time="2026-01-31T11:00:00+05:75"),
        payment_event(event_time="2026-W05-6T11:00:00Z"),
        payment_event(transaction_id=""),
        payment_event(transaction_id="x" * 65),
        payment_event(transaction_id="a\0"),
        payment_event(transaction_id=4111111111111111),
        payment_event(customer={"email": 4111111111111111}),
        payment_event(customer=[]),
        payment_event(metadata="text"),
        payment_event(merchant={"name": "x" * 257}),
        [],
        "text",
        None,
    ],
    ids=repr,
)
def test_breach_of_the_contract_is_refused_by_schema_and_code(event: Any) -> None:
    assert not schema_accepts(event)
    assert not decode(json.dumps(event).encode()).payments
