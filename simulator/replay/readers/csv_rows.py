"""Rows of CSV files."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from simulator.replay.mapping import FileFormat
from simulator.replay.readers.byte_files import ByteFile, reading
from simulator.replay.readers.csv_dialect import (
    SAMPLE_BYTES,
    Dialect,
    csv_reader,
    detect_dialect,
)
from simulator.replay.rows import BadRow, Row, RowFault

# More than the standard library's limit of a cell, so that a cut line can never pass for a row.
_LONGEST_LINE: Final = 1 << 20
# Half a surrogate pair: no encoding gives it, so that it marks what could not be decoded.
_DAMAGE: Final = "\udcff"


def _mark_damage(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - only decoding has this handler
    return _DAMAGE, error.end


codecs.register_error("replay-mark-damage", _mark_damage)


class CsvRows:
    """The rows of one CSV file. What the format does not give is detected."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        """Open the file and read its header.

        Raises:
            UnreadableData: it cannot be opened or unpacked.
        """
        self._first: list[str] | None = None
        with ExitStack() as stack:
            self.file = stack.enter_context(ByteFile(path))
            self.dialect: Dialect = detect_dialect(self.file.head(SAMPLE_BYTES), file_format)
            self._lines = _Lines(self.file, self.dialect.encoding, file_format.skip_lines)
            stack.callback(self._lines.close)
            self._reader = csv_reader(self._lines, self.dialect.delimiter, self.dialect.quote)
            with reading(path):
                self.columns = self._columns(file_format.columns)
            stack.pop_all()

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size."""
        return self.file.bytes_read

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self.file.close()

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows, each with the number of its first line; blank lines are no rows.

        Raises:
            UnreadableData: the file is damaged.
        """
        width = len(self.columns)
        with reading(self.file.path):
            if self._first is not None:
                yield self._row(self._lines.number, self._first, width)
            while True:
                first_line = self._lines.number + 1
                self._lines.damaged = False
                try:
                    cells = next(self._reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield BadRow(first_line, RowFault.unreadable, str(error), self._lines.last)
                    continue
                if cells:
                    yield self._row(first_line, cells, width)

    def _row(self, number: int, cells: list[str], width: int) -> Row | BadRow:
        if self._lines.damaged:
            shown = [cell.replace(_DAMAGE, "\N{REPLACEMENT CHARACTER}") for cell in cells]
            detail = f"it is not all {self.dialect.encoding.removesuffix('-sig')}"
            return BadRow(number, RowFault.unreadable, detail, shown)
        if len(cells) != width:
            detail = f"expected {width} cells, found {len(cells)}"
            return BadRow(number, RowFault.ragged, detail, cells)
        return Row(number, dict(zip(self.columns, cells, strict=True)))

    def _columns(self, given: tuple[str, ...] | None) -> tuple[str, ...]:
        try:
            first = next((row for row in self._reader if row), [])
        except csv.Error:
            first = []
        if not self.dialect.has_header:
            self._first = first or None
            return given or tuple(f"column_{number}" for number in range(1, len(first) + 1))
        return given or _distinct([name.strip() for name in first])


class _Lines:
    """The lines of a text, counted, and cut where they are too long."""

    def __init__(self, file: ByteFile, encoding: str, skipped: int) -> None:
        self._text = TextIOWrapper(file.stream, encoding, errors="replay-mark-damage", newline="")
        self.number = 0
        self.damaged = False
        self.last = ""
        self._skipped = skipped

    def __iter__(self) -> Iterator[str]:
        for _ in range(self._skipped):
            self._next()
        while line := self._next():
            yield line

    def close(self) -> None:
        self._text.close()

    def _next(self) -> str:
        line = self._text.readline(_LONGEST_LINE)
        self.number += bool(line)
        self.last = line
        if not line.isascii() and _DAMAGE in line:
            self.damaged = True
            self.last = line.replace(_DAMAGE, "\N{REPLACEMENT CHARACTER}")
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(_LONGEST_LINE)
        return line


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return names of columns: numbered where there is none, or where there was one such."""
    distinct: list[str] = []
    for number, name in enumerate(names, start=1):
        candidate = name or f"column_{number}"
        turn = 1
        while candidate in distinct:
            turn += 1
            candidate = f"{name or f'column_{number}'}_{turn}"
        distinct.append(candidate)
    return tuple(distinct)
