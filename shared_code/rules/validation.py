"""Reads and checks rule documents: first their shape by JSON Schema, then their meaning.

Every mistake is reported, each with its JSON path, the reason and a suggestion.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from shared_code.rules.conditions import DAYS_OF_WEEK
from shared_code.rules.document import RuleDocument
from shared_code.rules.errors import RuleDocumentRefused, RuleError
from shared_code.rules.fields import FIELDS, GROUPABLE, Field, Kind

MAX_DOCUMENT_BYTES: Final = 1024 * 1024
SCHEMA_FILE: Final = Path(__file__).parents[2] / "rules" / "metric_derivation_rules.schema.json"

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
_LISTS_TAKEN: Final = frozenset({"in", "not_in"})
_OF_MONEY: Final = frozenset({"sum", "average", "minimum", "maximum", "percentile"})


def read_document(content: bytes) -> RuleDocument:
    """Return a document that has passed every check.

    Raises:
        RuleDocumentRefused: with every mistake found.
    """
    document = _parse(content)
    errors = list(_schema_errors(document))
    if not errors:
        errors = list(_meaning_errors(document))
    if errors:
        raise RuleDocumentRefused(errors)
    return msgspec.convert(document, RuleDocument)


def _parse(content: bytes) -> Any:
    if len(content) > MAX_DOCUMENT_BYTES:
        message = f"the document has {len(content)} bytes, at most {MAX_DOCUMENT_BYTES} are read"
        raise RuleDocumentRefused([RuleError("$", message)])
    try:
        return json.loads(
            content.decode(),  # strictly UTF-8, where json would guess
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except RecursionError as error:
        raise RuleDocumentRefused([RuleError("$", "the document is nested too deeply")]) from error
    except ValueError as error:
        raise RuleDocumentRefused([RuleError("$", f"the document is no JSON: {error}")]) from error


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no number"
    raise ValueError(msg)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the key {twice!r} stands twice in one object"
        raise ValueError(msg)
    return value


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _schema_errors(document: Any) -> Iterator[RuleError]:
    for error in sorted(_validator().iter_errors(document), key=lambda error: error.json_path):
        deepest = best_match([error])
        yield RuleError(deepest.json_path, _shortened(deepest.message), _suggestion(deepest))


def _shortened(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:300]}..."


def _suggestion(error: ValidationError) -> str:
    if error.validator == "enum":
        values: Any = error.validator_value
        return _did_you_mean(error.instance, values)
    if error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known: Mapping[str, Any] = error.schema.get("properties", {})
        found: Any = error.instance
        return _did_you_mean(next(name for name in found if name not in known), known)
    return ""


def _did_you_mean(found: Any, known: Iterable[Any]) -> str:
    names = [name for name in known if isinstance(name, str)]
    close = difflib.get_close_matches(str(found), names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(names)}." if len(names) <= 30 else ""


def _meaning_errors(document: dict[str, Any]) -> Iterator[RuleError]:
    lists: Mapping[str, Any] = document.get("lists", {})
    seen: dict[str, int] = {}
    for number, rule in enumerate(document["rules"]):
        path = f"$.rules[{number}]"
        first = seen.setdefault(rule["id"], number)
        if first != number:
            message = f"the id {rule['id']!r} is taken by $.rules[{first}]"
            yield RuleError(f"{path}.id", message, "Choose another id.")
        if "when" in rule:
            yield from _condition_errors(f"{path}.when", rule["when"], lists)
        if rule["scope"] == "transaction":
            yield from _value_errors(f"{path}.value", rule.get("value", 1))
        else:
            yield from _window_errors(path, rule, lists)


def _condition_errors(
    path: str, condition: dict[str, Any], lists: Mapping[str, Any]
) -> Iterator[RuleError]:
    for combination in ("all", "any"):
        for at, part in enumerate(condition.get(combination, ())):
            yield from _condition_errors(f"{path}.{combination}[{at}]", part, lists)
    if "not" in condition:
        yield from _condition_errors(f"{path}.not", condition["not"], lists)
    if "field" in condition:
        yield from _comparison_errors(path, condition, lists)


def _comparison_errors(
    path: str, condition: dict[str, Any], lists: Mapping[str, Any]
) -> Iterator[RuleError]:
    field = FIELDS.get(condition["field"])
    if field is None:
        yield _unknown_field(f"{path}.field", condition["field"])
        return
    operator = condition["operator"]
    if operator not in _OPERATORS[field.kind]:
        message = f"{operator!r} does not apply to {field.name}, which is a {field.kind} field"
        known = ", ".join(sorted(_OPERATORS[field.kind]))
        yield RuleError(f"{path}.operator", message, f"Use one of: {known}.")
        return
    if operator == "exists":
        return
    operand = condition["value"]
    where = f"{path}.value"
    if isinstance(operand, dict) and "field" in operand:
        yield from _compared_field_errors(where, field, operator, operand["field"])
        return
    if isinstance(operand, dict):
        if operator not in _LISTS_TAKEN:
            yield RuleError(where, f"{operator!r} takes no list", "Use 'in' or 'not_in'.")
        if operand["list"] not in lists:
            message = f"there is no list {operand['list']!r} in the document"
            yield RuleError(f"{where}.list", message, _did_you_mean(operand["list"], lists))
            return
        operand = lists[operand["list"]]
    yield from _operand_errors(where, field, operator, operand)
    if operator == "near_threshold" and "within_percent" not in condition:
        yield RuleError(path, "near_threshold needs 'within_percent'", "For example 10.")
    if "time_zone" in condition and not _is_time_zone(condition["time_zone"]):
        message = f"{condition['time_zone']!r} is no IANA time zone"
        yield RuleError(f"{path}.time_zone", message, "For example 'Europe/Berlin'.")


def _compared_field_errors(
    path: str, field: Field, operator: str, name: str
) -> Iterator[RuleError]:
    other = FIELDS.get(name)
    if other is None:
        yield _unknown_field(f"{path}.field", name)
    elif operator not in {"eq", "ne"} or field.kind not in {Kind.code, Kind.text}:
        message = f"{operator!r} cannot compare {field.name} with another field"
        yield RuleError(path, message, "Fields are compared by 'eq' and 'ne'.")
    elif field.domain != other.domain:
        message = f"{field.name} and {other.name} hold different things"
        alike = [item.name for item in FIELDS.values() if item.domain == field.domain]
        yield RuleError(path, message, f"Comparable: {', '.join(alike)}.")


def _operand_errors(path: str, field: Field, operator: str, operand: Any) -> Iterator[RuleError]:
    many = operator in _LISTS_TAKEN
    if many != isinstance(operand, list) and operator not in {
        "between",
        "hour_between",
        "day_of_week",
    }:
        expected = "a list of values" if many else "one value"
        yield RuleError(path, f"{operator!r} takes {expected}, found {_shown(operand)}")
        return
    match field.kind:
        case Kind.money:
            yield from _money_operand_errors(path, operator, operand)
        case Kind.time:
            yield from _time_operand_errors(path, operator, operand)
        case Kind.code | Kind.flags:
            for at, value in enumerate(operand if many else [operand]):
                where = f"{path}[{at}]" if many else path
                if not isinstance(value, str) or value not in field.numbers:
                    message = f"{_shown(value)} is no value of {field.name}"
                    yield RuleError(where, message, _did_you_mean(value, field.numbers))
        case Kind.text:
            for at, value in enumerate(operand if many else [operand]):
                if not isinstance(value, str):
                    where = f"{path}[{at}]" if many else path
                    yield RuleError(where, f"{field.name} holds text, found {_shown(value)}")


def _money_operand_errors(path: str, operator: str, operand: Any) -> Iterator[RuleError]:
    bounds = operand if operator == "between" else [operand]
    if not isinstance(bounds, list) or not all(_is_number(bound) for bound in bounds):
        yield RuleError(path, f"{operator!r} takes numbers, found {_shown(operand)}")
        return
    if operator == "between" and (len(bounds) != 2 or bounds[0] > bounds[1]):
        yield RuleError(path, "'between' takes two numbers, the smaller first")
    if operator in {"near_threshold", "is_round_amount"} and operand <= 0:
        yield RuleError(path, f"{operator!r} takes a number above zero")


def _time_operand_errors(path: str, operator: str, operand: Any) -> Iterator[RuleError]:
    if operator == "day_of_week":
        for day in operand if isinstance(operand, list) else [operand]:
            if day not in DAYS_OF_WEEK:
                message = f"{_shown(day)} is no day of the week"
                yield RuleError(path, message, _did_you_mean(day, DAYS_OF_WEEK))
        return
    hours = operand if isinstance(operand, list) else []
    whole = [hour for hour in hours if isinstance(hour, int) and 0 <= hour <= 24]
    if len(hours) != 2 or len(whole) != 2 or hours[0] == hours[1]:
        yield RuleError(path, "'hour_between' takes two different hours from 0 to 24, e.g. [22, 6]")


def _value_errors(path: str, tree: Any) -> Iterator[RuleError]:
    if not isinstance(tree, dict):
        return
    if "field" in tree:
        field = FIELDS.get(tree["field"])
        if field is None:
            yield _unknown_field(f"{path}.field", tree["field"])
        elif field.kind is not Kind.money:
            yield RuleError(f"{path}.field", f"{field.name} is no number", "Use 'amount'.")
        return
    for operator, operands in tree.items():
        for at, operand in enumerate(operands):
            yield from _value_errors(f"{path}.{operator}[{at}]", operand)


def _window_errors(
    path: str, rule: dict[str, Any], lists: Mapping[str, Any]
) -> Iterator[RuleError]:
    group_by = rule.get("group_by", [])
    for at, name in enumerate(group_by):
        if name not in GROUPABLE:
            message = f"payments cannot be grouped by {name!r}"
            yield RuleError(f"{path}.group_by[{at}]", message, _did_you_mean(name, GROUPABLE))
    measure = rule["measure"]
    function, name = measure["function"], measure.get("field")
    where = f"{path}.measure"
    if "of" in measure:
        yield from _condition_errors(f"{where}.of", measure["of"], lists)
    if name is not None and name not in FIELDS:
        yield _unknown_field(f"{where}.field", name)
    elif function in _OF_MONEY and name != "amount":
        yield RuleError(f"{where}.field", f"{function!r} is taken of an amount", "Use 'amount'.")
    elif function in _OF_MONEY and "currency" not in group_by and not _one_currency(rule):
        message = f"{function!r} would mix amounts of different currencies"
        suggestion = "Add 'currency' to group_by, or require one currency in 'when'."
        yield RuleError(where, message, suggestion)


def _one_currency(rule: dict[str, Any]) -> bool:
    """Tell whether a rule's condition lets only payments of a single currency through."""
    when = rule.get("when", {})
    return any(
        part.get("field") == "currency"
        and part.get("operator") == "eq"
        and isinstance(part.get("value"), str)
        for part in [when, *when.get("all", ())]
    )


def _unknown_field(path: str, name: str) -> RuleError:
    return RuleError(path, f"there is no field {name!r}", _did_you_mean(name, FIELDS))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _shown(value: Any) -> str:
    return _shortened(json.dumps(value, default=str))
