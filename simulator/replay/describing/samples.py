"""The first rows of a file, column by column."""

from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from simulator.replay.mapping import FileFormat
from simulator.replay.readers.opening import open_rows
from simulator.replay.rows import Row, text_of

_ROWS: Final = 1000


class Column(NamedTuple):
    """A column's name and the texts of its cells that are not empty."""

    name: str
    texts: tuple[str, ...]


class Sample(NamedTuple):
    """The first rows of a file; ``bad`` of them could not be read."""

    rows: int
    bad: int
    columns: tuple[Column, ...]


def read_sample(path: Path, file_format: FileFormat) -> Sample:
    """Return the first rows of a file.

    Raises:
        UnreadableData: it cannot be read.
        MissingLibrary: its kind needs a library that is not installed.
    """
    rows = bad = 0
    with closing(open_rows(path, file_format)) as source:
        texts: dict[str, list[str]] = {name: [] for name in source.columns or ()}
        for row in islice(source.rows(), _ROWS):
            rows += 1
            if not isinstance(row, Row):
                bad += 1
                continue
            for name, cell in row.cells.items():
                found = texts.setdefault(name, [])
                if text := text_of(cell):
                    found.append(text)
    columns = tuple(Column(name, tuple(found)) for name, found in texts.items())
    return Sample(rows, bad, columns)
