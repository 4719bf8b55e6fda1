"""A rule document as typed values, once it has passed every check."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

type Condition = dict[str, Any]
# A number, or an object as the JSON Schema describes; msgspec cannot tell the two apart itself.
type ValueTree = Any

Scope = Literal["transaction", "window", "velocity", "sequence", "score"]
SeverityName = Literal["info", "low", "medium", "high", "critical"]
Function = Literal[
    "count",
    "sum",
    "average",
    "minimum",
    "maximum",
    "standard_deviation",
    "ratio",
    "percentage",
    "percentile",
    "distinct_count",
]


class Metric(msgspec.Struct, frozen=True):
    """The name and the type under which a rule's values are kept."""

    name: str
    type: Literal["count", "amount", "ratio", "percentage", "score"]


class Measure(msgspec.Struct, frozen=True):
    """What a window or velocity rule computes of the payments that it counts.

    ``in_currency`` converts each amount first, by the document's rates.
    """

    function: Function
    field: str | None = None
    of: Condition | None = None
    percentile: Decimal | None = None
    in_currency: str | None = None


class AlertThreshold(msgspec.Struct, frozen=True):
    """When a rule's value is worth an alert.

    With ``cooldown_minutes`` an alert covers all that happens to its subject until so long nothing
    did; without, each window (or payment) has an alert of its own.
    """

    operator: Literal["gt", "gte", "lt", "lte"]
    value: Decimal
    minimum_payments: int = 1
    cooldown_minutes: int | None = None

    def passed_by(self, value: Decimal) -> bool:
        """Tell whether a value passes the threshold."""
        match self.operator:
            case "gt":
                return value > self.value
            case "gte":
                return value >= self.value
            case "lt":
                return value < self.value
            case "lte":
                return value <= self.value


class Band(msgspec.Struct, frozen=True):
    """A range of values ``[at_least, below)`` and what it means; an end left out is open."""

    outcome: str
    reason: str
    at_least: Decimal | None = None
    below: Decimal | None = None
    severity: SeverityName | None = None

    def holds(self, value: Decimal) -> bool:
        """Tell whether a value lies in the band."""
        return (self.at_least is None or value >= self.at_least) and (
            self.below is None or value < self.below
        )


class Previous(msgspec.Struct, frozen=True):
    """Looks from a payment to the one before it of the same subject."""

    within_minutes: int
    where: Condition
    when: Condition | None = None


class Lookup(msgspec.Struct, frozen=True):
    """Looks from a payment to one of a given id: another payment, or itself at an earlier time.

    ``by`` names the field that holds the id. By ``transaction_id`` it is the payment's own, and
    what is found is its last earlier event of another status.
    """

    within_minutes: int
    where: Condition
    when: Condition | None = None
    by: Literal["original_transaction_id", "transaction_id"] = "original_transaction_id"


class Pattern(msgspec.Struct, frozen=True):
    """``times`` payments that meet ``first``, followed by one that meets ``then``."""

    first: Condition
    then: Condition
    within_minutes: int
    times: int = 1


class Term(msgspec.Struct, frozen=True):
    """Points that a payment gets in a score rule for another rule's outcome; for any, without."""

    rule: str
    points: Decimal
    outcome: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """One rule of any scope."""

    id: str
    scope: Scope
    description: str
    category: str
    severity: SeverityName
    metric: Metric
    enabled: bool = True
    tags: tuple[str, ...] = ()
    owner: str | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    when: Condition | None = None
    indeterminate: Literal["record", "ignore"] = "record"
    value: ValueTree | None = None
    group_by: tuple[str, ...] = ()
    measure: Measure | None = None
    subject: str | None = None
    within_minutes: int | None = None
    previous: Previous | None = None
    pattern: Pattern | None = None
    lookup: Lookup | None = None
    terms: tuple[Term, ...] = ()
    bands: tuple[Band, ...] = ()
    alert: AlertThreshold | None = None

    @property
    def reach(self) -> timedelta:
        """How far before a payment the rule looks: zero for rules that look at one window only."""
        parts = (self.previous, self.pattern, self.lookup)
        minutes = [part.within_minutes for part in parts if part is not None]
        return timedelta(minutes=max([self.within_minutes or 0, *minutes]))

    @property
    def looks_to_named_payment(self) -> bool:
        """Whether the rule looks to the payment that ``original_transaction_id`` names."""
        return self.lookup is not None and self.lookup.by == "original_transaction_id"

    @property
    def looks_to_own_past(self) -> bool:
        """Whether the rule looks to earlier events of the payment itself."""
        return self.lookup is not None and self.lookup.by == "transaction_id"


class Rates(msgspec.Struct, frozen=True):
    """Exchange rates: how much of each currency one unit of ``base`` is worth."""

    base: str
    as_of: str
    source: str
    per_base: dict[str, Decimal]


class RuleDocument(msgspec.Struct, frozen=True):
    """A version of the rule set."""

    version: str
    rules: tuple[Rule, ...]
    based_on: str | None = None
    description: str = ""
    lists: dict[str, tuple[str, ...]] = {}
    rates: Rates | None = None
