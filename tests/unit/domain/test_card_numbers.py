import time
import uuid
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain.payment_samples import CARD_NUMBERS

from shared_code.domain.card_numbers import (
    find_card_numbers,
    mask_card_numbers,
    may_hold_card_number,
    passes_luhn,
)

EVERY_SCHEME = pytest.mark.parametrize(
    "number", [pytest.param(number, id=scheme) for scheme, number in CARD_NUMBERS.items()]
)


def check_digit(digits: str) -> str:
    """Return the Luhn check digit as the standard words it, digit by digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 if position % 2 else 2)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


@EVERY_SCHEME
def test_test_number_of_every_scheme_is_found_and_masked(number: str) -> None:
    masked = f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    assert may_hold_card_number(number.encode())
    assert find_card_numbers(f"card={number};") == [number]
    assert mask_card_numbers(f"card={number};") == f"card={masked};"


@EVERY_SCHEME
@pytest.mark.parametrize("separator", [" ", "-"])
def test_number_in_groups_is_found(number: str, separator: str) -> None:
    grouped = separator.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert may_hold_card_number(grouped.encode())
    assert find_card_numbers(grouped) == [number]
    assert not find_card_numbers(mask_card_numbers(grouped))


@EVERY_SCHEME
def test_number_is_found_between_other_groups_of_digits(number: str) -> None:
    text = f"order 17 {number} 2026-01-31"
    assert find_card_numbers(text) == [number]
    assert number not in mask_card_numbers(text)


def test_several_numbers_are_found_in_order() -> None:
    text = "4111111111111111 5555555555554444, 378282246310005"
    assert find_card_numbers(text) == ["4111111111111111", "5555555555554444", "378282246310005"]
    assert mask_card_numbers(text) == "411111******1111 555555******4444, 378282*****0005"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("4111111111111112", id="wrong check digit"),
        pytest.param("1111111111111117", id="no scheme starts with 1"),
        pytest.param("9111111111111111", id="no scheme starts with 9"),
        pytest.param("411111111116", id="twelve digits"),
        pytest.param("44111111111111111110", id="twenty digits"),
        pytest.param("4111 1111\n1111 1111", id="over a line end"),
        pytest.param("2026-01-31T23:59:59.123456Z", id="time"),
        pytest.param("1769817600123456", id="microseconds since 1970"),
        pytest.param("411111******1111", id="masked already"),
        pytest.param("4f111111-1111-4111-8111-111111111111", id="uuid"),
        pytest.param("41111111-1111-4111-9111-111111111111", id="uuid of digits alone"),
        pytest.param("a" * 8 + "4111111111111111" + "b" * 8, id="digest"),
        pytest.param("", id="nothing"),
    ],
)
def test_false_friend_is_left_alone(text: str) -> None:
    assert find_card_numbers(text) == []
    assert mask_card_numbers(text) == text


@given(uuid=st.uuids())
def test_no_uuid_is_taken_for_a_card_number(uuid: UUID) -> None:
    assert find_card_numbers(f"id {uuid}") == []


@given(digits=st.text("0123456789", min_size=1, max_size=18))
def test_check_digit_is_that_of_luhn(digits: str) -> None:
    right = check_digit(digits)
    assert [last for last in "0123456789" if passes_luhn(digits + last)] == [right]


@given(
    first=st.sampled_from("23456"),
    rest=st.text("0123456789", min_size=11, max_size=17),
    before=st.text('abc{}":, -.', max_size=10),
    behind=st.text('abc{}":, -.', max_size=10),
    cuts=st.sets(st.integers(1, 17)),
    separator=st.sampled_from([" ", "-", ""]),
)
def test_every_number_is_found_and_masked_wherever_it_stands(
    *, first: str, rest: str, before: str, behind: str, cuts: set[int], separator: str
) -> None:
    number = first + rest
    number += check_digit(number)
    groups = "".join((separator if at in cuts else "") + digit for at, digit in enumerate(number))
    text = before + groups + behind
    assert may_hold_card_number(text.encode())
    assert find_card_numbers(text), text
    assert groups not in mask_card_numbers(text)
    assert find_card_numbers(mask_card_numbers(text)) == []


_PIECES = st.one_of(
    st.text("0123456789 -.a", max_size=60),
    st.uuids().map(str),
    st.uuids().map(lambda value: value.hex),
    st.text("0123456789abcdefABCDEF", min_size=30, max_size=140),
    st.sampled_from(["4111111111111111", "4111 1111 1111 1111", "aaaaaaaaaaaaaaaa", " ", "-", '"']),
)


@given(pieces=st.lists(_PIECES, max_size=8))
def test_quick_look_misses_nothing_that_is_found(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert may_hold_card_number(text.encode()) or not find_card_numbers(text)


def test_quick_look_is_not_taken_in_by_a_digest_that_spells_a_card_number() -> None:
    number = "4111111111111111"
    spaced = "4111 1111 1111 1111"
    assert may_hold_card_number(f'"{number}{"a" * 16}", "{spaced} {"a" * 16}"'.encode())


@pytest.mark.parametrize("identifier", [uuid.UUID(int=2**127), uuid.UUID(int=10**38 // 3)])
def test_quick_look_passes_over_uuids_and_digests(identifier: uuid.UUID) -> None:
    digits = "1234567890123"
    assert not may_hold_card_number(f'"{digits}{identifier.hex[13:]}f"'.encode())
    assert not may_hold_card_number(f'"{uuid.UUID(hex=digits + identifier.hex[13:])}"'.encode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            '"sent_at": 1769817600123, "order": "4111111111111112"', id="numbers of 13 on"
        ),
        pytest.param('"session": "3f41111111111112", "n": 1.5E3', id="within a short id"),
        pytest.param("".join(f'"{number:031x}f",' for number in range(1000)), id="many digests"),
    ],
)
def test_quick_look_passes_over_long_numbers_that_are_no_card_numbers(text: str) -> None:
    assert not may_hold_card_number(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            '"sent - at - ": 1769817600123, "n": "4111 1111 1111 1111"', id="behind others"
        ),
        pytest.param('"n": 4.11111111111111E15', id="its last digit in an exponent"),
        pytest.param("[4111111111111111]", id="without any string"),
        pytest.param('"4111111111111111', id="in a string that is not closed"),
    ],
)
def test_quick_look_does_not_pass_over(text: str) -> None:
    assert may_hold_card_number(text.encode())


@pytest.mark.parametrize(
    "text",
    ["4" * 500_000, "4 " * 50_000, "4-" * 50_000, "a" * 500_000, "4111111111111111 " * 20_000],
    ids=["one run", "spaced", "hyphens", "hex", "all cards"],
)
def test_hostile_digits_take_linear_time(text: str) -> None:
    started = time.perf_counter()
    mask_card_numbers(text)
    may_hold_card_number(text.replace(" ", '"').encode())
    assert time.perf_counter() - started < 3
