"""Terraform's files as blocks and attributes that know their lines.

python-hcl2 parses. Its own dictionaries hold expressions as text and lines only of blocks, so that
its tree is read here instead: a finding needs the line, a reference needs the expression.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hcl2 import parses_to_tree
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.findings import Place

Expression = Tree[Token]


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name = value`` in a block."""

    name: str
    value: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Block:
    """``kind "label" { ... }``; a file is a block without kind and labels."""

    kind: str
    labels: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    blocks: "tuple[Block, ...]"
    place: Place

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute of that name; None if there is none."""
        return next((each for each in self.attributes if each.name == name), None)

    def of_kind(self, kind: str) -> "Iterator[Block]":
        """Yield the blocks of a kind that lie directly in this one."""
        return (each for each in self.blocks if each.kind == kind)

    def walk(self) -> "Iterator[Block]":
        """Yield this block and all within it, outermost first."""
        yield self
        for each in self.blocks:
            yield from each.walk()


def read_file(file: Path, root: Path) -> Block:
    """Return a file's content; places in it are relative to ``root``.

    Raises:
        FileUnreadable: the file is missing or is no HCL.
    """
    shown = file.relative_to(root)
    try:
        return parse(file.read_text("utf-8"), shown)
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(shown, str(error)) from error


def parse(text: str, file: Path) -> Block:
    """Return the content of a file that holds ``text``.

    Raises:
        FileUnreadable: it is no HCL.
    """
    try:
        tree = _parsed(text)
    except UnexpectedInput as error:
        msg = f"line {error.line}, column {error.column}: no HCL; terraform fmt says more"
        raise FileUnreadable(file, msg) from error
    except LarkError as error:
        raise FileUnreadable(file, f"no HCL: {error}") from error
    attributes, blocks = _content(_trees(tree)[0], file)
    return Block("", (), attributes, blocks, Place(file, 1))


@cache
def _parsed(text: str) -> Expression:
    """Return the tree of a text; that takes milliseconds a line, and environments share files."""
    return parses_to_tree(text)


def _content(body: Expression, file: Path) -> tuple[tuple[Attribute, ...], tuple[Block, ...]]:
    attributes = []
    blocks = []
    for each in _trees(body):
        if each.data == "attribute":
            name, value = _trees(each)
            attributes.append(Attribute(_text(name), value, Place(file, each.meta.line)))
        elif each.data == "block":
            blocks.append(_block(each, file))
    return tuple(attributes), tuple(blocks)


def _block(tree: Expression, file: Path) -> Block:
    *names, body = (each for each in _trees(tree) if each.data != "new_line_or_comment")
    kind, *labels = map(_text, names)
    return Block(kind, tuple(labels), *_content(body, file), Place(file, tree.meta.line))


def _trees(tree: Expression) -> Sequence[Expression]:
    return [each for each in tree.children if isinstance(each, Tree)]


def _text(tree: Expression) -> str:
    """Return a name or a label, which may be quoted."""
    return "".join(str(token) for token in tree.scan_values(_is_token)).strip('"')


def _is_token(value: object) -> bool:
    return isinstance(value, Token)
