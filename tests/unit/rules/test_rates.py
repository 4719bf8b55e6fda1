"""Amounts are converted exactly, rounded half to even, and what has no rate stays unknown."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.rules.rule_samples import (
    columns_of,
    comparison,
    compiled,
    measured,
    payment,
    rule,
    values_of,
    verdicts,
    window_rule,
)

from shared_code.domain.currencies import CURRENCIES
from shared_code.rules.document import Rates
from shared_code.rules.rates import Conversion, Converter

RATES = {
    "base": "EUR",
    "as_of": "2026-01-02",
    "source": "tests",
    "per_base": {"USD": Decimal("1.25"), "JPY": 160, "CLF": Decimal("0.04")},
}
IN_EURO = {"field": "amount", "in_currency": "EUR"}
GREATEST = 2**63 - 1


def conversion(target: str, **per_base: Any) -> Conversion:
    given_rates = {code: Decimal(rate) for code, rate in per_base.items()}
    return Conversion(Rates("EUR", "today", "tests", given_rates), target)


@pytest.mark.parametrize(
    ("amount", "currency", "in_euro"),
    [
        ("12500.00", "USD", "10000.00"),
        ("1600000", "JPY", "10000.00"),
        ("7.77", "EUR", "7.77"),
        ("0.04", "CLF", "1.00"),
        # 1.6 yen are a cent, so that 4 yen are two and a half: the even one of the two is taken.
        ("4", "JPY", "0.02"),
        ("12", "JPY", "0.08"),
        ("20", "JPY", "0.12"),
        ("28", "JPY", "0.18"),
    ],
)
def test_an_amount_is_converted_and_rounded_half_to_even(
    amount: str, currency: str, in_euro: str
) -> None:
    (match,) = compiled(rule(value=IN_EURO), rates=RATES).matches(
        columns_of([payment(amount=amount, currency=currency)])
    )
    assert [str(value) for value in match.values] == [in_euro]


def test_a_currency_without_a_rate_makes_a_comparison_unknown() -> None:
    condition = comparison("amount", "gte", 10, in_currency="EUR")
    payments = [
        payment(amount=amount, currency=currency)
        for amount, currency in [("12.50", "USD"), ("12.49", "USD"), ("99.00", "CHF")]
    ]
    assert verdicts(condition, *payments, rates=RATES) == [True, False, None]


def test_a_value_without_a_rate_is_none_and_the_outcome_indeterminate() -> None:
    rules = compiled(rule(value=IN_EURO), rates=RATES)
    payments = [
        payment(currency="CHF"),
        payment(amount="1.25", currency="USD"),
        payment(currency="EUR"),
    ]
    found = [
        (match.outcome, match.rows, match.values, match.rates)
        for match in rules.matches(columns_of(payments))
    ]
    assert found == [
        (1, [1, 2], [1, 10], [Decimal("0.8"), None]),
        (2, [0], [None], [None]),
    ]


def test_the_rate_is_recorded_where_only_the_condition_converts() -> None:
    when = comparison("amount", "gt", 0, in_currency="EUR")
    (match,) = compiled(rule(when=when), rates=RATES).matches(columns_of([payment(currency="JPY")]))
    assert match.rates == [Decimal("0.00625")]
    (plain,) = compiled(rule()).matches(columns_of([payment()]))
    assert plain.rates is None


def test_a_rate_has_eighteen_digits() -> None:
    euros = conversion("EUR", JPY="3").rate(CURRENCIES["JPY"].number)
    assert euros == Decimal("0.333333333333333333")


def test_a_group_tells_its_rates_and_how_many_amounts_it_could_not_convert() -> None:
    total = window_rule(measure={"function": "sum", "field": "amount", "in_currency": "EUR"})
    payments = [
        payment(amount=amount, currency=currency)
        for amount, currency in [("1.25", "USD"), ("2.00", "EUR"), ("5.00", "CHF"), ("6.00", "CHF")]
    ]
    (found,) = measured(total, *payments, rates=RATES)
    assert (found.value, found.payment_count) == (Decimal(3), 4)
    assert found.evidence == {"in_currency": "EUR", "rates": {"USD": "0.8"}, "not_converted": 2}
    (complete,) = measured(total, *payments[:2], rates=RATES)
    assert "not_converted" not in complete.evidence
    assert measured(total, *payments[2:], rates=RATES) == []


def test_what_is_beyond_64_bits_of_minor_units_is_unknown() -> None:
    dear = conversion("JPY", JPY="1e9", USD="1e-9")
    dollars = np.array([100, 922, 923], dtype=np.int64)
    codes = np.full(3, CURRENCIES["USD"].number, dtype=np.int64)
    converted, known = dear.convert(dollars, codes)
    assert (converted.tolist(), known.tolist()) == ([10**18, 922 * 10**16, 0], [True, True, False])


@given(
    st.lists(st.integers(0, 10**6) | st.integers(0, GREATEST), min_size=1, max_size=9),
    st.sampled_from(["JPY", "USD", "CLF", "EUR"]),
    st.decimals(Decimal("1e-9"), Decimal(10**6), places=9),
)
def test_conversion_is_that_of_exact_fractions(
    amounts: list[int], currency: str, rate: Decimal
) -> None:
    target, source = CURRENCIES["USD"], CURRENCIES[currency]
    rates = {"USD": Decimal("1.0837"), "JPY": Decimal(160), "CLF": Decimal("0.04")}
    if currency != "EUR":
        rates[currency] = rate
    worth = Fraction(rates["USD"]) / Fraction(rates.get(currency, 1))
    scale = Fraction(10**target.minor_unit, 10**source.minor_unit)
    exact = [round(amount * worth * scale) for amount in amounts]
    minor_units = np.array(amounts, dtype=np.int64)
    found = Conversion(Rates("EUR", "today", "tests", rates), "USD").convert(
        minor_units, np.full(len(amounts), source.number, dtype=np.int64)
    )
    assert found.known.tolist() == [amount <= GREATEST for amount in exact]
    assert found.minor_units.tolist() == [amount if amount <= GREATEST else 0 for amount in exact]


def test_a_conversion_is_made_once_for_all_rules_of_a_document() -> None:
    converter = Converter(Rates("EUR", "today", "tests", {"USD": Decimal(1)}))
    assert converter.to("USD") is converter.to("USD")
    columns = columns_of([payment()])
    euros = converter.to("EUR")
    assert euros.of(columns, "amount", "currency") is euros.of(columns, "amount", "currency")


def test_without_rates_there_is_nothing_to_convert_by() -> None:
    with pytest.raises(ValueError, match="no rates to convert to EUR"):
        Converter(None).to("EUR")


def test_plain_amounts_stay_as_they_are() -> None:
    assert values_of({"field": "amount"}, payment(amount="3.30", currency="CHF")) == [
        Decimal("3.30")
    ]
