"""The value of a transaction rule: amounts, numbers and exact arithmetic."""

from decimal import Decimal
from typing import Any

import pytest
from unit.rules.rule_samples import columns_of, comparison, compiled, payment, rule, values_of

AMOUNT = {"field": "amount"}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (None, "1"),
        (7, "7"),
        (Decimal("0.1"), "0.1"),
        (-3, "-3"),
        (AMOUNT, "10.50"),
        ({"add": [AMOUNT, Decimal("0.1")]}, "10.60"),
        ({"subtract": [AMOUNT, 20]}, "-9.50"),
        ({"multiply": [AMOUNT, Decimal("0.1")]}, "1.050"),
        ({"divide": [AMOUNT, 4]}, "2.625"),
        ({"divide": [1, 3]}, "0.3333333333333333333333333333333333"),
        ({"add": [{"multiply": [AMOUNT, 2]}, {"divide": [AMOUNT, 2]}]}, "26.25"),
        ({"add": [Decimal("0.1"), Decimal("0.2")]}, "0.3"),
    ],
)
def test_a_value_is_reckoned_exactly_in_decimals(tree: Any, expected: str) -> None:
    assert values_of(tree, payment(amount="10.50")) == [Decimal(expected)]


def test_the_square_of_the_greatest_amount_keeps_every_digit() -> None:
    greatest = payment(amount="999999999999999", currency="JPY")
    product = values_of({"multiply": [AMOUNT, AMOUNT]}, greatest)
    assert product == [Decimal(999999999999999**2)]


def test_a_value_keeps_the_scale_of_its_amount() -> None:
    (value,) = values_of(AMOUNT, payment(amount="10.50"))
    assert str(value) == "10.50"


@pytest.mark.parametrize(
    "tree",
    [
        {"divide": [100, AMOUNT]},
        {"divide": [AMOUNT, {"subtract": [AMOUNT, AMOUNT]}]},
        {"add": [1, {"divide": [1, AMOUNT]}]},
        {"divide": [{"divide": [1, AMOUNT]}, 2]},
    ],
)
def test_a_division_by_zero_has_no_value_but_the_payment_still_matches(tree: Any) -> None:
    assert values_of(tree, payment(amount="0.00")) == [None]


def test_only_the_payments_that_match_have_values_in_their_order() -> None:
    rules = compiled(rule(when=comparison("amount", "gte", 5), value=AMOUNT))
    payments = [payment(amount=amount) for amount in ("9.00", "1.00", "5.00")]
    (match,) = rules.matches(columns_of(payments))
    assert (match.rows, match.values) == ([0, 2], [Decimal("9.00"), Decimal("5.00")])
