"""Rows of foreign files, good and bad."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

type Cell = str | int | Decimal | bool | datetime | date | time | None
"""Numbers are exact. A datetime is aware, or local time of a place the file does not tell."""
type Cells = Mapping[str, Cell]


class RowFault(StrEnum):
    """Why a row gives no payment event, where no reason of the contract says it."""

    unreadable = "unreadable"
    ragged = "ragged"
    untranslated = "untranslated"
    invalid_card_number = "invalid_card_number"
    card_number_as_identifier = "card_number_as_identifier"
    too_large = "too_large"


class Row(NamedTuple):
    """One row; ``number`` is that of its first line in a text file, else of its record, from 1."""

    number: int
    cells: Cells


class BadRow(NamedTuple):
    """What cannot be a payment event, and why; ``content`` is all that could be read of it."""

    number: int
    reason: str
    detail: str
    content: Cells | list[str] | str


class RowRefused(Exception):
    """One row gives no payment event; the run goes on."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class RowSource(Protocol):
    """A file of rows that can be read once, in constant memory, and is to be closed."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns, None if each row names its own."""

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size."""

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows in the file's order.

        Raises:
            UnreadableData: the file is damaged, so that nothing behind can be read.
        """

    def close(self) -> None:
        """Close the file."""


def text_of(cell: Cell) -> str:
    """Return a cell as text without blanks around it, empty if there is none."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return f"{cell:f}" if abs(cell.adjusted()) < _MOST_DIGITS else str(cell)
    return str(cell)


# Beyond so many digits a number is written with its exponent, whatever it is.
_MOST_DIGITS = 64
