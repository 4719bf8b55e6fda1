"""Texts out of rows: columns, constants and templates, translated."""

import hashlib
from collections.abc import Callable, Sequence
from string import Formatter

from simulator.replay.mapping import KEEP, REJECT, Condition, TransactionId, Value
from simulator.replay.mapping_checks import placeholders
from simulator.replay.rows import Cell, Cells, RowFault, RowRefused, text_of

type TextOf = Callable[[Cells], str]
"""The text that a row has for something; empty if it has none."""

_HASH_BYTES = 16


class Nulls:
    """Knows which texts mean an empty cell."""

    def __init__(self, everywhere: Sequence[str]) -> None:
        self._everywhere = frozenset(("", *everywhere))

    def reader(self, column: str, here: Sequence[str] | None) -> TextOf:
        """Return what reads a column as text, empty where the cell means nothing."""
        empty = self._everywhere | frozenset(here or ())

        def text(cells: Cells) -> str:
            found = text_of(cells.get(column))
            return "" if found in empty else found

        return text


def text_reader(value: Value, name: str, nulls: Nulls) -> TextOf:
    """Return what makes the text of one field from a row.

    It raises ``RowRefused`` for a value that has no translation.

    Args:
        value: what the mapping says.
        name: of the field, for messages.
        nulls: which texts mean an empty cell.
    """
    if value.constant is not None:
        constant = value.constant
        return lambda _: constant
    source = _source(value, nulls)
    default = value.default or ""
    if value.translate is None:
        return lambda cells: source(cells) or default
    translate = {theirs.strip(): ours for theirs, ours in value.translate.items()}
    otherwise = value.otherwise or REJECT

    def translated(cells: Cells) -> str:
        found = source(cells)
        if not found:
            # An empty cell may have a translation of its own.
            return translate.get("", "") or default
        if found in translate:
            return translate[found] or default
        if otherwise == KEEP:
            return found
        if otherwise == REJECT:
            raise RowRefused(RowFault.untranslated, f"{name}: no translation for {found}")
        return otherwise

    return translated


def _source(value: Value, nulls: Nulls) -> TextOf:
    if value.column is not None:
        return nulls.reader(value.column, value.null_values)
    return _template_reader(value.template or "", value.null_values, nulls)


def _template_reader(template: str, here: Sequence[str] | None, nulls: Nulls) -> TextOf:
    """Return what fills a template; without any of its columns it is empty."""
    columns = {name: nulls.reader(name, here) for name in placeholders(template)}
    parts = [(literal, name) for literal, name, _, _ in Formatter().parse(template)]

    def filled(cells: Cells) -> str:
        texts = {name: column(cells) for name, column in columns.items()}
        if not any(texts.values()):
            return ""
        return "".join(
            literal + (texts[name] if name is not None else "") for literal, name in parts
        ).strip()

    return filled


def transaction_id_reader(value: TransactionId, nulls: Nulls) -> Callable[[Cells, int], str]:
    """Return what makes the id of a payment from a row and its number among all rows."""
    prefix = value.prefix
    if value.row_number:
        return lambda _, number: f"{prefix}{number}"
    if value.hash_of is not None:
        columns = value.hash_of
        return lambda cells, _: prefix + hash_of([cells.get(column) for column in columns])
    text = text_reader(value, "transaction_id", nulls)

    def prefixed(cells: Cells, _: int) -> str:
        found = text(cells)
        return found and prefix + found

    return prefixed


def hash_of(cells: Sequence[Cell]) -> str:
    """Return 32 hexadecimal digits that stand for some cells, the same in every run."""
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    for cell in cells:
        text = text_of(cell).encode("utf-8", "backslashreplace")
        digest.update(b"%d:%b" % (len(text), text))
    return digest.hexdigest()


def condition_reader(condition: Condition) -> Callable[[Cells], bool]:
    """Return what tells whether a condition is true of a row."""
    column = condition.column
    if condition.equals is not None:
        members = frozenset(text.strip() for text in condition.equals)
        return lambda cells: text_of(cells.get(column)) in members
    others = frozenset(text.strip() for text in condition.not_equals or ())
    return lambda cells: text_of(cells.get(column)) not in others
