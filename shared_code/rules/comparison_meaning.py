"""Checks single comparisons of a rule document: does the operator fit the field and the value?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared_code.rules.conditions import DAYS_OF_WEEK
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.fields import FIELDS, Field, Kind
from shared_code.rules.shape import did_you_mean

_EQUALITY: Final = frozenset({"eq", "ne", "in", "not_in", "exists"})
_OPERATORS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.money: frozenset(
        ["eq", "ne", "gt", "gte", "lt", "lte", "between", "near_threshold", "is_round_amount"]
    ),
    Kind.code: _EQUALITY,
    Kind.flags: _EQUALITY,
    Kind.text: _EQUALITY | {"starts_with"},
    Kind.time: frozenset({"hour_between", "day_of_week"}),
}
_MANY_VALUES: Final = frozenset({"in", "not_in"})
_OF_LOCAL_TIME: Final = frozenset({"hour_between", "day_of_week"})
_HOURS_OF_DAY: Final = 24
_LONGEST_ZONE: Final = 64


def comparison_errors(
    path: Path, condition: Mapping[str, Any], lists: Collection[str]
) -> Iterator[RuleError]:
    """Yield what makes no sense in a comparison of the right shape.

    Args:
        path: of the comparison in the document.
        condition: the comparison.
        lists: names of the document's lists; for what they hold there is ``list_errors``.
    """
    field = FIELDS.get(condition["field"])
    operator: str = condition["operator"]
    if field is None:
        yield unknown_field((*path, "field"), condition["field"])
    elif operator not in _OPERATORS[field.kind]:
        message = f"{operator!r} does not apply to {field.name}, which is a {field.kind} field"
        known = ", ".join(sorted(_OPERATORS[field.kind]))
        yield RuleError(json_path((*path, "operator")), message, f"Use one of: {known}.")
    else:
        yield from _value_errors(path, field, condition, lists)
    yield from _option_errors(path, condition)


def list_errors(name: str, values: Sequence[str], field: Field) -> Iterator[RuleError]:
    """Yield what a field that is compared with a list of the document can never be."""
    for at, value in enumerate(values):
        yield from _member_errors(("lists", name, at), field, value)


def unknown_field(path: Path, name: str) -> RuleError:
    """Return the error that there is no such field."""
    return RuleError(
        json_path(path), f"there is no field {shown(name)}", did_you_mean(name, FIELDS)
    )


def _value_errors(
    path: Path, field: Field, condition: Mapping[str, Any], lists: Collection[str]
) -> Iterator[RuleError]:
    operator: str = condition["operator"]
    operand: Any = condition.get("value", True)
    where = (*path, "value")
    if operator == "exists":
        if not isinstance(operand, bool):
            message = f"'exists' takes true or false, found {shown(operand)}"
            yield RuleError(json_path(where), message, "Leave the value out.")
    elif not isinstance(operand, dict):
        yield from _operand_errors(where, field, operator, operand)
    elif "field" in operand:
        yield from _compared_field_errors(where, field, operator, operand["field"])
    elif operator not in _MANY_VALUES:
        message = f"{operator!r} takes no list of the document"
        suggestion = "Give the value itself, or use 'in' or 'not_in' where they apply."
        yield RuleError(json_path(where), message, suggestion)
    elif operand["list"] not in lists:
        message = f"there is no list {shown(operand['list'])} in the document"
        suggestion = did_you_mean(operand["list"], lists)
        yield RuleError(json_path((*where, "list")), message, suggestion)


def _option_errors(path: Path, condition: Mapping[str, Any]) -> Iterator[RuleError]:
    operator = condition["operator"]
    if operator == "near_threshold" and "within_percent" not in condition:
        yield RuleError(json_path(path), "'within_percent' is missing", "For example 10.")
    if "within_percent" in condition and operator != "near_threshold":
        message = f"{operator!r} takes no 'within_percent'"
        suggestion = "Only 'near_threshold' does."
        yield RuleError(json_path((*path, "within_percent")), message, suggestion)
    if "time_zone" not in condition:
        return
    where, zone = json_path((*path, "time_zone")), condition["time_zone"]
    if operator not in _OF_LOCAL_TIME:
        suggestion = "Only 'hour_between' and 'day_of_week' do."
        yield RuleError(where, f"{operator!r} takes no 'time_zone'", suggestion)
    elif not _is_time_zone(zone):
        yield RuleError(
            where, f"{shown(zone)} is no IANA time zone", "For example 'Europe/Berlin'."
        )


def _compared_field_errors(
    path: Path, field: Field, operator: str, name: str
) -> Iterator[RuleError]:
    other = FIELDS.get(name)
    if other is None:
        yield unknown_field((*path, "field"), name)
    elif operator not in {"eq", "ne"} or field.kind not in {Kind.code, Kind.text}:
        message = f"{operator!r} cannot compare {field.name} with another field"
        suggestion = "Fields with codes or texts are compared by 'eq' and 'ne'."
        yield RuleError(json_path(path), message, suggestion)
    elif field.domain != other.domain:
        message = f"{field.name} and {other.name} hold different things"
        alike = [item.name for item in FIELDS.values() if item.domain == field.domain]
        alike.remove(field.name)
        suggestion = f"Comparable: {', '.join(alike)}." if alike else "Compare it with a value."
        yield RuleError(json_path(path), message, suggestion)


def _operand_errors(path: Path, field: Field, operator: str, operand: Any) -> Iterator[RuleError]:
    if field.kind is Kind.money:
        yield from _money_operand_errors(path, operator, operand)
    elif field.kind is Kind.time:
        yield from _time_operand_errors(path, operator, operand)
    elif operator not in _MANY_VALUES:
        yield from _member_errors(path, field, operand)
    elif not isinstance(operand, list):
        message = f"{operator!r} takes a list of values, found {shown(operand)}"
        yield RuleError(json_path(path), message, "Write [value], or use 'eq' or 'ne'.")
    else:
        for at, value in enumerate(operand):
            yield from _member_errors((*path, at), field, value)


def _member_errors(path: Path, field: Field, value: Any) -> Iterator[RuleError]:
    if not isinstance(value, str):
        message = f"{field.name} is compared with text, found {shown(value)}"
        yield RuleError(json_path(path), message, "Write it as text in double quotes.")
    elif field.kind is not Kind.text and value not in field.numbers:
        message = f"{shown(value)} is no value of {field.name}"
        yield RuleError(json_path(path), message, did_you_mean(value, field.numbers))


def _money_operand_errors(path: Path, operator: str, operand: Any) -> Iterator[RuleError]:
    where = json_path(path)
    if operator == "between":
        if (
            not isinstance(operand, list)
            or len(operand) != 2
            or not all(map(_is_number, operand))
            or operand[0] > operand[1]
        ):
            message = f"'between' takes two numbers, the smaller first, found {shown(operand)}"
            yield RuleError(where, message, "For example [100, 500].")
    elif not _is_number(operand):
        message = f"{operator!r} takes a number, found {shown(operand)}"
        yield RuleError(where, message, "For example 100, without quotes.")
    elif operator in {"near_threshold", "is_round_amount"} and operand <= 0:
        message = f"{operator!r} takes a number above zero, found {shown(operand)}"
        yield RuleError(where, message, "For example 1000.")


def _time_operand_errors(path: Path, operator: str, operand: Any) -> Iterator[RuleError]:
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_time_zone(name: str) -> bool:
    if len(name) > _LONGEST_ZONE:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
