"""Payments per second through the engine, beside COPY of the same rows into plain tables.

Both write into the same server in the same run, turn and turn about, so that whatever else the
machine does falls on both. Row text for COPY is made beforehand: the limit is the server's.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from alembic.config import Config
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from alembic import command
from bench import reference, workload
from local_azure.services.postgresql import PostgreSQL
from shared_code.domain.decoding import Message, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.engine.metric_engine import MetricEngine
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import compile_document
from shared_code.settings import load_settings
from shared_code.store.rule_store import activate

ROOT: Final = Path(__file__).parents[1]
GOAL: Final = {1000: 0.40}
_KEY: Final = "00" * 32
_DATABASE: Final = "bench_write_path"


class Result(NamedTuple):
    """Seconds per batch of both sides, for one batch size."""

    batch: int
    metrics_per_payment: float
    limit: Sequence[float]
    engine: Sequence[float]

    @property
    def ratio(self) -> float:
        """Engine rate as a share of the limit, from the medians."""
        return statistics.median(self.limit) / statistics.median(self.engine)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that are printed."""
        engine = statistics.median(self.engine)
        return {
            "batch": self.batch,
            "batches": len(self.engine),
            "metrics_per_payment": round(self.metrics_per_payment, 2),
            "limit_payments_per_second": round(self.batch / statistics.median(self.limit)),
            "engine_payments_per_second": round(self.batch / engine),
            "ratio": round(self.ratio, 3),
            "goal": GOAL.get(self.batch),
            "p99_over_median": round(_percentile(self.engine, 0.99) / engine, 2),
        }


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


@contextmanager
def _database(bin_folder: Path | None) -> Iterator[str]:
    """Give the URL of a database: one named by BENCH_DATABASE_URL, or of a throwaway server."""
    if given := os.environ.get("BENCH_DATABASE_URL"):
        yield given
        return
    with PostgreSQL(bin_folder=bin_folder) as server:
        yield server.ensure_database(_DATABASE)


def _engine(url: str) -> MetricEngine:
    os.environ["DATABASE_URL"] = url
    os.environ["PII_HASH_KEY"] = _KEY
    configuration = Config(ROOT / "alembic.ini")
    configuration.attributes["quiet"] = True
    command.upgrade(configuration, "head")
    engine = MetricEngine(load_settings())
    with engine.database.transaction() as connection:
        activate(connection, workload.rules_document(), by="bench", reason="benchmark")
    return engine


def _measure(
    engine: MetricEngine, plain: Any, batch: int, batches: int, progress: Callable[[str], None]
) -> Result:
    end = workload.recent()
    rules = compile_document(workload.rules_document())
    names = [summary.rule_id for summary in rules.summaries()]
    pseudonymiser = Pseudonymiser(bytes.fromhex(_KEY))
    horizon = horizon_at(end, timedelta(days=30))
    document = workload.rules_document()
    limit: list[float] = []
    ours: list[float] = []
    matched = 0
    warm_up = 3
    for number in range(batches + warm_up):
        batch_messages: list[Message] = workload.messages(batch, batch * 10_000 + number, end)
        decoded = decode_batch(batch_messages, pseudonymiser, horizon)
        payments = [placed.accepted for placed in decoded.payments]
        matches = list(rules.matches(_columns(payments)))
        payment_text = reference.payment_rows(payments)
        metric_text = reference.metric_rows(payments, matches, names)
        began = time.perf_counter()
        reference.copy(plain, payment_text, metric_text)
        copied = time.perf_counter()
        result = engine.process_batch(batch_messages, document)
        done = time.perf_counter()
        if result.stored != batch:
            msg = f"the engine stored {result.stored} of {batch} payments"
            raise RuntimeError(msg)
        if number >= warm_up:
            limit.append(copied - began)
            ours.append(done - copied)
            matched += sum(len(rows) for _, rows, _ in matches)
        progress(f"batch {batch}: {number + 1} of {batches + warm_up}")
    return Result(batch, matched / (batch * batches), limit, ours)


def _columns(payments: Sequence[Any]) -> Columns:
    return Columns(
        len(payments),
        lambda name: [
            item.quality_flags if name == "quality_flags" else getattr(item.payment, name)
            for item in payments
        ],
    )


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
    with _database(options.pg_bin) as url:
        engine = _engine(url)
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
        table.add_column(name.replace("_", " "), justify="right")
    for figure in figures:
        table.add_row(*("" if value is None else str(value) for value in figure.values()))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), "utf-8")
    missed = [result for result in results if result.ratio < GOAL.get(result.batch, 0)]
    for result in missed:
        console.print(f"batch {result.batch}: {result.ratio:.2f} is below {GOAL[result.batch]}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
