"""Compiles condition trees to column operations.

A condition is true, false, or unknown where a payment lacks the field it needs, and combines as in
Kleene's three-valued logic: what is unknown never becomes true by being negated.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np

from shared_code.rules.columns import ABSENT, HOURS_OF_DAY, Columns, Integers, Mask
from shared_code.rules.document import Condition
from shared_code.rules.fields import FIELDS, Field, Kind
from shared_code.rules.money_ranges import Ranges, amount_ranges, round_steps


class Verdict(NamedTuple):
    """For each payment whether a condition holds, and whether it fails; neither if unknown."""

    true: Mask
    false: Mask


type CompiledCondition = Callable[[Columns], Verdict]
type Lists = Mapping[str, Sequence[str]]

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_OF_WEEK: Final = {name: number for number, name in enumerate(_DAYS)}
_NEGATED: Final = frozenset({"ne", "not_in"})


class ConditionCompiler:
    """Compiles the checked conditions of one document; equal comparisons are made only once.

    Args:
        lists: the document's named lists of values.
    """

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._comparisons: dict[str, CompiledCondition] = {}

    def compile(self, condition: Condition | None) -> CompiledCondition:
        """Return the column operation for a condition tree; without one, all payments match."""
        if condition is None:
            return lambda columns: _known(np.ones(columns.size, dtype=np.bool_))
        if "all" in condition:
            return _all([self.compile(part) for part in condition["all"]])
        if "any" in condition:
            return _any([self.compile(part) for part in condition["any"]])
        if "not" in condition:
            return _not(self.compile(condition["not"]))
        text = json.dumps(condition, sort_keys=True, default=str)
        if text not in self._comparisons:
            self._comparisons[text] = _evaluated_once(_comparison(condition, self._lists))
        return self._comparisons[text]


def _evaluated_once(comparison: CompiledCondition) -> CompiledCondition:
    return lambda columns: columns.once(comparison)


def _known(true: Mask) -> Verdict:
    return Verdict(true, ~true)


def _where_present(true: Mask, present: Mask) -> Verdict:
    return Verdict(true & present, ~true & present)


def _all(parts: Sequence[CompiledCondition]) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        trues, falses = zip(*[part(columns) for part in parts], strict=True)
        return Verdict(reduce(np.logical_and, trues), reduce(np.logical_or, falses))

    return evaluate


def _any(parts: Sequence[CompiledCondition]) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        trues, falses = zip(*[part(columns) for part in parts], strict=True)
        return Verdict(reduce(np.logical_or, trues), reduce(np.logical_and, falses))

    return evaluate


def _not(part: CompiledCondition) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        verdict = part(columns)
        return Verdict(verdict.false, verdict.true)

    return evaluate


def _comparison(condition: Condition, lists: Lists) -> CompiledCondition:
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
        if operator == "is_round_amount":
            return _round_amount(operand)
        within = condition.get("within_percent")
        return _amount_within(amount_ranges(operator, operand, within), negated=operator == "ne")
    if field.kind is Kind.time:
        return _time(operator, operand, condition.get("time_zone", "UTC"))
    compile_values = {Kind.code: _code, Kind.flags: _flags, Kind.text: _text}[field.kind]
    return compile_values(field, operator, operand)


def _exists(field: Field, *, wanted: bool) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        present = _present(field, columns)
        return _known(present if wanted else ~present)

    return evaluate


def _present(field: Field, columns: Columns) -> Mask:
    if field.kind is Kind.flags:
        return np.not_equal(columns.codes(field.column), 0)
    return columns.present(field.column)


def _fields_compared(field: Field, operator: str, other: Field) -> CompiledCondition:
    """Compare two fields of one domain for equality."""

    def evaluate(columns: Columns) -> Verdict:
        if field.kind is Kind.code:
            equal = np.equal(columns.codes(field.column), columns.codes(other.column))
        else:
            pairs = zip(columns.values(field.column), columns.values(other.column), strict=True)
            equal = np.array([left == right for left, right in pairs], dtype=np.bool_)
        present = columns.present(field.column) & columns.present(other.column)
        return _where_present(equal if operator == "eq" else ~equal, present)

    return evaluate


def _amount_within(ranges: Ranges, *, negated: bool) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        amounts, exponents = columns.minor_units(), columns.exponents()
        within = (amounts >= ranges.lowest[exponents]) & (amounts <= ranges.highest[exponents])
        return _known(~within if negated else within)

    return evaluate


def _round_amount(multiple: Any) -> CompiledCondition:
    """Find amounts above zero that are whole multiples of a number of major units."""
    steps = round_steps(multiple)

    def evaluate(columns: Columns) -> Verdict:
        amounts = columns.minor_units()
        return _known((amounts > 0) & (amounts % steps[columns.exponents()] == 0))

    return evaluate


def _names(operand: str | Sequence[str]) -> Sequence[str]:
    return [operand] if isinstance(operand, str) else operand


def _code(field: Field, operator: str, operand: Any) -> CompiledCondition:
    wanted = np.array([field.numbers[name] for name in _names(operand)], dtype=np.int64)
    negated = operator in _NEGATED

    def evaluate(columns: Columns) -> Verdict:
        codes = columns.codes(field.column)
        found = codes == wanted[0] if wanted.size == 1 else np.isin(codes, wanted)
        return _where_present(~found if negated else found, codes != ABSENT)

    return evaluate


def _flags(field: Field, operator: str, operand: Any) -> CompiledCondition:
    bits = sum({field.numbers[name] for name in _names(operand)})
    negated = operator in _NEGATED

    def evaluate(columns: Columns) -> Verdict:
        found = (columns.codes(field.column) & bits) != 0
        return _known(~found if negated else found)

    return evaluate


def _time(operator: str, operand: Any, time_zone: str) -> CompiledCondition:
    hours = _hours_in_days(operand) if operator == "day_of_week" else _hours_between(*operand)
    return lambda columns: _known(hours[columns.hours_of_week(time_zone)])


def _hours_in_days(operand: Any) -> Mask:
    """Return for each hour of a week whether it lies in one of the days."""
    days: Integers = np.array([DAYS_OF_WEEK[name] for name in _names(operand)], dtype=np.int64)
    return np.repeat(np.isin(np.arange(len(_DAYS)), days), HOURS_OF_DAY)


def _hours_between(first: int, last: int) -> Mask:
    """Return for each hour of a week whether it lies in [first, last), over midnight if need be."""
    hours = np.arange(HOURS_OF_DAY)
    after, before = hours >= first, hours < last
    return np.tile(after & before if first < last else after | before, len(_DAYS))


def _text(field: Field, operator: str, operand: Any) -> CompiledCondition:
    wanted = frozenset(_names(operand))
    negated = operator in _NEGATED

    def evaluate(columns: Columns) -> Verdict:
        values = columns.values(field.column)
        if operator == "starts_with":
            prefix: str = operand
            found = [value is not None and value.startswith(prefix) for value in values]
        else:
            found = [(value in wanted) is not negated for value in values]
        return _where_present(np.array(found, dtype=np.bool_), columns.present(field.column))

    return evaluate
