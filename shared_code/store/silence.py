"""Connections that do not wait for ever for a server that can be reached and says nothing.

``statement_timeout`` is kept by the server, so by none that has stopped, and the driver waits
without end. ``functionTimeout`` is no way out: when it has passed, Azure's host advances the
checkpoint past a batch that was not stored (azure-webjobs-sdk, issue 2539). The driver's own way
to bound a wait, its wait callback, does not allow COPY.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

from psycopg2 import Error as DriverError
from psycopg2 import OperationalError
from psycopg2.extensions import connection, cursor

_LOOK_SECONDS: Final = 0.5


class _WatchedConnection(connection):
    """A connection that waits ``patience`` seconds for each answer at most."""

    patience: float

    def commit(self) -> None:
        with _watch().over(self):
            super().commit()

    def rollback(self) -> None:
        if self.closed:  # and the transaction with it: what ended them is worth telling, not this
            return
        with _watch().over(self):
            super().rollback()


class _WatchedCursor(cursor):
    """A cursor of a watched connection."""

    connection: _WatchedConnection

    def execute(self, *arguments: Any) -> None:
        with _watch().over(self.connection):
            super().execute(*arguments)

    def executemany(self, statement: Any, rows: Iterable[Any]) -> None:
        watch = _watch()
        with watch.over(self.connection):
            super().executemany(statement, watch.anew(self.connection, rows))

    def copy_expert(self, *arguments: Any) -> None:
        with _watch().over(self.connection):
            super().copy_expert(*arguments)


class _Watch:
    """Looks twice a second for connections whose time to wait is over, and cuts them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[_WatchedConnection, float] = {}  # as time.monotonic has it
        threading.Thread(target=self._look, name="silence", daemon=True).start()

    @contextmanager
    def over(self, waiting: _WatchedConnection) -> Iterator[None]:
        """Let a connection wait within the block for as long as it may.

        Raises:
            OperationalError: the server was silent, and the connection is cut.
        """
        self._until[waiting] = time.monotonic() + waiting.patience
        try:
            yield
        except DriverError:
            if waiting in self._until:
                raise
            message = f"the database server was silent for {waiting.patience:g} s"
            raise OperationalError(message) from None
        finally:
            # Never while it is being cut: its descriptor is another's once it has been closed.
            with self._lock:
                self._until.pop(waiting, None)

    def anew[Row](self, waiting: _WatchedConnection, rows: Iterable[Row]) -> Iterator[Row]:
        """Let a connection within :meth:`over` wait as long again for each row."""
        for row in rows:
            self._until[waiting] = time.monotonic() + waiting.patience
            yield row

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            with self._lock:
                for waiting, until in list(self._until.items()):
                    if until < now:
                        del self._until[waiting]
                        _cut(waiting)


def _cut(waiting: connection) -> None:
    """End a connection for both sides, so that who waits for it wakes."""
    # It may have ended by itself meanwhile.
    with suppress(DriverError, OSError), socket.socket(fileno=os.dup(waiting.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


@cache
def _watch() -> _Watch:
    return _Watch()


def watched(patience: float) -> Callable[[str], connection]:
    """Return a factory of connections of which no statement waits longer than so many seconds."""

    def connect(dsn: str) -> connection:
        made = _WatchedConnection(dsn)
        made.patience = patience
        made.cursor_factory = _WatchedCursor
        return made

    return connect
