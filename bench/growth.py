"""Whether writing and closing windows stay as fast with millions of payments stored already.

Databases with 0, 2 or more million payments lie in one server. Each gets the same batches of
payments of the same fresh five-minute windows, turn and turn about, so that whatever else the
machine does falls on all of them; each window is closed when it is written.

Full-page images after a checkpoint are most of the log of a database that has grown. So there are
no checkpoints but those that this program asks for: one before each window, for every database
alike. The first batches after it are shown beside the rest, and count with it.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

import msgspec
import psycopg2
from rich.console import Console

from bench import workload
from bench.growth_fill import fill, require_space
from bench.report import Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import engine_on
from local_azure.services.postgresql import PostgreSQL
from shared_code.domain.decoding import Message, Origin
from shared_code.domain.windows import WINDOW_LENGTH
from shared_code.engine.metric_engine import SHIPPED_RULES, MetricEngine
from shared_code.rules.compiler import canonical_content
from shared_code.store.rule_store import activate

BATCH: Final = 1_000
SPANS: Final = (3, 30)
LEAST_RATE: Final = 0.9
MOST_LOG: Final = 1.5
MOST_CLOSE: Final = 1.3
# An hour has twelve windows, and rolling it up is not what is measured: warm-up, rounds, and one
# window under the shipped rules have to fit.
MOST_ROUNDS: Final = 10
_WRITTEN_COLUMNS: Final = ("payments/s", "log, B/payment", "first quarter", "the rest")
_SHIPPED: Final = (
    "The shipped rules look back over days, where a grown database has payments and an empty one"
    " has none: the last column, of one window, has no goal."
)
_NO_CHECKPOINTS: Final = {"max_wal_size": "16GB", "checkpoint_timeout": "1d"}
_ADVANCED: Final = "SELECT pg_current_wal_insert_lsn() - %s::pg_lsn"


class Grown(NamedTuple):
    """A database, by how many payments it holds already, and how it is measured."""

    payments: int
    url: str
    engine: MetricEngine


class Written(NamedTuple):
    """Seconds and bytes of log per payment, over batches right after a checkpoint and the rest."""

    seconds: float
    log: float
    log_first: float
    log_rest: float


class Round(NamedTuple):
    """One window of one database: written, then closed."""

    written: Written
    close: float


def _write(
    databases: Sequence[Grown], admin: Any, messages: Sequence[Message], moment: datetime
) -> list[Written]:
    """Write each batch of messages into every database in turn, a checkpoint before the first."""
    cursor = admin.cursor()
    cursor.execute("CHECKPOINT")
    seconds: list[list[float]] = [[] for _ in databases]
    log: list[list[float]] = [[] for _ in databases]
    batches = batched(messages, BATCH // workload.PAYMENTS_PER_MESSAGE, strict=True)
    for number, batch in enumerate(batches):
        for turn in range(len(databases)):
            at = (number + turn) % len(databases)
            cursor.execute("SELECT pg_current_wal_insert_lsn()")
            before = cursor.fetchone()
            began = time.perf_counter()
            result = databases[at].engine.process_batch(batch, None, moment)
            seconds[at].append((time.perf_counter() - began) / BATCH)
            if result.stored != BATCH:
                msg = f"the engine stored {result.stored} of {BATCH} payments"
                raise RuntimeError(msg)
            cursor.execute(_ADVANCED, before)
            ((advanced,),) = cursor.fetchall()
            log[at].append(float(advanced) / BATCH)
    return [_written(*figures) for figures in zip(seconds, log, strict=True)]


def _written(seconds: Sequence[float], log: Sequence[float]) -> Written:
    first = len(log) // 4
    return Written(fmean(seconds), fmean(log), fmean(log[:first]), fmean(log[first:]))


def _close(grown: Grown, end: datetime, payments: int) -> float:
    """Close the window that ends and return the seconds."""
    began = time.perf_counter()
    tick = grown.engine.aggregate(end)
    seconds = time.perf_counter() - began
    closed = [(each.window.end, each.payment_count, len(each.drift)) for each in tick.closed]
    if closed != [(end, payments, 0)]:
        msg = f"the tick at {end} closed {closed} instead of one window of {payments}"
        raise RuntimeError(msg)
    return seconds


def _window(
    databases: Sequence[Grown], admin: Any, number: int, start: datetime, payments: int
) -> list[Round]:
    """Write the window of a number after the start into every database, then close it in each."""
    end = start + WINDOW_LENGTH * (number + 1)
    # A payment at the very end of the window would be one of the next.
    messages = workload.messages(payments, number, end - timedelta(microseconds=1))
    written = _write(databases, admin, messages, end)
    closed = [_close(each, end, payments) for each in databases]
    return [Round(*figures) for figures in zip(written, closed, strict=True)]


def _over_days(payments: int, seed: int, days: int, moment: datetime) -> list[Message]:
    """Return the workload's payments spread over the days before a moment."""
    source = random.Random(seed)
    span = int(timedelta(days=days) / timedelta(microseconds=1))
    messages = []
    for number, body in enumerate(workload.bodies(payments, seed, moment)):
        events = msgspec.json.decode(body)
        for event in events:
            at = moment - timedelta(microseconds=source.randrange(span))
            event["event_time"] = at.isoformat()
        origin = Origin("bench", "payments", f"days-{seed}", number)
        messages.append(Message(origin, msgspec.json.encode(events)))
    return messages


