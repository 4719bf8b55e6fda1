"""Odd amounts, codes, times and messages are judged as they are labelled."""

import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from decoded_violations import (
    END,
    assert_judged_as_labelled,
    body_hash_is_kept,
    decoded,
    flags_of,
    harms_neighbours,
    occurrences,
    payments_of,
    reason_of,
    refusals_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import AT, kind_named, occurrence

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import QualityFlag, RejectReason
from simulator.configuration.violation_settings import FutureTime
from simulator.violations.contract_breach import MOST_VARIANTS, REASONS
from simulator.violations.data_quality import KINDS
from simulator.wire import to_json

NAMES: Final = [kind.name for kind in KINDS]
ZERO: Final = kind_named("zero_amount", KINDS)
FUTURE: Final = kind_named("future_time", KINDS)
BREACH: Final = kind_named("contract_breach", KINDS)
# What is no JSON any more has nowhere to keep a label, or has lost it.
LABELLED: Final = sorted({*NAMES} - {"zero_amount", "malformed_json", "truncated_message"})
REASON_OF: Final = {
    "negative_amount": RejectReason.negative_amount,
    "wrong_scale": RejectReason.too_many_decimals,
    "unknown_currency": RejectReason.unknown_currency,
    "unknown_status": RejectReason.unknown_payment_status,
    "future_time": RejectReason.outside_horizon,
    "ancient_time": RejectReason.outside_horizon,
    "malformed_json": RejectReason.not_json,
    "truncated_message": RejectReason.not_json,
    "oversized_metadata": RejectReason.metadata_too_large,
}
ALL_VARIANTS: Final = 24


def flags_for(name: str) -> QualityFlag:
    return QualityFlag.zero_amount if name == ZERO.name else QualityFlag(0)


@pytest.mark.parametrize("name", NAMES)
@given(first=st.integers(0, 10**6), subtlety=st.sampled_from([0.0, 0.5, 1.0]))
@settings(deadline=None, max_examples=10)
def test_events_are_judged_as_labelled(name: str, first: int, subtlety: float) -> None:
    kind = kind_named(name, KINDS)
    made = [occurrence(kind, first + turn, subtlety=subtlety) for turn in range(4)]
    assert_judged_as_labelled(kind, made, flags_for(name))


@pytest.mark.parametrize("subtlety", [0.0, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_every_variant_is_judged_as_labelled(name: str, subtlety: float) -> None:
    kind = kind_named(name, KINDS)
    number = ALL_VARIANTS if kind is not BREACH else len(REASONS) * MOST_VARIANTS
    assert_judged_as_labelled(kind, occurrences(kind, number, subtlety=subtlety), flags_for(name))


@pytest.mark.parametrize(("name", "reason"), REASON_OF.items())
def test_a_kind_is_refused_for_one_reason(name: str, reason: RejectReason) -> None:
    made = refusals_of(occurrences(kind_named(name, KINDS), ALL_VARIANTS))
    assert {refusal.reason for refusal in made} == {reason}
    assert len(made) == ALL_VARIANTS


@pytest.mark.parametrize("name", sorted({*NAMES} - {"zero_amount"}))
def test_only_what_harms_its_neighbours_is_alone(name: str) -> None:
    kind = kind_named(name, KINDS)
    neighbours = payments_of(occurrences(ZERO, 2))
    number = ALL_VARIANTS if kind is not BREACH else len(REASONS) * MOST_VARIANTS
    for refusal in refusals_of(occurrences(kind, number)):
        assert harms_neighbours(refusal, neighbours) == refusal.alone, refusal.body[:1000]


@pytest.mark.parametrize("name", LABELLED)
def test_refused_events_hold_their_label_and_the_id_that_is_said_to_be_theirs(name: str) -> None:
    kind = kind_named(name, KINDS)
    for refusal in refusals_of(occurrences(kind, ALL_VARIANTS)):
        label, text = f'"violation":"{name}"', refusal.body.decode("latin-1").replace("\\", "")
        if refusal.transaction_id is None:
            # A heartbeat or a number instead of a payment has no room for a label.
            assert label in text or len(text) < 30
            assert kind is BREACH
        else:
            assert label in text
            assert f'{{"transaction_id":"{refusal.transaction_id}"' in text


def test_refused_events_are_known_by_the_hash_of_their_text() -> None:
    for kind in KINDS:
        for refusal in refusals_of(occurrences(kind, len(REASONS) * 4)):
            # Half of a surrogate pair is replaced before anything is kept.
            assert body_hash_is_kept(refusal) or rb"\ud83d" in refusal.body


# --- amounts -----------------------------------------------------------------------------------


def test_zero_is_written_in_four_ways() -> None:
    texts = [str(each.event.amount) for each in payments_of(occurrences(ZERO, 4))]
    raw = [each.event.amount for each in payments_of(occurrences(ZERO, 4))][2]
    assert isinstance(raw, msgspec.Raw)
    assert texts[1] == "0"
    assert texts[3] == f"-{texts[0]}"


def test_a_hidden_negative_amount_is_the_smallest_there_is() -> None:
    for refusal in refusals_of(occurrences(kind_named("negative_amount", KINDS), 8, subtlety=1.0)):
        document = msgspec.json.decode(refusal.body, type=dict[str, object])
        minor_unit = CURRENCIES[str(document["currency"])].minor_unit
        assert Decimal(str(document["amount"])) == -Decimal(1).scaleb(-minor_unit)


# --- times -------------------------------------------------------------------------------------


def test_within_a_day_the_future_is_stored_and_flagged() -> None:
    settings_ = FutureTime(ahead=("1h", "23h"))
    made = payments_of(occurrences(FUTURE, 20, settings=settings_))
    assert len(made) == 20
    for payment in made:
        assert timedelta(minutes=59) < payment.event_time - END < timedelta(hours=23)
        assert flags_of(payment) == QualityFlag.future_event_time


@pytest.mark.parametrize("ahead", [("1d", "25h"), ("23h", "26h"), ("24h", "24h"), ("7d", "30d")])
def test_the_future_is_the_same_until_an_hour_after_the_end(ahead: tuple[str, str]) -> None:
    made = occurrences(FUTURE, 30, settings=FutureTime(ahead=ahead))
    for after_end in (timedelta(0), timedelta(minutes=59, seconds=59)):
        for payment in payments_of(made):
            assert decoded(to_json(payment.event), after_end=after_end).payments
        for refusal in refusals_of(made):
            [rejected] = decoded(refusal.body, after_end=after_end).rejected
            assert rejected.reason == RejectReason.outside_horizon
            assert refusal.at == AT


def test_ancient_times_are_three_to_twelve_years_old() -> None:
    years = [
        (AT.year - int(re.findall(rb'"event_time":"(\d{4})', refusal.body)[0]))
        for refusal in refusals_of(occurrences(kind_named("ancient_time", KINDS), 60))
    ]
    assert 3 <= min(years) <= 4
    assert 11 <= max(years) <= 12


# --- messages ----------------------------------------------------------------------------------


def test_truncated_messages_are_of_one_payment_or_of_several() -> None:
    made = refusals_of(occurrences(kind_named("truncated_message", KINDS), 40))
    assert Counter(refusal.body[:1] for refusal in made) == {b"{": 20, b"[": 20}
    assert all(refusal.alone and refusal.transaction_id is None for refusal in made)
    assert any(refusal.body.count(b"transaction_id") > 3 for refusal in made)


def test_oversized_metadata_are_too_large_in_three_shapes_and_hidden_by_little() -> None:
    kind = kind_named("oversized_metadata", KINDS)
    shapes = set()
    for subtlety, most in ((0.0, 4.1), (1.0, 1.03)):
        for refusal in refusals_of(occurrences(kind, 6, subtlety=subtlety)):
            metadata = msgspec.json.decode(refusal.body)["metadata"]
            shapes.add(next(iter(metadata)))
            size = len(to_json(metadata))
            assert 16 * 1024 < size < most * 16 * 1024
    assert shapes == {"log", "trace", "field_0000"}


# --- every other breach ------------------------------------------------------------------------


def test_the_first_breaches_are_all_for_different_reasons() -> None:
    made = refusals_of(occurrences(BREACH, 2 * len(REASONS)))
    reasons = [refusal.reason for refusal in made]
    assert reasons[: len(REASONS)] == list(REASONS) == reasons[len(REASONS) :]
    assert len(set(REASONS)) == len(REASONS)


def test_all_kinds_together_are_refused_for_every_reason_that_a_producer_can_cause() -> None:
    reasons = {
        reason_of(refusal)
        for kind in KINDS
        for refusal in refusals_of(occurrences(kind, len(REASONS)))
    }
    assert set(RejectReason) - reasons == {
        RejectReason.conflicting_duplicate,
        RejectReason.refused_by_database,
    }
