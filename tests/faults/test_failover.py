"""The primary dies under load and its synchronous standby, at another address, takes over."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from fault_load import Load, Pipeline, Record, settle

from local_azure.config import Part, load_config
from local_azure.environment import LocalAzure
from local_azure.services.ports import free_port
from local_azure.services.postgresql import PostgreSQL, StopMode, wheel_binaries

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 60
IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Pair:
    """Two servers, of which the second copies every commit of the first before it counts."""

    def __init__(self, folder: Path) -> None:
        self._folders = [folder / "one", folder / "two"]
        for each in self._folders:
            each.mkdir(parents=True)
        self.ports = [free_port(), free_port()]
        self.servers = [
            PostgreSQL(each, port=port)
            for each, port in zip(self._folders, self.ports, strict=True)
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the first server, and whatever else is started, within the block."""
        self.servers[0].start()
        try:
            yield
        finally:
            for server in self.servers:
                server.stop(StopMode.IMMEDIATE)

    def copy(self) -> None:
        """Make the second server a standby of the first, and let commits wait for it."""
        source, target = (folder / "data" for folder in self._folders)
        shutil.rmtree(target, ignore_errors=True)
        backup = [wheel_binaries() / "pg_basebackup", "-h", "127.0.0.1", "-U", "postgres"]
        backup += ["-p", str(self.servers[0].port), "-D", target, "-R", "-c", "fast"]
        subprocess.run(backup, check=True, capture_output=True)
        owner = source.stat()
        for path in (target, *target.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        self.servers[1].start()
        self._execute(0, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._execute(0, "SELECT pg_reload_conf()")
        deadline = time.monotonic() + WAIT_SECONDS
        while self._execute(0, IN_STEP) != 1:
            assert time.monotonic() < deadline, "the standby never caught up"
            time.sleep(0.05)

    def fail_over(self) -> datetime:
        """End the first server as a crash does, promote the second, and say when that began."""
        self.servers[0].stop(StopMode.IMMEDIATE)
        gone = datetime.now(UTC)
        self._execute(1, "SELECT pg_promote()")
        # What the first one was told came with the copy, if it was a second one before.
        self._execute(1, "ALTER SYSTEM RESET synchronous_standby_names")
        self._execute(1, "SELECT pg_reload_conf()")
        self.servers.reverse()
        self._folders.reverse()
        return gone

    def _execute(self, server: int, statement: str) -> object:
        with closing(psycopg2.connect(self.servers[server].url())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None


@contextmanager
def pipeline_on(pair: Pair, folder: Path) -> Iterator[Pipeline]:
    """Run a pipeline whose one database address names both servers."""
    ports = ",".join(map(str, pair.ports))
    url = (
        "postgresql://postgres@/payments?host=127.0.0.1,127.0.0.1"
        f"&port={ports}&target_session_attrs=read-write"
    )
    config = load_config(ROOT / "local_azure.yaml").with_connection(Part.POSTGRESQL, url)
    functions = replace(config.functions, port=0)
    with LocalAzure(replace(config, data_folder=folder, functions=functions)) as local:
        local.start_host()
        yield Pipeline(local)


def test_when_the_standby_takes_over_nothing_that_was_committed_is_missing(
    tmp_path: Path, record: Record, *, full: bool
) -> None:
    pair = Pair(tmp_path)
    with pair.running():
        pair.servers[0].ensure_database("payments")
        pair.copy()
        moved = []
        with pipeline_on(pair, tmp_path / "local") as pipeline:
            with Load(pipeline):
                for turn in range(5 if full else 1):
                    if turn:
                        pair.copy()
                    time.sleep(2.0)
                    moved.append(pair.fail_over())
                    time.sleep(2.0)
            settle(pipeline, record, "standby at another address took over", moved)
