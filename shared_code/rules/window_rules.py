"""Window rules: a value for each group of the payments of a five-minute window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns, Integers
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Measure, Rule
from shared_code.rules.findings import Finding
from shared_code.rules.measures import CompiledMeasure, Group, compile_measure, groups_of
from shared_code.rules.outcomes import outcome_number
from shared_code.rules.rates import Conversion, Converter
from shared_code.rules.rule_parts import compile_when
from shared_code.rules.window_slices import WindowSlice


@dataclass(frozen=True, slots=True)
class WindowRule:
    """A compiled window rule; ``number`` is its position in the document."""

    number: int
    source: Rule
    when: CompiledCondition
    measure: CompiledMeasure
    conversion: Conversion | None

    def findings(self, window: WindowSlice) -> Iterator[Finding]:
        """Yield what the rule measures in each group of a window."""
        columns = window.columns
        for group in groups_of(columns, self.when(columns).true, self.source.group_by):
            value = self.measure(columns, group)
            if value is None:
                continue
            size, alert = int(group.rows.size), self.source.alert
            yield Finding(
                rule=self.number,
                window_start=window.start,
                dimensions=group.dimensions,
                value=value,
                payment_count=size,
                exceeded=alert is not None
                and size >= alert.minimum_payments
                and alert.passed_by(value),
                outcome=outcome_number(self.source.bands, value),
                evidence=self._evidence(columns, group),
            )

    def _evidence(self, columns: Columns, group: Group) -> dict[str, Any]:
        if self.conversion is None:
            return {}
        return conversion_evidence(columns, group.rows, self.conversion)


def compile_window_rule(
    number: int, rule: Rule, measure: Measure, conditions: ConditionCompiler, converter: Converter
) -> WindowRule:
    """Return a checked window rule in the form in which it is run."""
    return WindowRule(
        number,
        rule,
        compile_when(rule, conditions),
        compile_measure(measure, conditions.compile(measure.of), converter),
        None if measure.in_currency is None else converter.to(measure.in_currency),
    )


def conversion_evidence(columns: Columns, rows: Integers, conversion: Conversion) -> dict[str, Any]:
    """Return the rates that were used, and how many amounts could not be converted."""
    numbers = np.unique(columns.codes("currency")[rows]).tolist()
    used = {CURRENCY_BY_NUMBER[number].code: conversion.rate(number) for number in numbers}
    known = conversion.of(columns, "amount", "currency").known[rows]
    evidence: dict[str, Any] = {
        "in_currency": conversion.target.code,
        "rates": {code: str(rate) for code, rate in used.items() if rate is not None},
    }
    if not known.all():
        evidence["not_converted"] = int((~known).sum())
    return evidence
