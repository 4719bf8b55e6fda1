"""Checks single comparisons of a rule document: does the operator fit the field and the value?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared_code.rules.check_context import CheckContext
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.fields import ALL_FIELDS, FIELDS, Field, Kind
from shared_code.rules.operand_meaning import MANY_VALUES, member_errors, operand_errors
from shared_code.rules.shape import did_you_mean

_EQUALITY: Final = frozenset({"eq", "ne", "in", "not_in", "exists"})
_ORDER: Final = frozenset({"eq", "ne", "gt", "gte", "lt", "lte"})
_OPERATORS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.money: _ORDER | {"between", "near_threshold", "is_round_amount", "exists"},
    Kind.number: _ORDER | {"between", "exists"},
    Kind.code: _EQUALITY,
    Kind.flags: _EQUALITY,
    Kind.text: _EQUALITY | {"starts_with", "matches"},
    Kind.time: frozenset({"hour_between", "day_of_week", "exists"}),
}
_OF_OTHER_FIELDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.code: frozenset({"eq", "ne"}),
    Kind.text: frozenset({"eq", "ne"}),
    Kind.money: _ORDER,
}
_OF_LOCAL_TIME: Final = frozenset({"hour_between", "day_of_week"})
_LONGEST_ZONE: Final = 64


def comparison_errors(
    path: Path, condition: Mapping[str, Any], fields: Mapping[str, Field], context: CheckContext
) -> Iterator[RuleError]:
    """Yield what makes no sense in a comparison of the right shape.

    Args:
        path: of the comparison in the document.
        condition: the comparison.
        fields: those that are known where it stands.
        context: of the document; for what its lists hold there is ``list_errors``.
    """
    field = fields.get(condition["field"])
    operator: str = condition["operator"]
    if field is None:
        yield unknown_field((*path, "field"), condition["field"], fields)
    elif operator not in _OPERATORS[field.kind]:
        message = f"{operator!r} does not apply to {field.name}, which is a {field.kind} field"
        known = ", ".join(sorted(_OPERATORS[field.kind]))
        yield RuleError(json_path((*path, "operator")), message, f"Use one of: {known}.")
    else:
        yield from _value_errors(path, field, condition, fields, context)
        if "in_currency" in condition and (field.kind is not Kind.money or operator == "exists"):
            message = f"{operator!r} of {field.name} takes no 'in_currency'"
            suggestion = "Only comparisons of amounts do."
            yield RuleError(json_path((*path, "in_currency")), message, suggestion)
    yield from _option_errors(path, condition)


def list_errors(name: str, values: Sequence[str], field: Field) -> Iterator[RuleError]:
    """Yield what a field that is compared with a list of the document can never be."""
    for at, value in enumerate(values):
        yield from member_errors(("lists", name, at), field, value)


def unknown_field(path: Path, name: str, fields: Mapping[str, Field]) -> RuleError:
    """Return the error that a field is not known where it is named.

    Args:
        path: of the name.
        name: what was found.
        fields: those that are known there.
    """
    if name not in ALL_FIELDS:
        message = f"there is no field {shown(name)}"
        return RuleError(json_path(path), message, did_you_mean(name, fields))
    message = f"{name} is not known here, only where a sequence rule compares two payments"
    prefix, _, own = name.partition(".")
    if own not in FIELDS:
        return RuleError(
            json_path(path), message, "Use it in 'where' or 'value' of a rule with such a pair."
        )
    other = {"previous": "original", "original": "previous"}[prefix]
    fitting = f"{other}.{own}" if f"{other}.{own}" in fields else own
    suggestion = f"Did you mean {fitting!r}? Fields of {prefix!r} are for 'where' and 'value'."
    return RuleError(json_path(path), message, suggestion)


def _value_errors(
    path: Path,
    field: Field,
    condition: Mapping[str, Any],
    fields: Mapping[str, Field],
    context: CheckContext,
) -> Iterator[RuleError]:
    operator: str = condition["operator"]
    operand: Any = condition.get("value", True)
    where = (*path, "value")
    if operator == "exists":
        if not isinstance(operand, bool):
            message = f"'exists' takes true or false, found {shown(operand)}"
            yield RuleError(json_path(where), message, "Leave the value out.")
    elif not isinstance(operand, dict):
        yield from operand_errors(where, field, operator, operand, context)
    elif "field" in operand:
        yield from _compared_field_errors(where, field, operator, operand["field"], fields)
    elif operator not in MANY_VALUES:
        message = f"{operator!r} takes no list of the document"
        suggestion = "Give the value itself, or use 'in' or 'not_in' where they apply."
        yield RuleError(json_path(where), message, suggestion)
    elif operand["list"] not in context.lists:
        message = f"there is no list {shown(operand['list'])} in the document"
        suggestion = did_you_mean(operand["list"], context.lists)
        yield RuleError(json_path((*where, "list")), message, suggestion)
    else:
        context.uses_of_lists.setdefault((operand["list"], field.name))


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
    path: Path, field: Field, operator: str, name: str, fields: Mapping[str, Field]
) -> Iterator[RuleError]:
    other = fields.get(name)
    if other is None:
        yield unknown_field((*path, "field"), name, fields)
    elif operator not in _OF_OTHER_FIELDS.get(field.kind, ()):
        message = f"{operator!r} cannot compare {field.name} with another field"
        suggestion = "Fields with codes or texts are compared by 'eq' and 'ne', amounts by order."
        yield RuleError(json_path(path), message, suggestion)
    elif field.name == other.name:
        message = f"{field.name} is compared with itself"
        yield RuleError(json_path(path), message, _comparable(field, fields))
    elif field.domain != other.domain:
        message = f"{field.name} and {other.name} hold different things"
        yield RuleError(json_path(path), message, _comparable(field, fields))


def _comparable(field: Field, fields: Mapping[str, Field]) -> str:
    alike = [item.name for item in fields.values() if item.domain == field.domain]
    alike.remove(field.name)
    return f"Comparable: {', '.join(alike)}." if alike else "Compare it with a value."


def _is_time_zone(name: str) -> bool:
    if len(name) > _LONGEST_ZONE:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
