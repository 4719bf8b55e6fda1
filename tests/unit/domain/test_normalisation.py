from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from unit.domain.payment_samples import (
    CARD_NUMBERS,
    HORIZON,
    NOW,
    PSEUDONYMISER,
    body_of,
    payment_event,
)

from shared_code.domain.normalisation import normalise
from shared_code.domain.normalised_payment import AcceptedPayment, Identity
from shared_code.domain.payment_event import (
    MAX_METADATA_BYTES,
    MAX_METADATA_DEPTH,
    PaymentEvent,
)
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import (
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
    RejectReason,
)

MICROSECOND = timedelta(microseconds=1)


def accept(card_number: str | None = None, **fields: Any) -> AcceptedPayment:
    event = msgspec.json.decode(body_of(payment_event(**fields)), type=PaymentEvent)
    return normalise(event, pseudonymiser=PSEUDONYMISER, horizon=HORIZON, card_number=card_number)


def flags(card_number: str | None = None, **fields: Any) -> QualityFlag:
    return QualityFlag(accept(card_number, **fields).quality_flags)


def refusal(**fields: Any) -> EventRefused:
    with pytest.raises(EventRefused) as caught:
        accept(**fields)
    return caught.value


def test_every_field_of_the_wire_finds_its_place() -> None:
    accepted = accept(
        payment_method="credit_card",
        payment_status="refunded",
        channel="atm",
        device_type="terminal",
        customer={"id": "cus-1", "email": "Ada@Example.COM", "country": "DE"},
        merchant={
            "id": "mer-1", "name": "Shop", "category": "food", "mcc": "0742", "country": "DE"
        },
        card={"brand": "visa", "bin": "41111111", "last4": "0042", "fingerprint": "abc"},
        counterparty={"id": "acc-1", "country": "JP"},
        original_transaction_id="txn-0",
        metadata={"b": 1, "a": [2]},
    )  # fmt: skip
    payment = accepted.payment
    assert msgspec.structs.asdict(payment) == {
        "event_time": NOW - timedelta(seconds=1) + timedelta(microseconds=123_456),
        "transaction_id": "txn-1",
        "payment_status": PaymentStatus.refunded,
        "payment_method": PaymentMethod.credit_card,
        "currency": 978,
        "amount": Decimal("10.50"),
        "channel": Channel.atm,
        "device_type": DeviceType.terminal,
        "customer_id": "cus-1",
        "customer_country": 276,
        "customer_email_hash": PSEUDONYMISER.email("ada@example.com"),
        "customer_email_domain": "example.com",
        "merchant_id": "mer-1",
        "merchant_name": "Shop",
        "merchant_category": "food",
        "merchant_mcc": 742,
        "merchant_country": 276,
        "card_brand": "visa",
        "card_bin": "41111111",
        "card_last4": "0042",
        "card_fingerprint": "abc",
        "counterparty_id": "acc-1",
        "counterparty_country": 392,
        "original_transaction_id": "txn-0",
    }
    assert payment.identity == Identity(payment.event_time, "txn-1", PaymentStatus.refunded)
    assert accepted.metadata == '{"b": 1, "a": [2]}'
    assert accepted.quality_flags == 0


def test_good_payment_has_no_flag() -> None:
    assert flags() == QualityFlag(0)


