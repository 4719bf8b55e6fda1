"""Compiled rules agree with the plain reference over random documents and payments.

``RULES_CASES`` sets how many documents each test tries; the default keeps the run short.
"""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules import reference_rules
from unit.rules.reference_rules import Given
from unit.rules.rule_samples import NOON, columns_of, unchecked
from unit.rules.rule_strategies import LISTS, RATES, payments, transaction_rules, window_rules

from shared_code.rules.window_slices import WindowSlice

CASES = settings(
    max_examples=int(os.environ.get("RULES_CASES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def numbered(rules: list[Any]) -> list[Any]:
    return [rule | {"id": f"rule_{number}"} for number, rule in enumerate(rules)]


@CASES
@given(
    st.lists(transaction_rules(), min_size=1, max_size=4),
    st.lists(payments(largest=10**8), max_size=12),
    RATES,
)
def test_transaction_rules_tell_what_the_reference_does(
    rules: list[Any], sent: list[Any], rates: Any
) -> None:
    words = Given(LISTS, rates)
    expected = {
        (number, row): told
        for number, rule in enumerate(rules)
        for row, payment in enumerate(sent)
        if (told := reference_rules.told(rule, payment, words)) is not None
    }
    found = {
        (match.rule, row): (
            match.outcome,
            match.values[place],
            None if match.rates is None else match.rates[place],
        )
        for match in unchecked(*numbered(rules), lists=LISTS, rates=rates).matches(columns_of(sent))
        for place, row in enumerate(match.rows)
    }
    assert found == expected


@CASES
@given(
    st.lists(window_rules(), min_size=1, max_size=3),
    st.lists(payments(), max_size=15),
    RATES,
)
def test_window_rules_measure_what_the_reference_does(
    rules: list[Any], sent: list[Any], rates: Any
) -> None:
    window = WindowSlice(NOON, columns_of(sent))
    compiled_rules = unchecked(*numbered(rules), lists=LISTS, rates=rates)
    for rule, compiled_rule in zip(rules, compiled_rules.window_rules, strict=True):
        expected = {
            tuple(measured.dimensions.items()): measured
            for measured in reference_rules.measure(rule, sent, Given(LISTS, rates))
        }
        for finding in compiled_rule.findings(window):
            measured = expected.pop(tuple(finding.dimensions.items()))
            assert finding.value == measured.value
            assert finding.payment_count == measured.payment_count
            assert finding.exceeded == measured.exceeded
            assert finding.outcome == measured.outcome
        assert not expected
