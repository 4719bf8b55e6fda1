"""A network that goes silent in the middle of COPY: how soon does the server give the batch up?

Run in a network namespace of its own (``unshare -n``), whose loopback it takes down: packets are
lost then, and nobody is told, as when a machine or a gateway goes. The server is watched over its
socket. Prints the seconds until the server's side of the batch was gone.
"""

import io
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from typing import Any, Final

import psycopg2
from store_fixtures import store_settings

from local_azure.services.postgresql import PostgreSQL
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable

_LOOPBACK: Final = ("ip", "link", "set", "lo")
# Far shorter than the silence: no statement time-out ends a COPY that waits for its client.
_STATEMENT_SECONDS: Final = "5"
_WATCHED_SECONDS: Final = 90.0
_ALIVE: Final = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%'"


class _Endless(io.RawIOBase):
    """Rows for ever, slowly."""

    def read(self, _size: int = -1) -> bytes:
        time.sleep(0.05)
        return b"1\n"


def _copy(database: Database) -> None:
    # The client's own keepalive ends its side, too.
    with suppress(StoreUnavailable), database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (number integer)")
        cursor: Any = connection.connection.cursor()
        cursor.copy_expert("COPY numbers FROM STDIN", _Endless())


def main() -> None:
    """Take the network down under a COPY."""
    subprocess.run([*_LOOPBACK, "up"], check=True)
    with PostgreSQL() as server:
        settings = {"DATABASE_STATEMENT_TIMEOUT_SECONDS": _STATEMENT_SECONDS}
        database = Database(store_settings(server.url(), **settings).database)
        threading.Thread(target=_copy, args=(database,), daemon=True).start()
        with closing(psycopg2.connect(server.url(over_socket=True))) as watching:
            watching.autocommit = True

            def alive() -> bool:
                with watching.cursor() as cursor:
                    cursor.execute(_ALIVE + " AND pid <> pg_backend_pid()")
                    return bool(cursor.fetchone()[0])

            while not alive():
                time.sleep(0.05)
            subprocess.run([*_LOOPBACK, "down"], check=True)
            silent = time.monotonic()
            while alive() and time.monotonic() - silent < _WATCHED_SECONDS:
                time.sleep(0.1)
            sys.stdout.write(f"{time.monotonic() - silent:.1f}\n")


if __name__ == "__main__":
    main()
