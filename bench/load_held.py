"""Holds the whole pipeline at a share of what it can do, and says whether anything grows.

The function host is fed through the Event Hubs endpoint, with ``ProcessTransaction`` storing and
``AggregateMetrics`` closing windows on its schedule (in runs under ten minutes it is called
besides, since a schedule of five minutes would hardly be seen). First as many messages are sent as
are taken, which gives the capacity; then 80 % of that. In longer runs the capacity is that of the
second of two windows, in which the first one is closed as well.

Memory of the host, its connections, dead rows and size of hot tables, what waits and the latency
from sending to commit are looked at each second.

Rules that look back over an hour or a day make closing a window dearer with every window that such
a span gets: a load of minutes cannot tell what is flat with them. They are left out with
``--rules frozen``, which are those of the other benchmarks.

Flat is what does not certainly grow by more than 5 % of its level over the second half: see
``bench.load_growth.Growth``.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
import requests
from rich.console import Console

from bench import workload
from bench.load_growth import MOST_GROWTH, Growth, Points, draw, growth
from bench.load_samples import Latency, Sample, Sampler
from bench.load_traffic import PER_MESSAGE, Flow, Sender
from bench.report import Ratio, Result, add_arguments, conclude, machine, read_results
from bench.throwaway import ROOT
from local_azure.config import PostgreSQLPart, load_config
from local_azure.environment import SETTINGS_FILE, LocalAzure
from local_azure.services.postgresql import PostgreSQL
from shared_code.settings import load_database_settings
from shared_code.store.database import Database
from shared_code.store.rule_store import activate
from simulator.publishing.connection import ProducerSettings

# Three batches for each of four partitions: enough that no partition ever waits for messages.
_ENOUGH_WAITING: Final = 1200
_SCHEDULE_IS_SEEN_SECONDS: Final = 600
_WINDOW_SECONDS: Final = 300.0
_STUCK_SECONDS: Final = 120.0
_ANSWER_SECONDS: Final = 60.0
_SUCCEEDED: Final = re.compile(
    r"Executed 'Functions\.AggregateMetrics' \(Succeeded, .*Duration=(\d+)ms"
)
_FAILED: Final = re.compile(r"Executed 'Functions\.AggregateMetrics' \(Failed")
_STORED: Final = """
    SELECT current_setting('server_version'), pg_database_size(current_database()), count(*)
    FROM normalized_transactions
