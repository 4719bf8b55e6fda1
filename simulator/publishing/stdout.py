"""Events on standard output, one to a line, for pipes."""

import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self

from simulator.errors import OutputFailed
from simulator.message import Message
from simulator.publishing.counters import Counters
from simulator.publishing.errors import OutputClosed
from simulator.publishing.lines import event_lines


class StdoutPublisher:
    """Writes events to standard output.

    Attributes:
        counters: what it has done so far; each message is one batch.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self.counters = Counters()
        self._stream = stream or _buffered_stdout()

    def __enter__(self) -> Self:
        """Open nothing: standard output is open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is in memory."""
        if kind is None:
            self.flush()

    def send(self, message: Message) -> None:
        """Write a message's events.

        Raises:
            OutputClosed: nobody reads any more.
            OutputFailed: they cannot be written.
        """
        self.counters.take()
        began = time.monotonic()
        text = b"".join(line + b"\n" for line in event_lines(message.body))
        with self._named():
            self._stream.write(text)
        self.counters.acknowledge(1, message.events, len(text), time.monotonic() - began)

    def flush(self) -> None:
        """Write what is in memory.

        Raises:
            OutputClosed: nobody reads any more.
            OutputFailed: it cannot be written.
        """
        with self._named():
            self._stream.flush()

    def unacknowledged(self) -> Sequence[Message]:
        """Return nothing: what was sent has been written, or nobody wants it."""
        return ()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            self._drain_into_nothing()
            raise OutputClosed("nobody reads the standard output any more") from error
        except OSError as error:
            msg = f"cannot write to the standard output: {error.strerror or error}"
            raise OutputFailed(msg) from error

    def _drain_into_nothing(self) -> None:
        """Let what is still in memory go nowhere: Python would complain about it at its end."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)


def _buffered_stdout() -> BinaryIO:
    """Return standard output with a buffer, whatever PYTHONUNBUFFERED says."""
    stream = sys.stdout.buffer
    if isinstance(stream, io.RawIOBase):
        # Alone, it writes slowly, and perhaps less than it is given.
        return open(stream.fileno(), "wb", closefd=False)
    return stream
