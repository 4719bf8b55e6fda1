"""The pipeline behind PgBouncer in transaction mode: many clients on few server connections."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from fault_report import FaultCount
from local_services import DatabaseServer
from payment_messages import NOW
from pgbouncer_service import MISSING, PROGRAM, PgBouncer
from retried_batches import Delivery, all_messages, partition, settle
from store_fixtures import Store, migrate, store_settings

from shared_code.store.database import Database

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

type Record = Callable[[FaultCount], None]

ROOT = Path(__file__).parents[2]
IN_SHORT = "test_every_table_equals_an_oracle_over_the_same_messages"
# How a session looks to whoever comes after another client.
SETTINGS = (
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "tcp_keepalives_idle",
    "transaction_isolation",
    "search_path",
)


@pytest.fixture
def bouncer(store_server: DatabaseServer) -> Iterator[PgBouncer]:
    with PgBouncer(store_server.admin_url) as bouncer:
        yield bouncer


def settings_seen(url: str) -> list[tuple[str, ...]]:
    """Return what ten sessions at once see of their settings."""
    sessions = [psycopg2.connect(url) for _ in range(10)]
    seen = []
    for session in sessions:
        with closing(session), session.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS))
            seen.append(cursor.fetchone())
    return seen


def test_many_clients_share_few_connections_and_leave_nothing_on_them(
    store: Store, bouncer: PgBouncer, record: Record, *, full: bool
) -> None:
    url = bouncer.url(store.url)
    before = settings_seen(url)
    partitions = [partition(number, 100 if full else 6) for number in range(8)]
    engines = [store.engine(url=url, fold_interval=timedelta(0)) for _ in partitions]
    with Delivery(partitions, engines) as delivery:
        pass
    assert not delivery.failures
    with ThreadPoolExecutor(len(engines)) as pool:
        ticks = list(pool.map(lambda engine: engine.aggregate(NOW), engines))
    assert any(tick.closed for tick in ticks)
    closed = [window.window for tick in ticks for window in tick.closed]
    assert len(closed) == len(set(closed)), "one instance at a time closes windows"
    backends = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    assert store.value(backends) <= 3 + 2, "PgBouncer's connections, and the test's own"
    assert settings_seen(url) == before
    assert store.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    sent = all_messages(partitions)
    settle(store, sent, record, fault="8 clients, 3 pooled connections", times=1)


def test_a_pooler_that_is_killed_under_load_only_delays(
    store: Store, bouncer: PgBouncer, record: Record, *, full: bool
) -> None:
    times = 15 if full else 2
    draw = random.Random(53)
    partitions = [partition(number, 10 * times) for number in range(4)]
    engines = [store.engine(url=bouncer.url(store.url)) for _ in partitions]
    moments = []
    with Delivery(partitions, engines) as delivery:
        for _ in range(times):
            time.sleep(draw.uniform(0.1, 0.5))
            bouncer.kill()
            time.sleep(draw.uniform(0.0, 0.3))
            bouncer.start()
            moments.append(time.monotonic())
    assert delivery.failures
    settle(
        store,
        all_messages(partitions),
        record,
        fault="PgBouncer killed under load",
        times=times,
        recovery_seconds=max(map(delivery.recovery_after, moments)),
    )


def test_revisions_run_through_the_pooler(store_server: DatabaseServer, bouncer: PgBouncer) -> None:
    with store_server.database() as url:
        database = Database(store_settings(bouncer.url(url)).database)
        try:
            for revision in ("head", "base", "head"):
                with database.engine.begin() as connection:
                    migrate(connection, revision)
        finally:
            database.engine.dispose()


def test_the_whole_pipeline_runs_through_the_pooler(*, full: bool) -> None:
    folder = "tests/end_to_end"
    chosen = (
        [f"{folder}/test_{name}.py" for name in ("pipeline", "rule_life", "rule_upload")]
        if full
        else [f"{folder}/test_pipeline.py::{IN_SHORT}"]
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=ROOT,
        env={**os.environ, "DATABASE_THROUGH": "pgbouncer"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout
