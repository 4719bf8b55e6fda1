"""What an index on ``dynamic_metrics`` costs: the insert of a batch under each choice.

Times the one statement that inserts payments, metrics, deltas and marks from the staged rows, the
choices turn and turn about, each on an own copy of the schema.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench import workload
from bench.throwaway import KEY, engine_on
from bench.write_path import columns_of
from local_azure.services.postgresql import PostgreSQL
from shared_code.domain.decoding import decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.engine.metric_engine import MetricEngine
from shared_code.rules.compiler import compile_document
from shared_code.store import write_path

_KEY_COLUMNS: Final = "event_time, transaction_id, payment_status, rule_set, rule"
CHOICES: Final = {
    "primary key": f"ALTER TABLE dynamic_metrics ADD PRIMARY KEY ({_KEY_COLUMNS})",
    "none": "SELECT",
    "BRIN (event_time)": "CREATE INDEX ON dynamic_metrics USING brin (event_time)",
}


def _engines(server: PostgreSQL) -> dict[str, MetricEngine]:
    """Return one engine for each choice, on a database of its own."""
    engines = {}
    for number, (choice, statement) in enumerate(CHOICES.items()):
        engine = engine_on(server.ensure_database(f"bench_{number}"))
        with engine.database.transaction() as connection:
            connection.execute(text("DROP INDEX ix_dynamic_metrics_event_time"))
            connection.execute(text(statement))
        engines[choice] = engine
    return engines


def _seconds_to_insert(engine: MetricEngine, payments: Sequence[AcceptedPayment]) -> float:
    """Stage a batch and return how long the statement that inserts it took."""
    rules = compile_document(workload.rules_document())
    with engine.database.transaction() as connection:
        write_path.stage(connection, payments, rules.matches(columns_of(payments)))
        began = time.perf_counter()
        write_path.insert_new(connection, rule_set=1, enqueued_at=None)
        return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.metrics_index", description=__doc__)
    parser.add_argument("--batches", type=int, default=20, help="of each choice (20)")
    parser.add_argument("--size", type=int, default=1000, help="payments per batch (1000)")
    options = parser.parse_args(arguments)
    end = workload.recent()
    horizon = horizon_at(end, timedelta(days=30))
    times: dict[str, list[float]] = {choice: [] for choice in CHOICES}
    with PostgreSQL() as server:
        engines = _engines(server)
        for number in range(options.batches):
            messages = workload.messages(options.size, number, end)
            decoded = decode_batch(messages, Pseudonymiser(bytes.fromhex(KEY)), horizon)
            payments = [placed.accepted for placed in decoded.payments]
            for choice, engine in engines.items():
                times[choice].append(_seconds_to_insert(engine, payments))
        for engine in engines.values():
            engine.database.engine.dispose()
    table = Table(title=f"Insert of {options.size} payments with their metrics, deltas and marks")
    table.add_column("index on dynamic_metrics")
    table.add_column("ms, median", justify="right")
    table.add_column("of the first", justify="right")
    first = statistics.median(times["primary key"])
    for choice, seconds in times.items():
        median = statistics.median(seconds)
        table.add_row(choice, f"{median * 1000:.1f}", f"{median / first:.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
