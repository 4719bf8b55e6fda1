"""Checks what a rule document means: fields, operators and values that fit each other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from shared_code.rules.comparison_meaning import comparison_errors, list_errors, unknown_field
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.fields import FIELDS, GROUPABLE, Kind
from shared_code.rules.shape import did_you_mean

_OF_MONEY: Final = frozenset({"sum", "average", "minimum", "maximum", "percentile"})
_ARITHMETIC: Final = ("add", "subtract", "multiply", "divide")
# The value then has at most some thousand digits, which PostgreSQL's numeric holds.
_MOST_OPERATIONS: Final = 50


def meaning_errors(document: Any, broken: Iterable[Path]) -> Iterator[RuleError]:
    """Yield what makes no sense in the parts of a document whose shape is right.

    Args:
        document: what the JSON text holds.
        broken: the paths at which it breaks the schema.
    """
    return _Meaning(document, broken).errors()


class _Meaning:
    """The checks of one document; each leaves out what has a broken shape."""

    def __init__(self, document: Any, broken: Iterable[Path]) -> None:
        self._rules: Any = document.get("rules") if isinstance(document, dict) else None
        lists: Any = document.get("lists", {}) if isinstance(document, dict) else None
        self._lists: Mapping[str, Any] = lists if isinstance(lists, dict) else {}
        self._uses_of_lists: dict[tuple[str, str], None] = {}
        self._at_or_above_fault = frozenset(
            path[:length] for path in broken for length in range(len(path) + 1)
        )

    def errors(self) -> Iterator[RuleError]:
        ids: dict[str, int] = {}
        for number, rule in enumerate(self._rules if isinstance(self._rules, list) else ()):
            if isinstance(rule, dict):
                path: Path = ("rules", number)
                if self._is_whole((*path, "id"), rule):
                    yield from _repeated_id(path, rule["id"], ids.setdefault(rule["id"], number))
                yield from self._condition((*path, "when"), rule.get("when"))
                if self._is_whole((*path, "value"), rule):
                    yield from _value_errors((*path, "value"), rule["value"])
                yield from self._group_by((*path, "group_by"), rule)
                yield from self._measure(path, rule)
        yield from self._list_values()

    def _is_whole(self, path: Path, parent: Mapping[str, Any]) -> bool:
        """Tell whether a key is there and has the right shape, all the way down."""
        return path[-1] in parent and path not in self._at_or_above_fault

    def _condition(self, path: Path, condition: Any) -> Iterator[RuleError]:
        if not isinstance(condition, dict):
            return
        for combination in ("all", "any"):
            parts = condition.get(combination)
            for at, part in enumerate(parts if isinstance(parts, list) else ()):
                yield from self._condition((*path, combination, at), part)
        yield from self._condition((*path, "not"), condition.get("not"))
        if "field" in condition and path not in self._at_or_above_fault:
            errors = list(comparison_errors(path, condition, self._lists))
            yield from errors
            operand = condition.get("value")
            if not errors and isinstance(operand, dict) and "list" in operand:
                self._uses_of_lists.setdefault((operand["list"], condition["field"]))

    def _list_values(self) -> Iterator[RuleError]:
        """Check each list against each field that is compared with it, once for all its uses."""
        for name, field in self._uses_of_lists:
            if ("lists", name) not in self._at_or_above_fault:
                yield from list_errors(name, self._lists[name], FIELDS[field])

    def _group_by(self, path: Path, rule: Mapping[str, Any]) -> Iterator[RuleError]:
        if not self._is_whole(path, rule):
            return
        for at, name in enumerate(rule["group_by"]):
            if name not in GROUPABLE:
                message = f"payments cannot be grouped by {shown(name)}"
                suggestion = did_you_mean(name, sorted(GROUPABLE))
                yield RuleError(json_path((*path, at)), message, suggestion)

    def _measure(self, rule_path: Path, rule: Mapping[str, Any]) -> Iterator[RuleError]:
        measure: Any = rule.get("measure")
        path = (*rule_path, "measure")
        if not isinstance(measure, dict):
            return
        yield from self._condition((*path, "of"), measure.get("of"))
        if path in self._at_or_above_fault or "field" not in measure:
            return
        function, name = measure["function"], measure["field"]
        if name not in FIELDS:
            yield unknown_field((*path, "field"), name)
        elif function in _OF_MONEY and name != "amount":
            message = f"{function!r} is taken of an amount, found {shown(name)}"
            yield RuleError(json_path((*path, "field")), message, "Use 'amount'.")
        elif function in _OF_MONEY and not self._has_one_currency(rule_path, rule):
            message = f"{function!r} would mix amounts of different currencies"
            suggestion = "Add 'currency' to group_by, or require one currency in 'when'."
            yield RuleError(json_path(path), message, suggestion)

    def _has_one_currency(self, path: Path, rule: Mapping[str, Any]) -> bool:
        """Tell whether all payments of a group have one currency, or whether that is unknown."""
        if {(*path, "group_by"), (*path, "when")} & self._at_or_above_fault:
            return True
        when = rule.get("when", {})
        return "currency" in rule.get("group_by", ()) or any(
            part.get("field") == "currency"
            and part.get("operator") == "eq"
            and isinstance(part.get("value"), str)
            for part in (when, *when.get("all", ()))
        )


def _repeated_id(path: Path, rule_id: str, first: int) -> Iterator[RuleError]:
    if path[-1] != first:
        message = f"the id {rule_id!r} is taken by $.rules[{first}]"
        yield RuleError(json_path((*path, "id")), message, "Choose another id.")


def _value_errors(path: Path, tree: Any) -> Iterator[RuleError]:
    if _operations(tree) > _MOST_OPERATIONS:
        message = f"the value has more than {_MOST_OPERATIONS} operations"
        yield RuleError(json_path(path), message, "Reckon its constant parts beforehand.")
    yield from _operand_errors(path, tree)


def _operations(tree: Any) -> int:
    if not isinstance(tree, dict):
        return 0
    operands = [operand for name in _ARITHMETIC for operand in tree.get(name, ())]
    return bool(operands) + sum(map(_operations, operands))


def _operand_errors(path: Path, tree: Any) -> Iterator[RuleError]:
    if not isinstance(tree, dict):
        return
    if "field" in tree:
        name = tree["field"]
        if name not in FIELDS:
            yield unknown_field((*path, "field"), name)
        elif FIELDS[name].kind is not Kind.money:
            yield RuleError(json_path((*path, "field")), f"{name} is no number", "Use 'amount'.")
        return
    for operator, operands in tree.items():
        if operator == "divide" and not isinstance(operands[1], dict) and not operands[1]:
            where = json_path((*path, operator, 1))
            yield RuleError(where, "nothing can be divided by zero", "Choose another divisor.")
        for at, operand in enumerate(operands):
            yield from _operand_errors((*path, operator, at), operand)
