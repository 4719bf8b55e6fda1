"""Terraform's files as blocks and attributes that know their lines.

python-hcl2 parses. Its own dictionaries hold expressions as text and lines only of blocks, so that
its tree is read here instead: a finding needs the line, a reference needs the expression.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hcl2 import parses_to_tree
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.findings import Place

Expression = Tree[Token]


@dataclass(frozen=True, slots=True)
class Attribute:
    """``name = value`` in a block; ``source`` is the value as it is written."""

    name: str
    value: Expression
    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Block:
    """``kind "label" { ... }``; a file is a block without kind and labels.

    ``comment`` is what stands right above it, without the signs of a comment.
    """

    kind: str
    labels: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    blocks: "tuple[Block, ...]"
    place: Place
    comment: str = ""

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
    return _Reader(text, file).block(tree)


@cache
def _parsed(text: str) -> Expression:
    """Return the tree of a text; that takes milliseconds a line, and environments share files."""
    return parses_to_tree(text)


class _Reader(NamedTuple):
    """Makes blocks of a tree."""

    text: str
    file: Path

    def block(self, tree: Expression, comment: str = "") -> Block:
        """Return a block, or the whole file as one."""
        *names, body = (each for each in subtrees(tree) if each.data != "new_line_or_comment")
        kind, *labels = map(_word, names) if names else ("",)
        place = Place(self.file, tree.meta.line)
        return Block(kind, tuple(labels), *self._content(body), place, comment)

    def _content(self, body: Expression) -> tuple[tuple[Attribute, ...], tuple[Block, ...]]:
        attributes = []
        blocks = []
        comment = ""
        for each in subtrees(body):
            if each.data == "attribute":
                attributes.append(self._attribute(each))
            elif each.data == "block":
                blocks.append(self.block(each, comment))
            comment = _comment(each) if each.data == "new_line_or_comment" else ""
        return tuple(attributes), tuple(blocks)

    def _attribute(self, tree: Expression) -> Attribute:
        name, value = subtrees(tree)
        source = self.text[value.meta.start_pos : value.meta.end_pos]
        return Attribute(_word(name), value, source, Place(self.file, tree.meta.line))


def subtrees(tree: Expression) -> Sequence[Expression]:
    """Return what a tree is made of, without its tokens."""
    return [each for each in tree.children if isinstance(each, Tree)]


def _comment(tree: Expression) -> str:
    """Return the lines of a comment that end where something else begins."""
    lines: list[str] = []
    for token in map(str, tree.children):
        lines = [*lines, token.strip().removeprefix("#").strip()] if token.startswith("#") else []
    return " ".join(lines)


def _word(tree: Expression) -> str:
    """Return a name or a label, which may be quoted."""
    return "".join(str(token) for token in tree.scan_values(_is_token)).strip('"')


def _is_token(value: object) -> bool:
    return isinstance(value, Token)
