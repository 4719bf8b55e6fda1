"""Function hosts on this machine that outlive the command that starts them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

_MODULE: Final = "local_azure.functions"
_READY: Final = "Listening on "
_READY_SECONDS: Final = 120
_GRACE_SECONDS: Final = 40
_POLL_SECONDS: Final = 0.1


class RunningHost(msgspec.Struct, frozen=True):
    """A host that was started.

    Attributes:
        pid: of its process.
        url: where it listens; None if it ended before it did.
    """

    pid: int
    url: str | None


def start_host(
    project: Path, settings: Path, log: Path, environment: Mapping[str, str]
) -> RunningHost:
    """Start a host on a project and wait until it listens or has ended.

    Args:
        project: its folder.
        settings: file of its app settings.
        log: is appended to.
        environment: of the process.
    """
    command = [sys.executable, "-m", _MODULE, "--project", str(project)]
    command += ["--settings", str(settings), "--port", "0"]
    start = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - own arguments
            command,
            cwd=project,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _READY_SECONDS
    url = None
    while url is None and process.poll() is None and time.monotonic() < deadline:
        url = _listening_on(log, start)
        time.sleep(_POLL_SECONDS)
    if url is None and process.poll() is None:
        process.kill()
        process.wait()
    return RunningHost(process.pid, url)


def stop_host(host: RunningHost) -> None:
    """Ask a host to end, which lets running functions end first; kill it after a while.

    Does nothing if it has ended, or if its number now is another process's.
    """
    deadline = time.monotonic() + _GRACE_SECONDS
    with suppress(ProcessLookupError):
        if is_running(host):
            os.kill(host.pid, signal.SIGTERM)
        while is_running(host):
            if time.monotonic() > deadline:
                os.kill(host.pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def is_running(host: RunningHost) -> bool:
    """Tell whether a host's process is there and is a host."""
    # A child that has ended stays a zombie until it is waited for.
    with suppress(ChildProcessError):
        os.waitpid(host.pid, os.WNOHANG)
    try:
        command = Path(f"/proc/{host.pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return _MODULE.encode() in command.split(b"\0")


def _listening_on(log: Path, start: int) -> str | None:
    with log.open("rb") as stream:
        stream.seek(start)
        for raw in stream:
            line = raw.decode(errors="replace")
            if line.startswith(_READY) and line.endswith("\n"):
                return line.removeprefix(_READY).strip()
    return None
