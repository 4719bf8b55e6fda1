"""Messages, or the events in them alone, in a file instead of an event hub."""

import gzip
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from simulator.errors import OutputFailed
from simulator.message import Message
from simulator.publishing.counters import Counters
from simulator.publishing.lines import decode_message, encode_message, event_lines
from simulator.publishing.parquet import ParquetFile, read_parquet
from simulator.publishing.protocol import Publisher


def message_file(path: Path) -> Publisher:
    """Return a publisher of whole messages: .parquet, .jsonl.gz, or lines of any other name."""
    if path.suffix == ".parquet":
        return ParquetFile(path)
    return LineFile(path, "--file", lambda message: [encode_message(message)])


def event_file(path: Path) -> Publisher:
    """Return a publisher of events alone, one to a line; compressed if the name ends in .gz.

    Raises:
        OutputFailed: the name asks for Parquet, which holds messages.
    """
    if path.suffix == ".parquet":
        msg = f"--events writes lines of JSON, not {path.name}; name it .jsonl or .jsonl.gz"
        raise OutputFailed(msg)
    return LineFile(path, "--events", lambda message: event_lines(message.body))


class LineFile:
    """Writes lines; equal messages make equal files, compressed or not.

    Attributes:
        counters: what it has done so far; each message is one batch.
    """

    def __init__(
        self, path: Path, option: str, lines_of: Callable[[Message], Sequence[bytes]]
    ) -> None:
        """Describe a file.

        Args:
            path: where to; compressed if it ends in .gz.
            option: that names the path, for messages.
            lines_of: what to write of a message.
        """
        self.counters = Counters()
        self._path = path
        self._option = option
        self._lines_of = lines_of
        self._files = ExitStack()
        self._file: IO[bytes] | gzip.GzipFile | None = None

    def __enter__(self) -> Self:
        """Open the file; what it held before is gone.

        Raises:
            OutputFailed: it cannot be written.
        """
        with self._named():
            raw = self._files.enter_context(self._path.open("wb"))
            self._file = raw
            if self._path.suffix == ".gz":
                # Neither name nor time: equal content makes equal bytes.
                zipped = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
                self._file = self._files.enter_context(zipped)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; one that was not finished keeps what was written.

        Raises:
            OutputFailed: what was still in memory cannot be written.
        """
        self._file = None
        if kind is not None:
            # What went wrong first is what counts.
            with suppress(OSError):
                self._files.close()
            return
        with self._named():
            self._files.close()

    def send(self, message: Message) -> None:
        """Write a message.

        Raises:
            OutputFailed: it cannot be written.
        """
        assert self._file is not None, "use the publisher in a with statement"  # noqa: S101
        self.counters.take()
        began = time.monotonic()
        text = b"".join(line + b"\n" for line in self._lines_of(message))
        with self._named():
            self._file.write(text)
        self.counters.acknowledge(1, message.events, len(text), time.monotonic() - began)

    def flush(self) -> None:
        """Write what is in memory, but of compressed files, whose bytes would depend on it.

        Raises:
            OutputFailed: it cannot be written.
        """
        if self._file is not None and not isinstance(self._file, gzip.GzipFile):
            with self._named():
                self._file.flush()

    def unacknowledged(self) -> Sequence[Message]:
        """Return nothing: what was sent has been written."""
        return ()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"cannot write {self._path}: {error.strerror or error}; name another "
            raise OutputFailed(msg + self._option) from error


def read_messages(path: Path) -> Iterator[Message]:
    """Yield the messages that a ``message_file`` holds, whichever its form.

    Raises:
        OutputFailed: the file cannot be read, or a line is not such a message.
    """
    if path.suffix == ".parquet":
        yield from read_parquet(path)
        return
    try:
        with _open(path) as file:
            for number, text in enumerate(file, start=1):
                try:
                    message = decode_message(text)
                except ValueError as error:
                    msg = f"{path}, line {number} is no message: {error}"
                    raise OutputFailed(msg) from error
                yield message
    except (OSError, EOFError, zlib.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        msg = f"cannot read {path}: {reason}"
        raise OutputFailed(msg) from error


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
