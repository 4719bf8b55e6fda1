"""Amounts are compared exactly, in the minor units of each currency."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import amounts_matched, comparison, payment, verdicts

JPY = ("0", "98", "99", "100", "101", "999999999999999")
USD = ("0.00", "98.99", "99.99", "100.00", "100.01", "9999999999999.99")
KWD = ("0.000", "99.999", "100.000", "100.001", "999999999999.999")
CLF = ("0.0000", "99.9999", "100.0000", "100.0001", "922337203685477.5807")
BY_CURRENCY = {"JPY": JPY, "USD": USD, "KWD": KWD, "CLF": CLF}


@pytest.mark.parametrize(("currency", "amounts"), BY_CURRENCY.items())
@pytest.mark.parametrize(
    "bound",
    [
        "100",
        "99.5",
        "99.99",
        "99.999",
        "99.9999",
        "99.99999",
        "100.000000000000000001",
        "99.999999999999999999",
        "0",
        "0.000000000000000001",
        "-0.000000000000000001",
        "-100",
        "999999999999999999",
        "-999999999999999999",
        "922337203685477.5807",
        "9223372036854775.807",
        "92233720368547758.07",
    ],
)
def test_amounts_are_compared_exactly_whatever_the_bound(
    currency: str, amounts: tuple[str, ...], bound: str
) -> None:
    limit = Decimal(bound)
    expected = {
        "eq": [amount for amount in amounts if Decimal(amount) == limit],
        "ne": [amount for amount in amounts if Decimal(amount) != limit],
        "gt": [amount for amount in amounts if Decimal(amount) > limit],
        "gte": [amount for amount in amounts if Decimal(amount) >= limit],
        "lt": [amount for amount in amounts if Decimal(amount) < limit],
        "lte": [amount for amount in amounts if Decimal(amount) <= limit],
    }
    found = {
        operator: amounts_matched(comparison("amount", operator, limit), currency, *amounts)
        for operator in expected
    }
    assert found == expected


@pytest.mark.parametrize(
    ("bounds", "currency", "expected"),
    [
        (["99", "100"], "JPY", ["99", "100"]),
        (["99.5", "100.5"], "JPY", ["100"]),
        (["99.2", "99.8"], "JPY", []),
        (["99.991", "100.009"], "USD", ["100.00"]),
        (["100", "100"], "CLF", ["100.0000"]),
        (["-5", "-1"], "USD", []),
        (["-5", "0"], "USD", ["0.00"]),
        (["-999999999999999999", "999999999999999999"], "JPY", list(JPY)),
        (["999999999999999998", "999999999999999999"], "CLF", []),
        (["922337203685477", "999999999999999999"], "CLF", ["922337203685477.5807"]),
    ],
)
def test_between_holds_at_both_bounds(
    bounds: list[str], currency: str, expected: list[str]
) -> None:
    condition = comparison("amount", "between", [Decimal(bound) for bound in bounds])
    assert amounts_matched(condition, currency, *BY_CURRENCY[currency]) == expected


@pytest.mark.parametrize(
    ("threshold", "percent", "currency", "near", "others"),
    [
        ("10000", "10", "USD", ["9000.00", "9999.99"], ["8999.99", "10000.00"]),
        ("10000", "10", "JPY", ["9000", "9999"], ["8999", "10000"]),
        ("100", "0.005", "USD", [], ["99.99", "100.00"]),
        ("100", "0.005", "KWD", ["99.995", "99.999"], ["99.994", "100.000"]),
        ("99.5", "1", "JPY", ["99"], ["98", "100"]),
        ("100", "100", "USD", ["0.00", "0.01", "99.99"], ["100.00"]),
    ],
)
def test_near_threshold_is_from_the_percentage_below_up_to_just_below(
    threshold: str, percent: str, currency: str, near: list[str], others: list[str]
) -> None:
    condition = comparison(
        "amount", "near_threshold", Decimal(threshold), within_percent=Decimal(percent)
    )
    assert amounts_matched(condition, currency, *near, *others) == near


@pytest.mark.parametrize(
    ("multiple", "currency", "round_amounts", "others"),
    [
        ("1000", "USD", ["1000.00", "20000.00"], ["0.00", "1000.01", "999.99", "1500.00"]),
        ("1000", "JPY", ["1000", "999999999999000"], ["0", "1", "1500"]),
        ("0.25", "USD", ["0.25", "0.50", "100.00"], ["0.00", "0.01", "0.30"]),
        ("0.015", "USD", ["0.03", "0.06", "0.30"], ["0.01", "0.02", "0.04", "0.00"]),
        ("0.015", "KWD", ["0.015", "0.030"], ["0.010", "0.016"]),
        ("0.001", "USD", ["0.01", "0.02", "7.77"], ["0.00"]),
        ("0.5", "JPY", ["1", "2", "3"], ["0"]),
        ("2.5", "JPY", ["5", "10"], ["1", "2", "3", "4"]),
        ("0.0003", "CLF", ["0.0003", "0.0006"], ["0.0001", "0.0004"]),
        ("999999999999999999", "CLF", [], ["0.0000", "99999999999.9999"]),
        ("0.000000000000000007", "JPY", ["7", "14"], ["1", "6", "8"]),
    ],
)
def test_round_amounts_are_whole_multiples_above_zero_even_of_less_than_a_minor_unit(
    multiple: str, currency: str, round_amounts: list[str], others: list[str]
) -> None:
    condition = comparison("amount", "is_round_amount", Decimal(multiple))
    assert amounts_matched(condition, currency, *round_amounts, *others) == round_amounts


def test_each_payment_is_judged_in_the_minor_units_of_its_own_currency() -> None:
    payments = [
        payment(amount="100", currency="JPY"),
        payment(amount="99.99", currency="USD"),
        payment(amount="100.001", currency="KWD"),
        payment(amount="99.9999", currency="CLF"),
    ]
    condition = comparison("amount", "gte", 100)
    assert verdicts(condition, *payments) == [True, False, True, False]


@pytest.mark.parametrize("stored", ["100", "100.00", "100.0000", "1E+2"])
def test_the_scale_in_which_an_amount_is_stored_does_not_matter(stored: str) -> None:
    conditions: list[Any] = [
        comparison("amount", "eq", 100),
        comparison("amount", "is_round_amount", 50),
    ]
    assert verdicts({"all": conditions}, payment(amount=stored)) == [True]
