"""Card data that is in clear, missing, wrong or out of place is judged as it is labelled."""

import re
from typing import Final

import pytest
from decoded_violations import (
    assert_judged_as_labelled,
    decoded,
    flags_of,
    occurrences,
    payments_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from violation_trials import kind_named, occurrence

from shared_code.domain.card_numbers import find_card_numbers
from shared_code.domain.vocabularies import QualityFlag
from simulator.violations.card_data import KINDS
from simulator.wire import Card, Payment, to_json

FLAGS: Final = {
    "missing_card_data": QualityFlag.card_data_missing,
    "invalid_card_data": QualityFlag.card_data_invalid,
    "forbidden_card_data": QualityFlag.card_data_forbidden,
}
CLEAR: Final = kind_named("card_number_in_clear", KINDS)
ALL_VARIANTS: Final = 24


def cards_of(name: str, *, subtlety: float = 0.0) -> list[Card | None]:
    made = occurrences(kind_named(name, KINDS), ALL_VARIANTS, subtlety=subtlety)
    return [payment.event.card for payment in payments_of(made)]


def expected_flags(payment: Payment) -> QualityFlag:
    """Return what a number in clear is flagged as: no last four digits, if it stands for them."""
    last = (payment.event.card or Card()).last4 or ""
    wrong = QualityFlag(0) if len(last) == 4 else QualityFlag.card_data_invalid
    return QualityFlag.card_number_present | wrong


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


@given(turn=st.integers(0, 10**6), subtlety=st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=60)
def test_a_number_in_clear_is_found_wherever_it_stands(turn: int, subtlety: float) -> None:
    [payment] = occurrence(CLEAR, turn, subtlety=subtlety).payments
    assert flags_of(payment) == expected_flags(payment)
    assert payment.event.payment_method in {"credit_card", "debit_card"}
    assert payment.event.violation == CLEAR.name


def test_nothing_is_kept_of_a_number_in_clear() -> None:
    for payment in payments_of(occurrences(CLEAR, ALL_VARIANTS)):
        text = to_json(payment.event)
        [placed] = decoded(text).payments
        assert find_card_numbers(text.decode())
        assert not find_card_numbers(repr(placed.accepted))


def test_numbers_in_clear_stand_in_notes_names_and_fields_of_the_card() -> None:
    plain = payments_of(occurrences(CLEAR, 4))
    hidden = payments_of(occurrences(CLEAR, 4, subtlety=1.0))
    note, name, last, separated = plain
    token, number, address, slip = hidden
    assert find_card_numbers(str(note.event.metadata))
    assert find_card_numbers(str(name.event.merchant and name.event.merchant.name))
    assert find_card_numbers(str(last.event.card and last.event.card.last4))
    assert find_card_numbers(str(token.event.card and token.event.card.fingerprint))
    for each in (separated, address, slip):
        assert find_card_numbers(str(each.event.metadata))
    assert any(isinstance(value, int) and value > 10**12 for value in _values(number))


def _values(payment: Payment) -> list[str | int]:
    return list((payment.event.metadata or {}).values())


def test_no_constant_gives_the_numbers_away() -> None:
    found = [
        find_card_numbers(to_json(payment.event).decode())[0]
        for payment in payments_of(occurrences(CLEAR, 120))
    ]
    assert len(set(found)) > 70
    assert {len(number) for number in found} == {14, 15, 16}
    assert "4111111111111111" in found


def test_missing_card_data_is_no_card_or_what_many_cards_share() -> None:
    plain, hidden = cards_of("missing_card_data"), cards_of("missing_card_data", subtlety=1.0)
    assert None in plain
    assert Card() in plain
    assert any(card and card.brand and not card.bin for card in plain)
    assert all(card and card.bin for card in hidden)


@pytest.mark.parametrize("subtlety", [0.0, 1.0])
def test_invalid_card_data_is_now_the_issuer_number_now_the_last_digits(subtlety: float) -> None:
    cards = cards_of("invalid_card_data", subtlety=subtlety)
    issuers = {bool(re.fullmatch("[0-9]{6}", str(card and card.bin))) for card in cards}
    last_digits = {bool(re.fullmatch("[0-9]{4}", str(card and card.last4))) for card in cards}
    assert issuers == last_digits == {True, False}


def test_forbidden_card_data_comes_with_every_other_method() -> None:
    made = payments_of(occurrences(kind_named("forbidden_card_data", KINDS), ALL_VARIANTS))
    combinations = {
        (each.event.payment_method, each.event.card is not None and bool(each.event.card.bin))
        for each in made
    }
    methods = {"bank_transfer", "cash_equivalent", "digital_wallet", "cryptocurrency"}
    assert combinations == {(method, whole) for method in methods for whole in (True, False)}
