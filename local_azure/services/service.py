"""What every local service has in common: a folder with one owner, a process, start and stop."""

import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from local_azure.services.folder_lock import FolderLock
from local_azure.services.process import Command, Process


class Service(ABC):
    """A process on a folder of data, which it owns while it runs.

    As a context manager it runs within the block.

    Args:
        name: Name for people, such as ``PostgreSQL``.
        folder: Where data and log live; None for a temporary folder that goes when the block ends.
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        self._name = name
        self._temporary = folder is None
        self._folder = (folder or Path(tempfile.mkdtemp(prefix=f"{name.lower()}-"))).absolute()
        self._lock = FolderLock(name, self._folder)
        self._process: Process | None = None

    @property
    def name(self) -> str:
        """Name for people."""
        return self._name

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> Path:
        """The file with everything that the process said."""
        return self._folder / f"{self._name.lower().replace(' ', '_')}.log"

    def start(self) -> None:
        """Start the service and wait until it is ready; does nothing when it runs.

        Raises:
            FolderInUse: Another program uses the folder.
            PortTaken: The port is fixed and in use.
            ServiceMissing: A program it consists of is missing or does not fit the data.
            ServiceFailed: It did not become ready; the message holds the end of its log.
        """
        if self.running:
            return
        self.stop()
        self._lock.acquire()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the service and wait until it has ended; does nothing when it is not running."""
        self._end(None)

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._forget()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._forget()

    def _forget(self) -> None:
        if self._temporary:
            shutil.rmtree(self._folder)

    @abstractmethod
    def _start(self) -> None:
        """Run the process (:meth:`_run`) and return when it is ready; the lock is held."""

    def _clear(self) -> None:  # noqa: B027 - most services leave nothing
        """Remove what a stopped process leaves outside of its folder; the lock is held."""

    def _run(self, command: Command) -> Process:
        self._process = Process(replace(command, held=self._lock.fileno()))
        return self._process

    def _end(self, stop_signal: signal.Signals | None) -> None:
        if self._process is not None:
            self._process.stop(stop_signal)
            self._process = None
            self._clear()
        self._lock.release()
