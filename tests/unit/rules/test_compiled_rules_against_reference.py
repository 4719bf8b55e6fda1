"""Compiled rules agree with the plain reference over random documents and payments.

``RULES_CASES`` sets how many documents each test tries; the default keeps the run short.
"""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules import reference_rules
from unit.rules.rule_samples import columns_of, compiled
from unit.rules.rule_strategies import LISTS, payments, transaction_rules, window_rules

CASES = settings(
    max_examples=int(os.environ.get("RULES_CASES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def numbered(rules: list[Any]) -> list[Any]:
    return [rule | {"id": f"rule_{number}"} for number, rule in enumerate(rules)]


@CASES
@given(
    st.lists(transaction_rules(), min_size=1, max_size=4),
    st.lists(payments(largest=10**8), max_size=12),
)
def test_transaction_rules_match_and_value_what_the_reference_does(
    rules: list[Any], sent: list[Any]
) -> None:
    expected = {}
    for number, rule in enumerate(rules):
        for row, payment in enumerate(sent):
            if reference_rules.judge(rule.get("when"), payment, LISTS):
                value = reference_rules.value_of(rule.get("value"), payment)
                expected[number, row] = value
    found = {
        (match.rule, row): value
        for match in compiled(*numbered(rules), lists=LISTS).matches(columns_of(sent))
        for row, value in zip(match.rows, match.values, strict=True)
    }
    assert found == expected


@CASES
@given(
    st.lists(window_rules(), min_size=1, max_size=3),
    st.lists(payments(), max_size=15),
)
def test_window_rules_measure_what_the_reference_does(rules: list[Any], sent: list[Any]) -> None:
    def key(item: tuple[Any, ...]) -> str:
        return repr((item[0], sorted(item[1].items())))

    expected = [
        (number, *measured)
        for number, rule in enumerate(rules)
        for measured in reference_rules.measure(rule, sent, LISTS)
    ]
    window_values = compiled(*numbered(rules), lists=LISTS).window_values(columns_of(sent))
    found = [tuple(value) for value in window_values]
    assert sorted(found, key=key) == sorted(expected, key=key)
