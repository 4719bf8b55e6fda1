"""Velocity rules: a sliding window over each subject's payments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.windows import Window
from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import AlertThreshold, Measure, Rule
from shared_code.rules.fields import FIELDS
from shared_code.rules.findings import Finding
from shared_code.rules.outcomes import MATCHED, outcome_number, row_outcomes
from shared_code.rules.rates import Conversion, Converter
from shared_code.rules.rule_parts import columns_read, compile_when, named, not_judged
from shared_code.rules.sliding import sliding_values
from shared_code.rules.subject_events import (
    NOTHING_FOUND,
    CountedEvents,
    StreamResult,
    SubjectEvents,
    of_subjects,
)
from shared_code.rules.window_rules import conversion_evidence
from shared_code.rules.window_slices import WINDOW_MICROSECONDS, start_of_window

type Floats = NDArray[np.float64]

_MICROSECOND: Final = timedelta(microseconds=1)
# More than floats lose in adding up any number of amounts.
_UPWARDS: Final = 1 + 1e-6
_FALLING: Final = frozenset({"lt", "lte"})


@dataclass(frozen=True, slots=True)
class VelocityRule:
    """A compiled velocity rule; ``number`` is its position in the document."""

    number: int
    source: Rule
    when: CompiledCondition
    measure: Measure
    conversion: Conversion | None

    @property
    def subject_column(self) -> str:
        """The column whose values name the subjects."""
        return FIELDS[self.source.subject or ""].column

    def sought(self, columns: Columns) -> Mask:
        """Return at which payments the rule wants the history of the subject."""
        return self.when(columns).true

    @property
    def columns(self) -> frozenset[str]:
        """The stored columns that the rule reads."""
        return columns_read(self.source)

    def not_judged(self, columns: Columns) -> int:
        """Return how many of some payments lack what the rule needs to judge them."""
        complete = columns.present(self.subject_column) & self._convertible(columns)
        return not_judged(self.when(columns), complete)

    def evaluate(self, columns: Columns, span: Window) -> StreamResult:
        """Return what the rule finds at the payments of a span of time.

        Args:
            columns: every payment of the subjects that have one in the span, from ``source.reach``
                before it on, in key order.
            span: whole five-minute windows.
        """
        events = SubjectEvents.of(columns, self.source.subject, self.source.group_by)
        rows = self._relevant(events, span)
        return self._evaluate(events, rows, span).among(rows) if rows.size else NOTHING_FOUND

    def _relevant(self, events: SubjectEvents, span: Window) -> Integers:
        """Return the counted events of the subjects that may have something to tell in a span.

        That is those with an event there, and where a value has to rise to be told, with events
        enough in all.
        """
        source, subjects = self.source, events.subjects
        seen = events.inside(Window(span.start - source.reach, span.end))
        counted = self.when(events.columns).true & self._convertible(events.columns)
        counted &= seen & (subjects != ABSENT)
        counted &= of_subjects(subjects, counted & events.inside(span))
        rows = np.flatnonzero(counted)
        alert = source.alert
        if alert is None or source.bands or alert.operator in _FALLING or alert.value <= 0:
            return rows
        most = self._most(events.columns, rows, subjects[rows])
        return rows[most[subjects[rows]] >= float(alert.value)]

    def _most(self, columns: Columns, rows: Integers, subjects: Integers) -> Floats:
        """Return for each subject what its value never exceeds: that of all its events together.

        Floats will do, if they err upwards.
        """
        if self.measure.function != "sum":
            return np.bincount(subjects).astype(np.float64)
        minor_units, decimals = self._amounts(columns, rows)
        sums: Floats = np.bincount(subjects, minor_units / 10.0**decimals)
        return sums * _UPWARDS

    def _evaluate(self, among: SubjectEvents, rows: Integers, span: Window) -> StreamResult:
        events = among.picked(rows)
        judged = np.flatnonzero(events.inside(span))
        wholes, decimals = self._values(among, events, rows)
        wholes, decimals = wholes[judged], decimals[judged]
        alert, bands = self.source.alert, self.source.bands
        over = np.zeros(judged.size, dtype=np.bool_)
        if alert is not None:
            over = _passing(alert, wholes, decimals)
            if not bands:
                # What does not pass is told nowhere.
                judged, wholes, decimals, over = (
                    judged[over],
                    wholes[over],
                    decimals[over],
                    over[over],
                )
        values = [
            Decimal(whole).scaleb(-places)
            for whole, places in zip(wholes.tolist(), decimals.tolist(), strict=True)
        ]
        passed: list[bool] = over.tolist()
        recorded = [place for place, over in enumerate(passed) if over or alert is None]
        hits = row_outcomes(
            judged[recorded], [outcome_number(bands, values[place]) for place in recorded]
        )
        every = np.ones(rows.size, dtype=np.bool_)
        peaks = _Peaks(self, events, CountedEvents(events, every))
        judgements = [
            _Judged(row, value, over)
            for row, value, over in zip(judged.tolist(), values, passed, strict=True)
        ]
        return StreamResult(list(peaks.findings(judgements)), hits)

    def _convertible(self, columns: Columns) -> Mask:
        if self.conversion is None:
            return np.ones(columns.size, dtype=np.bool_)
        return self.conversion.of(columns, "amount", "currency").known

    def _amounts(self, columns: Columns, rows: Integers) -> tuple[Integers, Integers]:
        """Return the amounts that are summed, in minor units, and the decimals of each."""
        if self.conversion is None:
            return columns.minor_units()[rows], columns.exponents()[rows]
        minor_units = self.conversion.of(columns, "amount", "currency").minor_units[rows]
        return minor_units, np.full(rows.size, self.conversion.target.minor_unit, dtype=np.int64)

    def _values(
        self, among: SubjectEvents, events: SubjectEvents, rows: Integers
    ) -> tuple[NDArray[Any], Integers]:
        """Return values at events as whole numbers of their last decimal, and those decimals.

        Args:
            among: the events of everybody.
            events: those that are counted.
            rows: where these are among all.
        """
        within = self.source.reach // _MICROSECOND
        every = np.ones(rows.size, dtype=np.bool_)
        slide = partial(sliding_values, events.times, events.subjects, every, within=within)
        if self.measure.function == "sum":
            weights, decimals = self._amounts(among.columns, rows)
            return slide(events.payments, weights=weights), decimals
        items = events.payments
        if self.measure.function == "distinct_count":
            items = among.columns.labels(FIELDS[self.measure.field or ""].column)[rows]
        return slide(items), np.zeros(rows.size, dtype=np.int64)


def _passing(alert: AlertThreshold, wholes: NDArray[Any], decimals: Integers) -> Mask:
    """Return which values pass a threshold, exactly."""
    passing = np.zeros(wholes.size, dtype=np.bool_)
    for places in np.unique(decimals).tolist():
        own = decimals == places
        # Many payments share few values.
        values, at = np.unique(wholes[own], return_inverse=True)
        passes = [alert.passed_by(Decimal(value).scaleb(-places)) for value in values.tolist()]
        passing[own] = np.array(passes, dtype=np.bool_)[at]
    return passing


class _Judged(NamedTuple):
    """An event at which the value was taken, and whether that passes the alert's threshold."""

    row: int
    value: Decimal
    passed: bool


