"""Says of one payment why each rule of a document matched it, did not, or could not judge it.

The verdicts are those of the compiled rules themselves, run on the one payment.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np

from shared_code.rules.compiler import CompiledRules
from shared_code.rules.condition_trees import ConditionNode, condition_tree
from shared_code.rules.conditions import ConditionCompiler, Verdict
from shared_code.rules.document import Rule
from shared_code.rules.explanations import (
    Answer,
    ExplainedPayment,
    RuleExplanation,
    date_facts,
    not_counted,
    outcome_of,
    threshold_facts,
    value_facts,
)
from shared_code.rules.judging import History
from shared_code.rules.outcomes import INDETERMINATE, row_outcomes
from shared_code.rules.rates import Converter
from shared_code.rules.rule_parts import named
from shared_code.rules.score_rules import ScoreRule
from shared_code.rules.stream_explaining import StreamExplainer
from shared_code.rules.transaction_rules import TransactionRule
from shared_code.rules.window_rules import WindowRule
from shared_code.rules.window_slices import WindowSlice

_PAYMENT: Final = ("transaction_id", "payment_status")


class Explainer:
    """Explains payments by the rules of one document."""

    def __init__(self, rules: CompiledRules) -> None:
        self._rules = rules
        converter = Converter(rules.document.rates)
        self._conditions = ConditionCompiler(rules.document.lists, converter)
        self._streams = StreamExplainer(self._conditions, converter)

    def explain(self, window: WindowSlice, row: int, history: History) -> list[RuleExplanation]:
        """Return for each rule of the document, in its order, why it came out as it did.

        Args:
            window: the payments of the payment's window, in the order of their key.
            row: position of the payment.
            history: where velocity and sequence rules find the payments before.
        """
        alone = window.columns.picked(np.array([row], dtype=np.int64))
        payment = ExplainedPayment(alone, window, row, history)
        found: dict[int, tuple[RuleExplanation, int | None]] = {}
        rules = self._rules
        for transaction in rules.transaction_rules:
            found[transaction.number] = self._transaction(transaction, payment)
        for measured in rules.window_rules:
            found[measured.number] = self._window(measured, payment), None
        for stream in rules.stream_rules:
            found[stream.number] = self._streams.explain(stream, payment)
        outcomes = {number: outcome for number, (_, outcome) in found.items()}
        for score in rules.score_rules:
            found[score.number] = self._score(score, payment, outcomes), None
        return [
            found[number][0] if number in found else _disabled(rule)
            for number, rule in enumerate(rules.document.rules)
        ]

    def _not_counted(
        self, rule: Rule, payment: ExplainedPayment, verdict: Verdict
    ) -> RuleExplanation:
        conditions, failed = self._when(rule, payment), bool(verdict.false[0])
        return not_counted(rule, payment.time, conditions, failed=failed)

    def _transaction(
        self, compiled: TransactionRule, payment: ExplainedPayment
    ) -> tuple[RuleExplanation, int | None]:
        rule, verdict = compiled.source, compiled.when(payment.alone)
        matches = list(compiled.matches(payment.alone))
        if not verdict.true[0]:
            outcome = matches[0].outcome if matches else None
            return self._not_counted(rule, payment, verdict), outcome
        (match,) = matches
        facts = date_facts(rule) | value_facts(rule, match.values[0], match.outcome)
        if match.rates is not None:
            facts["rate"] = None if match.rates[0] is None else str(match.rates[0])
        answer, because = Answer.matched, "its condition holds"
        if match.outcome == INDETERMINATE:
            answer, because = Answer.indeterminate, "its value is unknown"
        subject = named(payment.alone, 0, _PAYMENT)
        conditions = self._when(rule, payment)
        return RuleExplanation(rule, answer, because, conditions, facts, subject), match.outcome

    def _window(self, compiled: WindowRule, payment: ExplainedPayment) -> RuleExplanation:
        rule, verdict = compiled.source, compiled.when(payment.alone)
        if not verdict.true[0]:
            return self._not_counted(rule, payment, verdict)
        group = named(payment.alone, 0, rule.group_by)
        facts: dict[str, Any] = date_facts(rule) | {"group": group}
        because = "it is counted, but there is nothing to measure in its group"
        for finding in compiled.findings(payment.window):
            if finding.dimensions == group:
                because = "it is counted in its group"
                facts |= value_facts(rule, finding.value, finding.outcome)
                facts |= threshold_facts(rule, finding.value, exceeded=finding.exceeded)
                facts |= {"payment_count": finding.payment_count, **finding.evidence}
        conditions = self._when(rule, payment)
        if rule.measure is not None and rule.measure.of is not None:
            of = condition_tree(rule.measure.of, payment.alone, self._conditions)
            conditions["measure.of"] = of
        return RuleExplanation(rule, Answer.matched, because, conditions, facts, group)

    def _score(
        self, compiled: ScoreRule, payment: ExplainedPayment, outcomes: Mapping[int, int | None]
    ) -> RuleExplanation:
        rule, verdict = compiled.source, compiled.when(payment.alone)
        if not verdict.true[0]:
            return self._not_counted(rule, payment, verdict)
        given = {
            number: row_outcomes([0], [outcome])
            for number, outcome in outcomes.items()
            if outcome is not None
        }
        terms = [
            _term_facts(self._rules.document.rules[term.rule], term.source.points, outcome)
            | {"counts": outcome is not None and term.counts(outcome)}
            for term in compiled.terms
            for outcome in (outcomes.get(term.rule),)
        ]
        points = [Decimal(term["points"]) for term in terms if term["counts"]]
        total = sum(points, Decimal(0))
        alone = WindowSlice(payment.window.start, payment.alone)
        findings = list(compiled.findings(alone, given))
        facts = date_facts(rule) | {"terms": terms}
        exceeded = bool(findings) and findings[0].exceeded
        # A score that is not worth recording has no outcome.
        facts |= {"value": str(total)}
        if findings:
            facts |= value_facts(rule, findings[0].value, findings[0].outcome)
        facts |= threshold_facts(rule, total, exceeded=exceeded)
        answer = Answer.matched if findings else Answer.not_matched
        because = "its points are worth recording" if findings else "its points are too few"
        if not points:
            because = "no term gives it points"
        subject = named(payment.alone, 0, _PAYMENT)
        return RuleExplanation(rule, answer, because, self._when(rule, payment), facts, subject)

    def _when(self, rule: Rule, payment: ExplainedPayment) -> dict[str, ConditionNode]:
        if rule.when is None:
            return {}
        return {"when": condition_tree(rule.when, payment.alone, self._conditions)}


def _disabled(rule: Rule) -> RuleExplanation:
    return RuleExplanation(rule, Answer.disabled, "it is not run", {}, {})


def _term_facts(weighed: Rule, points: Decimal, outcome: int | None) -> dict[str, Any]:
    name = None if outcome is None else outcome_of(weighed, outcome).name
    return {"rule": weighed.id, "points": str(points), "outcome": name}
