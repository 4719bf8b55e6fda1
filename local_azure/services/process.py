"""One service's process: started under a guard, awaited, stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import local_azure
from local_azure.services import guard
from local_azure.services.account import Account
from local_azure.services.errors import ServiceError, ServiceFailed

_POLL_SECONDS = 0.02
_TAIL_BYTES = 8192
_KILL_SECONDS = 5.0
_IMPORT_ROOT = Path(local_azure.__file__ or "").absolute().parent.parent


@dataclass(frozen=True)
class Command:
    """What to run, and how it is asked to end.

    Attributes:
        service: Name for people, such as ``PostgreSQL``.
        arguments: Program and arguments.
        log: File that receives what the program says; new runs are appended.
        environment: Variables set on top of this process's own.
        folder: Working folder; None for the present one.
        account: What to run as; None for one's own.
        stop_signal: How the program is asked to end.
        grace: Seconds it has for that before it is killed.
        held: Descriptor of a lock that is to be held until the command has ended.
    """

    service: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    held: int | None = None


def python_command(
    service: str,
    module: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = 10.0,
) -> Command:
    """Describe running a module by this Python, with this package importable from any folder.

    Args:
        service: Name for people.
        module: The module's name and its arguments.
        log: File that receives what it says.
        environment: Variables set on top of this process's own.
        folder: Working folder.
        grace: Seconds it has to end before it is killed.
    """
    found = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(_IMPORT_ROOT), *([found] if found else [])])
    return Command(
        service,
        [sys.executable, "-m", *module],
        log,
        environment={**(environment or {}), "PYTHONPATH": path},
        folder=folder,
        grace=grace,
    )


class Process:
    """A running command that ends when this object, or this program, does.

    The command runs in a session of its own, so that Ctrl-C in a terminal reaches it only
    through :meth:`stop`, in the order that its owner wants.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        self._lock = threading.Lock()
        command.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = command.log.stat().st_size if command.log.exists() else 0
        account = "-" if command.account is None else str(command.account)
        with command.log.open("ab") as log:
            self._guard: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - own arguments
                [
                    sys.executable,
                    "-I",
                    "-S",
                    guard.__file__,
                    command.stop_signal.name,
                    str(command.grace),
                    account,
                    *command.arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **command.environment},
                start_new_session=True,
                pass_fds=() if command.held is None else (command.held,),
            )

    @property
    def returncode(self) -> int | None:
        """Exit code as shells have it, or None while the command runs."""
        return self._guard.poll()

    @property
    def log_start(self) -> int:
        """Position in the log, in bytes, where this command's own output begins."""
        return self._log_start

    def said(self) -> str:
        """Return the end of what the command wrote since it was started."""
        return tail(self._command.log, self._log_start)

    def line(self, prefix: str) -> str | None:
        """Return the first whole line of the output that starts with the prefix, if it is there."""
        with self._command.log.open("rb") as log:
            log.seek(self._log_start)
            for raw in log:
                text = raw.decode(errors="replace")
                if text.startswith(prefix) and text.endswith("\n"):
                    return text.rstrip("\n")
        return None

    def wait_until[Answer](self, probe: Callable[[], Answer | None], within: float) -> Answer:
        """Wait until the probe answers.

        Args:
            probe: Asked again and again; anything but None or False is the answer.
            within: Seconds to wait at most.

        Returns:
            What the probe answered.

        Raises:
            ServiceFailed: The command ended, or the time is over; the command is then killed.
        """
        deadline = time.monotonic() + within
        while True:
            answer = probe()
            if answer is not None and answer is not False:
                return answer
            if (code := self.returncode) is not None:
                self._close_lifeline()
                reason = f"ended with exit code {code} instead of becoming ready"
                raise self._failed(reason)
            if time.monotonic() > deadline:
                self.kill()
                reason = f"was not ready within {within:g} seconds"
                raise self._failed(reason)
            time.sleep(_POLL_SECONDS)

    def wait_for_exit(self, within: float) -> int:
        """Wait for a command that ends by itself.

        Raises:
            ServiceFailed: It ended with another exit code than 0, or not in time.
        """
        try:
            code = self._guard.wait(within)
        except subprocess.TimeoutExpired as error:
            self.kill()
            reason = f"did not end within {within:g} seconds"
            raise self._failed(reason) from error
        self._close_lifeline()
        if code:
            reason = f"ended with exit code {code}"
            raise self._failed(reason)
        return code

    def stop(self, stop_signal: signal.Signals | None = None) -> None:
        """Ask the command to end, wait for the grace period, then kill it.

        Does nothing to a command that has ended.
        """
        with self._lock:
            if self._guard.poll() is None:
                self._guard.send_signal(stop_signal or self._command.stop_signal)
                try:
                    self._guard.wait(self._command.grace)
                except subprocess.TimeoutExpired:
                    self._kill()
            self._close_lifeline()

    def kill(self) -> None:
        """End the command at once (SIGKILL), as a crash would."""
        with self._lock:
            if self._guard.poll() is None:
                self._kill()
            self._close_lifeline()

    def _kill(self) -> None:
        self._guard.send_signal(signal.SIGUSR1)
        try:
            self._guard.wait(_KILL_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()

    def _close_lifeline(self) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    def _failed(self, reason: str) -> ServiceError:
        return ServiceFailed(self._command.service, reason, self._command.log, self.said())


def tail(log: Path, start: int = 0) -> str:
    """Return the end of a log, at most some hundred lines, from a byte position on."""
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - _TAIL_BYTES))
        return file.read().decode(errors="replace")