def _ratios(name: str, empty: Sequence[Round], full: Sequence[Round]) -> list[Ratio]:
    """Return how the rounds of a grown database compare with those of the first."""
    pairs = list(zip(empty, full, strict=True))
    rate = [first.written.seconds / grown.written.seconds for first, grown in pairs]
    log = [grown.written.log / first.written.log for first, grown in pairs]
    close = [grown.close / first.close for first, grown in pairs]
    return [
        Ratio(f"write rate, {name}", *spread(rate), goal=LEAST_RATE),
        Ratio(f"log per payment, {name}", *spread(log), goal=MOST_LOG, bound="at most"),
        Ratio(f"closing a window, {name}", *spread(close), goal=MOST_CLOSE, bound="at most"),
    ]


def _cells(written: Sequence[Written]) -> tuple[int, ...]:
    """Return what is shown of the rounds of one database, under ``_WRITTEN_COLUMNS``."""
    return (
        round(1 / spread([each.seconds for each in written]).median),
        round(spread([each.log for each in written]).median),
        round(spread([each.log_first for each in written]).median),
        round(spread([each.log_rest for each in written]).median),
    )


def _now_result(
    rounds: dict[int, list[Round]], shipped: dict[int, float], version: str, began: float
) -> Result:
    base, *others = rounds
    rows = []
    for stored, figures in rounds.items():
        rows.append(
            (
                stored / 1_000_000,
                *_cells([each.written for each in figures]),
                round(spread([each.close for each in figures]).median * 1000),
                round(shipped[stored] * 1000),
            )
        )
    ratios = [
        ratio
        for stored in others
        for ratio in _ratios(
            f"{stored / 1_000_000:g} M to {base / 1_000_000:g} M", rounds[base], rounds[stored]
        )
    ]
    return Result(
        benchmark="growth",
        title=f"Payments of about now, batches of {BATCH:,}",
        columns=(
            "stored, M",
            *_WRITTEN_COLUMNS,
            "close, ms",
            "shipped rules, ms",
        ),
        rows=rows,
        ratios=ratios,
        seconds=time.perf_counter() - began,
        machine=machine(version),
        remarks=(_SHIPPED,),
    )


def _spans_result(
    written: dict[tuple[int, int], list[Written]], version: str, began: float
) -> Result:
    rows = [
        (days, stored / 1_000_000, *_cells(figures)) for (days, stored), figures in written.items()
    ]
    return Result(
        benchmark="growth",
        title=f"Payments spread over days, batches of {BATCH:,}",
        columns=(
            "days",
            "stored, M",
            *_WRITTEN_COLUMNS,
        ),
        rows=rows,
        ratios=(),
        seconds=time.perf_counter() - began,
        machine=machine(version),
    )


def _measure(
    server: PostgreSQL, options: argparse.Namespace, progress: Callable[[str], None]
) -> list[Result]:
    began = time.perf_counter()
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    grown = []
    for number, millions in enumerate(options.millions):
        url = server.ensure_database(f"growth_{number}")
        stored = round(millions * 1_000_000)
        grown.append(Grown(stored, url, engine_on(url)))
        fill(grown[-1].engine, url, stored, noon, progress)
    admin = psycopg2.connect(server.url())
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SHOW server_version")
        ((version,),) = cursor.fetchall()
    rounds: dict[int, list[Round]] = {each.payments: [] for each in grown}
    for number in range(options.rounds + 1):
        progress(f"window {number} of {options.rounds}")
        measured = _window(grown, admin, number, noon, options.payments)
        for each, figures in zip(grown, measured, strict=True):
            if number:  # the first warms up
                rounds[each.payments].append(figures)
    for each in grown:
        with each.engine.database.transaction() as connection:
            document = canonical_content(SHIPPED_RULES.read_bytes())
            activate(connection, document, by="bench", reason="benchmark")
    last = _window(grown, admin, options.rounds + 1, noon, options.payments)
    shipped = {each.payments: figures.close for each, figures in zip(grown, last, strict=True)}
    now = _now_result(rounds, shipped, version, began)
    began = time.perf_counter()
    spans: dict[tuple[int, int], list[Written]] = {}
    for days in SPANS:
        for number in range(options.span_rounds):
            progress(f"payments over {days} days, {number + 1} of {options.span_rounds}")
            messages = _over_days(options.payments, 1_000 * days + number, days, noon)
            for each, written in zip(grown, _write(grown, admin, messages, noon), strict=True):
                spans.setdefault((days, each.payments), []).append(written)
    admin.close()
    for each in grown:
        each.engine.database.engine.dispose()
    return [now, _spans_result(dict(sorted(spans.items())), version, began)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument(
        "--millions",
        type=float,
        nargs="+",
        default=[0, 2],
        help="payments stored already, in millions; the first is compared with (0 2)",
    )
    parser.add_argument("--rounds", type=int, default=6, help="windows of each (6)")
    parser.add_argument("--span-rounds", type=int, default=3, help="rounds over days of each (3)")
    parser.add_argument("--payments", type=int, default=20_000, help="of a window (20000)")
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if not 1 <= options.rounds <= MOST_ROUNDS:
        parser.error(f"--rounds is 1 to {MOST_ROUNDS}")
    if options.payments % BATCH or options.payments < 4 * BATCH:
        parser.error(f"--payments is a multiple of {BATCH}, at least {4 * BATCH}")
    if len(set(options.millions)) != len(options.millions) or min(options.millions) < 0:
        parser.error("--millions are different sizes")
    require_space(round(sum(options.millions) * 1_000_000))
    with (
        PostgreSQL(bin_folder=options.pg_bin, settings=_NO_CHECKPOINTS) as server,
        Console(stderr=True).status("starting") as status,
    ):
        results = _measure(server, options, status.update)
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
