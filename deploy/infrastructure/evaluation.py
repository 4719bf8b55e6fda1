"""Values of Terraform's expressions, as far as they are known before anything is made.

Enough of the language for this project's files, and no more: what is not known here is refused by
name, so that nothing is judged by a wrong value.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lark import Token, Tree

from deploy.infrastructure.errors import NotEvaluated
from deploy.infrastructure.hcl import Expression, subtrees
from deploy.infrastructure.terraform_functions import FUNCTIONS

type Value = Any
type Scope = Mapping[str, Value]

_ESCAPES: Final = {r"\"": '"', r"\\": "\\", r"\n": "\n", r"\t": "\t", "$${": "${", "%%{": "%{"}
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Value]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "&&": lambda left, right: left and right,
    "||": lambda left, right: left or right,
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """What Azure alone says once it has made something; ``name`` is where Terraform finds it."""

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


class Lazy(Mapping[str, Value]):
    """A mapping whose values are computed when they are first asked for."""

    def __init__(self, keys: Iterable[str], compute: Callable[[str], Value]) -> None:
        self._compute = compute
        self._keys = list(keys)
        self._known: dict[str, Value] = {}

    def __getitem__(self, key: str) -> Value:
        if key not in self._known:
            if key not in self._keys:
                raise KeyError(key)
            self._known[key] = self._compute(key)
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def evaluate(tree: Expression, scope: Scope) -> Value:
    """Return the value of an expression.

    Raises:
        NotEvaluated: a name, function or part of the language is not known here.
    """
    kind = tree.data
    if kind == "expr_term":
        return evaluate(_parts(tree)[0], scope)
    evaluated = _EVALUATED.get(kind)
    if evaluated is None:
        msg = f"{kind} in line {tree.meta.line}"
        raise NotEvaluated(msg)
    return evaluated(tree, scope)


def within(scope: Scope, names: Scope) -> Scope:
    """Return a scope with some more names; nothing of the outer one is computed for that."""
    return Lazy(
        {**dict.fromkeys(scope), **names}, lambda name: (names if name in names else scope)[name]
    )


def member(value: Value, key: Value) -> Value:
    """Return what a value holds under a name or at a position.

    Raises:
        NotEvaluated: it holds nothing there.
    """
    if isinstance(value, Unknown):
        return Unknown(f"{value.name}.{key}" if isinstance(key, str) else f"{value.name}[{key}]")
    try:
        return value[key if isinstance(value, Mapping) else int(key)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        msg = f"nothing is at {key}"
        raise NotEvaluated(msg) from error


def _parts(tree: Expression) -> Sequence[Expression]:
    return [each for each in subtrees(tree) if each.data != "new_line_or_comment"]


def _word(tree: Expression) -> str:
    return str(tree.children[0])


def _identifier(tree: Expression, scope: Scope) -> Value:
    name = _word(tree)
    if name not in scope:
        msg = f"nothing is named {name} in line {tree.meta.line}"
        raise NotEvaluated(msg)
    return scope[name]


def _literal(tree: Expression, _: Scope) -> Value:
    return {"true": True, "false": False, "null": None}[_word(tree)]


def _text(tree: Expression, scope: Scope) -> Value:
    pieces = []
    for part in _parts(tree):
        piece = part.children[0]
        if isinstance(piece, Token):
            pieces.append(_unescaped(str(piece)))
        elif piece.data == "interpolation":
            pieces.append(evaluate(_parts(piece)[0], scope))
        else:
            msg = f"{piece.data} in line {tree.meta.line}"
            raise NotEvaluated(msg)
    # A text that is nothing but one value is that value, of whatever kind.
    return pieces[0] if len(pieces) == 1 else "".join(map(str, pieces))


def _unescaped(text: str) -> str:
    for written, meant in _ESCAPES.items():
        text = text.replace(written, meant)
    return text


def _heredoc(tree: Expression, _: Scope) -> Value:
    return _word(tree)


def _tuple(tree: Expression, scope: Scope) -> Value:
    return [evaluate(each, scope) for each in _parts(tree)]


def _object(tree: Expression, scope: Scope) -> Value:
    elements = {}
    for element in _parts(tree):
        name, value = _parts(element)
        (key,) = _parts(name)
        bare = key.data == "expr_term" and isinstance(key.children[0], Tree)
        inner = _parts(key)[0] if bare else key
        elements[_word(inner) if inner.data == "identifier" else evaluate(key, scope)] = value
    return {str(key): evaluate(value, scope) for key, value in elements.items()}


def _conditional(tree: Expression, scope: Scope) -> Value:
    condition, then, otherwise = _parts(tree)
    found = evaluate(condition, scope)
    if isinstance(found, Unknown):
        return Unknown(f"{found.name} ? ... : ...")
    return evaluate(then if found else otherwise, scope)


def _binary(tree: Expression, scope: Scope) -> Value:
    left, term = _parts(tree)
    sign, right = _parts(term)
    first, name = evaluate(left, scope), _word(sign)
    if (name == "&&" and first is False) or (name == "||" and first is True):
        return first
    second = evaluate(right, scope)
    # What will be known is not null.
    if name in {"==", "!="} and (first is None or second is None):
        return (first is second) == (name == "==")
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return Unknown(f"{first} {name} {second}")
    return _OPERATORS[name](first, second)


def _unary(tree: Expression, scope: Scope) -> Value:
    value = evaluate(_parts(tree)[0], scope)
    if isinstance(value, Unknown):
        return Unknown(f"{_word(tree)}{value}")
    return not value if _word(tree) == "!" else -value


def _call(tree: Expression, scope: Scope) -> Value:
    name, *rest = _parts(tree)
    arguments = _parts(rest[0]) if rest else []
    function = _word(name)
    if function in {"try", "can"}:
        return _tried(arguments, scope, succeeds=function == "can")
    if function not in FUNCTIONS:
        msg = f"the function {function} in line {tree.meta.line}"
        raise NotEvaluated(msg)
    values = [evaluate(each, scope) for each in arguments]
    if rest and any(isinstance(each, Token) and each == "..." for each in rest[0].children):
        values = [*values[:-1], *values[-1]]
    if any(isinstance(each, Unknown) for each in values):
        return Unknown(f"{function}({', '.join(map(str, values))})")
    return FUNCTIONS[function](*values)


def _tried(arguments: Sequence[Expression], scope: Scope, *, succeeds: bool) -> Value:
    """Return the first that has a value; for ``can``, whether the only one has."""
    for each in arguments:
        try:
            value = evaluate(each, scope)
        except NotEvaluated:
            continue
        return True if succeeds else value
    if succeeds:
        return False
    raise NotEvaluated("nothing that is tried")


def _attribute(tree: Expression, scope: Scope) -> Value:
    whole, link = _parts(tree)
    return _linked(evaluate(whole, scope), link, scope)


def _splat(tree: Expression, scope: Scope) -> Value:
    whole, splat = _parts(tree)
    value = evaluate(whole, scope)
    if isinstance(value, Unknown):
        return Unknown(f"{value.name}[*]")
    elements = value if isinstance(value, list) else [] if value is None else [value]
    for link in _parts(splat):
        elements = [_linked(each, link, scope) for each in elements]
    return elements


def _linked(value: Value, link: Expression, scope: Scope) -> Value:
    if link.data == "get_attr":
        return member(value, _word(_parts(link)[0]))
    if link.data == "short_index":
        return member(value, int(str(link.children[-1])))
    return member(value, evaluate(_parts(link)[0], scope))


def _for_tuple(tree: Expression, scope: Scope) -> Value:
    intro, result, *condition = _parts(tree)
    return [evaluate(result, inner) for inner in _rounds(intro, condition, scope)]


def _for_object(tree: Expression, scope: Scope) -> Value:
    intro, key, value, *condition = _parts(tree)
    return {
        str(evaluate(key, inner)): evaluate(value, inner)
        for inner in _rounds(intro, condition, scope)
    }


def _rounds(intro: Expression, condition: Sequence[Expression], scope: Scope) -> Iterator[Scope]:
    *names, collection = _parts(intro)
    elements = evaluate(collection, scope)
    if isinstance(elements, Unknown):
        msg = f"what {elements} holds"
        raise NotEvaluated(msg)
    pairs = elements.items() if isinstance(elements, Mapping) else enumerate(elements)
    for pair in pairs:
        bound = pair if len(names) == len(pair) else pair[1:]
        inner = within(scope, dict(zip(map(_word, names), bound, strict=True)))
        if all(evaluate(_parts(each)[0], inner) for each in condition):
            yield inner


_EVALUATED: Final[Mapping[str, Callable[[Expression, Scope], Value]]] = {
    "attr_splat_expr_term": _splat,
    "binary_op": _binary,
    "conditional": _conditional,
    "float_lit": lambda tree, _: float(_word(tree)),
    "for_object_expr": _for_object,
    "for_tuple_expr": _for_tuple,
    "full_splat_expr_term": _splat,
    "function_call": _call,
    "get_attr_expr_term": _attribute,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "identifier": _identifier,
    "index_expr_term": _attribute,
    "int_lit": lambda tree, _: int(_word(tree)),
    "literal_value": _literal,
    "object": _object,
    "string": _text,
    "tuple": _tuple,
    "unary_op": _unary,
}
