from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.money import MAX_MINOR_UNITS, parse_amount, to_minor_units
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason


def amount(json_text: str, currency: str = "EUR") -> Decimal:
    return parse_amount(json_text.encode(), CURRENCIES[currency])


def refusal(json_text: str, currency: str = "EUR") -> EventRefused:
    with pytest.raises(EventRefused) as caught:
        amount(json_text, currency)
    return caught.value


@pytest.mark.parametrize(
    ("json_text", "currency", "expected"),
    [
        ('"10.50"', "EUR", "10.50"),
        ("10.5", "EUR", "10.50"),
        ("0.1", "EUR", "0.10"),
        ('"0.1"', "USD", "0.10"),
        ('"1200"', "JPY", "1200"),
        ('"1200.00"', "JPY", "1200"),
        ("0.001", "KWD", "0.001"),
        ('"1.2345"', "CLF", "1.2345"),
        ('"0"', "JPY", "0"),
        ("0", "KWD", "0.000"),
        ('"010.500"', "USD", "10.50"),
        ('"00000000000000000000000000000001"', "EUR", "1.00"),
        ('"1.00000000000000000000000000000"', "EUR", "1.00"),
        ('"-0"', "EUR", "0.00"),
        ("-0.00", "EUR", "0.00"),
        ("1e2", "EUR", "100.00"),
        ("1.5E+1", "EUR", "15.00"),
        ("1050e-2", "EUR", "10.50"),
        ("5e-1", "EUR", "0.50"),
        ("0e99", "EUR", "0.00"),
        ("1e3", "JPY", "1000"),
    ],
)
def test_amount_is_read_exactly_at_the_scale_of_its_currency(
    json_text: str, currency: str, expected: str
) -> None:
    parsed = amount(json_text, currency)
    assert str(parsed) == expected


@pytest.mark.parametrize(
    ("json_text", "currency"),
    [
        ('"999999999999999"', "JPY"),
        ("999999999999999", "JPY"),
        ('"9999999999999.99"', "EUR"),
        ("999999999999.999", "KWD"),
        ('"99999999999.9999"', "CLF"),
    ],
)
def test_fifteen_digits_are_kept_to_the_last(json_text: str, currency: str) -> None:
    assert str(amount(json_text, currency)) == json_text.strip('"')


@pytest.mark.parametrize(
    ("json_text", "currency", "reason"),
    [
        ('"1000000000000000"', "JPY", RejectReason.too_many_digits),
        ("99999999999999.99", "EUR", RejectReason.too_many_digits),
        ("1e15", "JPY", RejectReason.too_many_digits),
        ("1e999", "JPY", RejectReason.too_many_digits),
        ("9" * 5000, "JPY", RejectReason.too_many_digits),
        (f'"{"9" * 5000}"', "JPY", RejectReason.too_many_digits),
        ('"1.5"', "JPY", RejectReason.too_many_decimals),
        ("10.501", "EUR", RejectReason.too_many_decimals),
        ('"0.0001"', "KWD", RejectReason.too_many_decimals),
        ('"0.00001"', "CLF", RejectReason.too_many_decimals),
        ("1e-3", "EUR", RejectReason.too_many_decimals),
        ("1e-999", "EUR", RejectReason.too_many_decimals),
        ("0." + "1" * 5000, "EUR", RejectReason.too_many_decimals),
        ('"-0.01"', "EUR", RejectReason.negative_amount),
        ("-1", "EUR", RejectReason.negative_amount),
        ("-1e2", "EUR", RejectReason.negative_amount),
    ],
)
def test_amount_that_money_cannot_hold_is_refused_by_its_reason(
    json_text: str, currency: str, reason: RejectReason
) -> None:
    assert refusal(json_text, currency).reason is reason


@pytest.mark.parametrize(
    "json_text",
    [
        '"NaN"', "NaN", '"Infinity"', '"inf"', "-Infinity", '"1_000"', '"1,50"', '"1 000"',
        '" 1"', '"1 "', '"1\\n"', '"+1"', '"٤٢"', '"\uff11"', '""', '"."', '"1."', '".5"', '"1e2"',
        '"0x10"', '"--1"', "01", "true", "null", "{}", "[]", "[1]", '{"value": 1}', '"EUR 1"',
        "1e9999", "1" * 31 + "e1", "",
    ],
)  # fmt: skip
def test_what_is_no_plain_decimal_is_refused(json_text: str) -> None:
    assert refusal(json_text).reason is RejectReason.invalid_amount


def test_refusal_shows_a_short_token_whole() -> None:
    assert refusal('"1,50"').detail == 'expected a decimal such as "10.50", found "1,50"'


def test_refusal_never_shows_a_part_of_a_long_token() -> None:
    detail = refusal('"paid by the card 41111111111111111111111"').detail
    assert detail == 'expected a decimal such as "10.50", found 42 bytes of text'


def test_amount_beyond_sixty_four_bits_of_minor_units_is_refused() -> None:
    assert to_minor_units(amount('"922337203685477"', "CLF"), CURRENCIES["CLF"]) <= MAX_MINOR_UNITS
    assert refusal('"922337203685478"', "CLF").reason is RejectReason.too_many_digits


@given(
    minor_units=st.integers(0, 10**15 - 1),
    currency=st.sampled_from(sorted(CURRENCIES)),
    zeros_before=st.integers(0, 20),
    zeros_behind=st.integers(0, 20),
    quoted=st.booleans(),
)
def test_every_amount_survives_the_way_through_json(
    *, minor_units: int, currency: str, zeros_before: int, zeros_behind: int, quoted: bool
) -> None:
    scale = CURRENCIES[currency].minor_unit
    digits = str(minor_units).rjust(scale + 1, "0")
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    text = whole
    if fraction or zeros_behind:
        text += "." + fraction + "0" * zeros_behind
    json_text = f'"{"0" * zeros_before}{text}"' if quoted else text
    parsed = amount(json_text, currency)
    assert to_minor_units(parsed, CURRENCIES[currency]) == minor_units
    assert -parsed.as_tuple().exponent == scale
