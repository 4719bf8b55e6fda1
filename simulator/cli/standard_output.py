"""The standard output of commands that print what was asked for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from simulator.errors import OutputFailed


class StandardOutput(Console):
    """A console whose reader may stop reading, as ``head`` does, without a word about it.

    The command goes on, since what it is to write elsewhere and its exit code do not depend on
    whether anybody reads.
    """

    def out(self, *objects: Any, **options: Any) -> None:
        """Write text as it is.

        Raises:
            OutputFailed: it cannot be written.
        """
        with _named():
            super().out(*objects, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Write text or tables.

        Raises:
            OutputFailed: it cannot be written.
        """
        with _named():
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """Throw away the rest."""
        _discard()
        self.quiet = True


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is still in memory cannot be written at the end of the process, either.
        _discard()
        msg = f"cannot write to the standard output: {error.strerror or error}"
        raise OutputFailed(msg) from error


def _discard() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
