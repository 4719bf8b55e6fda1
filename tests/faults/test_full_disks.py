"""A disk that fills up under PostgreSQL: batches fail, wait, and are stored once there is room."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fault_report import FaultCount
from retried_batches import Delivery, all_messages, partition, settle
from sqlalchemy.exc import OperationalError
from store_fixtures import Store, migrate

from local_azure.services.postgresql import PostgreSQL

type Record = Callable[[FaultCount], None]

WAL_IN_FEW_SEGMENTS = {"min_wal_size": "32MB", "max_wal_size": "32MB"}
# As for a replica that is away: no file of the log is used again.
WAL_KEPT = {"wal_keep_size": "4GB"}
BLOCK = bytes(64 * 1024)

type NewDisk = Callable[[str], Path]


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[NewDisk]:
    """Make file systems of little room, in memory."""
    with ExitStack() as mounted:

        def make(size: str) -> Path:
            folder = tmp_path / "disk"
            folder.mkdir()
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
            mounted.callback(subprocess.run, ["umount", str(folder)], check=True)
            return folder

        yield make


def fill(folder: Path) -> Path:
    """Write a file for which there is no more room."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(BLOCK)
    return hog


def move_log(data: Path, disk: Path) -> None:
    """Let a stopped server keep its log, and that alone, on a disk."""
    log, moved = data / "pg_wal", disk / "pg_wal"
    owner = log.stat()
    shutil.copytree(log, moved)
    shutil.rmtree(log)
    log.symlink_to(moved)
    for path in (moved, *moved.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def end_log_file(store: Store) -> None:
    """Let what is written next begin a new file of the log, for which there may be no room."""
    with suppress(OperationalError):
        store.execute("SELECT pg_switch_wal()")


def fill_under_load(
    server: PostgreSQL,
    disk: Path,
    record: Record,
    fault: str,
    *,
    batches: int,
    times: int,
    then: Callable[[Store], None] = lambda _: None,
) -> None:
    """Fill the disk of a running server while batches come, and hold all tables to the truth."""
    store = Store(server.ensure_database("payments"))
    try:
        with store.connection() as connection:
            migrate(connection)
        partitions = [partition(number, batches) for number in range(2)]
        slowest = 0.0
        with Delivery(partitions, [store.engine(), store.engine()]) as delivery:
            for _ in range(times):
                failures = delivery.failures.total()
                hog = fill(disk)
                then(store)
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
            fault=f"{fault}: {states}",
            times=times,
            recovery_seconds=slowest,
        )
    finally:
        store.close()


def test_a_full_disk_only_delays(new_disk: NewDisk, record: Record, *, full: bool) -> None:
    disk = new_disk("320m")
    with PostgreSQL(disk / "postgresql", settings=WAL_IN_FEW_SEGMENTS) as server:
        times, batches = (10, 400) if full else (1, 60)
        fill_under_load(server, disk, record, "disk full", batches=batches, times=times)


def test_a_full_disk_of_the_log_ends_the_server_and_loses_nothing(
    new_disk: NewDisk, tmp_path: Path, record: Record, *, full: bool
) -> None:
    if not full:
        pytest.skip("fills another disk, for half a minute: FAULTS=full")
    disk = new_disk("768m")
    with PostgreSQL(tmp_path / "postgresql", settings=WAL_KEPT) as server:
        server.stop()
        move_log(server._data, disk)
        server.start()
        fill_under_load(
            server, disk, record, "disk of the log full", batches=300, times=5, then=end_log_file
        )
        assert server.log.read_text("utf-8").count("PANIC") >= 5
