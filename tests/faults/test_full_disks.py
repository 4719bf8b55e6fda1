"""A disk that fills up under PostgreSQL: batches fail, wait, and are stored once there is room."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fault_report import FaultCount
from retried_batches import Delivery, all_messages, partition, settle
from store_fixtures import Store, migrate

from local_azure.services.postgresql import PostgreSQL

type Record = Callable[[FaultCount], None]

SMALL_DISK = "size=320m"
WAL_IN_FEW_SEGMENTS = {"min_wal_size": "32MB", "max_wal_size": "32MB"}
BLOCK = bytes(64 * 1024)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of little room, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", SMALL_DISK, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write a file for which there is no more room."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(BLOCK)
    return hog


def test_a_full_disk_only_delays(small_disk: Path, record: Record, *, full: bool) -> None:
    times = 10 if full else 1
    assert os.statvfs(small_disk).f_bavail
    with PostgreSQL(small_disk / "postgresql", settings=WAL_IN_FEW_SEGMENTS) as server:
        store = Store(server.ensure_database("payments"))
        try:
            with store.connection() as connection:
                migrate(connection)
            partitions = [partition(number, 400 if full else 60) for number in range(2)]
            slowest = 0.0
            with Delivery(partitions, [store.engine(), store.engine()]) as delivery:
                for _ in range(times):
                    failures = delivery.failures.total()
                    hog = fill(small_disk)
                    while delivery.running and delivery.failures.total() < failures + 4:
                        time.sleep(0.01)
                    assert delivery.running, "there was room for everything"
                    hog.unlink()
                    over = time.monotonic()
                    # Without room for its log the server ends, and whoever runs it starts it again.
                    server.start()
                    while delivery.running and not delivery.recovery_after(over):
                        time.sleep(0.01)
                    slowest = max(slowest, delivery.recovery_after(over))
            states = ", ".join(sorted(state or "no connection" for state in delivery.failures))
            settle(
                store,
                all_messages(partitions),
                record,
                fault=f"disk full: {states}",
                times=times,
                recovery_seconds=slowest,
            )
        finally:
            store.close()
