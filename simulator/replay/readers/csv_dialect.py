"""Finds out how a CSV file is written: encoding, delimiter, quote, header."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from simulator.replay.mapping import FileFormat

SAMPLE_BYTES: Final = 1 << 16
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS: Final = ",;\t|"
# Whole cells in double and in single quotes, whatever the delimiter.
_QUOTED_CELLS: Final = (
    re.compile(r'(?:^|(?<=[,;\t|]))"[^"\n]*"(?=[,;\t|]|$)', re.MULTILINE),
    re.compile(r"(?:^|(?<=[,;\t|]))'[^'\n]*'(?=[,;\t|]|$)", re.MULTILINE),
)
_MOST_ROWS: Final = 200
# What stands in cells, and hardly ever in names of columns: numbers, dates, times, nothing.
_NO_NAME: Final = re.compile(r"[-+]?[\d.,:/ TZ+-]*\d[\d.,:/ TZ+-]*|", re.ASCII)


class Dialect(NamedTuple):
    """How a CSV file is written; an empty quote means that none is used."""

    encoding: str
    delimiter: str
    quote: str
    has_header: bool


def detect_dialect(head: bytes, given: FileFormat) -> Dialect:
    """Return how a CSV file is written, as far as it is not given.

    Args:
        head: the first bytes of the file.
        given: what the mapping says, which is believed.
    """
    encoding = given.encoding or _encoding(head)
    if codecs.lookup(encoding).name == "utf-8":
        # It reads the byte order mark if there is one, and UTF-8 all the same if there is none.
        encoding = "utf-8-sig"
    text = head.decode(encoding, "replace")
    lines = text.splitlines(keepends=True)[given.skip_lines :]
    if len(head) >= SAMPLE_BYTES:
        # The last line is cut somewhere.
        lines = lines[:-1] or lines
    quote = _quote(lines) if given.quote is None else given.quote
    delimiter = "\t" if given.delimiter == "tab" else given.delimiter or _delimiter(lines, quote)
    has_header = given.header
    if has_header is None:
        has_header = given.columns is None and _names_columns(
            next(iter(_parsed(lines, delimiter, quote)), [])
        )
    return Dialect(encoding, delimiter, quote, has_header)


def _encoding(head: bytes) -> str:
    """Return the encoding that the byte order mark tells, else UTF-8 or what Windows writes."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _quote(lines: list[str]) -> str:
    """Return the double quote, unless most lines have cells in single ones and fewer in double."""
    text = "\n".join(line.rstrip("\r\n") for line in lines)
    double, single = (len(cells.findall(text)) for cells in _QUOTED_CELLS)
    return "'" if single > double and 2 * single >= len(lines) else '"'


def _delimiter(lines: list[str], quote: str) -> str:
    """Return the delimiter that parts the most rows into the same number of cells."""

    def fitness(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in _parsed(lines, delimiter, quote))
        if not widths:
            return 0, 0
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (rows / widths.total() if width > 1 else 0), width

    return max(_DELIMITERS, key=fitness)


def _parsed(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv_reader(lines, delimiter, quote)
    while len(rows) < _MOST_ROWS:
        try:
            row = next(reader)
        except csv.Error:
            continue
        except StopIteration:
            break
        if row:
            rows.append(row)
    return rows


def csv_reader(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    """Return the rows of ``lines``, strictly: a misplaced quote raises ``csv.Error``."""
    if not quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)


def _names_columns(row: list[str]) -> bool:
    cells = [cell.strip() for cell in row]
    named = [cell for cell in cells if not _NO_NAME.fullmatch(cell)]
    return bool(named) and len(named) == len([cell for cell in cells if cell])
