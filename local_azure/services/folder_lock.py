"""One owner at a time for a folder of data."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local_azure.services.errors import FolderInUse

LOCK_FILE = "in-use.lock"
_PROCESS = "process "
# Longer than any service is given to stop.
_LEFTOVER_SECONDS = 45.0
_POLL_SECONDS = 0.05


class FolderLock:
    """A lock on a folder that the kernel releases when its holder ends, however it ends.

    The guard of a process that works in the folder holds it, too (see :meth:`fileno`): while it
    stops what a killed program left, no one else may begin.
    """

    def __init__(self, service: str, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock; wait only for what an owner that has ended left to be stopped.

        Raises:
            FolderInUse: Another process holds it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / LOCK_FILE).open("a+", encoding="utf-8")
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip()
                if _is_alive(holder) or time.monotonic() > deadline:
                    file.close()
                    raise FolderInUse(self._service, self._folder, holder) from error
                time.sleep(_POLL_SECONDS)
            else:
                break
        file.truncate(0)
        file.write(f"{_PROCESS}{os.getpid()}\n")
        file.flush()
        self._file = file

    def fileno(self) -> int | None:
        """Return the descriptor of the held lock, for a child to hold it too; None if not held."""
        return None if self._file is None else self._file.fileno()

    def holder(self) -> str | None:
        """Return what another owner wrote about itself; None when the folder has no owner."""
        try:
            file = (self._folder / LOCK_FILE).open(encoding="utf-8")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip()
        return None

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _is_alive(holder: str) -> bool:
    pid = holder.removeprefix(_PROCESS)
    if not pid.isdecimal():
        # The holder has not written its name yet, so it has only just begun.
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
