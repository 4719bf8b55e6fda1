"""What an explanation says of one rule and one payment, and the facts that every scope gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shared_code.rules.columns import Columns
from shared_code.rules.condition_trees import ConditionNode, Holds
from shared_code.rules.document import Rule
from shared_code.rules.judging import History
from shared_code.rules.outcomes import Outcome, outcomes_of
from shared_code.rules.window_slices import WindowSlice


class Answer(StrEnum):
    """What became of a payment under a rule."""

    matched = "matched"
    not_matched = "did not match"
    indeterminate = "could not be judged"
    not_in_effect = "was not in effect"
    disabled = "is disabled"


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """Why a rule came out as it did for one payment.

    Attributes:
        rule: the rule.
        answer: in short.
        because: in one sentence.
        conditions: the condition trees by where they stand in the rule.
        facts: values, outcomes, groups, partners and the like by name; fit for JSON.
        subject: whom an alert of the rule on this payment would be about; None if on nobody.
    """

    rule: Rule
    answer: Answer
    because: str
    conditions: Mapping[str, ConditionNode]
    facts: Mapping[str, Any]
    subject: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class ExplainedPayment:
    """The payment that is explained: alone, and among the others of its window."""

    alone: Columns
    window: WindowSlice
    row: int
    history: History

    @property
    def time(self) -> datetime:
        """Its event time."""
        time: datetime = self.alone.values("event_time")[0]
        return time

    @property
    def identity(self) -> tuple[datetime, str, int]:
        """What makes it itself."""
        values = self.alone.values
        return self.time, values("transaction_id")[0], values("payment_status")[0]


def not_counted(
    rule: Rule, time: datetime, conditions: Mapping[str, ConditionNode], *, failed: bool
) -> RuleExplanation:
    """Explain a payment for which ``when``, or the rule's dates, do not hold.

    Args:
        rule: that does not count the payment.
        time: event time of the payment.
        conditions: the tree of ``when``.
        failed: whether that fails; else it is unknown.
    """
    facts = date_facts(rule)
    if not _in_effect(rule, time):
        because = "the payment lies outside of the rule's dates"
        return RuleExplanation(rule, Answer.not_in_effect, because, conditions, facts)
    if failed:
        return RuleExplanation(rule, Answer.not_matched, "its condition fails", conditions, facts)
    because = _what_is_missing(conditions.values())
    if rule.indeterminate == "ignore":
        because += "; the rule ignores what it cannot judge"
    return RuleExplanation(rule, Answer.indeterminate, because, conditions, facts)


def date_facts(rule: Rule) -> dict[str, Any]:
    """Return from when to when a rule is in effect, so far as it says so."""
    dates = {"effective_from": rule.effective_from, "effective_to": rule.effective_to}
    return {name: date.astimezone(UTC).isoformat() for name, date in dates.items() if date}


def outcome_of(rule: Rule, number: int) -> Outcome:
    """Return a rule's outcome by its number."""
    return next(outcome for outcome in outcomes_of(rule) if outcome.number == number)


def value_facts(rule: Rule, value: Decimal | None, number: int) -> dict[str, Any]:
    """Return a value, the outcome that it has by its number, and the band that it lies in."""
    outcome = outcome_of(rule, number)
    facts: dict[str, Any] = {
        "value": None if value is None else str(value),
        "outcome": outcome.name,
        "severity": outcome.severity.name,
    }
    for band in rule.bands:
        if band.outcome == outcome.name:
            ends = ("" if end is None else str(end) for end in (band.at_least, band.below))
            facts |= {"band": f"[{', '.join(ends)})", "reason": outcome.reason}
    return facts


def threshold_facts(rule: Rule, value: Decimal, *, exceeded: bool) -> dict[str, Any]:
    """Return the threshold of a rule's alert and whether it is passed; nothing without an alert."""
    if rule.alert is None:
        return {}
    facts: dict[str, Any] = {
        "threshold": f"{rule.alert.operator} {rule.alert.value}",
        "exceeded": exceeded,
    }
    if rule.alert.minimum_payments > 1 and rule.alert.passed_by(value) and not exceeded:
        facts["minimum_payments"] = rule.alert.minimum_payments
    return facts


def _in_effect(rule: Rule, time: datetime) -> bool:
    return (rule.effective_from is None or time >= rule.effective_from) and (
        rule.effective_to is None or time < rule.effective_to
    )


def _what_is_missing(trees: Iterable[ConditionNode]) -> str:
    """Say why a condition is unknown: which fields are missing, or what cannot be compared."""
    unknown = [node for tree in trees for node in tree.comparisons if node.verdict is Holds.unknown]
    missing = dict.fromkeys(
        name for node in unknown for name, value in node.values.items() if value is None
    )
    if missing:
        return f"the payment lacks {', '.join(missing)}"
    return f"unknown: {', '.join(dict.fromkeys(node.text for node in unknown))}"
