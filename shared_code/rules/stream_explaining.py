"""Explains velocity and sequence rules.

What their verdicts do not tell, such as a sliding value below its threshold, is asked of copies of
the rules that have their last condition taken away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from shared_code.domain.windows import WINDOW_LENGTH, Window
from shared_code.rules.columns import ABSENT, Columns
from shared_code.rules.compiler import StreamRule
from shared_code.rules.condition_trees import ConditionNode, Holds, condition_tree
from shared_code.rules.conditions import ConditionCompiler
from shared_code.rules.document import AlertThreshold, Condition, Rule
from shared_code.rules.explanations import (
    Answer,
    ExplainedPayment,
    RuleExplanation,
    date_facts,
    not_counted,
    threshold_facts,
    value_facts,
)
from shared_code.rules.findings import Finding, alert_subject
from shared_code.rules.judging import HistoryNeed
from shared_code.rules.outcomes import INDETERMINATE, RowOutcomes
from shared_code.rules.paired_columns import paired
from shared_code.rules.rates import Converter
from shared_code.rules.rule_parts import KEY_COLUMNS, named, payment_evidence
from shared_code.rules.sequence_rules import SequenceRule
from shared_code.rules.values import compile_value
from shared_code.rules.velocity_rules import VelocityRule

_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1)
_ALWAYS_PASSED: Final = AlertThreshold("gte", Decimal("-Infinity"))
_PAYMENT: Final = ("transaction_id", "payment_status")


class StreamExplainer:
    """Explains payments by the velocity and sequence rules of one document."""

    def __init__(self, conditions: ConditionCompiler, converter: Converter) -> None:
        self._conditions = conditions
        self._converter = converter

    def explain(
        self, compiled: StreamRule, payment: ExplainedPayment
    ) -> tuple[RuleExplanation, int | None]:
        """Return why a rule came out as it did, and the outcome that scores see."""
        rule, verdict = compiled.source, compiled.when(payment.alone)
        conditions = self._when(rule, payment)
        if not verdict.true[0]:
            failed = bool(verdict.false[0])
            return not_counted(rule, payment.time, conditions, failed=failed), None
        subject = payment.alone.values(compiled.subject_column)[0]
        if subject is None:
            because, facts = f"the payment has no {rule.subject}", date_facts(rule)
            return RuleExplanation(rule, Answer.indeterminate, because, conditions, facts), None
        past = _past(compiled, payment)
        result = compiled.evaluate(past, Window(payment.window.start, _end(payment)))
        outcome = _outcome_of(payment, past, result.hits)
        if isinstance(compiled, VelocityRule):
            explained = self._velocity(compiled, payment, past, hit=outcome is not None)
        else:
            own = [each for each in result.findings if _is_about(each, payment)]
            explained = self._sequence(compiled, payment, past, own, outcome)
        return explained, outcome

    def _velocity(
        self, compiled: VelocityRule, payment: ExplainedPayment, past: Columns, *, hit: bool
    ) -> RuleExplanation:
        rule = compiled.source
        # Whatever its value is, an alert that is always passed shows it and its payments.
        relaxed = replace(compiled, source=msgspec.structs.replace(rule, alert=_ALWAYS_PASSED))
        instant = Window(payment.time, payment.time + _MICROSECOND)
        dimensions = named(payment.alone, 0, (rule.subject or "", *rule.group_by))
        facts: dict[str, Any] = date_facts(rule) | {"within_minutes": rule.within_minutes}
        answer, because = Answer.indeterminate, "its amount cannot be converted"
        for finding in relaxed.evaluate(past, instant).findings:
            if finding.dimensions == dimensions:
                # What does not pass the threshold is not recorded and has no outcome.
                found = value_facts(rule, finding.value, finding.outcome)
                facts |= found if hit else {"value": found["value"]}
                facts |= threshold_facts(rule, finding.value, exceeded=hit)
                facts["payment_count"] = finding.payment_count
                facts |= finding.evidence
                answer = Answer.matched if hit else Answer.not_matched
                because = "its value passes the threshold" if rule.alert else "it is measured"
                if not hit:
                    because = "its value does not pass the threshold"
        conditions = self._when(rule, payment)
        return RuleExplanation(rule, answer, because, conditions, facts, dimensions)

    def _sequence(
        self,
        compiled: SequenceRule,
        payment: ExplainedPayment,
        past: Columns,
        own: Sequence[Finding],
        outcome: int | None,
    ) -> RuleExplanation:
        rule = compiled.source
        conditions, facts = self._when(rule, payment), date_facts(rule)
        for name, tree, columns in self._parts(compiled, payment, past, facts):
            conditions[name] = condition_tree(tree, columns, self._conditions)
        for finding in own:
            facts |= value_facts(rule, finding.value, finding.outcome)
            facts |= threshold_facts(rule, finding.value, exceeded=finding.exceeded)
            facts |= {key: finding.evidence[key] for key in ("rate",) if key in finding.evidence}
        answer, because = _sequence_answer(rule, conditions, facts, outcome)
        subject = _sequence_subject(compiled, payment)
        return RuleExplanation(rule, answer, because, conditions, facts, subject)

    def _parts(
        self,
        compiled: SequenceRule,
        payment: ExplainedPayment,
        past: Columns,
        facts: dict[str, Any],
    ) -> Iterator[tuple[str, Condition, Columns]]:
        """Yield the further conditions of a sequence and what they are about; add facts."""
        rule = compiled.source
        relaxed = self._without_last_condition(compiled)
        instant = Window(payment.time, payment.time + _MICROSECOND)
        found = relaxed.evaluate(past, instant).findings
        own = next((each for each in found if _is_about(each, payment)), None)
        facts["within_minutes"] = rule.reach // _MINUTE
        if rule.pattern is not None:
            before = [] if own is None else own.evidence["payments"][:-1]
            facts["times"] = rule.pattern.times
            facts["first_payments"] = 0 if own is None else int(own.value)
            facts["payments_before"] = before
            yield "pattern.first", rule.pattern.first, payment.alone
            yield "pattern.then", rule.pattern.then, payment.alone
            return
        prefix, part = (
            ("original", rule.lookup) if rule.lookup is not None else ("previous", rule.previous)
        )
        partner = None if own is None else own.evidence[prefix]
        facts[prefix] = partner
        if part is not None and (partner is not None or rule.lookup is not None):
            rows = [_row_of(past, payment_evidence(payment.alone, 0))]
            partners = [ABSENT if partner is None else _row_of(past, partner)]
            yield f"{_part_name(rule)}.where", part.where, paired(past, rows, partners, prefix)

    def _without_last_condition(self, compiled: SequenceRule) -> SequenceRule:
        """Return a rule that every payment with a partner, or with one first payment, completes."""
        source = msgspec.structs.replace(compiled.source, bands=(), value=None)
        if source.pattern is not None:
            once = msgspec.structs.replace(source.pattern, times=1)
            source = msgspec.structs.replace(source, pattern=once)
        return replace(
            compiled,
            source=source,
            completes=self._conditions.compile(None),
            value=compile_value(None, self._converter),
        )

    def _when(self, rule: Rule, payment: ExplainedPayment) -> dict[str, ConditionNode]:
        if rule.when is None:
            return {}
        return {"when": condition_tree(rule.when, payment.alone, self._conditions)}


def _outcome_of(payment: ExplainedPayment, past: Columns, hits: RowOutcomes) -> int | None:
    """Return the outcome of the payment that is explained; None if it is no hit."""
    keys = [past.values(name) for name in KEY_COLUMNS]
    for row, outcome in zip(*map(np.ndarray.tolist, hits), strict=True):
        if tuple(key[row] for key in keys) == payment.identity:
            return int(outcome)
    return None


def _end(payment: ExplainedPayment) -> datetime:
    return payment.window.start + WINDOW_LENGTH


def _past(compiled: StreamRule, payment: ExplainedPayment) -> Columns:
    """Return the payments that a rule looks at, from as far back as it reaches."""
    names = {compiled.subject_column}
    if compiled.source.looks_to_named_payment:
        names.add("original_transaction_id")
    subjects = frozenset(payment.alone.values(name)[0] for name in names) - {None}
    start = payment.window.start - compiled.source.reach
    need = HistoryNeed(
        compiled.subject_column, subjects, Window(start, _end(payment)), compiled.columns
    )
    return payment.history([need])


def _is_about(finding: Finding, payment: ExplainedPayment) -> bool:
    own = named(payment.alone, 0, _PAYMENT)
    same = all(finding.dimensions[name] == own[name] for name in _PAYMENT)
    return same and finding.seen == (payment.time, payment.time)


def _row_of(columns: Columns, evidence: Mapping[str, str]) -> int:
    """Return the position of the payment that evidence shows."""
    rows = range(columns.size)
    return next(row for row in rows if payment_evidence(columns, row) == evidence)


def _part_name(rule: Rule) -> str:
    return "lookup" if rule.lookup is not None else "previous"


def _sequence_answer(
    rule: Rule,
    conditions: Mapping[str, ConditionNode],
    facts: Mapping[str, Any],
    outcome: int | None,
) -> tuple[Answer, str]:
    if outcome == INDETERMINATE:
        return Answer.indeterminate, "its value is unknown"
    if outcome is not None:
        return Answer.matched, "it completes the sequence"
    if rule.pattern is not None:
        then = conditions["pattern.then"].verdict
        because = f"what has to follow {then}"
        if then is Holds.holds:
            because = f"it follows {facts['first_payments']} of {rule.pattern.times} payments"
        return Answer.not_matched, because
    where = conditions.get(f"{_part_name(rule)}.where")
    if where is None:
        return Answer.not_matched, "there is no payment before it to compare with"
    other = "its own past" if rule.looks_to_own_past else "the other payment"
    return Answer.not_matched, f"the comparison with {other} {where.verdict}"


def _sequence_subject(
    compiled: SequenceRule, payment: ExplainedPayment
) -> Mapping[str, str | None]:
    own = () if compiled.source.subject is None else (compiled.source.subject,)
    finding = Finding(
        rule=compiled.number,
        window_start=payment.window.start,
        dimensions=named(payment.alone, 0, (*own, *_PAYMENT)),
        value=Decimal(0),
        payment_count=1,
        exceeded=False,
    )
    return alert_subject(compiled.source, finding)
