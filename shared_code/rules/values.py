"""Compiles the value of a rule: a field, a number, or arithmetic over them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np

from shared_code.rules.columns import Columns
from shared_code.rules.document import ValueTree
from shared_code.rules.fields import ALL_FIELDS, Field, Kind
from shared_code.rules.packed import ABSENT, Amounts, Integers, Packed
from shared_code.rules.rates import Conversion, Converter

type Values = Sequence[Decimal | None]
type Rows = Sequence[int] | Integers
type CompiledValue = Callable[[Columns, Rows], Values]

# Enough for the product of two amounts of 15 digits and then some; a quotient is cut there.
_ARITHMETIC: Final = Context(prec=34)
_OPERATIONS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "add": _ARITHMETIC.add,
    "subtract": _ARITHMETIC.subtract,
    "multiply": _ARITHMETIC.multiply,
    "divide": _ARITHMETIC.divide,
}
_ONE: Final = Decimal(1)


def compile_value(tree: ValueTree | None, converter: Converter) -> CompiledValue:
    """Return the operation that gives each matched payment's value, exactly; 1 without a tree.

    A value is None where a divisor is zero, a field or a rate is missing, or amounts of different
    currencies would meet.
    """
    if tree is None:
        return _constant(_ONE)
    value = _compiled(tree, converter)
    currencies = {field.currency_column for field in _plain_amounts(tree)}
    if len(currencies) < 2:
        return value
    first, second = sorted(currencies)

    def of_one_currency(columns: Columns, rows: Rows) -> Values:
        own, others = columns.values(first), columns.values(second)
        found = value(columns, rows)
        return [
            item if own[row] == others[row] else None for item, row in zip(found, rows, strict=True)
        ]

    return of_one_currency


def _compiled(tree: ValueTree, converter: Converter) -> CompiledValue:
    if not isinstance(tree, dict):
        return _constant(Decimal(tree))
    if "field" in tree:
        field = ALL_FIELDS[tree["field"]]
        if "in_currency" in tree:
            return _converted(field, converter.to(tree["in_currency"]))
        if field.kind is Kind.number:
            return lambda columns, rows: [
                _decimal(value) for value in _picked(columns, field.column, rows)
            ]
        return lambda columns, rows: _picked(columns, field.column, rows)
    operator = next(name for name in _OPERATIONS if name in tree)
    left, right = (_compiled(operand, converter) for operand in tree[operator])
    operate = _OPERATIONS[operator]

    def combine(first: Decimal | None, second: Decimal | None) -> Decimal | None:
        if first is None or second is None or (operator == "divide" and not second):
            return None
        return operate(first, second)

    return lambda columns, rows: [
        combine(first, second)
        for first, second in zip(left(columns, rows), right(columns, rows), strict=True)
    ]


def _plain_amounts(tree: ValueTree) -> Iterator[Field]:
    """Yield the amounts of a tree that are taken as they stand, each in its own currency."""
    if not isinstance(tree, dict):
        return
    if "field" in tree:
        field = ALL_FIELDS[tree["field"]]
        if field.kind is Kind.money and "in_currency" not in tree:
            yield field
        return
    for operands in tree.values():
        for operand in operands:
            yield from _plain_amounts(operand)


def _constant(number: Decimal) -> CompiledValue:
    return lambda _columns, rows: [number] * len(rows)


def _picked(columns: Columns, column: str, rows: Rows) -> Sequence[Any]:
    values = columns.values(column)
    if isinstance(values, Packed):
        return values.taken(np.asarray(rows, dtype=np.int64))
    return [values[row] for row in rows]


def _converted(field: Field, conversion: Conversion) -> CompiledValue:
    scale = -conversion.target.minor_unit

    def values(columns: Columns, rows: Rows) -> Values:
        minor_units, known = conversion.of(columns, field.column, field.currency_column)
        if isinstance(columns.values(field.column), Packed):
            places = np.asarray(rows, dtype=np.int64)
            converted = np.where(known, minor_units, ABSENT)[places]
            return Amounts(converted, np.full(places.size, -scale, dtype=np.int8))
        return [
            Decimal(amount).scaleb(scale) if is_known else None
            for amount, is_known in zip(
                minor_units[rows].tolist(), known[rows].tolist(), strict=True
            )
        ]

    return values


def _decimal(number: Fraction | None) -> Decimal | None:
    if number is None:
        return None
    return _ARITHMETIC.divide(Decimal(number.numerator), Decimal(number.denominator))
