"""Messages in a Parquet file, for tools that read columns."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from simulator.errors import MissingLibrary, OutputFailed
from simulator.message import Message
from simulator.publishing.counters import Counters

# A row group ends at whichever comes first; what is in memory has the same bounds.
_MAX_ROWS: Final = 10_000
_MAX_BYTES: Final = 16 * 1024 * 1024
_COLUMNS: Final = ("partition_key", "at", "events", "body")


class ParquetFile:
    """Writes messages beside the target, which is replaced at once when all are written.

    Attributes:
        counters: what it has done so far; each row group is one batch.
    """

    def __init__(self, path: Path) -> None:
        self.counters = Counters()
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        self._writer: Any = None
        self._rows: list[Message] = []
        self._size = 0

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            MissingLibrary: pyarrow is not installed.
            OutputFailed: it cannot be written.
        """
        _, parquet = _pyarrow()
        with self._named():
            self._writer = parquet.ParquetWriter(self._unfinished, _schema(), compression="zstd")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the file in its place, or remove it if it was not finished.

        Raises:
            OutputFailed: it cannot be written.
        """
        try:
            if kind is None:
                with self._named():
                    self._write_rows()
                    self._writer.close()
                    self._unfinished.replace(self._path)
        finally:
            # What went wrong first is what counts.
            with suppress(OSError):
                self._writer.close()
            self._unfinished.unlink(missing_ok=True)

    def send(self, message: Message) -> None:
        """Write a message, together with others.

        Raises:
            OutputFailed: it cannot be written.
        """
        self.counters.take()
        self._rows.append(message)
        self._size += len(message.body)
        if len(self._rows) >= _MAX_ROWS or self._size >= _MAX_BYTES:
            with self._named():
                self._write_rows()

    def flush(self) -> None:
        """Do nothing: the size of row groups is not left to how fast messages come."""

    def unacknowledged(self) -> Sequence[Message]:
        """Return nothing: a file that was not finished is not there."""
        return ()

    def _write_rows(self) -> None:
        if not self._rows:
            return
        arrow, _ = _pyarrow()
        began = time.monotonic()
        rows, self._rows, size, self._size = self._rows, [], self._size, 0
        keys, bodies, events, times = zip(*rows, strict=True)
        with self.counters.inside_sdk():
            self._writer.write_table(arrow.table([keys, times, events, bodies], schema=_schema()))
        self.counters.acknowledge(len(rows), sum(events), size, time.monotonic() - began)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"cannot write {self._path}: {error.strerror or error}; name another --file"
            raise OutputFailed(msg) from error


def read_parquet(path: Path) -> Iterator[Message]:
    """Yield the messages of a Parquet file, row group by row group.

    Raises:
        MissingLibrary: pyarrow is not installed.
        OutputFailed: the file cannot be read, or has other columns.
    """
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if missing := [name for name in _COLUMNS if name not in names]:
                msg = f"{path} holds no messages: it has no column {', '.join(missing)}"
                raise OutputFailed(msg)
            for batch in file.iter_batches(columns=list(_COLUMNS)):
                columns = batch.to_pydict()
                times = batch.column("at").cast(arrow.int64()).to_pylist()
                yield from map(
                    Message, columns["partition_key"], columns["body"], columns["events"], times
                )
    except (OSError, arrow.ArrowException) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        msg = f"cannot read {path}: {reason}"
        raise OutputFailed(msg) from error


def _schema() -> Any:
    arrow, _ = _pyarrow()
    return arrow.schema(
        [
            arrow.field("partition_key", arrow.string(), nullable=False),
            arrow.field("at", arrow.timestamp("us", tz="UTC"), nullable=False),
            arrow.field("events", arrow.int64(), nullable=False),
            arrow.field("body", arrow.binary(), nullable=False),
        ]
    )


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional and large
        import pyarrow.parquet as pq  # noqa: PLC0415 - see above
    except ImportError as error:
        raise MissingLibrary("pyarrow", "a Parquet file") from error
    return pa, pq
