"""A server that stops and keeps its connections: batches wait, but not for ever, and are stored."""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_report import FaultCount
from retried_batches import Delivery, all_messages, partition, settle
from sqlalchemy import Connection, text
from store_fixtures import Store, migrate
from tcp_proxy import TcpProxy

from local_azure.services.postgresql import PostgreSQL
from local_azure.services.postmaster import read_postmaster
from shared_code.store import database
from shared_code.store.errors import StoreUnavailable

type Record = Callable[[FaultCount], None]

STATEMENT_SECONDS = 1
ANSWER_SECONDS = 1
# A pooled connection is given up, then a new one is waited for, ten seconds; all that on a busy
# machine.
LONGEST_SECONDS = 2 * (STATEMENT_SECONDS + ANSWER_SECONDS + 10)
BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'payment-metrics' AND pid <> pg_backend_pid()
"""


def everything(server: PostgreSQL, _store: Store) -> list[int]:
    """Return the server's processes, that which takes new connections among them."""
    postmaster = read_postmaster(server._data)
    assert postmaster
    children = Path(f"/proc/{postmaster.pid}/task/{postmaster.pid}/children").read_text()
    return [postmaster.pid, *map(int, children.split())]


def backends(_server: PostgreSQL, store: Store) -> list[int]:
    """Return the processes behind connections that are open; new ones can be had."""
    return [pid for (pid,) in store.rows(BACKENDS)]


@contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    """Let processes do nothing within the block, and go on at its end."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL(settings={"fsync": "off"}) as server:
        yield server


@pytest.fixture
def own_store(server: PostgreSQL) -> Iterator[Store]:
    """A store of a server of the test's own, whose processes may be stopped."""
    store = Store(server.ensure_database("payments"))
    try:
        with store.connection() as connection:
            migrate(connection)
        yield store
    finally:
        store.close()


def execute(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))


def execute_many(connection: Connection) -> None:
    connection.execute(text("SELECT :number"), [{"number": 1}, {"number": 2}])


def copy(connection: Connection) -> None:
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert("COPY leases TO STDOUT", io.BytesIO())


def commit(_connection: Connection) -> None:
    """Leave it to the end of the transaction."""


@pytest.mark.parametrize("wait", [execute, execute_many, copy, commit])
def test_no_wait_for_an_answer_is_without_end(
    store: Store, monkeypatch: pytest.MonkeyPatch, wait: Callable[[Connection], None]
) -> None:
    monkeypatch.setattr(database, "_ANSWER_SECONDS", 0.3)
    with TcpProxy(store.url) as proxy:
        engine = store.engine(url=proxy.url, statement_timeout=timedelta(seconds=0.2))

        def transaction() -> None:
            with engine.database.transaction() as connection:
                proxy.answer_delay = 4.0
                wait(connection)

        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"the database server was silent for 0\.5 s"):
            transaction()
        assert time.monotonic() - began < 4.0


@pytest.mark.parametrize("which", [everything, backends])
def test_a_server_that_stops_under_load_only_delays(
    server: PostgreSQL,
    own_store: Store,
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    which: Callable[[PostgreSQL, Store], list[int]],
    *,
    full: bool,
) -> None:
    times = 10 if full else 1
    monkeypatch.setattr(database, "_ANSWER_SECONDS", ANSWER_SECONDS)
    partitions = [partition(number, 20 * times) for number in range(2)]
    engine = own_store.engine(statement_timeout=timedelta(seconds=STATEMENT_SECONDS))
    slowest = 0.0
    with Delivery(partitions, [engine], pace=0.05) as delivery:
        for _ in range(times):
            time.sleep(0.3)
            failures = delivery.failures.total()
            with stopped(which(server, own_store)):
                began = time.monotonic()
                # Nothing is stored, or else by new connections, once the old ones are given up.
                while delivery.failures.total() == failures and not delivery.recovery_after(
                    began + STATEMENT_SECONDS
                ):
                    assert delivery.running, "everything was stored before the server stopped"
                    assert time.monotonic() - began < LONGEST_SECONDS
                    time.sleep(0.01)
            over = time.monotonic()
            while delivery.running and not delivery.recovery_after(over):
                time.sleep(0.01)
            slowest = max(slowest, delivery.recovery_after(over))
    settle(
        own_store,
        all_messages(partitions),
        record,
        fault=f"server stopped: {which.__name__}",
        times=times,
        recovery_seconds=slowest,
    )
