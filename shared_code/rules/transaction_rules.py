"""Transaction rules: a value and an outcome for each payment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from shared_code.rules.columns import Columns, present
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Rule
from shared_code.rules.findings import Finding, Matches
from shared_code.rules.outcomes import (
    INDETERMINATE,
    MATCHED,
    RowOutcomes,
    outcome_number,
    row_outcomes,
)
from shared_code.rules.rates import Conversion, Converter
from shared_code.rules.rule_parts import (
    compile_when,
    named,
    payment_evidence,
    target_currency,
)
from shared_code.rules.values import CompiledValue, compile_value
from shared_code.rules.window_slices import WindowSlice

_PAYMENT = ("transaction_id", "payment_status")


@dataclass(frozen=True, slots=True)
class TransactionRule:
    """A compiled transaction rule; ``number`` is its position in the document."""

    number: int
    source: Rule
    when: CompiledCondition
    value: CompiledValue
    conversion: Conversion | None

    def matches(self, columns: Columns) -> Iterator[Matches]:
        """Yield the payments that the rule matches or cannot judge, one item for each outcome."""
        verdict = self.when(columns)
        rows: list[int] = verdict.true.nonzero()[0].tolist()
        if rows:
            yield from self._by_outcome(columns, rows, self.value(columns, rows))
        if self.source.indeterminate == "record":
            unknown: list[int] = (~(verdict.true | verdict.false)).nonzero()[0].tolist()
            if unknown:
                yield Matches(self.number, unknown, [None] * len(unknown), INDETERMINATE)

    def judged(self, window: WindowSlice) -> tuple[RowOutcomes, Sequence[Finding]]:
        """Return what the rule says of a window's payments, and those that are worth an alert."""
        columns = window.columns
        if self.source.alert is not None or self.source.bands:
            matches = list(self.matches(columns))
            rows = [row for match in matches for row in match.rows]
            outcomes = [match.outcome for match in matches for _ in match.rows]
            return row_outcomes(rows, outcomes), list(self.alerts(window, matches))
        # Nothing looks at the values but whether there are any.
        verdict = self.when(columns)
        matching = np.flatnonzero(verdict.true)
        known = present(self.value(columns, matching))
        unknown = np.zeros(0, dtype=np.int64)
        if self.source.indeterminate == "record":
            unknown = np.flatnonzero(~(verdict.true | verdict.false))
        found = np.full(matching.size + unknown.size, INDETERMINATE, dtype=np.int64)
        found[: matching.size][known] = MATCHED
        return RowOutcomes(np.concatenate((matching, unknown)), found), ()

    def _by_outcome(
        self, columns: Columns, rows: list[int], values: Sequence[Decimal | None]
    ) -> Iterator[Matches]:
        rates = _rates(columns, rows, self.conversion)
        # "None in values" would compare each Decimal with None, at forty times the price.
        if not self.source.bands and all(value is not None for value in values):
            yield Matches(self.number, rows, values, MATCHED, rates)
            return
        outcomes = [outcome_number(self.source.bands, value) for value in values]
        for outcome in sorted(set(outcomes)):
            at = [place for place, found in enumerate(outcomes) if found == outcome]
            yield Matches(
                self.number,
                [rows[place] for place in at],
                [values[place] for place in at],
                outcome,
                None if rates is None else [rates[place] for place in at],
            )

    def alerts(self, window: WindowSlice, matches: Sequence[Matches]) -> Iterator[Finding]:
        """Yield a finding for each payment of a window whose value passes the alert's threshold.

        Args:
            window: the payments that were matched.
            matches: of this rule over the window.
        """
        alert = self.source.alert
        if alert is None:
            return
        columns = window.columns
        for _, rows, values, outcome, rates in matches:
            for place, (row, value) in enumerate(zip(rows, values, strict=True)):
                if value is None or not alert.passed_by(value):
                    continue
                seen = columns.values("event_time")[row]
                evidence: dict[str, Any] = {"payments": [payment_evidence(columns, row)]}
                if rates is not None and rates[place] is not None:
                    evidence["rate"] = str(rates[place])
                yield Finding(
                    rule=self.number,
                    window_start=window.start,
                    dimensions=named(columns, row, _PAYMENT),
                    value=value,
                    payment_count=1,
                    exceeded=True,
                    outcome=outcome,
                    seen=(seen, seen),
                    evidence=evidence,
                )


def compile_transaction_rule(
    number: int, rule: Rule, conditions: ConditionCompiler, converter: Converter
) -> TransactionRule:
    """Return a checked transaction rule in the form in which it is run."""
    target = target_currency(rule)
    return TransactionRule(
        number,
        rule,
        compile_when(rule, conditions),
        compile_value(rule.value, converter),
        None if target is None else converter.to(target),
    )


def _rates(
    columns: Columns, rows: Sequence[int], conversion: Conversion | None
) -> Sequence[Decimal | None] | None:
    if conversion is None:
        return None
    currencies = columns.codes("currency")[rows]
    rates = {number: conversion.rate(number) for number in np.unique(currencies).tolist()}
    return [rates[number] for number in currencies.tolist()]
