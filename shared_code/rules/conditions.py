"""Compiles condition trees to column operations.

A condition is true, false, or unknown where a payment lacks the field it needs, and combines as in
Kleene's three-valued logic: what is unknown never becomes true by being negated.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.document import Condition
from shared_code.rules.fields import FIELDS, Field, Kind


class Verdict(NamedTuple):
    """For each payment whether a condition holds, and whether it fails; neither if unknown."""

    true: Mask
    false: Mask


type CompiledCondition = Callable[[Columns], Verdict]
type Lists = Mapping[str, Sequence[str]]

_EXPONENTS: Final = range(5)
_LIMITS: Final = (Decimal(-(2**63)), Decimal(2**63 - 1))
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_OF_WEEK: Final = {name: number for number, name in enumerate(_DAYS)}
_COMPARE: Final[Mapping[str, Callable[[Integers, Integers], Mask]]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
}


def compile_condition(condition: Condition | None, lists: Lists) -> CompiledCondition:
    """Return the column operation for a checked condition tree; without one, all payments match."""
    if condition is None:
        return lambda columns: _known(np.ones(columns.size, dtype=np.bool_))
    if "all" in condition:
        return _all([compile_condition(part, lists) for part in condition["all"]])
    if "any" in condition:
        return _any([compile_condition(part, lists) for part in condition["any"]])
    if "not" in condition:
        return _not(compile_condition(condition["not"], lists))
    return _compile_comparison(condition, lists)


def _known(true: Mask) -> Verdict:
    return Verdict(true, ~true)


def _where_present(true: Mask, present: Mask) -> Verdict:
    return Verdict(true & present, ~true & present)


def _all(parts: Sequence[CompiledCondition]) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        verdicts = [part(columns) for part in parts]
        return Verdict(
            np.logical_and.reduce([verdict.true for verdict in verdicts]),
            np.logical_or.reduce([verdict.false for verdict in verdicts]),
        )

    return evaluate


def _any(parts: Sequence[CompiledCondition]) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        verdicts = [part(columns) for part in parts]
        return Verdict(
            np.logical_or.reduce([verdict.true for verdict in verdicts]),
            np.logical_and.reduce([verdict.false for verdict in verdicts]),
        )

    return evaluate


def _not(part: CompiledCondition) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        verdict = part(columns)
        return Verdict(verdict.false, verdict.true)

    return evaluate


def _compile_comparison(condition: Condition, lists: Lists) -> CompiledCondition:
    field = FIELDS[condition["field"]]
    operator: str = condition["operator"]
    operand: Any = condition.get("value")
    if operator == "exists":
        return _exists(field, wanted=operand is not False)
    if isinstance(operand, dict) and "field" in operand:
        return _fields_compared(field, operator, FIELDS[operand["field"]])
    if isinstance(operand, dict):
        operand = lists[operand["list"]]
    if field.kind is Kind.money:
        return _money(operator, operand, condition)
    if field.kind is Kind.time:
        return _time(operator, operand, condition)
    compile_values = {Kind.code: _code, Kind.flags: _flags, Kind.text: _text}[field.kind]
    return compile_values(field, operator, operand)


def _exists(field: Field, *, wanted: bool) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        present = _present(field, columns)
        return _known(present if wanted else ~present)

    return evaluate


def _present(field: Field, columns: Columns) -> Mask:
    if field.kind is Kind.text:
        return np.array(
            [value is not None for value in columns.values(field.column)], dtype=np.bool_
        )
    if field.kind is Kind.code:
        return np.not_equal(columns.codes(field.column), ABSENT)
    if field.kind is Kind.flags:
        return np.not_equal(columns.codes(field.column), 0)
    return np.ones(columns.size, dtype=np.bool_)


def _fields_compared(field: Field, operator: str, other: Field) -> CompiledCondition:
    """Compare two fields of one domain for equality."""

    def evaluate_codes(columns: Columns) -> Verdict:
        left, right = columns.codes(field.column), columns.codes(other.column)
        return _where_present(_COMPARE[operator](left, right), (left != ABSENT) & (right != ABSENT))

    def evaluate_texts(columns: Columns) -> Verdict:
        pairs = list(zip(columns.values(field.column), columns.values(other.column), strict=True))
        equal = np.array([left == right for left, right in pairs], dtype=np.bool_)
        present = np.array([None not in pair for pair in pairs], dtype=np.bool_)
        return _where_present(equal if operator == "eq" else ~equal, present)

    return evaluate_codes if field.kind is Kind.code else evaluate_texts


def _money(operator: str, operand: Any, condition: Condition) -> CompiledCondition:
    """Compare amounts with a number of major units, exactly, in each currency's minor units."""
    match operator:
        case "between":
            low, high = (Decimal(bound) for bound in operand)
            return _all([_money_against("gte", low), _money_against("lte", high)])
        case "near_threshold":
            threshold = Decimal(operand)
            low = threshold * (1 - Decimal(condition["within_percent"]) / 100)
            return _all([_money_against("gte", low), _money_against("lt", threshold)])
        case "is_round_amount":
            return _round_amount(Decimal(operand))
        case _:
            return _money_against(operator, Decimal(operand))


