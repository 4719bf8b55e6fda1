"""Conditions in one form, so that those that mean the same are equal.

Negation is moved into the comparisons, and operators that are the negation of others are written
as such: ``ne`` is a negated ``in`` of one value. In three-valued logic, too, that changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from shared_code.rules.fields import ALL_FIELDS, Kind
from shared_code.rules.number_sets import Number

_NEGATIONS: Final = {"ne": "eq", "not_in": "in", "lt": "gte", "lte": "gt"}
_OF_MEMBERS: Final = frozenset({Kind.code, Kind.text, Kind.flags})


class OtherField(NamedTuple):
    """The field that another one is compared with."""

    name: str


class Literal(NamedTuple):
    """A comparison, or its negation.

    ``operand`` is a frozenset for ``in`` and ``day_of_week``, and may be an ``OtherField``;
    ``option`` is its currency or time zone, ``percent`` that of ``near_threshold``.
    """

    positive: bool
    field: str
    operator: str
    operand: Any
    option: str | None
    percent: Number | None


class Joined(NamedTuple):
    """Parts that all hold (``every``), or of which at least one does."""

    every: bool
    parts: frozenset["Form"]


type Form = Literal | Joined


def literal_of(condition: Mapping[str, Any], values_of: Callable[[str], frozenset[str]]) -> Literal:
    """Return a checked comparison as a literal.

    Args:
        condition: the comparison.
        values_of: gives the values of a list of the document.
    """
    field = ALL_FIELDS[condition["field"]]
    named: str = condition["operator"]
    operator = _NEGATIONS.get(named, named)
    positive = operator == named
    operand: Any = condition.get("value", True)
    option = condition.get("in_currency")
    if operator == "exists":
        positive, operand = operand is not False, True
    elif isinstance(operand, dict):
        operand = OtherField(operand["field"]) if "field" in operand else values_of(operand["list"])
    elif operator == "day_of_week" or (operator in {"eq", "in"} and field.kind in _OF_MEMBERS):
        operand = frozenset([operand] if isinstance(operand, str) else operand)
    elif isinstance(operand, list):
        operand = tuple(operand)
    if field.kind in _OF_MEMBERS and operator == "eq" and not isinstance(operand, OtherField):
        operator = "in"
    if field.kind is Kind.time and operator != "exists":
        option = condition.get("time_zone", "UTC")
    return Literal(positive, field.name, operator, operand, option, condition.get("within_percent"))


def joined(forms: Iterable[Form], *, every: bool) -> Form:
    """Return forms as one, those of the same kind inside of it spread out."""
    parts: set[Form] = set()
    for form in forms:
        parts |= form.parts if isinstance(form, Joined) and form.every == every else {form}
    return Joined(every, frozenset(parts)) if len(parts) > 1 else parts.pop()


def negated(form: Form) -> Form:
    """Return what is true where a form is false, and the other way round."""
    if isinstance(form, Literal):
        return form._replace(positive=not form.positive)
    return Joined(not form.every, frozenset(map(negated, form.parts)))