"""
WAITING: Final = "waiting, seconds of traffic"
# A level below it is nothing to speak of.
_FLOORS: Final = {
    "memory of the host, MiB": 1.0,
    "connections": 1.0,
    "dead rows of hot tables": 1000.0,
    "size of hot tables, MiB": 8.0,
    WAITING: 0.5,
    "latency p50, seconds": 0.05,
    "latency p99, seconds": 0.2,
}
_NEVER_SWINGS: Final = ("connections",)


class Plan(NamedTuple):
    """How long what is done, and how hard.

    Attributes:
        warm_up_seconds: at full speed, not measured.
        capacity_seconds: at full speed, measured.
        held_seconds: at a share of the capacity.
        share: of the capacity.
        frozen_rules: whether by the benchmarks' rules, and not by those that are shipped.
    """

    warm_up_seconds: float
    capacity_seconds: float
    held_seconds: float
    share: float = 0.8
    frozen_rules: bool = False


class Held(NamedTuple):
    """What a run saw.

    Attributes:
        capacity: payments a second, as fast as they were taken.
        rate: payments a second that were then sent.
        samples: of the time at that rate, its first second being 0.
        latencies: of the same time.
        sent: payments in all.
        stored: payments found in the database at the end.
        database_mib: size of the database at the end.
        closings: seconds of each run of AggregateMetrics that ended well.
        failed_closings: runs of it that failed.
        postgresql: version of the server.
    """

    capacity: float
    rate: float
    samples: Sequence[Sample]
    latencies: Sequence[Latency]
    sent: int
    stored: int
    database_mib: float
    closings: Sequence[float]
    failed_closings: int
    postgresql: str

    def series(self) -> dict[str, Points]:
        """Return what has to stay flat, by name: pairs of seconds and values."""
        names = iter(_FLOORS)
        looks: list[Callable[[Sample], float]] = [
            lambda sample: sample.memory_mib,
            lambda sample: sample.connections,
            lambda sample: sample.dead_rows,
            lambda sample: sample.hot_mib,
            lambda sample: sample.waiting * PER_MESSAGE / self.rate,
        ]
        found: dict[str, Points] = {
            next(names): [(sample.seconds, look(sample)) for sample in self.samples]
            for look in looks
        }
        found[next(names)] = [(late.seconds, late.median) for late in self.latencies]
        found[next(names)] = [(late.seconds, late.p99) for late in self.latencies]
        return found


def hold(plan: Plan, say: Callable[[str], None]) -> Held:
    """Start a pipeline, find its capacity, hold it at a share of that, and let it finish.

    Raises:
        TimeoutError: what waits is not processed.
    """
    flow = Flow()
    with (
        _pipeline() as (local, url),
        Sampler(local.host.url, local.folder / SETTINGS_FILE, url, flow) as sampler,
        Sender(ProducerSettings.of(local.settings, event_hub="payments"), flow) as sender,
    ):

        def wait(seconds: float, what: str, *, aggregate_every: float = 0.0) -> None:
            end = time.monotonic() + seconds
            next_call = time.monotonic() + aggregate_every
            while (left := end - time.monotonic()) > 0:
                say(f"{what}: {left:.0f} s left, {flow.waiting} messages wait")
                time.sleep(min(1.0, left))
                sampler.check()
                sender.check()
                if aggregate_every and time.monotonic() >= next_call:
                    next_call += aggregate_every
                    _call_aggregate_metrics(local.host.url)

        if plan.frozen_rules:
            _activate_frozen_rules(url)
        sender.as_fast_as_taken(_ENOUGH_WAITING)
        wait(plan.warm_up_seconds, "warming up")
        before, began = flow.processed, time.monotonic()
        wait(plan.capacity_seconds, "measuring capacity")
        capacity = (flow.processed - before) * PER_MESSAGE / (time.monotonic() - began)
        sender.steadily(0)
        _drain(flow, sampler)
        rate = plan.share * capacity
        sender.steadily(rate / PER_MESSAGE)
        start = sampler.samples[-1].seconds
        calls = plan.held_seconds / 4 if plan.held_seconds < _SCHEDULE_IS_SEEN_SECONDS else 0.0
        wait(plan.held_seconds, f"held at {rate:,.0f} payments/s", aggregate_every=calls)
        end = sampler.samples[-1].seconds
        sender.steadily(0)
        _drain(flow, sampler)
        version, database_mib, stored = _stored(url)
        log = local.host.log.read_text("utf-8")
    return Held(
        capacity=capacity,
        rate=rate,
        samples=[
            sample._replace(seconds=sample.seconds - start)
            for sample in sampler.samples
            if start <= sample.seconds <= end
        ],
        latencies=[
            late._replace(seconds=late.seconds - start)
            for late in sampler.latencies
            if start <= late.seconds <= end
        ],
        sent=flow.sent * PER_MESSAGE,
        stored=stored,
        database_mib=database_mib,
        closings=[float(found) / 1000 for found in _SUCCEEDED.findall(log)],
        failed_closings=len(_FAILED.findall(log)),
        postgresql=version,
    )


@contextmanager
def _pipeline() -> Iterator[tuple[LocalAzure, str]]:
    """Run all parts on a server of their own that can tell when a row was committed."""
    config = load_config(ROOT / "local_azure.yaml")
    with (
        PostgreSQL(settings={"track_commit_timestamp": "on"}) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        url = server.ensure_database("bench")
        # An hour of millions of payments takes minutes to be rolled up: docs/roll-ups.md.
        settings = {**config.settings, "DATABASE_STATEMENT_TIMEOUT_SECONDS": "540"}
        config = replace(
            config,
            settings=settings,
            data_folder=Path(folder),
            functions=replace(config.functions, port=0),
            postgresql=PostgreSQLPart(connection_string=url),
        )
        with LocalAzure(config) as local:
            local.start_host()
            yield local, url


def _activate_frozen_rules(url: str) -> None:
    """Put the benchmarks' rules in force, as a document newer than the one that is shipped."""
    document = json.loads(workload.rules_document()) | {"version": "1000.0.0"}
    database = Database(load_database_settings({"DATABASE_URL": url}))
    with database.transaction() as connection:
        activate(connection, json.dumps(document).encode(), by="bench", reason="benchmark")
    database.engine.dispose()


def _call_aggregate_metrics(host_url: str) -> None:
    """Start a run besides the timer's; how it ends stands in the host's log."""
    answer = requests.post(
        f"{host_url}/admin/functions/AggregateMetrics", json={"input": ""}, timeout=_ANSWER_SECONDS
    )
    answer.raise_for_status()


