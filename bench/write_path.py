"""Payments per second through the engine, beside COPY of the same rows into plain tables.

Both write into the same server in the same run, turn and turn about, so that whatever else the
machine does falls on both. Row text for COPY is made beforehand: the limit is the server's.
The engine runs in one process, one batch at a time and two at once in two threads, as the host runs
batches of two partitions: one computes while the server works for the other.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench import reference, workload
from bench.throwaway import KEY, database_url, engine_on
from shared_code.domain.decoding import decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.engine.batch import BatchResult
from shared_code.engine.metric_engine import MetricEngine
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.compiler import compile_document

GOAL: Final = {1000: 0.40}
WARM_UP: Final = 3


class Result(NamedTuple):
    """Seconds per batch, for one batch size: COPY alone, and the engine both ways."""

    batch: int
    metrics_per_payment: float
    limit: Sequence[float]
    one_at_a_time: Sequence[float]
    two_at_once: Sequence[float]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that are printed."""
        limit = statistics.median(self.limit)
        one = statistics.median(self.one_at_a_time)
        two = statistics.median(self.two_at_once)
        return {
            "batch": self.batch,
            "metrics per payment": round(self.metrics_per_payment, 2),
            "COPY limit, payments/s": round(self.batch / limit),
            "one batch at a time, payments/s": round(self.batch / one),
            "ratio, one": round(limit / one, 2),
            "two batches at once, payments/s": round(self.batch / two),
            "ratio, two": round(limit / two, 2),
            "goal": GOAL.get(self.batch),
            "p99 / median, one": round(_percentile(self.one_at_a_time, 0.99) / one, 2),
        }


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _measure(
    engine: MetricEngine, plain: Any, batch: int, batches: int, progress: Callable[[str], None]
) -> Result:
    end = workload.recent()
    rules = compile_document(workload.rules_document())
    names = [summary.rule_id for summary in rules.summaries()]
    pseudonymiser = Pseudonymiser(bytes.fromhex(KEY))
    horizon = horizon_at(end, timedelta(days=30))
    document = workload.rules_document()
    limit: list[float] = []
    one: list[float] = []
    two: list[float] = []
    matched = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(batches + WARM_UP):
            seed = (batch * 1000 + number) * 3
            first, *pair = (workload.messages(batch, seed + turn, end) for turn in range(3))
            decoded = decode_batch(first, pseudonymiser, horizon)
            payments = [placed.accepted for placed in decoded.payments]
            matches = list(rules.matches(columns_of(payments)))
            payment_text = reference.payment_rows(payments)
            metric_text = reference.metric_rows(payments, matches, names)
            began = time.perf_counter()
            reference.copy(plain, payment_text, metric_text)
            copied = time.perf_counter()
            results = [engine.process_batch(first, document)]
            stored = time.perf_counter()
            results += pool.map(lambda messages: engine.process_batch(messages, document), pair)
            done = time.perf_counter()
            _require_all_stored(results, batch)
            if number >= WARM_UP:
                limit.append(copied - began)
                one.append(stored - copied)
                two.append((done - stored) / 2)
                matched += sum(len(match.rows) for match in matches)
            progress(f"batch {batch}: {number + 1} of {batches + WARM_UP}")
    return Result(batch, matched / (batch * batches), limit, one, two)


def _require_all_stored(results: Sequence[BatchResult], batch: int) -> None:
    for result in results:
        if result.stored != batch:
            msg = f"the engine stored {result.stored} of {batch} payments"
            raise RuntimeError(msg)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; exit code 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.write_path", description=__doc__)
    parser.add_argument("--batches", type=int, default=40, help="timed batches per size (40)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100, 1000, 5000], help="payments per batch"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    options = parser.parse_args(arguments)
    console = Console()
    with database_url(options.pg_bin) as url:
        engine = engine_on(url)
        with engine.database.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        plain = psycopg2.connect(url)
        with plain.cursor() as cursor:
            cursor.execute(reference.CREATE)
        plain.commit()
        with console.status("starting") as status:
            results = [
                _measure(engine, plain, size, options.batches, status.update)
                for size in options.sizes
            ]
        plain.close()
        engine.database.engine.dispose()
    figures = [result.as_dict() for result in results]
    table = Table(
        title=f"Write path, one process, PostgreSQL {version}, {os.cpu_count()} cores, fsync on"
    )
    for name in figures[0]:
        table.add_column(name, justify="right")
    for figure in figures:
        table.add_row(*("" if value is None else str(value) for value in figure.values()))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), "utf-8")
    missed = [figure for figure in figures if figure["goal"] and _best(figure) < figure["goal"]]
    for figure in missed:
        console.print(f"batch {figure['batch']}: {_best(figure)} is below {figure['goal']}")
    return 1 if missed else 0


def _best(figures: Mapping[str, Any]) -> float:
    """Return the ratio of one process, as the host runs it: a batch of each partition at once."""
    return max(float(figures["ratio, one"]), float(figures["ratio, two"]))


if __name__ == "__main__":
    sys.exit(main())
