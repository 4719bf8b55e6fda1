"""A real PgBouncer in transaction mode before a PostgreSQL server."""

import shutil
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local_azure.services.account import account_for
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.process import Command
from local_azure.services.service import Service

PROGRAM: Final = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
MISSING: Final = "pgbouncer is not installed: apt-get install pgbouncer"

_READY_SECONDS: Final = 30.0
# No start-up parameter is ignored, and no server connection is reset between two clients: what
# leaks in transaction mode does leak.
_CONFIGURATION: Final = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = {loopback}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
server_login_retry = 1
"""


class PgBouncer(Service):
    """PgBouncer before one server, for all its databases.

    Args:
        server_url: of any database of the server, by TCP.
        pool_size: server connections for each database.
    """

    def __init__(self, server_url: str, *, pool_size: int = 3) -> None:
        super().__init__("PgBouncer", None)
        self._server = urlsplit(server_url)
        self._pool_size = pool_size
        self._port = 0

    def url(self, url: str) -> str:
        """Return the URL of a database of the server, by way of PgBouncer."""
        user = f"{self._server.username}@" if self._server.username else ""
        return urlsplit(url)._replace(netloc=f"{user}{LOOPBACK}:{self._port}").geturl()

    def _start(self) -> None:
        assert PROGRAM is not None
        self._port = claim_port(self.name, self._port)
        account = account_for(self.name, self._folder)
        users = self._folder / "users.txt"
        users.write_text(f'"{self._server.username}" ""\n', "utf-8")
        configuration = self._folder / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                host=self._server.hostname,
                server_port=self._server.port,
                loopback=LOOPBACK,
                port=self._port,
                users=users,
                pool_size=self._pool_size,
            ),
            "utf-8",
        )
        command = [PROGRAM, str(configuration)]
        process = self._run(
            Command(self.name, command, log=self.log, account=account, folder=Path("/"))
        )
        process.wait_until(self._answers, _READY_SECONDS)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self._port)) == 0
