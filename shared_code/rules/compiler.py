"""Compiles a checked rule document into column operations, once per content."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from shared_code.domain.vocabularies import Severity
from shared_code.rules.columns import Columns
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler
from shared_code.rules.document import Rule, RuleDocument
from shared_code.rules.measures import CompiledMeasure, compile_measure, groups_of
from shared_code.rules.validation import read_document
from shared_code.rules.values import CompiledValue, compile_value


class Matches(NamedTuple):
    """Where one transaction rule holds: positions of payments, ascending, and their values."""

    rule: int
    rows: Sequence[int]
    values: Sequence[Decimal | None]


class WindowValue(NamedTuple):
    """What a window rule measured for one group."""

    rule: int
    dimensions: Mapping[str, str | None]
    value: Decimal
    payment_count: int
    exceeded: bool


class RuleSummary(NamedTuple):
    """What the ``rules`` table says of a rule; ``rule`` is its position in the document."""

    rule: int
    rule_id: str
    scope: str
    metric_name: str
    metric_type: str
    category: str
    severity: int


@dataclass(frozen=True, slots=True)
class _TransactionRule:
    rule: int
    holds: CompiledCondition
    value: CompiledValue


@dataclass(frozen=True, slots=True)
class _WindowRule:
    rule: int
    source: Rule
    counts: CompiledCondition
    measure: CompiledMeasure


class CompiledRules:
    """A rule document in the form in which it is run."""

    def __init__(self, document: RuleDocument) -> None:
        self.document = document
        self._transaction_rules: list[_TransactionRule] = []
        self._window_rules: list[_WindowRule] = []
        conditions = ConditionCompiler(document.lists)
        for number, rule in enumerate(document.rules):
            if not rule.enabled:
                continue
            when = conditions.compile(rule.when)
            if rule.measure is None:
                value = compile_value(rule.value)
                self._transaction_rules.append(_TransactionRule(number, when, value))
            else:
                measure = compile_measure(rule.measure, conditions.compile(rule.measure.of))
                self._window_rules.append(_WindowRule(number, rule, when, measure))

    def summaries(self) -> Iterator[RuleSummary]:
        """Yield one summary per rule, disabled ones included."""
        for number, rule in enumerate(self.document.rules):
            yield RuleSummary(
                rule=number,
                rule_id=rule.id,
                scope=rule.scope,
                metric_name=rule.metric.name,
                metric_type=rule.metric.type,
                category=rule.category,
                severity=int(Severity[rule.severity]),
            )

    def matches(self, columns: Columns) -> Iterator[Matches]:
        """Yield the matches of each transaction rule that holds for some payment."""
        for rule in self._transaction_rules:
            rows = rule.holds(columns).true.nonzero()[0].tolist()
            if rows:
                yield Matches(rule.rule, rows, rule.value(columns, rows))

    def window_values(self, columns: Columns) -> Iterator[WindowValue]:
        """Yield what every window rule measures over the payments of one window."""
        for rule in self._window_rules:
            for group in groups_of(columns, rule.counts(columns).true, rule.source.group_by):
                value = rule.measure(columns, group)
                size = int(group.rows.size)
                exceeded = _exceeds(rule.source, value, size)
                yield WindowValue(rule.rule, group.dimensions, value, size, exceeded)


def _exceeds(rule: Rule, value: Decimal, payment_count: int) -> bool:
    alert = rule.alert
    if alert is None or payment_count < alert.minimum_payments:
        return False
    match alert.operator:
        case "gt":
            return value > alert.value
        case "gte":
            return value >= alert.value
        case "lt":
            return value < alert.value
        case "lte":
            return value <= alert.value


@lru_cache(maxsize=16)
def compile_document(content: bytes) -> CompiledRules:
    """Return the compiled rules of a document, by content, so that each is compiled once.

    Raises:
        RuleDocumentRefused: the document breaks the schema or makes no sense.
    """
    return CompiledRules(read_document(content))


def canonical_dimensions(dimensions: Mapping[str, Any]) -> str:
    """Return dimensions as JSON text with sorted keys: equal dimensions, equal text."""
    return json.dumps(dimensions, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
