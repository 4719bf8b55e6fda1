"""One form and one wording for all ways of writing the same condition, value or rule.

Two rules do the same if their normal forms are equal: the order of parts, how a number is written
and whether a default is spelt out do not count.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from shared_code.rules.canonical import plain_number
from shared_code.rules.document import Band, Condition, Rule, Term, ValueTree

type Lists = Mapping[str, Sequence[str]]

_PLAIN_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_SIGNS: Final = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_OF_ANY_ORDER: Final = frozenset({"add", "multiply"})
_OF_LOCAL_TIME: Final = frozenset({"hour_between", "day_of_week"})
_SETS: Final = frozenset({"in", "not_in", "day_of_week"})
_NO_LISTS: Final[Lists] = {}


class NormalCondition(NamedTuple):
    """A condition in its normal form, told apart from the other parts of a rule."""

    tree: Condition


def normal_rule(rule: Rule, lists: Lists = _NO_LISTS) -> dict[str, Any]:
    """Return what a rule does, defaults filled in; parts that it does not have are left out.

    Args:
        rule: any.
        lists: what references to named lists are replaced by; those of other lists stay.
    """
    parts = _normal_struct(rule, lists)
    if rule.scope in {"transaction", "sequence"} and rule.pattern is None:
        parts.setdefault("value", "1")
    return parts


def normal_condition(condition: Condition, lists: Lists = _NO_LISTS) -> Condition:
    """Return the normal form of a condition: nested ``all`` and ``any`` flat, parts in order."""
    for kind in ("all", "any"):
        if kind in condition:
            children = [normal_condition(child, lists) for child in condition[kind]]
            parts = {
                condition_in_words(part): part
                for child in children
                for part in child.get(kind, [child])
            }
            ordered = [parts[words] for words in sorted(parts)]
            return ordered[0] if len(ordered) == 1 else {kind: ordered}
    if "not" in condition:
        inner = normal_condition(condition["not"], lists)
        denied: Condition = inner.get("not", {"not": inner})
        return denied
    return _normal_comparison(condition, lists)


def condition_in_words(condition: Condition) -> str:
    """Return a condition as one line of text; of normal forms, equal ones only have equal text."""
    for kind in ("all", "any"):
        if kind in condition:
            return f"{kind} of ({'; '.join(map(condition_in_words, condition[kind]))})"
    if "not" in condition:
        return f"not ({condition_in_words(condition['not'])})"
    words = [condition["field"], condition["operator"]]
    if "value" in condition:
        words.append(operand_in_words(condition["value"]))
    options = sorted(condition.keys() - {"field", "operator", "value"})
    words += [f"{option} {operand_in_words(condition[option])}" for option in options]
    return " ".join(words)


def operand_in_words(operand: Any) -> str:
    """Return what a field is compared with as text."""
    match operand:
        case bool():
            return str(operand).lower()
        case int() | Decimal():
            return plain_number(Decimal(operand))
        case {"list": str(name)} | {"field": str(name)}:
            return f"{next(iter(operand))} {name}"
        case str():
            return operand if _PLAIN_WORD.fullmatch(operand) else json.dumps(operand)
        case datetime():
            return operand.isoformat()
        case _:
            return f"[{', '.join(map(operand_in_words, operand))}]"


def value_in_words(tree: ValueTree) -> str:
    """Return a value as arithmetic; equal whatever the order of what is added or multiplied."""
    if not isinstance(tree, Mapping):
        return operand_in_words(tree)
    if "field" in tree:
        target = tree.get("in_currency")
        return f"{tree['field']} in {target}" if target else str(tree["field"])
    ((operation, operands),) = tree.items()
    words = [value_in_words(operand) for operand in operands]
    if operation in _OF_ANY_ORDER:
        words.sort()
    return f"({f' {_SIGNS[operation]} '.join(words)})"


def lists_named(parts: Any) -> Iterator[str]:
    """Yield the names of the lists that a normal form refers to."""
    match parts:
        case NormalCondition():
            yield from lists_named(parts.tree)
        case {"list": str(name)}:
            yield name
        case Mapping():
            for part in parts.values():
                yield from lists_named(part)
        case list():
            for part in parts:
                yield from lists_named(part)


def _normal_comparison(comparison: Condition, lists: Lists) -> Condition:
    normal = dict(comparison)
    operator, value = normal["operator"], normal.get("value")
    if operator == "exists" and value is not False:
        normal.pop("value", None)
    if operator in _OF_LOCAL_TIME:
        normal.setdefault("time_zone", "UTC")
    if isinstance(value, Mapping) and value.get("list") in lists:
        value = lists[value["list"]]
    if operator in _SETS and not isinstance(value, Mapping):
        normal["value"] = sorted({value} if isinstance(value, str) else set(value or ()))
    return normal


def _normal_struct(part: msgspec.Struct, lists: Lists) -> dict[str, Any]:
    given = {name: getattr(part, name) for name in part.__struct_fields__}
    return {
        name: _normal_part(name, value, lists)
        for name, value in given.items()
        if value is not None and value != ()
    }


def _normal_part(name: str, value: Any, lists: Lists) -> Any:
    match value:
        case msgspec.Struct():
            return _normal_struct(value, lists)
        case datetime():
            return value.astimezone(UTC)
        case _ if name in _OWN_FORMS:
            return _OWN_FORMS[name](value, lists)
        case _:
            return value


def _normal_bands(bands: Sequence[Band], lists: Lists) -> dict[str, Any]:
    return {band.outcome: _normal_struct(band, lists) for band in bands}


def _normal_terms(terms: Sequence[Term], _lists: Lists) -> dict[str, Decimal]:
    points: dict[str, Decimal] = {}
    for term in terms:
        name = f"{term.rule} {term.outcome or 'any match'}"
        points[name] = points.get(name, Decimal()) + term.points
    return points


_OWN_FORMS: Final[Mapping[str, Callable[[Any, Lists], Any]]] = {
    **dict.fromkeys(
        ("when", "where", "of", "first", "then"),
        lambda tree, lists: NormalCondition(normal_condition(tree, lists)),
    ),
    **dict.fromkeys(("tags", "group_by"), lambda names, _lists: sorted(names)),
    "value": lambda tree, _lists: value_in_words(tree),
    "bands": _normal_bands,
    "terms": _normal_terms,
}
