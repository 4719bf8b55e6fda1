"""Score rules: payments get points for what other rules found in them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared_code.rules.columns import Columns, Integers
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Rule, Term
from shared_code.rules.findings import Finding
from shared_code.rules.outcomes import (
    INDETERMINATE,
    MATCHED,
    NO_OUTCOMES,
    RowOutcomes,
    outcome_number,
    outcomes_of,
)
from shared_code.rules.rule_parts import compile_when, named, payment_evidence
from shared_code.rules.window_slices import WindowSlice

_SAFE_SUM: Final = 2**62


@dataclass(frozen=True, slots=True)
class _CompiledTerm:
    source: Term
    rule: int
    outcome: int | None

    def counts(self, outcome: int) -> bool:
        """Tell whether an outcome of the weighed rule gives points."""
        return outcome != INDETERMINATE if self.outcome is None else outcome == self.outcome

    def rows(self, found: RowOutcomes) -> Integers:
        """Return the payments that outcomes of the weighed rule give points."""
        giving = [number for number in np.unique(found.outcomes).tolist() if self.counts(number)]
        rows: Integers = found.rows[np.isin(found.outcomes, giving)]
        return rows


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A compiled score rule; ``number`` is its position in the document."""

    number: int
    source: Rule
    when: CompiledCondition
    terms: Sequence[_CompiledTerm]

    @property
    def weighed(self) -> frozenset[int]:
        """The positions of the rules that the score weighs."""
        return frozenset(term.rule for term in self.terms)

    def findings(
        self, window: WindowSlice, outcomes: Mapping[int, RowOutcomes]
    ) -> Iterator[Finding]:
        """Yield the payments of a window whose score is worth recording.

        That is those which pass the alert's threshold or lie in a band; without either, all that
        have a point.

        Args:
            window: the payments that are scored.
            outcomes: of each weighed rule.
        """
        columns, alert = window.columns, self.source.alert
        given = [(term, term.rows(outcomes.get(term.rule, NO_OUTCOMES))) for term in self.terms]
        for row, terms in self._worth_recording(columns, given):
            value = sum((term.source.points for term in terms), Decimal(0))
            exceeded = alert is not None and alert.passed_by(value)
            outcome = outcome_number(self.source.bands, value)
            seen = columns.values("event_time")[row]
            yield Finding(
                rule=self.number,
                window_start=window.start,
                dimensions=named(columns, row, ("transaction_id", "payment_status")),
                value=value,
                payment_count=1,
                exceeded=exceeded,
                outcome=outcome,
                seen=(seen, seen),
                evidence={
                    "payments": [payment_evidence(columns, row)],
                    "points": _points_by_rule(terms),
                },
            )

    def _worth_recording(
        self, columns: Columns, given: Sequence[tuple[_CompiledTerm, Integers]]
    ) -> Iterator[tuple[int, Sequence[_CompiledTerm]]]:
        """Yield the payments whose score is worth recording, with the terms that make it up."""
        units = _whole_points(self.terms)
        scores, touched = (
            np.zeros(columns.size, dtype=units.dtype),
            np.zeros(columns.size, np.bool_),
        )
        for (_, rows), points in zip(given, units, strict=True):
            scores[rows] += points
            touched[rows] = True
        candidates = np.flatnonzero(touched & self.when(columns).true)
        # Many payments share few scores.
        sums, places = np.unique(scores[candidates], return_inverse=True)
        scale = _decimals(self.terms)
        worth = [
            self._is_worth_recording(Decimal(points).scaleb(-scale)) for points in sums.tolist()
        ]
        rows = candidates[np.array(worth, dtype=np.bool_)[places]]
        by_row: dict[int, list[_CompiledTerm]] = {row: [] for row in rows.tolist()}
        for term, its_rows in given:
            for row in its_rows[np.isin(its_rows, rows)].tolist():
                by_row[row].append(term)
        yield from by_row.items()

    def _is_worth_recording(self, value: Decimal) -> bool:
        alert, bands = self.source.alert, self.source.bands
        if alert is None and not bands:
            return True
        exceeded = alert is not None and alert.passed_by(value)
        return exceeded or outcome_number(bands, value) != MATCHED


def _decimals(terms: Sequence[_CompiledTerm]) -> int:
    return max((-int(term.source.points.as_tuple().exponent) for term in terms), default=0)


def _whole_points(terms: Sequence[_CompiledTerm]) -> NDArray[Any]:
    """Return the points of terms as whole numbers of their finest decimal."""
    points = [int(term.source.points.scaleb(_decimals(terms))) for term in terms]
    fits = sum(map(abs, points)) < _SAFE_SUM
    return np.array(points, dtype=np.int64 if fits else np.object_)


def _points_by_rule(terms: Sequence[_CompiledTerm]) -> dict[str, str]:
    """Return what each rule adds to a score; two terms may weigh one rule."""
    points: dict[str, Decimal] = defaultdict(Decimal)
    for term in terms:
        points[term.source.rule] += term.source.points
    return {rule: str(total) for rule, total in points.items()}


def compile_score_rule(
    number: int, rule: Rule, rules: Sequence[Rule], conditions: ConditionCompiler
) -> ScoreRule:
    """Return a checked score rule in the form in which it is run.

    Args:
        number: its position in the document.
        rule: the score rule.
        rules: all rules of the document.
        conditions: compiles the document's conditions.
    """
    positions = {other.id: position for position, other in enumerate(rules)}
    terms = [
        _CompiledTerm(
            term,
            positions[term.rule],
            None if term.outcome is None else _number_of(rules[positions[term.rule]], term.outcome),
        )
        for term in rule.terms
    ]
    return ScoreRule(number, rule, compile_when(rule, conditions), terms)


def _number_of(rule: Rule, name: str) -> int:
    return next(outcome.number for outcome in outcomes_of(rule) if outcome.name == name)
