"""Identities that are missing or wrong are judged as they are labelled."""

import re
from collections import Counter
from typing import Final

import msgspec
import pytest
from decoded_violations import (
    assert_judged_as_labelled,
    harms_neighbours,
    occurrences,
    payments_of,
    refusals_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import kind_named, occurrence

from shared_code.domain.vocabularies import QualityFlag, RejectReason
from simulator.violations.kyc import KINDS
from simulator.wire import to_json

FLAGS: Final = {
    "missing_customer_id": QualityFlag.customer_id_missing,
    "invalid_customer_id": QualityFlag(0),
    "missing_email": QualityFlag.customer_email_missing,
    "invalid_email": QualityFlag.customer_email_invalid,
    "missing_country": QualityFlag.customer_country_missing,
    "invalid_country": QualityFlag.customer_country_invalid,
}
FIELDS: Final = {
    "missing_customer_id": "id",
    "missing_email": "email",
    "missing_country": "country",
}
# Enough for every variant of every kind.
ALL_VARIANTS: Final = 36


@pytest.mark.parametrize("name", FLAGS)
@given(first=st.integers(0, 10**6), subtlety=st.sampled_from([0.0, 0.5, 1.0]))
@settings(deadline=None, max_examples=10)
def test_events_are_judged_as_labelled(name: str, first: int, subtlety: float) -> None:
    kind = kind_named(name, KINDS)
    made = [occurrence(kind, first + turn, subtlety=subtlety) for turn in range(4)]
    assert_judged_as_labelled(kind, made, FLAGS[name])


@pytest.mark.parametrize("subtlety", [0.0, 1.0])
@pytest.mark.parametrize("name", FLAGS)
def test_every_variant_is_judged_as_labelled(name: str, subtlety: float) -> None:
    kind = kind_named(name, KINDS)
    assert_judged_as_labelled(kind, occurrences(kind, ALL_VARIANTS, subtlety=subtlety), FLAGS[name])


@pytest.mark.parametrize(("name", "field"), FIELDS.items())
def test_a_missing_field_is_absent_or_null_or_empty(name: str, field: str) -> None:
    customers = [
        msgspec.json.decode(to_json(payment.event))["customer"]
        for payment in payments_of(occurrences(kind_named(name, KINDS), 3))
    ]
    assert [customer.get(field, "absent") for customer in customers] == ["absent", None, ""]
    assert [len(customer) for customer in customers] == [2, 3, 3]


@pytest.mark.parametrize("name", FIELDS)
def test_whoever_is_not_named_still_decides_on_the_partition(name: str) -> None:
    for payment in payments_of(occurrences(kind_named(name, KINDS), 3)):
        assert re.fullmatch(r"customer_\d{5}", payment.customer_id)


def test_customer_ids_are_placeholders_and_what_cannot_be_an_id() -> None:
    made = occurrences(kind_named("invalid_customer_id", KINDS), ALL_VARIANTS)
    ids = {payment.event.customer.id for payment in payments_of(made) if payment.event.customer}
    assert {"unknown", "n/a", "test", "0", "-", "anonymous"} <= ids
    reasons = Counter(refusal.reason for refusal in refusals_of(made))
    assert set(reasons) == {
        RejectReason.wrong_type,
        RejectReason.invalid_length,
        RejectReason.invalid_text,
    }
    assert reasons.total() == len(made) / 2


def test_hidden_placeholders_look_like_ids_but_are_nobody() -> None:
    made = occurrences(kind_named("invalid_customer_id", KINDS), ALL_VARIANTS, subtlety=1.0)
    for payment in payments_of(made):
        customer = payment.event.customer
        assert customer is not None
        assert str(customer.id).startswith("customer_")
        assert not re.fullmatch(r"customer_\d+", str(customer.id))


def test_hidden_addresses_are_wrong_by_hardly_more_than_a_character() -> None:
    made = occurrences(kind_named("invalid_email", KINDS), ALL_VARIANTS, subtlety=1.0)
    wrong = {str(each.event.customer and each.event.customer.email) for each in payments_of(made)}
    assert len(wrong) == ALL_VARIANTS
    assert all("example" in address for address in wrong)


def test_countries_are_flagged_as_texts_and_refused_as_anything_else() -> None:
    made = occurrences(kind_named("invalid_country", KINDS), ALL_VARIANTS)
    codes = {str(each.event.customer and each.event.customer.country) for each in payments_of(made)}
    assert {"UK", "XX", "EUR", "DEU", "Germany"} <= codes
    assert any(code.islower() for code in codes)
    reasons = {refusal.reason for refusal in refusals_of(made)}
    assert reasons == {RejectReason.wrong_type, RejectReason.invalid_length}


@pytest.mark.parametrize("name", ["invalid_customer_id", "invalid_country"])
def test_refused_identities_are_labelled_and_harm_nobody(name: str) -> None:
    neighbours = payments_of(occurrences(kind_named("missing_email", KINDS), 2))
    refusals = refusals_of(occurrences(kind_named(name, KINDS), ALL_VARIANTS))
    for refusal in refusals:
        document = msgspec.json.decode(refusal.body)
        assert document["simulation"]["violation"] == name
        assert document["transaction_id"] == refusal.transaction_id
        assert not refusal.alone
        assert not harms_neighbours(refusal, neighbours)
