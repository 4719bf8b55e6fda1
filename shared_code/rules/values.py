"""Compiles the value of a transaction rule: a field, a number, or arithmetic over them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Final

from shared_code.rules.columns import Columns
from shared_code.rules.document import ValueTree
from shared_code.rules.fields import FIELDS

type Values = Sequence[Decimal | None]
type CompiledValue = Callable[[Columns, Sequence[int]], Values]

# Enough for the product of two amounts of 15 digits and then some; a quotient is cut there.
_ARITHMETIC: Final = Context(prec=34)
_OPERATIONS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "add": _ARITHMETIC.add,
    "subtract": _ARITHMETIC.subtract,
    "multiply": _ARITHMETIC.multiply,
    "divide": _ARITHMETIC.divide,
}


def compile_value(tree: ValueTree | None) -> CompiledValue:
    """Return the operation that gives each matched payment's value, exactly; 1 without a tree.

    A value is None where a divisor is zero.
    """
    if tree is None:
        return _constant(Decimal(1))
    if not isinstance(tree, dict):
        return _constant(Decimal(tree))
    if "field" in tree:
        column = FIELDS[tree["field"]].column
        return lambda columns, rows: _picked(columns, column, rows)
    operator = next(name for name in _OPERATIONS if name in tree)
    left, right = (compile_value(operand) for operand in tree[operator])
    operate = _OPERATIONS[operator]

    def combine(first: Decimal | None, second: Decimal | None) -> Decimal | None:
        if first is None or second is None or (operator == "divide" and not second):
            return None
        return operate(first, second)

    return lambda columns, rows: [
        combine(first, second)
        for first, second in zip(left(columns, rows), right(columns, rows), strict=True)
    ]


def _constant(number: Decimal) -> CompiledValue:
    return lambda _columns, rows: [number] * len(rows)


def _picked(columns: Columns, column: str, rows: Sequence[int]) -> Values:
    values: Sequence[Decimal] = columns.values(column)
    return [values[row] for row in rows]
