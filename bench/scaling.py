"""What 1,000 to 1,000,000 payments a second need, computed from costs measured here and now.

Measures what a payment costs client and server, writes the tables of docs/scaling.md between its
markers, and draws what becomes of many instances on hot counters.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psycopg2
from rich.console import Console
from sqlalchemy import text

from bench import workload
from bench.document import between_markers, plot, table_lines
from bench.report import Cell, Result, add_arguments, conclude, machine
from bench.scaling_hot_keys import Batch, payments_per_second
from bench.scaling_model import BATCH, RATES, Costs, need
from bench.throwaway import ROOT, database_url, engine_on
from shared_code.engine.metric_engine import MetricEngine
from shared_code.store.folding import fold_deltas

DOCUMENT: Final = ROOT / "docs" / "scaling.md"
PLOT: Final = ROOT / "docs" / "scaling" / "hot-counters.svg"
WRITERS: Final = (1, 2, 4, 8, 16, 32, 64)
_SIZES: Final = """
    SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
    WHERE inhparent IN ('normalized_transactions'::regclass, 'dynamic_metrics'::regclass)
"""
_ADVANCED: Final = "SELECT pg_current_wal_insert_lsn() - %s::pg_lsn"


def _measure(engine: MetricEngine, url: str, batches: int, commit_ms: float) -> Costs:
    end = workload.recent()
    document = workload.rules_document()
    connection: Any = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    engine.process_batch(workload.messages(BATCH, 1, end), document)
    with engine.database.transaction() as pooled:
        process = int(pooled.execute(text("SELECT pg_backend_pid()")).scalar_one())
    status = Path(f"/proc/{process}/schedstat")
    cursor.execute(_SIZES)
    ((size,),) = cursor.fetchall()
    cursor.execute("SELECT pg_current_wal_insert_lsn()")
    before = cursor.fetchone()
    client: list[float] = []
    message_bytes = 0
    server_began = int(status.read_text("ascii").split()[0])
    for number in range(batches):
        messages = workload.messages(BATCH, number + 2, end)
        message_bytes += sum(len(message.body) for message in messages)
        began = time.process_time()
        engine.process_batch(messages, document)
        client.append(time.process_time() - began)
    fold_deltas(engine.database)
    server = int(status.read_text("ascii").split()[0]) - server_began
    payments = batches * BATCH
    cursor.execute(_ADVANCED, before)
    ((log,),) = cursor.fetchall()
    cursor.execute(_SIZES)
    ((grown,),) = cursor.fetchall()
    connection.close()
    return Costs(
        client_us=statistics.median(client) / BATCH * 1e6,
        server_us=server / 1e3 / payments,
        log_bytes=float(log) / payments,
        stored_bytes=float(grown - size) / payments,
        message_bytes=message_bytes / payments,
        commit_ms=commit_ms,
    )


def _needs(costs: Costs) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for rate in RATES:
        found = need(rate, costs)
        rows.append(
            [
                rate,
                found.units_packed,
                found.units_single,
                found.partitions,
                found.instances,
                found.connections,
                found.vcores,
                round(found.log_mb_s, 1),
                round(found.stored_gb_day),
                "; ".join(found.bottlenecks) or "none",
            ]
        )
    return rows


def _hot_keys(costs: Costs, cores: int) -> dict[str, list[tuple[float, float]]]:
    """Return the simulated rate by number of writers, for batches of a hundred."""
    payments = 100
    batch = Batch(
        payments,
        work=payments * (costs.client_us + costs.server_us) / 1e6,
        counters=payments * costs.server_us / 1e6 / 10,
        commit=costs.commit_ms / 1e3,
    )
    return {
        name: [
            (writers, payments_per_second(writers, cores, batch, upsert=upsert))
            for writers in WRITERS
        ]
        for name, upsert in (("deltas, folded", False), ("UPSERT of counters", True))
    }


def _results(costs: Costs, cores: int, version: str, seconds: float) -> list[Result]:
    about = machine(version)
    series = _hot_keys(costs, cores)
    names = list(series)
    return [
        Result(
            benchmark="scaling",
            title="What a payment costs here",
            columns=(
                "client, µs CPU",
                "server, µs CPU",
                "log, B",
                "stored, B",
                "message, B",
                "commit assumed, ms",
            ),
            rows=[list(costs)],
            ratios=[],
            seconds=seconds,
            machine=about,
        ),
        Result(
            benchmark="scaling",
            title="What a rate needs",
            columns=(
                "payments/s",
                "throughput units, packed by 50",
                "one by one",
                "partitions",
                "instances",
                "connections",
                "PostgreSQL vCores",
                "log, MB/s",
                "stored, GB/day",
                "gives way first, and the way past it",
            ),
            rows=_needs(costs),
            ratios=[],
            seconds=seconds,
            machine=about,
        ),
        Result(
            benchmark="scaling",
            title=f"Simulated payments/s on {cores} cores, batches of 100 on the same counters",
            columns=("writers", *names),
            rows=[
                [writers, *(round(series[name][at][1]) for name in names)]
                for at, writers in enumerate(WRITERS)
            ],
            ratios=[],
            seconds=seconds,
            machine=about,
            series=series,
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compute, print, and write the document if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--batches", type=int, default=40, help="measured, of 1,000 (40)")
    parser.add_argument("--commit-ms", type=float, default=3.0, help="of a cloud disk (3)")
    parser.add_argument("--cores", type=int, default=32, help="in the simulation (32)")
    parser.add_argument("--write", action="store_true", help="write docs/scaling.md and its plot")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    with database_url() as url, Console().status("measuring what a payment costs"):
        engine = engine_on(url)
        with engine.database.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        costs = _measure(engine, url, options.batches, options.commit_ms)
        engine.database.engine.dispose()
    results = _results(costs, options.cores, version, time.perf_counter() - began)
    if options.write:
        lines = [
            line for result in results for line in table_lines(result, "scaling/hot-counters.svg")
        ]
        document = between_markers(DOCUMENT.read_text("utf-8"), "\n".join(lines))
        DOCUMENT.write_text(document, "utf-8")
        PLOT.parent.mkdir(exist_ok=True)
        plot(results[-1], PLOT)
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