GOOD_CUSTOMER = {"id": "cus-1", "email": "ada@example.com", "country": "DE"}
CARD = {"payment_method": "debit_card"}
FLAGGED = [
    ("zero_amount", {"amount": "0.00"}),
    ("zero_amount", {"amount": 0}),
    ("future_event_time", {"event_time": "2026-01-31T12:00:00.000001Z"}),
    ("customer_id_missing", {"customer": GOOD_CUSTOMER | {"id": ""}}),
    ("customer_email_missing", {"customer": GOOD_CUSTOMER | {"email": None}}),
    ("customer_email_invalid", {"customer": GOOD_CUSTOMER | {"email": "ada"}}),
    ("customer_email_invalid", {"customer": GOOD_CUSTOMER | {"email": "ada@example"}}),
    ("customer_email_invalid", {"customer": GOOD_CUSTOMER | {"email": "a da@example.com"}}),
    ("customer_email_invalid", {"customer": GOOD_CUSTOMER | {"email": "a@b@example.com"}}),
    ("customer_country_missing", {"customer": GOOD_CUSTOMER | {"country": ""}}),
    ("customer_country_invalid", {"customer": GOOD_CUSTOMER | {"country": "UK"}}),
    ("customer_country_invalid", {"customer": GOOD_CUSTOMER | {"country": "de"}}),
    ("merchant_country_invalid", {"merchant": {"country": "XX"}}),
    ("counterparty_country_invalid", {"counterparty": {"country": "XX"}}),
    ("merchant_mcc_invalid", {"merchant": {"mcc": "541"}}),
    ("merchant_mcc_invalid", {"merchant": {"mcc": "٥٤١١"}}),
    ("card_data_missing", CARD),
    ("card_data_missing", CARD | {"card": {"brand": "visa", "bin": "411111"}}),
    ("card_data_forbidden", {"card": {"bin": "411111"}}),
    ("card_data_forbidden", {"card": {"last4": "1111"}}),
    ("card_data_forbidden", {"card": {"fingerprint": "abc"}}),
    ("card_data_invalid", CARD | {"card": {"last4": "111"}}),
    ("card_data_invalid", CARD | {"card": {"last4": "1111", "bin": "41111"}}),
    ("card_data_invalid", CARD | {"card": {"last4": "1111", "bin": "411111111"}}),
    ("card_data_invalid", CARD | {"card": {"last4": "٤٤٤٤"}}),
    ("country_mismatch", {"merchant": {"country": "FR"}}),
    ("channel_unknown", {"channel": "carrier pigeon"}),
    ("device_type_unknown", {"device_type": "abacus"}),
    ("original_transaction_missing", {"payment_status": "refunded"}),
]


@pytest.mark.parametrize(("flag", "fields"), FLAGGED)
def test_what_is_odd_is_flagged_and_accepted(flag: str, fields: dict[str, Any]) -> None:
    assert flags(**fields) == QualityFlag[flag]


def test_every_flag_has_its_case() -> None:
    assert {flag for flag, _ in FLAGGED} | {"card_number_present"} == {
        flag.name for flag in QualityFlag
    }


def test_missing_customer_has_every_flag_of_what_is_missing() -> None:
    assert flags(customer=None) == (
        QualityFlag.customer_id_missing
        | QualityFlag.customer_email_missing
        | QualityFlag.customer_country_missing
    )


def test_one_microsecond_after_now_is_the_future_and_now_is_not() -> None:
    assert flags(event_time=NOW.isoformat()) == QualityFlag(0)
    assert flags(event_time=(NOW + MICROSECOND).isoformat()) == QualityFlag.future_event_time


def test_invalid_optional_values_are_stored_as_none() -> None:
    payment = accept(
        channel="x",
        device_type="x",
        customer=GOOD_CUSTOMER | {"email": "x", "country": "XX"},
        merchant={"mcc": "x", "country": "XX"},
        counterparty={"country": "XX"},
    ).payment
    assert payment.channel is payment.device_type is payment.customer_country is None
    assert payment.customer_email_hash is payment.customer_email_domain is None
    assert payment.merchant_mcc is payment.merchant_country is None
    assert payment.counterparty_country is None


def test_empty_text_is_no_value() -> None:
    payment = accept(
        original_transaction_id="",
        customer=GOOD_CUSTOMER | {"id": ""},
        merchant={"id": "", "name": "", "category": "", "mcc": "", "country": ""},
        card={"brand": "", "bin": "", "last4": "", "fingerprint": ""},
    ).payment
    absent = {name for name, value in msgspec.structs.asdict(payment).items() if value is None}
    assert absent >= {
        "original_transaction_id", "customer_id", "merchant_id", "merchant_name",
        "merchant_category", "merchant_mcc", "merchant_country", "card_brand", "card_bin",
        "card_last4", "card_fingerprint",
    }  # fmt: skip


def test_bin_and_last_four_never_add_up_to_a_card_number() -> None:
    number = CARD_NUMBERS["visa"]
    accepted = accept(**CARD, card={"bin": number[:12], "last4": number[12:]})
    assert accepted.payment.card_bin is None
    assert accepted.payment.card_last4 == "1111"
    assert accepted.quality_flags == QualityFlag.card_data_invalid


def test_masked_card_number_fills_what_the_card_lacks() -> None:
    number = CARD_NUMBERS["mastercard"]
    payment = accept(number, **CARD).payment
    assert (payment.card_bin, payment.card_last4) == ("555555", "4444")
    assert payment.card_fingerprint == PSEUDONYMISER.card_number(number).hex()
    assert flags(number, **CARD) == QualityFlag.card_number_present


def test_card_that_came_is_kept_beside_a_masked_number() -> None:
    card = {"brand": "visa", "bin": "411111", "last4": "1111", "fingerprint": "abc"}
    payment = accept(CARD_NUMBERS["mastercard"], **CARD, card=card).payment
    assert (payment.card_bin, payment.card_last4, payment.card_fingerprint) == (
        "411111", "1111", "abc"
    )  # fmt: skip


