"""Payments per second as more and more writers share the same hot windows.

Writers are processes, each with its own engine, and all write payments of the last five minutes, so
that every batch touches the counters of the same few windows. Folding is included.

A disk in the cloud takes milliseconds for what a disk here does in a fraction of one. This is
emulated, not measured: ``commit_delay`` has the server wait 3 ms before each flush of the log,
whatever else is going on (``commit_siblings=0``). As with a real disk, commits that come meanwhile
share the next flush.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from rich.console import Console

from bench.contention_vacuum import observe
from bench.contention_writers import Load, writers
from bench.report import Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import engine_on
from local_azure.services.postgresql import PostgreSQL

BATCH: Final = 100
LEAST_GROWTH: Final = 1.2
# With the cores full there is nothing to gain, and more processes to switch between.
FULL: Final = 90
LEAST_KEPT: Final = 0.7
MOST_FOLDING: Final = 0.1
SETTINGS: Final = {"commit_delay": "3000", "commit_siblings": "0", "max_connections": "100"}
_REMARK: Final = (
    "Every payment is counted once. Writers share the cores with the server: payments/s are to grow"
    " until these are busy, and to stay then."
)
_COUNTED: Final = """
    SELECT (SELECT count(*) FROM normalized_transactions),
           (SELECT coalesce(sum(payment_count), 0) FROM payment_metrics_5m)
               + (SELECT coalesce(sum(payment_count), 0) FROM window_deltas)
"""
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


class Turn(NamedTuple):
    """One stretch of some writers: payments per second, the share of time in folds, busy cores."""

    rate: float
    folding: float
    busy: float


def _idle_and_all() -> tuple[float, float]:
    """Return the ticks that the machine's cores were idle, and all ticks, since it started."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        ticks = [float(each) for each in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _turn(url: str, count: int, seed: int, seconds: float) -> Turn:
    with writers(url, count, seed) as ready:
        load = Load(BATCH, seconds)
        ready.prepare(load)
        idle, ticks = _idle_and_all()
        ready.begin()
        done = ready.done(load)
        idle_after, ticks_after = _idle_and_all()
    return Turn(
        sum(each.payments / each.seconds for each in done),
        sum(each.folding for each in done) / sum(each.seconds for each in done),
        1 - (idle_after - idle) / (ticks_after - ticks),
    )


def _in_order(counts: Sequence[int], rounds: int) -> Iterator[tuple[int, int]]:
    """Yield numbers of writers, up in one round and down in the next."""
    for number in range(rounds):
        for count in counts if number % 2 == 0 else reversed(counts):
            yield number, count


def _require_whole(cursor: Any) -> int:
    """Return how many deadlocks there were, once every payment is known to be counted once.

    Raises:
        RuntimeError: counters and payments differ.
    """
    cursor.execute(_COUNTED)
    ((stored, counted),) = cursor.fetchall()
    if stored != counted:
        msg = f"{stored} payments are stored and {counted} are counted"
        raise RuntimeError(msg)
    cursor.execute(_DEADLOCKS)
    ((deadlocks,),) = cursor.fetchall()
    return int(deadlocks)


def _measure(
    server: PostgreSQL, options: argparse.Namespace, progress: Callable[[str], None]
) -> Result:
    began = time.perf_counter()
    url = server.ensure_database("contention")
    engine_on(url).database.engine.dispose()
    turns: dict[int, list[Turn]] = {count: [] for count in options.writers}
    for number, count in _in_order(options.writers, options.rounds):
        progress(f"{count} writers, round {number + 1} of {options.rounds}")
        turns[count].append(_turn(url, count, number * 100 + count, options.seconds))
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        ((version,),) = cursor.fetchall()
        deadlocks = _require_whole(cursor)
    connection.close()
    rates = {count: [each.rate for each in each_turn] for count, each_turn in turns.items()}
    busy = {
        count: round(spread([each.busy for each in each_turn]).median * 100)
        for count, each_turn in turns.items()
    }
    ratios = [
        Ratio(
            f"{more} writers to {fewer}",
            *spread([b / a for a, b in zip(rates[fewer], rates[more], strict=True)]),
            goal=LEAST_GROWTH if busy[fewer] < FULL else LEAST_KEPT,
        )
        for fewer, more in pairwise(options.writers)
    ]
    folding = [each.folding for each_turn in turns.values() for each in each_turn]
    ratios += [
        Ratio("share of time in folds", *spread(folding), goal=MOST_FOLDING, bound="at most"),
        Ratio("deadlocks", deadlocks, deadlocks, deadlocks, goal=0, bound="at most"),
    ]
    return Result(
        benchmark="contention",
        title=f"Writers on the same windows, batches of {BATCH}, 3 ms per flush emulated",
        columns=("writers", "payments/s", "lowest", "highest", "time in folds, %", "cores busy, %"),
        rows=[
            (
                count,
                *map(round, spread(rates[count])),
                spread([each.folding for each in each_turn]).median * 100,
                busy[count],
            )
            for count, each_turn in turns.items()
        ],
        ratios=ratios,
        seconds=time.perf_counter() - began,
        machine=machine(version),
        remarks=(_REMARK,),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.contention", description=__doc__)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn (3)")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each number (2)")
    parser.add_argument(
        "--vacuum-minutes",
        type=float,
        default=0.5,
        help="how long dead rows are watched (0.5; 10 to see autovacuum at work, 0 for not at all)",
    )
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    results = []
    with (
        PostgreSQL(bin_folder=options.pg_bin, settings=SETTINGS) as server,
        Console(stderr=True).status("starting") as status,
    ):
        if options.rounds:
            results.append(_measure(server, options, status.update))
        if options.vacuum_minutes:
            results.append(observe(server, options.vacuum_minutes, status.update))
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
