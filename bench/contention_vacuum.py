"""Dead rows of hot tables under a steady load, as they are and with settings that might help.

Two databases of one server take the same load for the same minutes: one as the revisions make it,
which leaves hot tables at PostgreSQL's defaults, the other with the settings of ``TRIED``.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Any, Final

import psycopg2

from bench.contention_writers import Done, Load, writers
from bench.report import Result, machine
from bench.throwaway import engine_on
from local_azure.services.postgresql import PostgreSQL
from shared_code.engine.metric_engine import MetricEngine

TABLES: Final = ("window_deltas", "window_marks", "payment_metrics_5m", "leases")
WRITERS: Final = 2
BATCH: Final = 100
BATCHES_PER_SECOND: Final = 20.0  # of each writer: less than it could, so that both keep up
_EVERY: Final = 2.0
_TICK: Final = 60.0
TRIED: Final = """
    ALTER TABLE window_deltas SET (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
    ALTER TABLE window_marks SET (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000);
    ALTER TABLE payment_metrics_5m SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 5000)
"""
_SAMPLE: Final = """
    SELECT relname, n_dead_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables
    WHERE relname = ANY(%s)
"""
_TOTALS: Final = """
    SELECT relname, n_tup_upd, n_tup_hot_upd, autovacuum_count FROM pg_stat_user_tables
    WHERE relname = ANY(%s)
"""


def observe(server: PostgreSQL, minutes: float, progress: Callable[[str], None]) -> Result:
    """Return how dead rows, sizes and folds develop over some minutes.

    Args:
        server: that both databases are made in.
        minutes: how long the load lasts.
        progress: is told how far it is.
    """
    began = time.perf_counter()
    as_is, tried = (server.ensure_database(name) for name in ("as_is", "tried"))
    engines = [engine_on(url) for url in (as_is, tried)]
    connections = [_watching(url) for url in (as_is, tried)]
    with connections[1].cursor() as cursor:
        cursor.execute(TRIED)
    load = Load(BATCH, minutes * 60, BATCHES_PER_SECOND)
    samples: list[dict[str, list[tuple[int, int]]]] = [defaultdict(list), defaultdict(list)]
    with writers(as_is, WRITERS, 1) as first, writers(tried, WRITERS, 2) as second:
        for each in (first, second):
            each.prepare(load)
        for each in (first, second):
            each.begin()
        _watch(engines, connections, samples, load.seconds, progress)
        done = [each.done(load) for each in (first, second)]
    rows: list[tuple[Any, ...]] = []
    for name, connection, sampled, wrote in zip(
        ("as is", "tried"), connections, samples, done, strict=True
    ):
        rows += _rows(name, connection, sampled, wrote)
    with connections[0].cursor() as cursor:
        cursor.execute("SHOW server_version")
        ((version,),) = cursor.fetchall()
    for connection in connections:
        connection.close()
    for engine in engines:
        engine.database.engine.dispose()
    return Result(
        benchmark="contention",
        title=f"Dead rows over {minutes:g} minutes, {WRITERS} writers on each of two databases",
        columns=(
            "settings",
            "table",
            "dead, mean",
            "dead, most",
            "kB, most",
            "updates",
            "HOT, %",
            "vacuums",
            "fold, ms",
            "last folds",
        ),
        rows=sorted(rows, key=lambda row: TABLES.index(row[1])),
        ratios=(),
        seconds=time.perf_counter() - began,
        machine=machine(version),
    )


def _watching(url: str) -> Any:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def _watch(
    engines: list[MetricEngine],
    connections: list[Any],
    samples: list[dict[str, list[tuple[int, int]]]],
    seconds: float,
    progress: Callable[[str], None],
) -> None:
    """Sample the statistics until the time is over, and close windows now and then."""
    began = time.monotonic()
    next_tick = began + _TICK
    while (now := time.monotonic()) - began < seconds:
        progress(f"watching dead rows, {now - began:.0f} of {seconds:.0f} s")
        for connection, sampled in zip(connections, samples, strict=True):
            with connection.cursor() as cursor:
                cursor.execute(_SAMPLE, (list(TABLES),))
                for table, dead, size in cursor.fetchall():
                    sampled[table].append((dead, size))
        if now >= next_tick:
            next_tick += _TICK
            for engine in engines:
                engine.aggregate(datetime.now(UTC))
        time.sleep(_EVERY)


def _rows(
    name: str, connection: Any, sampled: dict[str, list[tuple[int, int]]], done: list[Done]
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, (list(TABLES),))
        totals = {table: rest for table, *rest in cursor.fetchall()}
    folds = [fold * 1000 for each in done for fold in each.folds]
    last_folds = [fold * 1000 for each in done for fold in each.folds[-len(each.folds) // 4 :]]
    rows = []
    for table, seen in sampled.items():
        updates, hot, vacuums = totals[table]
        at_folds = table == "window_deltas"
        rows.append(
            (
                name,
                table,
                round(fmean(dead for dead, _ in seen)),
                max(dead for dead, _ in seen),
                max(size for _, size in seen) // 1024,
                updates,
                round(100 * hot / updates) if updates else None,
                vacuums,
                median(folds) if at_folds else None,
                median(last_folds) if at_folds else None,
            )
        )
    return rows