def test_card_number_in_a_transfer_is_present_and_forbidden() -> None:
    assert flags(CARD_NUMBERS["visa"]) == (
        QualityFlag.card_number_present | QualityFlag.card_data_forbidden
    )


REFUSED = [
    ("unknown_currency", {"currency": "eur"}),
    ("unknown_currency", {"currency": "XAU"}),
    ("unknown_payment_method", {"payment_method": "barter"}),
    ("unknown_payment_status", {"payment_status": "done"}),
    ("invalid_amount", {"amount": "ten"}),
    ("negative_amount", {"amount": "-0.01"}),
    ("too_many_digits", {"amount": "12345678901234567"}),
    ("too_many_decimals", {"amount": "0.001"}),
    ("too_many_decimals", {"amount": 0.1, "currency": "JPY"}),
    ("invalid_event_time", {"event_time": "2026-01-31T12:00:00"}),
    ("outside_horizon", {"event_time": (HORIZON.earliest - MICROSECOND).isoformat()}),
    ("outside_horizon", {"event_time": (HORIZON.latest + MICROSECOND).isoformat()}),
    ("wrong_type", {"metadata": []}),
    ("wrong_type", {"metadata": "text"}),
    ("metadata_too_large", {"metadata": {"a": "x" * MAX_METADATA_BYTES}}),
]


@pytest.mark.parametrize(("reason", "fields"), REFUSED)
def test_what_breaks_the_contract_is_refused_by_its_reason(
    reason: str, fields: dict[str, Any]
) -> None:
    assert refusal(**fields).reason is RejectReason[reason]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"currency": "EURO"}, "'EURO' is no ISO 4217 currency"),
        ({"payment_method": "barter"}, "'barter' is none of credit_card, debit_card"),
        ({"payment_status": "done"}, "'done' is none of completed, failed"),
        ({"amount": "0.001"}, "EUR has 2 decimals, found 3"),
        ({"event_time": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00+00:00 lies outside 2026"),
    ],
)  # fmt: skip
def test_refusal_says_what_was_found_and_what_was_expected(
    fields: dict[str, Any], shown: str
) -> None:
    assert shown in refusal(**fields).detail


def test_both_ends_of_the_horizon_are_inside() -> None:
    assert accept(event_time=HORIZON.earliest.isoformat()).payment.event_time == HORIZON.earliest
    assert accept(event_time=HORIZON.latest.isoformat()).payment.event_time == HORIZON.latest


def test_horizon_ends_one_day_ahead() -> None:
    assert HORIZON.latest - NOW == timedelta(days=1)
    assert NOW - HORIZON.earliest == timedelta(days=30)


def test_metadata_of_sixteen_kibibytes_are_kept_as_they_came() -> None:
    metadata = {"a": "x" * (MAX_METADATA_BYTES - len('{"a": ""}'))}
    kept = accept(metadata=metadata).metadata
    assert kept is not None
    assert len(kept) == MAX_METADATA_BYTES
    metadata["a"] += "x"
    assert refusal(metadata=metadata).reason is RejectReason.metadata_too_large


def test_metadata_of_sixty_four_levels_are_kept_and_one_more_is_too_deep() -> None:
    def nested(levels: int) -> dict:
        value: dict = {}
        for _ in range(levels - 1):
            value = {"a": value}
        return value

    assert accept(metadata=nested(MAX_METADATA_DEPTH)).metadata
    assert accept(metadata=nested(MAX_METADATA_DEPTH) | {"b": {}}).metadata
    assert refusal(metadata=nested(MAX_METADATA_DEPTH + 1)).reason is RejectReason.too_deep
    assert accept(metadata={"a": [[]] * 100, "b": "[" * 100}).metadata


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (b'{"a":"\xff"}', RejectReason.invalid_text),
        (b'{"a":1e400}', RejectReason.wrong_type),
        (b'{"a":' + b"9" * 5000 + b"}", RejectReason.wrong_type),
    ],
)
def test_metadata_that_cannot_be_read_are_refused(metadata: bytes, reason: RejectReason) -> None:
    event = msgspec.json.decode(body_of(payment_event()), type=PaymentEvent)
    event.metadata = msgspec.Raw(metadata)
    with pytest.raises(EventRefused) as caught:
        normalise(event, pseudonymiser=PSEUDONYMISER, horizon=HORIZON)
    assert caught.value.reason is reason