class _Peaks:
    """Makes the findings of one rule: for each window and subject the value at its peak."""

    def __init__(self, rule: VelocityRule, events: SubjectEvents, counted: CountedEvents) -> None:
        self._rule = rule
        self._events = events
        self._counted = counted

    def findings(self, judged: Sequence[_Judged]) -> Iterator[Finding]:
        rule = self._rule.source
        alert = rule.alert
        best: Callable[..., _Judged] = min if alert and alert.operator in _FALLING else max
        for window, group in self._by_window_and_subject(judged):
            passed = [each for each in group if each.passed]
            # Where no alert is asked for, every subject counts; else those that passed or whose
            # value means something by name.
            if alert is not None and not passed and not rule.bands:
                continue
            peak = best(passed or group, key=lambda each: each.value)
            outcome = outcome_number(rule.bands, peak.value)
            if alert is not None and not passed and outcome == MATCHED:
                continue
            yield self._finding(window, peak, outcome, passed or group)

    def _by_window_and_subject(
        self, judged: Sequence[_Judged]
    ) -> Iterator[tuple[int, list[_Judged]]]:
        rows = [each.row for each in judged]
        windows = self._events.times[rows] // WINDOW_MICROSECONDS
        subjects = self._events.subjects[rows]
        groups: dict[tuple[int, int], list[_Judged]] = {}
        for key, each in zip(
            zip(windows.tolist(), subjects.tolist(), strict=True), judged, strict=True
        ):
            groups.setdefault(key, []).append(each)
        for (window, _), group in groups.items():
            yield window, group

    def _finding(
        self, window: int, peak: _Judged, outcome: int, group: Sequence[_Judged]
    ) -> Finding:
        rule, events = self._rule.source, self._events
        members = self._counted.members(peak.row, rule.reach // _MICROSECOND)
        times = events.columns.values("event_time")
        evidence: dict[str, Any] = {"within_minutes": rule.within_minutes}
        if peak.passed:
            evidence["payments"] = events.shown(members)
        if self._rule.conversion is not None:
            evidence |= conversion_evidence(events.columns, members, self._rule.conversion)
        return Finding(
            rule=self._rule.number,
            window_start=start_of_window(window),
            dimensions=named(events.columns, peak.row, (rule.subject or "", *rule.group_by)),
            value=peak.value,
            payment_count=np.unique(events.payments[members]).size,
            exceeded=peak.passed,
            outcome=outcome,
            seen=(times[group[0].row], times[group[-1].row]),
            evidence=evidence,
        )


def compile_velocity_rule(
    number: int, rule: Rule, measure: Measure, conditions: ConditionCompiler, converter: Converter
) -> VelocityRule:
    """Return a checked velocity rule in the form in which it is run."""
    return VelocityRule(
        number,
        rule,
        compile_when(rule, conditions),
        measure,
        None if measure.in_currency is None else converter.to(measure.in_currency),
    )
