"""What a data folder of PostgreSQL says about the server on it: the file ``postmaster.pid``.

The format is documented in PostgreSQL's ``src/include/utils/pidfile.h``.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_FILE = "postmaster.pid"
_STATUS_LINE = 7
_READY = frozenset({"ready", "standby"})  # a hot standby answers queries, too
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What the file holds.

    Attributes:
        lines: Its lines: process id first, start time third, status eighth.
    """

    lines: tuple[str, ...]

    @property
    def pid(self) -> int:
        """The id of the server's process, running or not."""
        return int(self.lines[0])

    @property
    def ready(self) -> bool:
        """Whether the server accepts connections, or did when it was last heard of."""
        return len(self.lines) > _STATUS_LINE and self.lines[_STATUS_LINE].strip() in _READY


def read_postmaster(data: Path) -> Postmaster | None:
    """Read the file; None when there is none, or when it is only just being written."""
    try:
        lines = (data / _FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return Postmaster(tuple(lines)) if lines and lines[0].strip().isdecimal() else None


def stop_orphan(data: Path, within: float) -> int | None:
    """Stop a server that runs on the data though the program that started it is gone.

    The caller owns the folder, so no living program owns that server. The file outlives a server
    that was killed, and its process id may have gone to a stranger since: only a process whose
    command line names the data folder is the server. A stranger's file is removed, or the next
    server would refuse to start; a dead server's file is left, for the next one finds out by it
    whether children of the old one still use its shared memory.

    Args:
        data: The data folder.
        within: Seconds that each way of stopping is given: fast, then immediate.

    Returns:
        The id of a process that would not stop, or None.
    """
    found = read_postmaster(data)
    if found is None:
        return None
    if _exists(found.pid) and not _serves(found.pid, data):
        (data / _FILE).unlink(missing_ok=True)
        return None
    for number in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + within
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, number)
        while _serves(found.pid, data) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not _serves(found.pid, data):
            return None
    return found.pid


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, data: Path) -> bool:
    return str(data) in _command_line(pid)


def _command_line(pid: int) -> list[str]:
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [os.fsdecode(argument) for argument in raw.split(b"\0")]
    answer = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["ps", "-ww", "-p", str(pid), "-o", "args="],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.split()
