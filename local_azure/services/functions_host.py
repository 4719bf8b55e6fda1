"""The function host as a process of its own, with the settings that it is given."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from local_azure.services.errors import ServiceError
from local_azure.services.folder_lock import FolderLock
from local_azure.services.ports import claim_port
from local_azure.services.process import Process, python_command

_SERVICE = "Functions host"
_READY_SECONDS = 120.0  # the worker loads every function before the host listens
_READY_LINE = "Listening on "
_PREPARE_SECONDS = 300.0
# Running functions are drained first.
_GRACE_SECONDS = 30.0


def write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """Write a ``local.settings.json``, readable by its owner alone, for it may hold secrets.

    Readers see the old file or the new one, never a part of it.
    """
    document = {"IsEncrypted": False, "Values": dict(settings)}
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(document, indent=2) + "\n")
    Path(unfinished).replace(file)


class FunctionsHost:
    """The host of :mod:`local_azure.functions` on one project.

    Args:
        project: Folder of the function app.
        settings_file: Where the host's ``local.settings.json`` is written.
        log: File for what host and functions say.
        port: TCP port; 0 for a free one, kept for all restarts of this object.
    """

    def __init__(self, project: Path, settings_file: Path, log: Path, *, port: int = 0) -> None:
        self._project = project.absolute()
        self._settings_file = settings_file.absolute()
        self._log = log.absolute()
        self._wanted_port = port
        self._port: int | None = None
        self._url: str | None = None
        self._lock = FolderLock(_SERVICE, self._log.parent)
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether the host's process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> Path:
        """The file with everything that host and functions said."""
        return self._log

    @property
    def log_start(self) -> int:
        """Position in the log, in bytes, where the running host's output begins."""
        return self._process.log_start if self._process else 0

    @property
    def url(self) -> str:
        """Such as ``http://localhost:7071``, the same for all restarts of this object."""
        if self._url is None:
            raise ServiceError(_SERVICE, "it has no address before its first start")
        return self._url

    def prepare(self, commands: Sequence[Sequence[str]], settings: Mapping[str, str]) -> None:
        """Run Python modules in the project's folder, with the app settings as environment.

        Args:
            commands: Module and arguments each, such as ``("alembic", "upgrade", "head")``.
            settings: The app settings.

        Raises:
            ServiceFailed: A command failed; the message holds the end of what it said.
        """
        for command in commands:
            Process(
                python_command(
                    " ".join(command),
                    command,
                    self._log.with_name("prepare.log"),
                    environment=settings,
                    folder=self._project,
                )
            ).wait_for_exit(_PREPARE_SECONDS)

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the host and wait until it listens.

        Raises:
            FolderInUse: Another host writes to the same log folder.
            PortTaken: The port is fixed and in use.
            ServiceFailed: The host did not start; the message holds the end of its log.
        """
        if self.running:
            return
        self.stop()
        self._lock.acquire()
        try:
            self._start(settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let running functions end, then stop; does nothing when the host is not running."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._lock.release()

    def kill(self) -> None:
        """End the host at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, settings: Mapping[str, str]) -> None:
        port = claim_port(_SERVICE, self._port or self._wanted_port)
        write_settings(self._settings_file, settings)
        arguments = ["--project", str(self._project), "--settings", str(self._settings_file)]
        command = python_command(
            _SERVICE,
            ["local_azure.functions", *arguments, "--port", str(port)],
            self._log,
            # The process environment wins over the settings file: what happens to be set
            # here must not take the place of what was started.
            environment=settings,
            folder=self._project,
            grace=_GRACE_SECONDS,
        )
        self._process = process = Process(replace(command, held=self._lock.fileno()))
        ready = process.wait_until(lambda: process.line(_READY_LINE), _READY_SECONDS)
        self._url = ready.removeprefix(_READY_LINE).strip()
        self._port = port
