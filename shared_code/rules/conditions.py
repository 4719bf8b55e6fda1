"""Compiles condition trees to column operations.

A condition is true, false, or unknown where a payment lacks the field it needs, and combines as in
Kleene's three-valued logic: what is unknown never becomes true by being negated.
"""

import json
import operator as operators
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_code.rules.columns import ABSENT, HOURS_OF_DAY, Columns, Integers, Mask
from shared_code.rules.document import Condition
from shared_code.rules.fields import ALL_FIELDS, Field, Kind
from shared_code.rules.money_ranges import Ranges, amount_ranges, round_steps
from shared_code.rules.packed import Fractions
from shared_code.rules.patterns import compile_pattern
from shared_code.rules.rates import Conversion, Converter


class Verdict(NamedTuple):
    """For each payment whether a condition holds, and whether it fails; neither if unknown."""

    true: Mask
    false: Mask


type CompiledCondition = Callable[[Columns], Verdict]
type Lists = Mapping[str, Sequence[str]]

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_OF_WEEK: Final = {name: number for number, name in enumerate(_DAYS)}
_MANY: Final = 1 << 15
_NEGATED: Final = frozenset({"ne", "not_in"})
_ORDER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "eq": operators.eq,
    "ne": operators.ne,
    "gt": operators.gt,
    "gte": operators.ge,
    "lt": operators.lt,
    "lte": operators.le,
}


class Amounts(NamedTuple):
    """Amounts in minor units, the decimals of each one's currency, and where there is one."""

    minor_units: Integers
    exponents: Integers
    present: Mask


class ConditionCompiler:
    """Compiles the checked conditions of one document; equal comparisons are made only once.

    Args:
        lists: the document's named lists of values.
        converter: makes the conversions that comparisons of amounts ask for.
    """

    def __init__(self, lists: Lists, converter: Converter) -> None:
        self._lists = lists
        self._converter = converter
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
            self._comparisons[text] = _evaluated_once(self._comparison(condition))
        return self._comparisons[text]

    def _comparison(self, condition: Condition) -> CompiledCondition:
        field = ALL_FIELDS[condition["field"]]
        operator: str = condition["operator"]
        operand: Any = condition.get("value")
        if operator == "exists":
            return _exists(field, wanted=operand is not False)
        if field.kind is Kind.money:
            return self._comparison_of_money(field, condition)
        if isinstance(operand, dict) and "field" in operand:
            return _fields_compared(field, operator, ALL_FIELDS[operand["field"]])
        if isinstance(operand, dict):
            operand = self._lists[operand["list"]]
        if field.kind is Kind.time:
            return _time(field, operator, operand, condition.get("time_zone", "UTC"))
        compile_values = {
            Kind.code: _code,
            Kind.flags: _flags,
            Kind.text: _text,
            Kind.number: _number,
        }[field.kind]
        return compile_values(field, operator, operand)

    def _comparison_of_money(self, field: Field, condition: Condition) -> CompiledCondition:
        operator, operand = condition["operator"], condition["value"]
        target: str | None = condition.get("in_currency")
        conversion = None if target is None else self._converter.to(target)
        if isinstance(operand, dict):
            return _amounts_compared(field, operator, ALL_FIELDS[operand["field"]], conversion)
        if operator == "is_round_amount":
            return _round_amount(field, operand, conversion)
        ranges = amount_ranges(operator, operand, condition.get("within_percent"))
        return _amount_within(field, ranges, conversion, negated=operator == "ne")


def _evaluated_once(comparison: CompiledCondition) -> CompiledCondition:
    """Return a comparison that is made once for the same payments, also as a part of more.

    Of many payments a bit each is kept: a document has hundreds of comparisons.
    """

    def kept(columns: Columns) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        true, false = comparison(columns)
        return np.packbits(true), np.packbits(false)

    def evaluate(columns: Columns) -> Verdict:
        if columns.parts:
            trues, falses = zip(*map(evaluate, columns.parts), strict=True)
            return Verdict(np.concatenate(trues), np.concatenate(falses))
        if columns.size < _MANY:
            return columns.once(comparison)
        true, false = columns.once(kept)
        return Verdict(_unpacked(true, columns.size), _unpacked(false, columns.size))

    return evaluate


def _unpacked(bits: NDArray[np.uint8], size: int) -> Mask:
    return np.unpackbits(bits, count=size).view(np.bool_)


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


def _exists(field: Field, *, wanted: bool) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        present = _present(field, columns)
        return _known(present if wanted else ~present)

    return evaluate


