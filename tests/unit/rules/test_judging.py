"""All rules over many payments: what the plain reference finds, in whatever spans they are cut."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules import reference_streams
from unit.rules.reference_rules import Given
from unit.rules.reference_streams import Fared, Found, in_key_order, window_start
from unit.rules.rule_samples import (
    Payment,
    after,
    columns_of,
    comparison,
    dried,
    payment,
    rule,
    unchecked,
)
from unit.rules.rule_strategies import LISTS, RATES
from unit.rules.stream_strategies import STREAMS, documents, sequence_rules

from shared_code.domain.windows import Window
from shared_code.rules.columns import Columns, Mask
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.dry_run import dry_run
from shared_code.rules.fields import FIELDS, Kind
from shared_code.rules.findings import Finding
from shared_code.rules.judging import HistoryNeed, Judgement, judge
from shared_code.rules.packed import Amounts, Codes, Packed, Texts, Times

CASES = settings(
    max_examples=int(os.environ.get("RULES_CASES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
WINDOW = timedelta(minutes=5)
KINDS = {field.column: field.kind for field in FIELDS.values()}


def found_of(finding: Finding) -> Found:
    dimensions = frozenset(finding.dimensions.items())
    return Found(
        finding.rule,
        finding.window_start,
        dimensions,
        finding.value,
        finding.payment_count,
        finding.exceeded,
        finding.outcome,
        finding.seen,
    )


def by_place(found: Found) -> tuple[Any, ...]:
    dimensions = sorted((name, value or "") for name, value in found.dimensions)
    return found.rule, found.window_start, dimensions, str(found.seen)


def assert_agreement(rules: list[Any], sent: list[Payment], rates: Any) -> None:
    expected, expected_counts = reference_streams.verdicts(rules, sent, Given(LISTS, rates))
    judgements = dry_run(unchecked(*rules, lists=LISTS, rates=rates), columns_of(sent)).judgements
    found = [found_of(finding) for each in judgements for finding in each.findings]
    assert sorted(found, key=by_place) == sorted(expected, key=by_place)
    counts = [
        Fared(count.rule, each.window_start, count.matched, count.indeterminate)
        for each in judgements
        for count in each.counts
    ]
    assert sorted(counts) == sorted(expected_counts)


@CASES
@given(documents(), STREAMS, RATES)
def test_every_scope_finds_what_the_reference_does(
    rules: list[Any], sent: list[Payment], rates: Any
) -> None:
    assert_agreement(rules, sent, rates)


@CASES
@given(st.lists(sequence_rules(), min_size=1, max_size=2), STREAMS, RATES)
def test_sequences_are_those_that_the_reference_finds(
    rules: list[Any], sent: list[Payment], rates: Any
) -> None:
    assert_agreement([each | {"id": f"rule_{at}"} for at, each in enumerate(rules)], sent, rates)


def test_a_payment_that_reports_one_status_twice_in_a_window_is_told_once() -> None:
    names = ("transaction_id", "payment_status")
    graded = rule("graded", value={"field": "amount"}, alert={"operator": "gte", "value": 1})
    score = rule(
        "score",
        scope="score",
        terms=[{"rule": "graded", "points": 1}, {"rule": "large", "points": 5}],
        bands=[{"outcome": "low", "below": 5, "reason": "a first hint"}],
        alert={"operator": "gte", "value": 5},
    )
    large = rule("large", when=comparison("amount", "gte", 100))
    events = [
        payment(event_time=after(minutes), amount=amount)
        for minutes, amount in [(0, "10.00"), (1, "100.00"), (2, "200.00"), (5, "300.00")]
    ]
    first, second = dried([graded, large, score], *events).judgements
    for judgement in (first, second):
        assert [each.rule for each in judgement.findings] == [0, 2]
        assert all(tuple(each.dimensions) == names for each in judgement.findings)
    assert [each.value for each in first.findings] == [10, 6]
    assert [each.seen for each in first.findings] == [(after(0), after(2))] * 2
    assert first.findings[1].evidence["payments"][0]["amount"] == "100.00"
    assert first.counts[0].matched == 3


class PaymentsKept:
    """Payments as a database keeps them: it gives those of some subjects and of a span of time."""

    def __init__(self, payments: Sequence[Payment]) -> None:
        self.payments = in_key_order(payments)
        self.columns = columns_of(self.payments)

    def picked(self, keep: Sequence[bool] | Mask) -> Columns:
        return self.columns.picked(np.flatnonzero(np.array(keep, dtype=np.bool_)))

    def between(self, start: datetime, end: datetime) -> Columns:
        return self.picked([start <= payment["event_time"] < end for payment in self.payments])

    def history(self, needs: Sequence[HistoryNeed]) -> Columns:
        """Return what is asked for and not a column more."""
        names = frozenset[str]().union(*(need.names for need in needs))
        wanted = np.zeros(self.columns.size, dtype=np.bool_)
        for need in needs:
            times = (payment["event_time"] for payment in self.payments)
            subjects = self.columns.values(need.column)
            wanted |= [
                subject in need.subjects and need.span.start <= time < need.span.end
                for subject, time in zip(subjects, times, strict=True)
            ]
        rows = self.picked(wanted)

        def values(column: str) -> Sequence[Any]:
            assert column in names, f"{column} is read, but was not asked for"
            return rows.values(column)

        return Columns(rows.size, values)


def judged_in_spans(
    rules: CompiledRules, kept: PaymentsKept, edges: Sequence[datetime]
) -> list[Judgement]:
    return [
        judgement
        for start, end in pairwise(edges)
        for judgement in judge(rules, kept.between(start, end), kept.history, Window(start, end))
    ]


@CASES
@given(documents(), STREAMS, RATES, st.data())
def test_judging_in_any_spans_finds_what_judging_all_at_once_does(
    rules: list[Any], sent: list[Payment], rates: Any, data: st.DataObject
) -> None:
    compiled_rules = unchecked(*rules, lists=LISTS, rates=rates)
    starts = sorted({window_start(payment) for payment in sent})
    ends = [] if not starts else [starts[0] + WINDOW * step for step in range(1, 12)]
    cuts = [end for end in ends[:-1] if data.draw(st.booleans())]
    edges = [*starts[:1], *cuts, *ends[-1:]]
    found = judged_in_spans(compiled_rules, PaymentsKept(sent), edges)
    assert found == dry_run(compiled_rules, columns_of(sent)).judgements


def packed_like(columns: Columns) -> Columns:
    """Return columns as they are read from the database: in arrays."""

    def values(column: str) -> Packed:
        stored, kind = columns.values(column), KINDS[column]
        if kind is Kind.text:
            texts = [(value or "").encode() for value in stored]
            return Texts(np.array(texts, dtype=np.bytes_))
        if kind is Kind.time:
            return Times(columns.microseconds(column))
        if kind is Kind.money:
            return Amounts(columns.minor_units(column), columns.exponents())
        return Codes(columns.codes(column))

    return Columns(columns.size, values)


@CASES
@given(documents(), STREAMS, RATES, st.data())
def test_payments_in_arrays_are_judged_beside_their_past_as_payments_in_lists_are(
    rules: list[Any], sent: list[Payment], rates: Any, data: st.DataObject
) -> None:
    compiled_rules = unchecked(*rules, lists=LISTS, rates=rates)
    kept = PaymentsKept(sent)
    in_arrays = PaymentsKept(sent)
    in_arrays.columns = packed_like(kept.columns)
    start = min(map(window_start, sent), default=after(0))
    edges = [start, start + WINDOW * data.draw(st.integers(1, 6)), start + WINDOW * 12]
    assert judged_in_spans(compiled_rules, in_arrays, edges) == judged_in_spans(
        compiled_rules, kept, edges
    )
