"""Sequence rules: what follows what, for each subject in the order of event time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from shared_code.domain.windows import Window
from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Condition, Pattern, Rule
from shared_code.rules.fields import FIELDS
from shared_code.rules.findings import Finding
from shared_code.rules.neighbours import (
    earlier_statuses,
    followed_by,
    named_payments,
    previous_payments,
)
from shared_code.rules.outcomes import INDETERMINATE, outcome_number, row_outcomes
from shared_code.rules.paired_columns import paired
from shared_code.rules.rates import Conversion, Converter
from shared_code.rules.rule_parts import (
    columns_read,
    compile_when,
    named,
    not_judged,
    payment_evidence,
    target_currency,
)
from shared_code.rules.subject_events import (
    NOTHING_FOUND,
    CountedEvents,
    StreamResult,
    SubjectEvents,
    named_codes,
    of_subjects,
)
from shared_code.rules.values import CompiledValue, compile_value
from shared_code.rules.window_slices import WINDOW_MICROSECONDS, start_of_window

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Completed:
    """Payments that complete a sequence: positions, values, and what each one followed."""

    rows: Sequence[int]
    values: Sequence[Decimal | None]
    payment_counts: Sequence[int]
    evidence: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """A compiled sequence rule; ``number`` is its position in the document.

    ``partner`` says which payments may be looked at (``previous.when``, ``lookup.when``, or
    ``pattern.first``); ``completes`` which pairs count (``where``), or which payments follow
    (``pattern.then``).
    """

    number: int
    source: Rule
    when: CompiledCondition
    partner: CompiledCondition
    completes: CompiledCondition
    value: CompiledValue
    conversion: Conversion | None

    @property
    def subject_column(self) -> str:
        """The column whose values name the subjects; payments themselves where one is looked up."""
        return FIELDS[self.source.subject or "transaction_id"].column

    def sought(self, columns: Columns) -> Mask:
        """Return at which payments the rule wants the history of the subject."""
        when = self.when(columns).true
        if self.source.pattern is not None:
            when = when & self.completes(columns).true
        return when

    @property
    def columns(self) -> frozenset[str]:
        """The stored columns that the rule reads."""
        return columns_read(self.source)

    def not_judged(self, columns: Columns) -> int:
        """Return how many of some payments lack what the rule needs to judge them."""
        return not_judged(self.when(columns), columns.present(self.subject_column))

    def evaluate(self, columns: Columns, span: Window) -> StreamResult:
        """Return what the rule finds at the payments of a span of time.

        Args:
            columns: every payment of the subjects that have one in the span, from ``source.reach``
                before it on, in key order.
            span: whole five-minute windows.
        """
        events = SubjectEvents.of(columns, self.source.subject)
        judged, partner = self._judged(events, span), self._partner(events, span)
        if not judged.any():
            return NOTHING_FOUND
        if self.source.looks_to_named_payment:
            # Here subjects are payments.
            named = columns.once(named_codes)
            beside = np.isin(events.subjects, named[judged & (named != ABSENT)])
        else:
            named = events.payments
            beside = of_subjects(events.subjects, judged)
        # The events to be judged, and those which they may be looked at beside.
        rows = np.flatnonzero(judged | (partner & beside))
        picked = events.picked(rows)
        return self._evaluate(picked, judged[rows], partner[rows], named[rows]).among(rows)

    def _judged(self, events: SubjectEvents, span: Window) -> Mask:
        """Return which events are judged: at which a sequence may be complete."""
        known = np.not_equal(events.subjects, ABSENT)
        return self.sought(events.columns) & events.inside(span) & known

    def _partner(self, events: SubjectEvents, span: Window) -> Mask:
        """Return which events those that are judged may be looked at beside."""
        partner = self.partner(events.columns).true
        if self.source.pattern is not None:
            partner = partner & self.when(events.columns).true
        return partner & events.inside(Window(span.start - self.source.reach, span.end))

    def _evaluate(
        self, events: SubjectEvents, judged: Mask, partner: Mask, named: Integers
    ) -> StreamResult:
        if self.source.pattern is not None:
            completed = self._after_pattern(events, judged, partner, self.source.pattern)
        else:
            completed = self._beside_partner(events, judged, self._partners(events, partner, named))
        outcomes = [outcome_number(self.source.bands, value) for value in completed.values]
        hits = row_outcomes(completed.rows, outcomes)
        return StreamResult(list(self._findings(events, completed, outcomes)), hits)

    def _after_pattern(
        self, events: SubjectEvents, judged: Mask, first: Mask, pattern: Pattern
    ) -> _Completed:
        columns, within = events.columns, self.source.reach // _MICROSECOND
        rows, counts = followed_by(
            events.times,
            events.subjects,
            events.payments,
            first,
            judged,
            times_needed=pattern.times,
            within=within,
        )
        positions: list[int] = rows.tolist()
        values: Sequence[Decimal | None] = [Decimal(count) for count in counts.tolist()]
        if self.source.value is not None:
            values = self.value(columns, positions)
        members = CountedEvents(events, first)
        evidence = [
            {"payments": events.shown(_before(row, members.members(row, within)), last=[row])}
            for row in positions
        ]
        return _Completed(positions, values, (counts + 1).tolist(), evidence)

    def _beside_partner(
        self, events: SubjectEvents, judged: Mask, partners: Integers
    ) -> _Completed:
        columns = events.columns
        prefix = "previous" if self.source.lookup is None else "original"
        if self.source.lookup is None:
            judged = judged & (partners != ABSENT)
        rows = np.flatnonzero(judged)
        beside: list[int] = partners[rows].tolist()
        pairs = paired(columns, rows.tolist(), beside, prefix)
        holds: list[int] = np.flatnonzero(self.completes(pairs).true).tolist()
        evidence = [
            {
                "payments": [payment_evidence(columns, int(rows[place]))],
                prefix: None
                if beside[place] == ABSENT
                else payment_evidence(columns, beside[place]),
            }
            for place in holds
        ]
        alone = self.source.looks_to_own_past
        counts = [1 if alone or beside[place] == ABSENT else 2 for place in holds]
        return _Completed(rows[holds].tolist(), self.value(pairs, holds), counts, evidence)

    def _partners(self, events: SubjectEvents, counted: Mask, named: Integers) -> Integers:
        """Return the position of what each event is compared with; -1 for nothing."""
        times, payments = events.times, events.payments
        within = self.source.reach // _MICROSECOND
        if self.source.looks_to_named_payment:
            return named_payments(times, payments, counted, named, within)
        if self.source.looks_to_own_past:
            statuses = events.columns.codes("payment_status")
            return earlier_statuses(times, payments, statuses, counted, within)
        return previous_payments(times, events.subjects, payments, counted, within)

    def _findings(
        self, events: SubjectEvents, completed: _Completed, outcomes: Sequence[int]
    ) -> Iterator[Finding]:
        columns, alert = events.columns, self.source.alert
        times = columns.values("event_time")
        subject = () if self.source.subject is None else (self.source.subject,)
        names = (*subject, "transaction_id", "payment_status")
        for row, value, outcome, payment_count, evidence in zip(
            completed.rows,
            completed.values,
            outcomes,
            completed.payment_counts,
            completed.evidence,
            strict=True,
        ):
            if value is None or outcome == INDETERMINATE:
                continue
            if self.conversion is not None:
                rate = self.conversion.rate(columns.values("currency")[row])
                evidence["rate"] = None if rate is None else str(rate)
            yield Finding(
                rule=self.number,
                window_start=start_of_window(int(events.times[row]) // WINDOW_MICROSECONDS),
                dimensions=named(columns, row, names),
                value=value,
                payment_count=payment_count,
                exceeded=alert is not None and alert.passed_by(value),
                outcome=outcome,
                seen=(times[row], times[row]),
                evidence=evidence,
            )


def compile_sequence_rule(
    number: int, rule: Rule, conditions: ConditionCompiler, converter: Converter
) -> SequenceRule:
    """Return a checked sequence rule in the form in which it is run."""
    target = target_currency(rule)
    partner, completes = _parts(rule)
    return SequenceRule(
        number,
        rule,
        compile_when(rule, conditions),
        conditions.compile(partner),
        conditions.compile(completes),
        compile_value(rule.value, converter),
        None if target is None else converter.to(target),
    )


def _parts(rule: Rule) -> tuple[Condition | None, Condition]:
    """Return which payments may be looked at, and what completes the sequence."""
    if rule.pattern is not None:
        return rule.pattern.first, rule.pattern.then
    part = rule.previous or rule.lookup
    if part is None:
        message = f"the sequence rule {rule.id} has none of previous, pattern and lookup"
        raise ValueError(message)
    return part.when, part.where


def _before(row: int, members: Integers) -> Integers:
    """Return those of some ascending rows that lie before a row."""
    return members[: np.searchsorted(members, row)]
