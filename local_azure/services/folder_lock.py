"""One owner at a time for a folder of data."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local_azure.services.errors import FolderInUse

LOCK_FILE = "in-use.lock"


class FolderLock:
    """A lock on a folder that the kernel releases when its holder ends, however it ends."""

    def __init__(self, service: str, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            FolderInUse: Another process holds it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / LOCK_FILE).open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise FolderInUse(self._service, self._folder, holder) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        self._file = file

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
