"""Score rules: payments get points for what other rules found in them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Rule, Term
from shared_code.rules.findings import Finding
from shared_code.rules.outcomes import INDETERMINATE, MATCHED, outcome_number, outcomes_of
from shared_code.rules.rule_parts import compile_when, named, payment_evidence
from shared_code.rules.window_slices import WindowSlice


class RowOutcome(NamedTuple):
    """A payment of a window, by position, and the outcome that a rule has for it."""

    row: int
    outcome: int


@dataclass(frozen=True, slots=True)
class _CompiledTerm:
    source: Term
    rule: int
    outcome: int | None

    def counts(self, outcome: int) -> bool:
        """Tell whether an outcome of the weighed rule gives points."""
        return outcome != INDETERMINATE if self.outcome is None else outcome == self.outcome


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
        self, window: WindowSlice, outcomes: Mapping[int, Sequence[RowOutcome]]
    ) -> Iterator[Finding]:
        """Yield the payments of a window whose score is worth recording.

        That is those which pass the alert's threshold or lie in a band; without either, all that
        have a point.

        Args:
            window: the payments that are scored.
            outcomes: of each weighed rule.
        """
        columns, alert = window.columns, self.source.alert
        scored = self.when(columns).true
        for row, terms in sorted(self._terms_by_row(outcomes).items()):
            if not scored[row]:
                continue
            value = sum((term.source.points for term in terms), Decimal(0))
            exceeded = alert is not None and alert.passed_by(value)
            outcome = outcome_number(self.source.bands, value)
            if not exceeded and outcome == MATCHED and (alert is not None or self.source.bands):
                continue
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

    def _terms_by_row(
        self, outcomes: Mapping[int, Sequence[RowOutcome]]
    ) -> Mapping[int, Sequence[_CompiledTerm]]:
        by_row: dict[int, list[_CompiledTerm]] = defaultdict(list)
        for term in self.terms:
            for row, outcome in outcomes.get(term.rule, ()):
                if term.counts(outcome):
                    by_row[row].append(term)
        return by_row


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
