"""Values as the type of a variable makes them: what is optional gets its default."""

from collections.abc import Mapping
from typing import Any

from deploy.infrastructure.errors import NotEvaluated
from deploy.infrastructure.evaluation import Unknown, evaluate
from deploy.infrastructure.hcl import Expression, subtrees


def converted(value: Any, type_: Expression) -> Any:
    """Return a value as a variable of that type holds it.

    Raises:
        NotEvaluated: the value is not of the type, or the type is not known here.
    """
    if value is None or isinstance(value, Unknown):
        return value
    inner = _parts(type_)[0] if type_.data == "expr_term" else type_
    if inner.data == "identifier":
        return _plain(value, str(inner.children[0]))
    name, *rest = _parts(inner)
    element = _parts(rest[0])[0] if rest else type_
    match str(name.children[0]):
        case "object":
            return _object(value, element)
        case "map":
            return {key: converted(value[key], element) for key in value}
        case "list" | "tuple":
            return [converted(each, element) for each in value]
        case "set":
            return sorted({converted(each, element) for each in value})
        case other:
            msg = f"the type {other}"
            raise NotEvaluated(msg)


def _plain(value: Any, type_: str) -> Any:
    if type_ == "string" and isinstance(value, int | float):
        return str(value).lower()
    if type_ == "number" and isinstance(value, str):
        return float(value) if "." in value else int(value)
    if type_ == "bool" and isinstance(value, str):
        return value == "true"
    if type_ != "any" and isinstance(value, list | Mapping):
        msg = f"a list or map as {type_}"
        raise NotEvaluated(msg)
    return value


def _object(value: Mapping[str, Any], type_: Expression) -> dict[str, Any]:
    elements = {}
    for element in _parts(_parts(type_)[0]):
        name, declared = _parts(element)
        key = str(next(name.scan_values(bool)))
        required, default = _optional(declared)
        if key in value:
            elements[key] = converted(value[key], required)
        elif required is declared:
            msg = f"an object without {key}"
            raise NotEvaluated(msg)
        else:
            elements[key] = converted(evaluate(default, {}), required) if default else None
    return elements


def _optional(declared: Expression) -> tuple[Expression, Expression | None]:
    """Return the type within ``optional`` and its default; else the type itself."""
    inner = _parts(declared)[0]
    if inner.data != "function_call":
        return declared, None
    name, arguments = _parts(inner)
    if str(name.children[0]) != "optional":
        return declared, None
    type_, *default = _parts(arguments)
    return type_, next(iter(default), None)


def _parts(tree: Expression) -> list[Expression]:
    return [each for each in subtrees(tree) if each.data != "new_line_or_comment"]