def _drain(flow: Flow, sampler: Sampler) -> None:
    """Wait until all that was sent is processed, however long, as long as some of it is."""
    seen = (-1, -1)
    last_seen = time.monotonic()
    while flow.waiting or flow.sent != seen[0]:
        sampler.check()
        now = time.monotonic()
        if (flow.sent, flow.processed) != seen:
            seen, last_seen = (flow.sent, flow.processed), now
        elif now - last_seen > _STUCK_SECONDS:
            message = f"{flow.waiting} messages wait and none was processed in {_STUCK_SECONDS} s"
            raise TimeoutError(message)
        time.sleep(0.5)


def _stored(url: str) -> tuple[str, float, int]:
    connection: Any = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(_STORED)
        ((version, size, stored),) = cursor.fetchall()
    connection.close()
    return version, size / 2**20, stored


def result_of(held: Held, plan: Plan, seconds: float) -> Result:
    """Return a run as a table of levels and growths, each held against what flat means."""
    series = held.series()
    found = {name: growth(series[name], floor) for name, floor in _FLOORS.items()}
    share = held.stored / held.sent
    failures = held.failed_closings
    failed = Ratio(
        "runs of AggregateMetrics that failed",
        failures,
        failures,
        failures,
        goal=0,
        bound="at most",
    )
    whole = Ratio("payments stored / sent", share, share, share, goal=1.0)
    return Result(
        benchmark="load_held",
        title=(
            f"Load held for {plan.held_seconds / 60:.3g} minutes at {held.rate:,.0f} payments/s, "
            f"{plan.share:.0%} of the capacity of {held.capacity:,.0f}"
        ),
        columns=("", "median", "growth, %", "95 % interval", "highest"),
        rows=[
            [
                name,
                grown.level,
                100 * grown.share,
                f"{100 * grown.low:.1f} to {100 * grown.high:.1f}",
                max(value for _, value in series[name]),
            ]
            for name, grown in found.items()
        ],
        ratios=[*(_ratio(name, grown, plan) for name, grown in found.items()), whole, failed],
        seconds=seconds,
        machine=machine(held.postgresql),
        series=series,
        remarks=[
            (
                f"{held.sent:,} payments sent, {held.stored:,} stored; the database ended with "
                f"{held.database_mib:,.0f} MiB."
            ),
            (
                f"AggregateMetrics ran {len(held.closings) + failures} times, the longest for "
                f"{max(held.closings, default=0.0):.1f} s, and failed {failures} times."
            ),
            "Medians and growth are those of the second half.",
            f"Judged by the {'frozen' if plan.frozen_rules else 'shipped'} rules.",
        ],
    )


def _ratio(name: str, grown: Growth, plan: Plan) -> Ratio:
    # What autovacuum cleans once a minute, and what closing a window takes, swings in short runs.
    judged = plan.held_seconds >= _SCHEDULE_IS_SEEN_SECONDS or name in _NEVER_SWINGS
    return Ratio(
        name=f"{name}: certain growth over the second half",
        value=1 + grown.low,
        low=1 + grown.low,
        high=1 + grown.high,
        goal=1 + MOST_GROWTH if judged else None,
        bound="at most",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, print its table and draw it; exit code 1 if anything grew or was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.load_held",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=1.5, help="of held load (1.5)")
    parser.add_argument("--share", type=float, default=0.8, help="of the capacity (0.8)")
    parser.add_argument(
        "--rules",
        choices=("shipped", "frozen"),
        default="shipped",
        help="that judge the payments (shipped)",
    )
    parser.add_argument("--svg", type=Path, help="draw what was seen into this file")
    parser.add_argument("--redraw", type=Path, metavar="JSON", help="draw a recorded run, run none")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.redraw is not None:
        (result,) = read_results(options.redraw)
    else:
        held_seconds = options.minutes * 60
        closing_counts = held_seconds >= _SCHEDULE_IS_SEEN_SECONDS
        before = (_WINDOW_SECONDS, _WINDOW_SECONDS) if closing_counts else (10.0, 20.0)
        plan = Plan(*before, held_seconds, options.share, options.rules == "frozen")
        began = time.perf_counter()
        console = Console()
        with console.status("starting") as status:
            held = hold(plan, status.update)
        result = result_of(held, plan, time.perf_counter() - began)
    if options.svg is not None:
        draw(result.series, result.title, options.svg)
    return conclude([result], options.json)


if __name__ == "__main__":
    sys.exit(main())
