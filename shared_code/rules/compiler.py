"""Compiles a checked rule document into column operations, once per content."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from shared_code.domain.vocabularies import Severity
from shared_code.rules.canonical import canonical_text
from shared_code.rules.columns import Columns
from shared_code.rules.conditions import ConditionCompiler
from shared_code.rules.document import Rule, RuleDocument
from shared_code.rules.document_text import parse_document
from shared_code.rules.findings import Matches
from shared_code.rules.outcomes import Outcome, outcomes_of
from shared_code.rules.rates import Converter
from shared_code.rules.rule_parts import columns_read
from shared_code.rules.score_rules import ScoreRule, compile_score_rule
from shared_code.rules.sequence_rules import SequenceRule, compile_sequence_rule
from shared_code.rules.transaction_rules import TransactionRule, compile_transaction_rule
from shared_code.rules.validation import read_document
from shared_code.rules.velocity_rules import VelocityRule, compile_velocity_rule
from shared_code.rules.window_rules import WindowRule, compile_window_rule

type StreamRule = VelocityRule | SequenceRule


class RuleSummary(NamedTuple):
    """What the ``rules`` table says of a rule; ``rule`` is its position in the document."""

    rule: int
    rule_id: str
    scope: str
    metric_name: str
    metric_type: str
    category: str
    severity: int
    owner: str | None
    tags: tuple[str, ...]


class CompiledRules:
    """A rule document in the form in which it is run; rules that are not enabled are left out.

    Attributes:
        document: what was compiled.
        columns: the stored columns that some rule reads.
    """

    def __init__(self, document: RuleDocument) -> None:
        self.document = document
        self.transaction_rules: list[TransactionRule] = []
        self.window_rules: list[WindowRule] = []
        self.stream_rules: list[StreamRule] = []
        self.score_rules: list[ScoreRule] = []
        converter = Converter(document.rates)
        conditions = ConditionCompiler(document.lists, converter)
        for number, rule in enumerate(document.rules):
            if rule.enabled:
                self._add(number, rule, conditions, converter)
        enabled = [rule for rule in document.rules if rule.enabled]
        self.columns = frozenset().union(*map(columns_read, enabled))

    def _add(
        self, number: int, rule: Rule, conditions: ConditionCompiler, converter: Converter
    ) -> None:
        match rule.scope, rule.measure:
            case "transaction", _:
                self.transaction_rules.append(
                    compile_transaction_rule(number, rule, conditions, converter)
                )
            case "window", measure if measure is not None:
                self.window_rules.append(
                    compile_window_rule(number, rule, measure, conditions, converter)
                )
            case "velocity", measure if measure is not None:
                self.stream_rules.append(
                    compile_velocity_rule(number, rule, measure, conditions, converter)
                )
            case "sequence", _:
                self.stream_rules.append(compile_sequence_rule(number, rule, conditions, converter))
            case "score", _:
                self.score_rules.append(
                    compile_score_rule(number, rule, self.document.rules, conditions)
                )
            case _:
                message = f"the {rule.scope} rule {rule.id} has no measure"
                raise ValueError(message)

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
                owner=rule.owner,
                tags=rule.tags,
            )

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """Yield every outcome of every rule with the rule's position."""
        for number, rule in enumerate(self.document.rules):
            for outcome in outcomes_of(rule):
                yield number, outcome

    def matches(self, columns: Columns) -> Iterator[Matches]:
        """Yield which payments each transaction rule matches, or cannot judge."""
        for rule in self.transaction_rules:
            yield from rule.matches(columns)


def canonical_content(content: bytes) -> bytes:
    """Return a rule document, JSON or YAML, in the one form in which it is stored and hashed.

    Raises:
        RuleDocumentRefused: it cannot be read; what it means is not checked here.
    """
    return canonical_text(parse_document(content))


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
