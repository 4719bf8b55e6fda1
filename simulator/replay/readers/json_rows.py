"""Rows of JSON lines; nested fields become columns of dotted paths."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from simulator.replay.readers.byte_files import ByteFile, limited_lines
from simulator.replay.rows import BadRow, Cell, Row, RowFault

_LONGEST_LINE: Final = 4 << 20
_BOM: Final = "\ufeff".encode()
_SHOWN: Final = 4096


def _exact(number: str) -> Decimal:
    """Return a JSON number as it stands in the text."""
    return Decimal(number)


_DECODER: Final = msgspec.json.Decoder(float_hook=_exact)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
# UnicodeDecodeError is what msgspec raises for text that is no UTF-8.
_UNREADABLE: Final = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
    InvalidOperation,
    ValueError,
)


class JsonLine(NamedTuple):
    """One line of a file, without the blanks around it."""

    number: int
    text: bytes


def json_lines(file: ByteFile) -> Iterator[JsonLine | BadRow]:
    """Yield the lines that are not blank; those that are too long are bad.

    Raises:
        UnreadableData: the file is damaged.
    """
    for number, text, whole in limited_lines(file, _LONGEST_LINE):
        stripped = text.removeprefix(_BOM).strip() if number == 1 else text.strip()
        if not whole:
            detail = f"the line has more than {_LONGEST_LINE} bytes"
            yield BadRow(number, RowFault.too_large, detail, shown(stripped))
        elif stripped:
            yield JsonLine(number, stripped)


class JsonRows:
    """The rows of a file of JSON lines, one object each."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            UnreadableData: it cannot be opened.
        """
        self.file = ByteFile(path)
        self.columns: tuple[str, ...] | None = None

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size."""
        return self.file.bytes_read

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows, each with the number of its line.

        Raises:
            UnreadableData: the file is damaged.
        """
        for line in json_lines(self.file):
            yield line if isinstance(line, BadRow) else row_of(line.number, line.text)


def row_of(number: int, text: bytes) -> Row | BadRow:
    """Return the row that one JSON object is."""
    try:
        value = _DECODER.decode(text)
    except _UNREADABLE as error:
        return BadRow(number, RowFault.unreadable, f"it is no JSON: {error}", shown(text))
    if not isinstance(value, dict):
        detail = f"expected an object, found {type(value).__name__}"
        return BadRow(number, RowFault.unreadable, detail, shown(text))
    return Row(number, dict(_flattened(value, "")))


def shown(text: bytes) -> str:
    """Return what is kept of a line that cannot be read."""
    return text[:_SHOWN].decode("utf-8", "backslashreplace")


def _flattened(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, Cell]]:
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _flattened(item, f"{prefix}{name}.")
        elif isinstance(item, list):
            yield prefix + name, _ENCODER.encode(item).decode()
        else:
            yield prefix + name, item
