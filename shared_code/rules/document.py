"""A rule document as typed values, once it has passed every check."""

from decimal import Decimal
from typing import Any, Literal

import msgspec

type Condition = dict[str, Any]
# A number, or an object as the JSON Schema describes; msgspec cannot tell the two apart itself.
type ValueTree = Any

Scope = Literal["transaction", "window"]
Function = Literal[
    "count",
    "sum",
    "average",
    "minimum",
    "maximum",
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
    """What a window rule computes for each group of payments."""

    function: Function
    field: str | None = None
    of: Condition | None = None
    percentile: Decimal | None = None


class AlertThreshold(msgspec.Struct, frozen=True):
    """When a window rule's value is worth an alert."""

    operator: Literal["gt", "gte", "lt", "lte"]
    value: Decimal
    minimum_payments: int = 1


class Rule(msgspec.Struct, frozen=True):
    """One rule of either scope."""

    id: str
    scope: Scope
    description: str
    category: str
    severity: Literal["info", "low", "medium", "high", "critical"]
    metric: Metric
    enabled: bool = True
    when: Condition | None = None
    value: ValueTree | None = None
    group_by: tuple[str, ...] = ()
    measure: Measure | None = None
    alert: AlertThreshold | None = None


class RuleDocument(msgspec.Struct, frozen=True):
    """A version of the rule set."""

    version: str
    rules: tuple[Rule, ...]
    description: str = ""
    lists: dict[str, tuple[str, ...]] = {}
