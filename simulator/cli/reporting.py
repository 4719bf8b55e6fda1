"""What a command tells people, or machines, while it works: always on standard error."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

_SECONDS_BETWEEN_LOGS: Final = 5.0


class Reporter(Protocol):
    """Tells how far a command is, and what happened on the way."""

    def begin(self, text: str, total: int | None, **fields: Any) -> None:
        """Say what begins; ``total`` of what is counted, None if nobody knows."""

    def progress(self, done: int) -> None:
        """Say how much is done."""

    def warn(self, text: str) -> None:
        """Say what somebody may want to mend; the work goes on."""

    def end(self, text: str, **fields: Any) -> None:
        """Say what came of it."""


class Terminal:
    """A progress bar, if anybody sees it, and sentences."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("events", total=None, start=False)

    def begin(self, text: str, total: int | None, **_: Any) -> None:
        """Start the bar."""
        self._bar.update(self._task, description=text, total=total)
        self._bar.start_task(self._task)

    def progress(self, done: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done)

    def warn(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, style="yellow", markup=False, highlight=False)

    def end(self, text: str, **_: Any) -> None:
        """Stop the bar, and print the sentences."""
        self._bar.stop()
        self._bar.console.print(text, markup=False, highlight=False)


class JsonLog:
    """One JSON object per line, for log collectors."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._total: int | None = None
        self._next = 0.0

    def begin(self, text: str, total: int | None, **fields: Any) -> None:
        """Log the beginning."""
        self._total = total
        self._next = time.monotonic() + _SECONDS_BETWEEN_LOGS
        self._log("info", "began", text, total=total, **fields)

    def progress(self, done: int) -> None:
        """Log now and then how much is done."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN_LOGS
            self._log("info", "progress", f"{done} of {self._total or 'endless'}", done=done)

    def warn(self, text: str) -> None:
        """Log a warning."""
        self._log("warning", "warning", text)

    def end(self, text: str, **fields: Any) -> None:
        """Log the end."""
        self._log("info", "ended", text, **fields)

    def fail(self, text: str, **fields: Any) -> None:
        """Log why nothing more will come."""
        self._log("error", "failed", text, **fields)

    def _log(self, level: str, event: str, text: str, **fields: Any) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "command": self._command,
            "event": event,
            "message": text,
            **fields,
        }
        print(json.dumps(line, default=str), file=sys.stderr, flush=True)  # noqa: T201 - the log


class Silent:
    """Says nothing but warnings."""

    def begin(self, text: str, total: int | None, **_: Any) -> None:
        """Say nothing."""

    def progress(self, done: int) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Print a line."""
        Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)

    def end(self, text: str, **_: Any) -> None:
        """Say nothing."""


@contextmanager
def reporter(command: str, *, quiet: bool, log: str) -> Iterator[Reporter]:
    """Yield what tells about a command: ``log`` is ``text`` or ``json``."""
    if log == "json":
        yield JsonLog(command)
    elif quiet:
        yield Silent()
    else:
        console = Console(stderr=True, soft_wrap=True)
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            # In a file or a pipe, frames of a bar are noise between the sentences.
            disable=not console.is_terminal,
        )
        with bar:
            yield Terminal(bar)