def _present(field: Field, columns: Columns) -> Mask:
    if field.kind is Kind.flags:
        return np.greater(columns.codes(field.column), 0)
    return columns.present(field.column)


def _fields_compared(field: Field, operator: str, other: Field) -> CompiledCondition:
    """Compare two fields of one domain for equality."""

    def evaluate(columns: Columns) -> Verdict:
        if field.kind is Kind.code:
            equal = np.equal(columns.codes(field.column), columns.codes(other.column))
        else:
            equal = columns.same(field.column, other.column)
        present = columns.present(field.column) & columns.present(other.column)
        return _where_present(equal if operator == "eq" else ~equal, present)

    return evaluate


def _amounts(field: Field, columns: Columns, conversion: Conversion | None) -> Amounts:
    if conversion is None:
        return Amounts(
            columns.minor_units(field.column, field.currency_column),
            columns.exponents(field.currency_column),
            columns.present(field.column),
        )
    minor_units, known = conversion.of(columns, field.column, field.currency_column)
    decimals = np.full(columns.size, conversion.target.minor_unit, dtype=np.int64)
    return Amounts(minor_units, decimals, known)


def _amount_within(
    field: Field, ranges: Ranges, conversion: Conversion | None, *, negated: bool
) -> CompiledCondition:
    def evaluate(columns: Columns) -> Verdict:
        amounts, exponents, present = _amounts(field, columns, conversion)
        within = (amounts >= ranges.lowest[exponents]) & (amounts <= ranges.highest[exponents])
        return _where_present(~within if negated else within, present)

    return evaluate


def _round_amount(field: Field, multiple: Any, conversion: Conversion | None) -> CompiledCondition:
    """Find amounts above zero that are whole multiples of a number of major units."""
    steps = round_steps(multiple)

    def evaluate(columns: Columns) -> Verdict:
        amounts, exponents, present = _amounts(field, columns, conversion)
        return _where_present((amounts > 0) & (amounts % steps[exponents] == 0), present)

    return evaluate


def _amounts_compared(
    field: Field, operator: str, other: Field, conversion: Conversion | None
) -> CompiledCondition:
    """Compare two amounts; unknown where they are of different currencies and not converted."""

    def evaluate(columns: Columns) -> Verdict:
        left = _amounts(field, columns, conversion)
        right = _amounts(other, columns, conversion)
        present = left.present & right.present
        if conversion is None:
            currencies = columns.codes(field.currency_column), columns.codes(other.currency_column)
            present &= np.equal(*currencies)
        return _where_present(_ORDER[operator](left.minor_units, right.minor_units), present)

    return evaluate


def _number(field: Field, operator: str, operand: Any) -> CompiledCondition:
    """Compare a number that is reckoned for each pair of payments, exactly."""
    if operator == "between":
        low, high = map(Fraction, operand)
    else:
        bound, compare = Fraction(operand), _ORDER[operator]

    def evaluate(columns: Columns) -> Verdict:
        numbers = columns.values(field.column)
        if not isinstance(numbers, Fractions):
            message = f"{field.name} is reckoned of pairs of payments"
            raise TypeError(message)
        if operator == "between":
            holds = numbers.compared(operators.ge, low) & numbers.compared(operators.le, high)
        else:
            holds = numbers.compared(compare, bound)
        return _where_present(holds, numbers.present)

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
        codes = columns.codes(field.column)
        found = (codes & bits) != 0
        # Every payment has flags, if only none of them; a payment that is not there has none.
        return _where_present(~found if negated else found, codes != ABSENT)

    return evaluate


def _time(field: Field, operator: str, operand: Any, time_zone: str) -> CompiledCondition:
    hours = _hours_in_days(operand) if operator == "day_of_week" else _hours_between(*operand)
    return lambda columns: _where_present(
        hours[columns.hours_of_week(time_zone, field.column)], columns.present(field.column)
    )


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
    if operator in {"starts_with", "matches"}:
        prefix: str = operand
        occurs_in = compile_pattern(prefix) if operator == "matches" else None

        def holds(value: str | None) -> bool:
            if value is None:
                return False
            return value.startswith(prefix) if occurs_in is None else occurs_in(value)

        return lambda columns: _where_present(
            columns.holds_of(field.column, holds), columns.present(field.column)
        )
    wanted = frozenset(_names(operand))
    negated = operator in _NEGATED

    def evaluate(columns: Columns) -> Verdict:
        found = columns.among(field.column, wanted)
        return _where_present(~found if negated else found, columns.present(field.column))

    return evaluate
