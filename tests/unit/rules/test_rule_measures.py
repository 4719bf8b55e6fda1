"""What window rules measure: groups, exact figures, and alerts."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.rules.rule_samples import (
    NOON,
    Payment,
    columns_of,
    comparison,
    compiled,
    measured,
    payment,
    window_rule,
)

from shared_code.rules.measures import exact_sum, nearest_rank
from shared_code.rules.window_slices import WindowSlice

FAILED = comparison("payment_status", "eq", "failed")


def of_amounts(function: str, amounts: Sequence[str], currency: str = "USD", **more: Any) -> Any:
    """Return the one value that a measure gives for amounts of one currency."""
    measure = {"function": function, "field": "amount", **more}
    window = window_rule(measure=measure, group_by=["currency"])
    payments = [payment(amount=amount, currency=currency) for amount in amounts]
    (found,) = measured(window, *payments)
    assert (found.dimensions, found.payment_count) == ({"currency": currency}, len(amounts))
    return found.value


@pytest.mark.parametrize(
    ("function", "currency", "amounts", "expected"),
    [
        ("sum", "USD", ["0.10", "0.20", "0.00"], "0.30"),
        ("sum", "JPY", ["1", "2"], "3"),
        ("sum", "CLF", ["0.0001", "1.0000"], "1.0001"),
        ("average", "USD", ["0.01", "0.02"], "0.015"),
        ("average", "JPY", ["1", "1", "2"], "1.333333333333333333333333333"),
        ("minimum", "KWD", ["1.002", "1.001"], "1.001"),
        ("maximum", "KWD", ["1.002", "1.001"], "1.002"),
        ("maximum", "JPY", ["0"], "0"),
    ],
)
def test_figures_of_amounts_are_exact(
    function: str, currency: str, amounts: list[str], expected: str
) -> None:
    assert of_amounts(function, amounts, currency) == Decimal(expected)


def test_a_sum_goes_beyond_64_bits_without_losing_a_cent() -> None:
    greatest = "922337203685477.5807"
    total = of_amounts("sum", [greatest] * 10_001, "CLF")
    assert total == 10_001 * Decimal(greatest)
    average = of_amounts("average", [greatest] * 10_001, "CLF")
    assert average == Decimal(greatest)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["2.00", "4.00"], "1"),
        (["0.01", "0.02", "0.03"], "0.008164965809277260327324280249"),
        (["922337203685477.58", "922337203685477.56"], "0.01"),
        (["7.77"], "0"),
    ],
)
def test_the_standard_deviation_is_that_of_the_whole_group(
    amounts: list[str], expected: str
) -> None:
    assert of_amounts("standard_deviation", amounts) == Decimal(expected)


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=50))
def test_exact_sum_is_pythons_sum(amounts: list[int]) -> None:
    assert exact_sum(np.array(amounts, dtype=np.int64)) == sum(amounts)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=40),
    st.decimals(Decimal("0.01"), 100, places=2),
)
def test_a_percentile_is_the_first_value_whose_rank_reaches_the_share(
    amounts: list[int], percentile: Decimal
) -> None:
    """PostgreSQL: percentile_disc gives the first value whose cumulative share is enough."""
    share = Fraction(percentile) / 100
    ordered = sorted(amounts)
    expected = next(
        value
        for position, value in enumerate(ordered, 1)
        if Fraction(position, len(ordered)) >= share
    )
    assert nearest_rank(np.array(amounts, dtype=np.int64), share) == expected


@pytest.mark.parametrize(
    ("percentile", "count", "rank"),
    [
        (50, 1, 1),
        (50, 2, 1),
        (50, 3, 2),
        (95, 10, 10),
        (95, 20, 19),
        (95, 21, 20),
        (100, 7, 7),
        (Decimal("0.1"), 100, 1),
        (Decimal("99.9"), 1000, 999),
        (Decimal("99.9"), 1001, 1000),
    ],
)
def test_a_percentile_is_an_amount_that_was_paid(percentile: Any, count: int, rank: int) -> None:
    amounts = [str(amount) for amount in range(count, 0, -1)]
    assert of_amounts("percentile", amounts, "JPY", percentile=percentile) == rank


@pytest.mark.parametrize(
    ("function", "failed", "of", "expected"),
    [
        ("ratio", 1, 4, "0.25"),
        ("ratio", 0, 3, "0"),
        ("ratio", 1, 3, "0.3333333333333333333333333333"),
        ("percentage", 1, 8, "12.5"),
        ("percentage", 2, 3, "66.66666666666666666666666667"),
    ],
)
def test_shares_count_the_payments_for_which_the_condition_holds(
    function: str, failed: int, of: int, expected: str
) -> None:
    payments = [payment(payment_status="failed")] * failed + [payment()] * (of - failed)
    (value,) = measured(window_rule(measure={"function": function, "of": FAILED}), *payments)
    assert (value.value, value.payment_count) == (Decimal(expected), of)


def test_a_payment_for_which_the_condition_is_unknown_counts_below_the_line_only() -> None:
    of = {"not": comparison("customer.country", "eq", "DE")}
    payments = [payment(), payment(customer_country="US")]
    (value,) = measured(window_rule(measure={"function": "ratio", "of": of}), *payments)
    assert value.value == Decimal("0.5")


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("customer.id", ["a", "b", "a", None], 2),
        ("customer.country", ["DE", "US", "DE", None], 2),
        ("merchant.id", [None, None], 0),
        ("amount", ["1.00", "1.0", "2.00"], 2),
    ],
)
def test_distinct_count_leaves_absent_values_out(
    field: str, values: list[Any], expected: int
) -> None:
    payments: list[Payment] = [{**payment(), field: value} for value in values]
    if field == "amount":
        payments = [payment(amount=value) for value in values]
    window = window_rule(measure={"function": "distinct_count", "field": field})
    (value,) = measured(window, *payments)
    assert (value.value, value.payment_count) == (Decimal(expected), len(values))


def test_only_matching_payments_are_grouped_and_no_match_gives_no_row() -> None:
    payments = [payment(payment_status="failed"), payment(), payment()]
    (value,) = measured(window_rule(when=FAILED), *payments)
    assert (value.value, value.payment_count, value.dimensions) == (Decimal(1), 1, {})
    assert measured(window_rule(when=FAILED), payment()) == []
    assert measured(window_rule()) == []


def test_groups_are_named_as_rules_name_values_in_ascending_order_missing_ones_last() -> None:
    payments: list[Payment] = [
        payment(merchant_country=country, channel=channel)
        for country, channel in [
            (None, None),
            ("US", "web"),
            ("DE", None),
            ("DE", "web"),
            ("US", "web"),
            (None, "atm"),
            ("DE", "atm"),
        ]
    ]
    window = window_rule(group_by=["merchant.country", "channel"])
    found = [
        (*value.dimensions.values(), int(value.value)) for value in measured(window, *payments)
    ]
    assert found == [
        ("DE", "atm", 1),
        ("DE", "web", 1),
        ("DE", None, 1),
        ("US", "web", 2),
        (None, "atm", 1),
        (None, None, 1),
    ]
    assert all(
        list(value.dimensions) == ["merchant.country", "channel"]
        for value in measured(window, *payments)
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merchant.mcc", "0042"),
        ("currency", "KWD"),
        ("payment_method", "cash_equivalent"),
        ("customer.email_domain", "example.com"),
        ("card.last4", "0042"),
    ],
)
def test_every_kind_of_field_can_make_groups(field: str, value: str) -> None:
    (found,) = measured(window_rule(group_by=[field]), {**payment(), field: value})
    assert found.dimensions == {field: value}


@pytest.mark.parametrize(
    ("operator", "threshold", "exceeded"),
    [
        ("gt", 2, [False, False, True]),
        ("gte", 2, [False, True, True]),
        ("lt", 2, [True, False, False]),
        ("lte", 2, [True, True, False]),
        ("gt", Decimal("1.5"), [False, True, True]),
    ],
)
def test_an_alert_compares_the_value_with_its_threshold(
    operator: str, threshold: Any, exceeded: list[bool]
) -> None:
    payments = [
        payment(channel=channel)
        for channel, count in (("api", 1), ("atm", 2), ("web", 3))
        for _ in range(count)
    ]
    alert = {"operator": operator, "value": threshold}
    values = measured(window_rule(group_by=["channel"], alert=alert), *payments)
    assert [value.exceeded for value in values] == exceeded


@pytest.mark.parametrize(("minimum", "exceeded"), [(1, True), (3, True), (4, False)])
def test_groups_with_fewer_than_the_minimum_of_payments_raise_no_alert(
    minimum: int, *, exceeded: bool
) -> None:
    alert = {"operator": "gte", "value": 0, "minimum_payments": minimum}
    (value,) = measured(window_rule(alert=alert), payment(), payment(), payment())
    assert value.exceeded is exceeded


def test_without_an_alert_nothing_is_exceeded() -> None:
    (value,) = measured(window_rule(), payment())
    assert value.exceeded is False


def test_a_numerator_is_evaluated_once_for_all_groups() -> None:
    of = comparison("merchant.country", "eq", "DE")
    window = window_rule(group_by=["customer.id"], measure={"function": "ratio", "of": of})
    asked: list[str] = []
    columns = columns_of([payment(customer_id=str(number)) for number in range(100)])
    stored = columns._values

    def counting(column: str) -> Sequence[Any]:
        asked.append(column)
        return stored(column)

    columns._values = counting
    (ratios,) = compiled(window).window_rules
    assert len(list(ratios.findings(WindowSlice(NOON, columns)))) == 100
    assert sorted(asked) == ["customer_id", "merchant_country"]
