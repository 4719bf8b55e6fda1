"""Shows how a condition came out for one payment: every part of it, with the payment's values.

Each part is compiled and evaluated by the operations that judge payments, so that what is shown can
never differ from the verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns
from shared_code.rules.conditions import ConditionCompiler
from shared_code.rules.document import Condition
from shared_code.rules.fields import ALL_FIELDS, Field, Kind
from shared_code.rules.rule_parts import value_in_rules

_COMBINING: Final = ("all", "any")
_NUMBER_DIGITS: Final = 4


class Holds(StrEnum):
    """How a condition, or a part of one, comes out for a payment."""

    holds = "holds"
    fails = "fails"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """A condition or a part of one: what it says, how it came out, and the payment's values.

    ``values`` are those of the fields that a comparison names, as they stand in rules; None where
    the payment lacks one. ``parts`` are what ``all``, ``any`` or ``not`` combine.
    """

    text: str
    verdict: Holds
    values: Mapping[str, str | None] = field(default_factory=dict)
    parts: Sequence["ConditionNode"] = ()

    @property
    def comparisons(self) -> Iterator["ConditionNode"]:
        """Every comparison of the tree."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.comparisons


def condition_tree(
    condition: Condition, columns: Columns, conditions: ConditionCompiler
) -> ConditionNode:
    """Return how a condition came out for the one payment, or pair of payments, of some columns.

    Args:
        condition: checked.
        columns: of one row.
        conditions: compiles the conditions of the document that it is of.
    """
    compiled = conditions.compile(condition)(columns)
    verdict = Holds.unknown
    if compiled.true[0]:
        verdict = Holds.holds
    elif compiled.false[0]:
        verdict = Holds.fails
    for combining in _COMBINING:
        if combining in condition:
            parts = [condition_tree(part, columns, conditions) for part in condition[combining]]
            return ConditionNode(f"{combining} of", verdict, parts=parts)
    if "not" in condition:
        part = condition_tree(condition["not"], columns, conditions)
        return ConditionNode("not", verdict, parts=[part])
    values = {name: field_value(ALL_FIELDS[name], columns) for name in _fields(condition)}
    return ConditionNode(comparison_text(condition), verdict, values)


def _fields(condition: Condition) -> Iterator[str]:
    yield condition["field"]
    operand = condition.get("value")
    if isinstance(operand, dict) and "field" in operand:
        yield operand["field"]


def comparison_text(condition: Condition) -> str:
    """Return a comparison as one line."""
    operand = condition.get("value", "")
    if isinstance(operand, dict) and "field" in operand:
        operand = operand["field"]
    elif isinstance(operand, dict):
        operand = f"the list {operand['list']}"
    elif isinstance(operand, list):
        operand = f"[{', '.join(map(str, operand))}]"
    elif isinstance(operand, bool):
        operand = str(operand).lower()
    text = f"{condition['field']} {condition['operator']} {operand}".rstrip()
    if "within_percent" in condition:
        text += f" within {condition['within_percent']} percent"
    if "in_currency" in condition:
        text += f" in {condition['in_currency']}"
    if "time_zone" in condition:
        text += f" in {condition['time_zone']}"
    return text


def field_value(named: Field, columns: Columns) -> str | None:
    """Return the first payment's value of a field as it stands in rules; None if it lacks it."""
    stored = columns.values(named.column)[0]
    if stored is None:
        return None
    match named.kind:
        case Kind.money:
            currency = CURRENCY_BY_NUMBER[columns.values(named.currency_column)[0]].code
            return f"{stored} {currency}"
        case Kind.time:
            return _instant(stored)
        case Kind.flags:
            names = [name for name, bit in named.numbers.items() if stored & bit]
            return ", ".join(names) or "none"
        case Kind.number:
            return _number(stored)
        case _:
            return value_in_rules(named, stored)


def _instant(stored: datetime) -> str:
    return stored.astimezone(UTC).isoformat()


def _number(stored: Fraction) -> str:
    exact = stored.denominator == 1
    return str(stored.numerator) if exact else f"{stored:.{_NUMBER_DIGITS}f}"
