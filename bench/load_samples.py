"""Looks each second at a running pipeline: memory, connections, dead rows, what waits, latency."""

import os
import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, override

import psycopg2
import requests

from bench.load_thread import LoadThread
from bench.load_traffic import Flow
from local_azure.host_client import host_status

FUNCTION: Final = "ProcessTransaction"
HOT_TABLES: Final = (
    "window_deltas",
    "window_marks",
    "payment_metrics_5m",
    "rule_marks",
    "roll_up_marks",
    "leases",
)
LATENCY_SECONDS: Final = 5
# What was sent so long ago has been stored, unless much more waits than a steady pipeline lets.
_SETTLED_SECONDS: Final = 15
_EVERY_SECONDS: Final = 1.0
_HOT: Final = """
    SELECT coalesce(sum(n_dead_tup), 0), coalesce(sum(pg_total_relation_size(relid)), 0)
    FROM pg_stat_user_tables WHERE relname = ANY (%s)
"""
_CONNECTIONS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
"""
_LATENCY: Final = """
    SELECT count(*), percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
        ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - event_time))
    FROM normalized_transactions
    WHERE event_time >= clock_timestamp() - make_interval(secs => %s)
      AND event_time < clock_timestamp() - make_interval(secs => %s)
"""


class Sample(NamedTuple):
    """One look.

    Attributes:
        seconds: since the first look.
        memory_mib: resident memory of the function host.
        connections: of the host to PostgreSQL.
        dead_rows: of the hot tables.
        hot_mib: size of the hot tables with their indexes.
        waiting: messages sent and not yet processed.
        processed: messages since the start of the host.
    """

    seconds: float
    memory_mib: float
    connections: int
    dead_rows: int
    hot_mib: float
    waiting: int
    processed: int


class Latency(NamedTuple):
    """From the event time of payments, when they were sent, to their commit.

    Attributes:
        seconds: since the first look.
        payments: of some seconds.
        median: in seconds.
        p99: in seconds.
    """

    seconds: float
    payments: int
    median: float
    p99: float


class Sampler(LoadThread):
    """Takes samples in a thread of its own, within a ``with`` block.

    Args:
        host_url: of the function host.
        settings_file: on the command line of the host's process, by which that is found.
        database_url: of the pipeline's database, which tracks commit timestamps.
        flow: where what was processed is counted.
    """

    def __init__(self, host_url: str, settings_file: Path, database_url: str, flow: Flow) -> None:
        super().__init__("sampler")
        self.samples: list[Sample] = []
        self.latencies: list[Latency] = []
        self._flow = flow
        self._host_url = host_url
        self._memory = _process_with(str(settings_file)) / "statm"
        self._database_url = database_url

    @override
    def work(self, ending: threading.Event) -> None:
        """Look until the block ends."""
        connection: Any = psycopg2.connect(self._database_url)
        connection.autocommit = True
        began = time.monotonic()
        next_sample = next_latency = began
        try:
            with connection.cursor() as cursor:
                while not ending.wait(_EVERY_SECONDS / 4):
                    self._flow.processed = _checkpointed(self._host_url)
                    now = time.monotonic()
                    if now >= next_sample:
                        next_sample += _EVERY_SECONDS
                        self.samples.append(self._look(cursor, now - began))
                    if now >= next_latency:
                        next_latency += LATENCY_SECONDS
                        self._look_at_latency(cursor, now - began)
        finally:
            connection.close()

    def _look(self, cursor: Any, seconds: float) -> Sample:
        cursor.execute(_HOT, (list(HOT_TABLES),))
        dead_rows, hot_bytes = cursor.fetchone()
        cursor.execute(_CONNECTIONS)
        ((connections,),) = cursor.fetchall()
        pages = int(self._memory.read_text("utf-8").split()[1])
        return Sample(
            seconds=seconds,
            memory_mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            connections=connections,
            dead_rows=int(dead_rows),
            hot_mib=float(hot_bytes) / 2**20,
            waiting=self._flow.waiting,
            processed=self._flow.processed,
        )

    def _look_at_latency(self, cursor: Any, seconds: float) -> None:
        cursor.execute(_LATENCY, (_SETTLED_SECONDS + LATENCY_SECONDS, _SETTLED_SECONDS))
        payments, found = cursor.fetchone()
        if payments:
            self.latencies.append(Latency(seconds - _SETTLED_SECONDS, payments, *map(float, found)))


def _checkpointed(host_url: str) -> int:
    try:
        partitions = host_status(host_url)["triggers"][FUNCTION]["partitions"]
    except requests.RequestException as error:
        message = f"the function host does not answer: {error}"
        raise RuntimeError(message) from error
    known = (partition["checkpointed"] for partition in partitions.values())
    return sum(1 + last for last in known if last is not None)


def _process_with(argument: str) -> Path:
    """Return the folder in /proc of the process that has such an argument.

    Raises:
        LookupError: there is no such process.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        guarding = any(part.endswith(b"guard.py") for part in command)
        if argument.encode() in command and not guarding:
            return folder
    message = f"no function host runs with {argument}"
    raise LookupError(message)
