"""What adds up from windows is exactly what is measured of all their payments at once."""

import os
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules.rule_samples import NOON, columns_of, comparison, compiled, payment, window_rule

from shared_code.rules.columns import Columns
from shared_code.rules.document import Measure
from shared_code.rules.rolling_up import Measured, added_up, can_be_added_up
from shared_code.rules.window_rules import WindowRule
from shared_code.rules.window_slices import WindowSlice, window_slices

CASES = settings(
    max_examples=int(os.environ.get("RULES_CASES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
FAILED = comparison("payment_status", "eq", "failed")
MEASURES: dict[str, dict[str, Any]] = {
    "count": {"function": "count"},
    "ratio": {"function": "ratio", "of": FAILED},
    "percentage": {"function": "percentage", "of": FAILED},
    **{
        function: {"function": function, "field": "amount"}
        for function in ("sum", "average", "minimum", "maximum")
    },
}
PAYMENTS = st.lists(
    st.builds(
        lambda amount, minutes, status: payment(
            amount=str(Decimal(amount).scaleb(-3)),
            currency="KWD",
            event_time=NOON + timedelta(minutes=minutes),
            payment_status=status,
        ),
        st.integers(0, 10**14),
        st.integers(0, 29),
        st.sampled_from(["completed", "failed"]),
    ),
    min_size=1,
    max_size=20,
)


def compiled_rule(measure: dict[str, Any]) -> WindowRule:
    (rule,) = compiled(window_rule(group_by=["currency"], measure=measure)).window_rules
    return rule


def measured(rule: WindowRule, window: WindowSlice) -> list[Measured]:
    return [Measured(each.value, each.payment_count) for each in rule.findings(window)]


@pytest.mark.parametrize("function", MEASURES)
@CASES
@given(PAYMENTS)
def test_windows_add_up_to_the_whole(function: str, sent: list[Any]) -> None:
    rule = compiled_rule(MEASURES[function])
    columns: Columns = columns_of(sorted(sent, key=lambda each: each["event_time"]))
    windows = [each for window in window_slices(columns) for each in measured(rule, window)]
    (whole,) = measured(rule, WindowSlice(NOON, columns))
    assert rule.source.measure is not None
    assert added_up(rule.source.measure, windows) == whole


@pytest.mark.parametrize(
    ("measure", "adds_up"),
    [
        *((Measure(function), True) for function in ("count", "ratio", "percentage")),
        *((Measure(name, "amount"), True) for name in ("sum", "average", "minimum", "maximum")),
        *((Measure(name, "amount"), False) for name in ("percentile", "standard_deviation")),
        (Measure("distinct_count", "customer.id"), False),
        (Measure("sum", "amount", in_currency="EUR"), True),
        (Measure("average", "amount", in_currency="EUR"), False),
    ],
)
def test_what_does_not_follow_from_windows_is_not_added_up(
    measure: Measure, *, adds_up: bool
) -> None:
    assert can_be_added_up(measure) is adds_up