def _money_against(operator: str, bound: Decimal) -> CompiledCondition:
    # An amount is a whole number of minor units. The bound need not be: 99.5 JPY lies between two.
    rounding = ROUND_CEILING if operator in {"gte", "lt"} else ROUND_FLOOR
    scaled = [bound.scaleb(exponent) for exponent in _EXPONENTS]
    whole = [value.to_integral_value(rounding=rounding) for value in scaled]
    bounds = np.array(
        [int(min(max(value, _LIMITS[0]), _LIMITS[1])) for value in whole], dtype=np.int64
    )
    exact = np.array([value == rounded for value, rounded in zip(scaled, whole, strict=True)])

    def evaluate(columns: Columns) -> Verdict:
        exponents = columns.exponents()
        true = _COMPARE[operator](columns.minor_units(), bounds[exponents])
        if operator == "eq":
            true = true & exact[exponents]
        elif operator == "ne":
            true = true | ~exact[exponents]
        return _known(true)

    return evaluate


def _round_amount(multiple: Decimal) -> CompiledCondition:
    """Find amounts above zero that are whole multiples of a number of major units."""
    steps = [multiple.scaleb(exponent) for exponent in _EXPONENTS]
    # A step finer than a minor unit of the currency divides every amount that it can have.
    steps_minor = np.array([max(int(step), 1) for step in steps], dtype=np.int64)

    def evaluate(columns: Columns) -> Verdict:
        amounts = columns.minor_units()
        return _known((amounts > 0) & (amounts % steps_minor[columns.exponents()] == 0))

    return evaluate


def _code(field: Field, operator: str, operand: Any) -> CompiledCondition:
    names: Sequence[str] = [operand] if isinstance(operand, str) else operand
    wanted = np.array([field.numbers[name] for name in names], dtype=np.int64)
    negated = operator in {"ne", "not_in"}

    def evaluate(columns: Columns) -> Verdict:
        codes = columns.codes(field.column)
        return _where_present(np.isin(codes, wanted, invert=negated), codes != ABSENT)

    return evaluate


def _flags(field: Field, operator: str, operand: Any) -> CompiledCondition:
    names: Sequence[str] = [operand] if isinstance(operand, str) else operand
    bits = sum({field.numbers[name] for name in names})
    negated = operator in {"ne", "not_in"}

    def evaluate(columns: Columns) -> Verdict:
        found = (columns.codes(field.column) & bits) != 0
        return _known(~found if negated else found)

    return evaluate


def _time(operator: str, operand: Any, condition: Condition) -> CompiledCondition:
    zone = ZoneInfo(condition.get("time_zone", "UTC"))
    if operator == "day_of_week":
        names: Sequence[str] = [operand] if isinstance(operand, str) else operand
        days = [DAYS_OF_WEEK[name] for name in names]
        return lambda columns: _known(
            np.isin(
                [time.astimezone(zone).weekday() for time in columns.values("event_time")], days
            )
        )
    first, last = operand

    def evaluate(columns: Columns) -> Verdict:
        hours = np.array(
            [time.astimezone(zone).hour for time in columns.values("event_time")], dtype=np.int64
        )
        after, before = hours >= first, hours < last
        return _known(after & before if first < last else after | before)

    return evaluate


def _text(field: Field, operator: str, operand: Any) -> CompiledCondition:
    if operator == "starts_with":
        prefix: str = operand

        def matches(value: str) -> bool:
            return value.startswith(prefix)
    else:
        wanted = frozenset([operand] if isinstance(operand, str) else operand)
        negated = operator in {"ne", "not_in"}

        def matches(value: str) -> bool:
            return (value in wanted) is not negated

    def evaluate(columns: Columns) -> Verdict:
        values = columns.values(field.column)
        true = np.array([value is not None and matches(value) for value in values], dtype=np.bool_)
        present = np.array([value is not None for value in values], dtype=np.bool_)
        return _where_present(true, present)

    return evaluate
