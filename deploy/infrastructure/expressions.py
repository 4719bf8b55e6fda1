"""What an expression of Terraform refers to, and what kind of value it plainly is."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from lark import Token, Tree

from deploy.infrastructure.hcl import Expression, subtrees

_FOR: Final = frozenset({"for_tuple_expr", "for_object_expr"})
_LINKS: Final = frozenset(
    {"get_attr_expr_term", "index_expr_term", "attr_splat_expr_term", "full_splat_expr_term"}
)
_HEREDOCS: Final = frozenset({"heredoc_template", "heredoc_template_trim"})
_KINDS: Final = {
    "for_object_expr": "map",
    "for_tuple_expr": "list",
    "float_lit": "number",
    "heredoc_template": "string",
    "heredoc_template_trim": "string",
    "int_lit": "number",
    "object": "map",
    "tuple": "list",
}
# What is to be filled in within a heredoc, which the grammar leaves in one piece.
_FILLED: Final = re.compile(r"(?<!\$)\$\{(.*?)\}|(?<!%)%\{(.*?)\}", re.DOTALL)
_DOTTED: Final = re.compile(r"\b[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")


class Reference(NamedTuple):
    """A name with what is taken of it: ``var.zones[0].name`` is ``("var", "zones", "name")``."""

    path: tuple[str, ...]
    line: int


class Literal(NamedTuple):
    """A value that is plain to see.

    Attributes:
        kind: string, number, bool, list, map or null.
        text: as it is written, without quotes; None if it is not a single word of the grammar.
    """

    kind: str
    text: str | None


def references(expression: Expression) -> Iterator[Reference]:
    """Yield all that an expression refers to, but for names that its own ``for`` binds."""
    return _references(expression, frozenset())


def literal(expression: Expression) -> Literal | None:
    """Return what kind of value an expression is; None if that takes an evaluation."""
    if expression.data != "expr_term" or len(expression.children) != 1:
        return None
    (value,) = expression.children
    if not isinstance(value, Tree):
        return None
    if value.data == "string":
        return _string(value)
    if value.data == "literal_value":
        word = str(value.children[0])
        return Literal("null" if word == "null" else "bool", word)
    kind = _KINDS.get(value.data)
    if kind is None:
        return None
    return Literal(kind, str(value.children[0]) if kind == "number" else None)


def path(expression: Expression) -> tuple[str, ...]:
    """Return the reference that an expression is; nothing if it is none, or more than one."""
    return _path(expression)


def _references(tree: Expression, bound: frozenset[str]) -> Iterator[Reference]:
    if tree.data in _HEREDOCS:
        yield from _in_heredoc(str(tree.children[0]), tree.meta.line)
        return
    if tree.data in _FOR:
        intro = next(each for each in subtrees(tree) if each.data == "for_intro")
        bound |= {str(each.children[0]) for each in subtrees(intro) if each.data == "identifier"}
    found = _path(tree)
    if found:
        if found[0] not in bound:
            yield Reference(found, tree.meta.line)
        for index in _indices(tree):
            yield from _references(index, bound)
        return
    for each in subtrees(tree):
        yield from _references(each, bound)


def _path(tree: Expression) -> tuple[str, ...]:
    if tree.data == "expr_term" and len(tree.children) == 1:
        (only,) = tree.children
        return _path(only) if isinstance(only, Tree) else ()
    if tree.data == "identifier":
        return (str(tree.children[0]),)
    if tree.data in _LINKS:
        whole, link = subtrees(tree)
        taken = [each for each in _links(link) if each.data == "get_attr"]
        start = _path(whole)
        return start and (*start, *(str(subtrees(each)[0].children[0]) for each in taken))
    return ()


def _indices(tree: Expression) -> Iterator[Expression]:
    """Yield what stands in brackets along a reference: it may refer to something itself."""
    while tree.data == "expr_term":
        tree = subtrees(tree)[0]
    if tree.data in _LINKS:
        whole, link = subtrees(tree)
        yield from _indices(whole)
        for each in _links(link):
            if each.data == "braces_index":
                yield from subtrees(each)


def _links(link: Expression) -> Sequence[Expression]:
    """Return the names and indices that a link of a reference is made of; a splat has several."""
    return subtrees(link) if link.data in {"attr_splat", "full_splat"} else [link]


def _in_heredoc(text: str, line: int) -> Iterator[Reference]:
    for filled in _FILLED.finditer(text):
        for name in _DOTTED.finditer(filled[1] or filled[2]):
            before = text[: filled.start()]
            yield Reference(tuple(name[0].split(".")), line + before.count("\n"))


def _string(tree: Expression) -> Literal | None:
    parts = subtrees(tree)
    if any(isinstance(token, Token) for part in parts for token in part.children) or not parts:
        plain = all(isinstance(part.children[0], Token) for part in parts)
        text = "".join(str(part.children[0]) for part in parts)
        return Literal("string", text if plain else None)
    return None if len(parts) == 1 else Literal("string", None)
