"""Checks what one rule of a document means, by its scope."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared_code.rules.check_context import CheckContext
from shared_code.rules.comparison_meaning import unknown_field
from shared_code.rules.condition_meaning import condition_errors
from shared_code.rules.currency_meaning import OF_MONEY, conversion_errors, mixing_errors
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.fields import (
    FIELDS,
    FIELDS_WITH_ORIGINAL,
    FIELDS_WITH_PREVIOUS,
    GROUPABLE,
    Field,
)
from shared_code.rules.lookup_meaning import lookup_errors
from shared_code.rules.shape import did_you_mean
from shared_code.rules.threshold_meaning import threshold_errors
from shared_code.rules.value_meaning import value_errors

# Where a rule looks from a payment to another one, and the fields that it then knows of both.
_PAIRS: Final[Mapping[str, Mapping[str, Field]]] = {
    "previous": FIELDS_WITH_PREVIOUS,
    "lookup": FIELDS_WITH_ORIGINAL,
}
_OF_ONE_PAYMENT: Final = (
    ("measure", "of"),
    ("previous", "when"),
    ("lookup", "when"),
    ("pattern", "first"),
    ("pattern", "then"),
)


def rule_errors(path: Path, rule: Mapping[str, Any], context: CheckContext) -> Iterator[RuleError]:
    """Yield what makes no sense in a rule by itself, wherever its shape is right.

    Args:
        path: of the rule in the document.
        rule: whatever keys it has.
        context: of the document.
    """
    yield from condition_errors((*path, "when"), rule.get("when"), FIELDS, context)
    for part, key in _OF_ONE_PAYMENT:
        if isinstance(inside := rule.get(part), dict):
            yield from condition_errors((*path, part, key), inside.get(key), FIELDS, context)
    for part, fields in _PAIRS.items():
        if isinstance(inside := rule.get(part), dict):
            whole = context.has_whole((*path, part, "within_minutes"), inside)
            longest_gap = inside["within_minutes"] if whole else None
            where = (*path, part, "where")
            yield from condition_errors(where, inside.get("where"), fields, context, longest_gap)
    if context.has_whole((*path, "value"), rule):
        fields = next((_PAIRS[part] for part in _PAIRS if part in rule), FIELDS)
        yield from value_errors((*path, "value"), rule["value"], fields)
    yield from lookup_errors(path, rule, context)
    yield from _group_by_errors((*path, "group_by"), rule, context)
    if context.has_whole((*path, "measure"), rule):
        yield from _measure_errors(path, rule, context)
    yield from conversion_errors(path, rule, context)
    yield from _time_errors(path, rule, context)
    yield from threshold_errors(path, rule, context)


def _group_by_errors(
    path: Path, rule: Mapping[str, Any], context: CheckContext
) -> Iterator[RuleError]:
    if not context.has_whole(path, rule):
        return
    for at, name in enumerate(rule["group_by"]):
        where = json_path((*path, at))
        if name not in GROUPABLE:
            message = f"payments cannot be grouped by {shown(name)}"
            yield RuleError(where, message, did_you_mean(name, sorted(GROUPABLE)))
        elif name == rule.get("subject"):
            message = f"the payments of one {name} are looked at together anyway"
            yield RuleError(where, message, "Leave it out: it is the subject.")


def _measure_errors(
    path: Path, rule: Mapping[str, Any], context: CheckContext
) -> Iterator[RuleError]:
    measure: Mapping[str, Any] = rule["measure"]
    if "field" not in measure:
        return
    function, name = measure["function"], measure["field"]
    where = (*path, "measure", "field")
    if name not in FIELDS:
        yield unknown_field(where, name, FIELDS)
    elif function in OF_MONEY and name != "amount":
        message = f"{function!r} is taken of an amount, found {shown(name)}"
        yield RuleError(json_path(where), message, "Use 'amount'.")
    else:
        yield from mixing_errors(path, rule, context)


def _time_errors(path: Path, rule: Mapping[str, Any], context: CheckContext) -> Iterator[RuleError]:
    times: list[datetime] = []
    for key in ("effective_from", "effective_to"):
        if not context.has_whole((*path, key), rule):
            continue
        try:
            times.append(datetime.fromisoformat(rule[key]).astimezone(UTC))
        except (ValueError, OverflowError):
            message = f"{shown(rule[key])} is no time that there is"
            suggestion = "For example '2026-01-28T00:00:00+01:00'."
            yield RuleError(json_path((*path, key)), message, suggestion)
    if len(times) == 2 and times[0] >= times[1]:
        message = "'effective_to' is not after 'effective_from', so that no payment counts"
        yield RuleError(json_path((*path, "effective_to")), message, "Choose a later time.")
