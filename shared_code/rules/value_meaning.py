"""Checks the value of a rule: numbers, fields that are numbers, and arithmetic over them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared_code.rules.comparison_meaning import unknown_field
from shared_code.rules.errors import Path, RuleError, json_path
from shared_code.rules.fields import Field, Kind

_ARITHMETIC: Final = ("add", "subtract", "multiply", "divide")
# The value then has at most some thousand digits, which PostgreSQL's numeric holds.
_MOST_OPERATIONS: Final = 50


def value_errors(path: Path, tree: Any, fields: Mapping[str, Field]) -> Iterator[RuleError]:
    """Yield what makes no sense in a value of the right shape.

    Args:
        path: of the value in the document.
        tree: a number, or an object as the schema describes it.
        fields: those that the rule knows.
    """
    if _operations(tree) > _MOST_OPERATIONS:
        message = f"the value has more than {_MOST_OPERATIONS} operations"
        yield RuleError(json_path(path), message, "Reckon its constant parts beforehand.")
    yield from _operand_errors(path, tree, fields)


def _operations(tree: Any) -> int:
    if not isinstance(tree, dict):
        return 0
    operands = [operand for name in _ARITHMETIC for operand in tree.get(name, ())]
    return bool(operands) + sum(map(_operations, operands))


def _operand_errors(path: Path, tree: Any, fields: Mapping[str, Field]) -> Iterator[RuleError]:
    if not isinstance(tree, dict):
        return
    if "field" in tree:
        yield from _field_errors(path, tree, fields)
        return
    for operator, operands in tree.items():
        if operator == "divide" and not isinstance(operands[1], dict) and not operands[1]:
            where = json_path((*path, operator, 1))
            yield RuleError(where, "nothing can be divided by zero", "Choose another divisor.")
        for at, operand in enumerate(operands):
            yield from _operand_errors((*path, operator, at), operand, fields)


def _field_errors(
    path: Path, tree: Mapping[str, Any], fields: Mapping[str, Field]
) -> Iterator[RuleError]:
    name = tree["field"]
    field = fields.get(name)
    if field is None:
        yield unknown_field((*path, "field"), name, fields)
    elif field.kind not in {Kind.money, Kind.number}:
        yield RuleError(json_path((*path, "field")), f"{name} is no number", "Use 'amount'.")
    elif "in_currency" in tree and field.kind is not Kind.money:
        message = f"{name} is no amount and takes no 'in_currency'"
        yield RuleError(json_path((*path, "in_currency")), message, "Leave it out.")
