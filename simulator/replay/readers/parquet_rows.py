"""Rows of Parquet files, read batch by batch; nested fields become columns of dotted paths."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from simulator.errors import MissingLibrary
from simulator.replay.errors import UnreadableData
from simulator.replay.readers.byte_files import reading
from simulator.replay.rows import BadRow, Cell, Row

_BATCH_ROWS: Final = 1024
_BUFFER_BYTES: Final = 1 << 16


class ParquetRows:
    """The rows of one Parquet file.

    Floating-point numbers are taken for the shortest decimal that names them: 10.1 is 10.1.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its schema.

        Raises:
            UnreadableData: it cannot be opened, or is no Parquet file.
            MissingLibrary: pyarrow is not installed.
        """
        self.path = path
        with _understanding(path):
            from pyarrow import parquet  # noqa: PLC0415 - an optional, heavy library

            # Read ahead, or without a buffer of its own, it would hold a whole row group.
            self._file = parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
            self.columns: tuple[str, ...] | None = tuple(
                _flat(self._file.schema_arrow.empty_table()).column_names
            )
            self._rows: int = self._file.metadata.num_rows
            self._size = path.stat().st_size
        self._rows_read = 0

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of the file's size, by the share of its rows."""
        return self._size * self._rows_read // max(self._rows, 1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows, each with the number of its record.

        Raises:
            UnreadableData: the file is damaged.
        """
        with _understanding(self.path):
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                from pyarrow import Table  # noqa: PLC0415 - an optional, heavy library

                table = _flat(Table.from_batches([batch]))
                names = table.column_names
                columns = [_cells(table.column(name)) for name in names]
                for cells in zip(*columns, strict=True):
                    self._rows_read += 1
                    yield Row(self._rows_read, dict(zip(names, cells, strict=True)))


@contextmanager
def _understanding(path: Path) -> Iterator[None]:
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 - an optional, heavy library
    except ImportError as error:
        raise MissingLibrary("pyarrow", "reading Parquet") from error
    try:
        with reading(path):
            yield
    except ArrowException as error:
        raise UnreadableData(path, f"it is no Parquet file, or damaged: {error}") from error


def _flat(table: Any) -> Any:
    """Return a table in which every field of a structure is a column of its own."""
    from pyarrow import types  # noqa: PLC0415 - an optional, heavy library

    while any(types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _cells(column: Any) -> list[Cell]:
    """Return the cells of one column as exact values."""
    from pyarrow import compute, string, timestamp, types  # noqa: PLC0415 - an optional library

    kind = column.type
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if types.is_floating(kind):
        # An ordinary decimal in a data set's view; NaN is how it writes an empty cell.
        texts = compute.if_else(compute.is_nan(column), None, column).cast(string()).to_pylist()
        return [None if text is None else Decimal(text) for text in texts]
    if types.is_timestamp(kind) and kind.unit == "ns":
        # Cut off, never rounded, as the contract has it.
        column = compute.floor_temporal(column, unit="microsecond").cast(timestamp("us", kind.tz))
    cells = column.to_pylist()
    if types.is_time(kind) or types.is_date(kind) or types.is_timestamp(kind):
        return list(cells)
    return [_plain(cell) for cell in cells]


def _plain(cell: Any) -> Cell:
    if cell is None or isinstance(cell, str | int | Decimal):
        return cell
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    return str(cell)
