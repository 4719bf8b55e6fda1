"""Payments per second through the engine, beside COPY of the same rows into plain tables.

All write into one server in one run, turn and turn about, so that whatever else the machine does
falls on all. Row text for the limit is made beforehand: the limit is the server's, one connection.
The engine runs one batch at a time; in one process as the host runs it, batches of two partitions
at once in two threads; and in two processes, as two instances run.
"""

import argparse
import math
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from rich.console import Console
from sqlalchemy import text

from bench import reference, workload
from bench.report import Cell, Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import KEY, database_url, engine_on, further_engine
from bench.write_path_stages import Stages, stages
from shared_code.domain.decoding import Message, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.engine.metric_engine import MetricEngine
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.compiler import compile_document

WARM_UP: Final = 3
# How many batches each takes at a time, and how often, for batches of so many payments.
STRETCHES: Final = {100: 10, 1000: 3, 5000: 1}
DEFAULT_ROUNDS: Final = {100: 30, 1000: 34, 5000: 12}
ONE_PROCESS: Final = {100: 0.50, 1000: 0.70}
TWO_PROCESSES: Final = {1000: 1.0}
MOST_P99: Final = {1000: 3.0}


class Round(NamedTuple):
    """Seconds per batch of each contestant, over one stretch of batches.

    ``each`` holds single batches of ``one``; ``cpu`` is what this process used for one of them.
    """

    limit: float
    one: float
    threads: float
    processes: float
    each: Sequence[float]
    cpu: float


class Contestants(NamedTuple):
    """Who writes: plain connections, an engine, and two processes with an engine each."""

    plain: Any
    engine: MetricEngine
    pool: ThreadPoolExecutor
    workers: Sequence[Pipe]


def _work(url: str, end: datetime, commands: Pipe) -> None:
    """Write batches in a process of its own, as told: seeds first, then when to begin."""
    engine = further_engine(url)
    document = workload.rules_document()
    while (order := commands.recv()) is not None:
        size, seeds = order
        batches = [workload.messages(size, seed, end) for seed in seeds]
        commands.send("ready")
        commands.recv()
        for batch in batches:
            _store(engine, batch, document, size)
        commands.send("done")
    engine.database.engine.dispose()


