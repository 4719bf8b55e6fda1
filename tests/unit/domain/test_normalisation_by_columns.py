"""``normalise`` is the specification of the way by columns: what that takes comes to the same."""

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.domain.payment_samples import HORIZON, PSEUDONYMISER, body_of, payment_event
from unit.domain.payment_strategies import VALID_EVENTS, mutated_events

from shared_code.domain.normalisation import normalise
from shared_code.domain.normalisation_by_columns import normalise_columns
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.domain.payment_event import MAX_METADATA_BYTES, MAX_METADATA_DEPTH, PaymentEvent
from shared_code.domain.refusal import EventRefused

ORDINARY = payment_event(
    payment_method="credit_card",
    channel="web",
    device_type="mobile",
    merchant={"id": "mer-1", "name": "Shop", "category": "food", "mcc": "5411", "country": "FR"},
    card={"brand": "visa", "bin": "411111", "last4": "1111", "fingerprint": "abc"},
    counterparty={"id": "acc-1", "country": "JP"},
    original_transaction_id="txn-0",
    metadata={"b": {"c": [True, None, 0.5, "x"]}, "a": 1},
)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


ODD: dict[str, Sequence[Any]] = {
    "event_time": [
        *("2026-01-31t11:59:59z", "2026-01-31T12:00:00.000001Z", "2026-01-31T13:00:00+05:30"),
        *("2026-01-31T11:59:59.1234569Z", "2026-01-31T11:59:59,5Z", "2026-01-31T11:59:60Z"),
        *("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+01:00", "2020-01-01T00:00:00Z"),
        *("2026-02-02T00:00:00Z", "yesterday", "", "2026-01-31T11:59:59"),
        *("2026-01-31T11:59:59+00:75", "2026-01-31T11:59Z", "2026-01-31T11:59:59.1234567890Z"),
        "2026-01-31T11:59:59Z,2026-01-31T11:59:59Z",
    ],
    "amount": [
        *("0.00", "-0.00", "-1.00", "1.005", "010.50", "10", "1e1", ".5", "", "1.00,2.00"),
        *("999999999999999.00", "9999999999999999", 10.5, 7, 1e22, True, None, [], {}),
    ],
    "currency": ["JPY", "BHD", "CLF", "XXX", "eur", ""],
    "payment_method": ["cryptocurrency", "bank_transfer", "barter", ""],
    "payment_status": ["refunded", "failed", "done", ""],
    "channel": ["", "carrier_pigeon", None],
    "device_type": ["", "abacus", None],
    "customer": [
        *(None, {}, {"id": ""}, {"id": "c", "email": "nobody", "country": "XX"}),
        *({"id": "c", "email": " ada@example.com"}, {"id": "c", "email": "ada@example.com\n"}),
        *({"email": "ADA@Example.COM", "country": "US"}, {"email": "İ@ΣΑΣ.example"}),
        *({"email": "a@b@c.example"}, {"email": "a@.example"}, {"email": "a@b..example"}),
    ],
    "merchant": [
        *(None, {}, {"mcc": "54A1"}, {"mcc": ""}, {"mcc": "٥٤١١"}, {"mcc": "541"}),
        *({"id": "", "name": "", "category": "", "country": ""}, {"country": "XX"}),
    ],
    "card": [
        *(None, {}, {"bin": "", "last4": "", "fingerprint": "", "brand": ""}, {"bin": "411111"}),
        *({"last4": "1111"}, {"fingerprint": "f"}, {"bin": "12"}, {"bin": "411111111111"}),
        *({"last4": "11111"}, {"last4": "٠١٢٣"}, {"bin": "41111x", "last4": "1"}),
    ],
    "counterparty": [None, {}, {"id": "", "country": ""}, {"country": "XX"}],
    "original_transaction_id": ["", None],
    "metadata": [
        *(None, {}, [], "text", 1, {"a": 10**30}, {"a": 'é\\"\n'}, nested(MAX_METADATA_DEPTH)),
        *(nested(MAX_METADATA_DEPTH + 1), {"brackets": "[" * 100}, {"l": "l" * 200}),
        {"long": "l" * MAX_METADATA_BYTES},
    ],
}


def events_of(sent: Sequence[Any]) -> list[PaymentEvent]:
    """Return those events that have the shape of the contract."""
    found = []
    for event in sent:
        try:
            found.append(msgspec.json.decode(body_of(event), type=PaymentEvent))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found


def by_columns(events: Sequence[PaymentEvent]) -> list[AcceptedPayment | None]:
    return normalise_columns(events, pseudonymiser=PSEUDONYMISER, horizon=HORIZON)


def by_itself(event: PaymentEvent) -> AcceptedPayment | None:
    try:
        return normalise(event, pseudonymiser=PSEUDONYMISER, horizon=HORIZON)
    except EventRefused:
        return None


def has_card_to_be_mended(event: PaymentEvent, accepted: AcceptedPayment | None) -> bool:
    """Tell whether digits were taken from an event's card."""
    return (
        accepted is not None
        and event.card is not None
        and (event.card.bin or None, event.card.last4 or None)
        != (accepted.payment.card_bin, accepted.payment.card_last4)
    )


def assert_alike(events: Sequence[PaymentEvent]) -> None:
    found = by_columns(events)
    assert len(found) == len(events)
    for event, accepted in zip(events, found, strict=True):
        expected = by_itself(event)
        if has_card_to_be_mended(event, expected):
            assert accepted is None
            continue
        assert accepted == expected
        if accepted is not None and expected is not None:
            # Equal numbers may have different scales, and equal times different zones.
            assert str(accepted.payment.amount) == str(expected.payment.amount)
            assert accepted.payment.event_time.tzinfo is UTC


def test_no_events_are_no_payments() -> None:
    assert by_columns([]) == []


def test_ordinary_payments_are_taken() -> None:
    events = events_of([ORDINARY, payment_event()])
    assert by_columns(events) == [by_itself(event) for event in events]
    assert None not in by_columns(events)


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in ODD.items() for value in values]
)
def test_whatever_is_odd_about_a_field_comes_to_the_same(field: str, value: Any) -> None:
    odd = {**ORDINARY, field: value}
    assert_alike(events_of([ORDINARY, odd, payment_event()]))
    assert_alike(events_of([odd]))


def test_odd_events_of_one_batch_come_to_the_same() -> None:
    odd = [{**ORDINARY, field: value} for field, values in ODD.items() for value in values]
    assert_alike(events_of([ORDINARY, *odd, ORDINARY]))


def test_metadata_over_several_lines_come_to_the_same() -> None:
    indented = msgspec.json.decode(json.dumps(ORDINARY, indent=1), type=PaymentEvent)
    events = [*events_of([ORDINARY]), indented, *events_of([payment_event(metadata=None)])]
    assert_alike(events)
    assert None not in by_columns(events)


def test_neighbours_of_a_refused_event_are_taken() -> None:
    one, refused, other = events_of([ORDINARY, {**ORDINARY, "currency": "XXX"}, payment_event()])
    assert by_columns([one, refused, other]) == [by_itself(one), None, by_itself(other)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(sent=st.lists(VALID_EVENTS | mutated_events(), max_size=6))
def test_any_events_come_to_the_same(sent: list[Any]) -> None:
    assert_alike(events_of([json.loads(json.dumps(event)) for event in sent]))
