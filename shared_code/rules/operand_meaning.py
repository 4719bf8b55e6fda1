"""Checks what a field is compared with: numbers, texts, codes, hours, regular expressions."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from shared_code.rules.check_context import CheckContext
from shared_code.rules.conditions import DAYS_OF_WEEK
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.fields import Field, Kind
from shared_code.rules.patterns import PatternRefused, compile_pattern
from shared_code.rules.shape import did_you_mean

MANY_VALUES: Final = frozenset({"in", "not_in"})
# An expression can take 10 ms to compile; so many stay within the second that a document has.
MOST_PATTERNS: Final = 50

_HOURS_OF_DAY: Final = 24


def operand_errors(
    path: Path, field: Field, operator: str, operand: Any, context: CheckContext
) -> Iterator[RuleError]:
    """Yield what makes no sense in a value that is written out.

    Args:
        path: of the value.
        field: what is compared.
        operator: one that applies to the field.
        operand: the value: a scalar or a list.
        context: of the document.
    """
    if field.kind in {Kind.money, Kind.number}:
        yield from _number_errors(path, operator, operand)
    elif field.kind is Kind.time:
        yield from _time_errors(path, operator, operand)
    elif operator not in MANY_VALUES:
        errors = list(member_errors(path, field, operand))
        yield from errors
        if operator == "matches" and not errors:
            yield from _pattern_errors(path, operand, context)
    elif not isinstance(operand, list):
        message = f"{operator!r} takes a list of values, found {shown(operand)}"
        yield RuleError(json_path(path), message, "Write [value], or use 'eq' or 'ne'.")
    else:
        for at, value in enumerate(operand):
            yield from member_errors((*path, at), field, value)


def member_errors(path: Path, field: Field, value: Any) -> Iterator[RuleError]:
    """Yield why a value is none that a field of codes, texts or flags can have."""
    if not isinstance(value, str):
        message = f"{field.name} is compared with text, found {shown(value)}"
        yield RuleError(json_path(path), message, "Write it as text in double quotes.")
    elif field.kind is not Kind.text and value not in field.numbers:
        message = f"{shown(value)} is no value of {field.name}"
        yield RuleError(json_path(path), message, did_you_mean(value, field.numbers))


def _pattern_errors(path: Path, pattern: str, context: CheckContext) -> Iterator[RuleError]:
    if pattern not in context.patterns:
        if len(context.patterns) == MOST_PATTERNS:
            message = f"the document has more than {MOST_PATTERNS} different regular expressions"
            yield RuleError(json_path(path), message, "Join some of them by '|'.")
            return
        context.patterns[pattern] = _fault_of(pattern)
    fault = context.patterns[pattern]
    if fault is not None:
        suggestion = "Write it in RE2 syntax: no backreferences, no look-around."
        yield RuleError(json_path(path), f"no regular expression of RE2: {fault}", suggestion)


def _fault_of(pattern: str) -> str | None:
    """Return why RE2 does not take an expression, and where in it; None if it does."""
    try:
        compile_pattern(pattern)
    except PatternRefused as refusal:
        reason, _, part = str(refusal).partition(": ")
        at = pattern.find(part) if part else -1
        place = f"{shown(part)} at character {at + 1}" if at >= 0 else shown(part)
        return f"{reason}, {place}" if part else reason
    return None


def _number_errors(path: Path, operator: str, operand: Any) -> Iterator[RuleError]:
    where = json_path(path)
    if operator == "between":
        if (
            not isinstance(operand, list)
            or len(operand) != 2
            or not all(map(is_number, operand))
            or operand[0] > operand[1]
        ):
            message = f"'between' takes two numbers, the smaller first, found {shown(operand)}"
            yield RuleError(where, message, "For example [100, 500].")
    elif not is_number(operand):
        message = f"{operator!r} takes a number, found {shown(operand)}"
        yield RuleError(where, message, "For example 100, without quotes.")
    elif operator in {"near_threshold", "is_round_amount"} and operand <= 0:
        message = f"{operator!r} takes a number above zero, found {shown(operand)}"
        yield RuleError(where, message, "For example 1000.")


def _time_errors(path: Path, operator: str, operand: Any) -> Iterator[RuleError]:
    if operator == "day_of_week":
        for at, day in enumerate(operand if isinstance(operand, list) else [operand]):
            if day not in DAYS_OF_WEEK:
                where = (*path, at) if isinstance(operand, list) else path
                message = f"{shown(day)} is no day of the week"
                yield RuleError(json_path(where), message, did_you_mean(day, DAYS_OF_WEEK))
        return
    hours = operand if isinstance(operand, list) else []
    whole = [hour for hour in hours if isinstance(hour, int) and 0 <= hour <= _HOURS_OF_DAY]
    if len(hours) != 2 or len(whole) != 2 or hours[0] == hours[1] or hours == [_HOURS_OF_DAY, 0]:
        message = f"'hour_between' takes two different hours from 0 to 24, found {shown(operand)}"
        yield RuleError(json_path(path), message, "For example [22, 6].")


def is_number(value: Any) -> bool:
    """Tell whether a value of a document is a number; true and false are none."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