@contextmanager
def _workers(url: str, end: datetime) -> Iterator[list[Pipe]]:
    context = multiprocessing.get_context("spawn")
    pipes = []
    processes = []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(url, end, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        yield pipes
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.send(None)
            process.join(timeout=30)


def _store(engine: MetricEngine, batch: Sequence[Message], document: bytes, size: int) -> float:
    began = time.perf_counter()
    result = engine.process_batch(batch, document)
    taken = time.perf_counter() - began
    if result.stored != size:
        msg = f"the engine stored {result.stored} of {size} payments"
        raise RuntimeError(msg)
    return taken


def _limit_texts(batches: Sequence[Sequence[Message]], end: datetime) -> list[tuple[str, str]]:
    """Return the rows of ``reference`` for each batch."""
    rules = compile_document(workload.rules_document())
    names = [summary.rule_id for summary in rules.summaries()]
    texts = []
    for batch in batches:
        decoded = decode_batch(
            batch, Pseudonymiser(bytes.fromhex(KEY)), horizon_at(end, timedelta(days=30))
        )
        payments = [placed.accepted for placed in decoded.payments]
        matches = list(rules.matches(columns_of(payments)))
        rows = reference.metric_rows(payments, matches, names)
        texts.append((reference.payment_rows(payments), rows))
    return texts


def _round(contestants: Contestants, size: int, seed: int, end: datetime) -> Round:
    stretch = STRETCHES.get(size, 1)
    document = workload.rules_document()
    seeds = iter(range(seed, seed + 5 * stretch))
    first = [workload.messages(size, next(seeds), end) for _ in range(stretch)]
    pairs = [workload.messages(size, next(seeds), end) for _ in range(2 * stretch)]
    texts = _limit_texts(first, end)
    for worker in contestants.workers:
        worker.send((size, [next(seeds) for _ in range(stretch)]))
    for worker in contestants.workers:
        worker.recv()

    began = time.perf_counter()
    for payments, metrics in texts:
        reference.copy(contestants.plain, payments, metrics)
    limit = time.perf_counter() - began

    used = time.process_time()
    each = [_store(contestants.engine, batch, document, size) for batch in first]
    used = time.process_time() - used

    began = time.perf_counter()
    list(
        contestants.pool.map(lambda batch: _store(contestants.engine, batch, document, size), pairs)
    )
    threads = time.perf_counter() - began

    began = time.perf_counter()
    for worker in contestants.workers:
        worker.send("begin")
    for worker in contestants.workers:
        worker.recv()
    processes = time.perf_counter() - began
    return Round(
        limit / stretch,
        sum(each) / stretch,
        threads / (2 * stretch),
        processes / (2 * stretch),
        each,
        used / stretch,
    )


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _row(size: int, rounds: Sequence[Round]) -> list[Cell]:
    limit, one, threads, processes = (
        statistics.median(values) for values in zip(*(found[:4] for found in rounds), strict=True)
    )
    cpu = statistics.median(found.cpu for found in rounds)
    row: list[Cell] = [size, round(size / limit)]
    for seconds in (one, threads, processes):
        row += [round(size / seconds), limit / seconds]
    return [*row, cpu / size * 1e6, (one - cpu) / size * 1e6]


def _ratios(size: int, rounds: Sequence[Round], where: str) -> Iterator[Ratio]:
    of_one = [found.limit / found.one for found in rounds]
    of_threads = [found.limit / found.threads for found in rounds]
    of_processes = [found.limit / found.processes for found in rounds]
    yield Ratio(f"batch {size}: one batch at a time, of the limit", *spread(of_one))
    goal = ONE_PROCESS.get(size)
    found = spread(of_threads)
    remark = where if goal is not None and found.median < goal else ""
    yield Ratio(f"batch {size}: one process, of the limit", *found, goal, remark=remark)
    goal = TWO_PROCESSES.get(size)
    found = spread(of_processes)
    remark = where if goal is not None and found.median < goal else ""
    yield Ratio(f"batch {size}: two processes, of the limit", *found, goal, remark=remark)
    each = [seconds for found in rounds for seconds in found.each]
    slowest = _percentile(each, 0.99) / statistics.median(each)
    yield Ratio(
        f"batch {size}: p99 of a batch, of its median",
        slowest,
        slowest,
        slowest,
        MOST_P99.get(size),
        "at most",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.write_path", description=__doc__)
    parser.add_argument("--rounds", type=int, help="rounds per size (34, 30 and 12)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100, 1000, 5000], help="payments per batch"
    )
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    end = workload.recent()
    measured: dict[int, list[Round]] = {}
    with database_url(options.pg_bin) as url:
        engine = engine_on(url)
        with engine.database.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        plain = psycopg2.connect(url)
        with plain.cursor() as cursor:
            cursor.execute(reference.CREATE)
        plain.commit()
        with (
            ThreadPoolExecutor(2) as pool,
            _workers(url, end) as workers,
            Console().status("starting") as status,
        ):
            contestants = Contestants(plain, engine, pool, workers)
            for size in options.sizes:
                rounds = options.rounds or DEFAULT_ROUNDS.get(size, 20)
                measured[size] = _measure(contestants, size, rounds, end, status.update)
            status.update("looking where the time goes")
            spent = stages(engine, options.sizes, end)
        plain.close()
        engine.database.engine.dispose()
    seconds = time.perf_counter() - began
    return conclude(
        [_result(measured, spent, version, seconds), _stages(spent, version, seconds)], options.json
    )


def _measure(
    contestants: Contestants,
    size: int,
    rounds: int,
    end: datetime,
    progress: Callable[[str], None],
) -> list[Round]:
    found = []
    for number in range(rounds + WARM_UP):
        seed = (size * 1000 + number) * 100
        found.append(_round(contestants, size, seed, end))
        progress(f"batches of {size}: round {number + 1} of {rounds + WARM_UP}")
    return found[WARM_UP:]


def _result(
    measured: dict[int, list[Round]], spent: Sequence[Stages], version: str, seconds: float
) -> Result:
    return Result(
        benchmark="write_path",
        title="Write path beside COPY of the same rows into plain tables, fsync on",
        columns=(
            "batch",
            "limit, payments/s",
            "one batch at a time, payments/s",
            "of the limit",
            "one process, two threads, payments/s",
            "of the limit",
            "two processes, payments/s",
            "of the limit",
            "CPU of the client, µs/payment",
            "server and waiting, µs/payment",
        ),
        rows=[_row(size, rounds) for size, rounds in measured.items()],
        ratios=[
            ratio
            for (size, rounds), stage in zip(measured.items(), spent, strict=True)
            for ratio in _ratios(size, rounds, stage.dearest())
        ],
        seconds=seconds,
        machine=machine(version),
    )


def _stages(spent: Sequence[Stages], version: str, seconds: float) -> Result:
    names = list(spent[0].microseconds)
    return Result(
        benchmark="write_path",
        title="Where a batch spends its time, one at a time",
        columns=("batch", *(f"{name}, µs/payment" for name in names)),
        rows=[[stage.size, *stage.microseconds.values()] for stage in spent],
        ratios=[],
        seconds=seconds,
        machine=machine(version),
    )


if __name__ == "__main__":
    sys.exit(main())
