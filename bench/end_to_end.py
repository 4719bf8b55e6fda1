"""From the simulator's publisher over AMQP, the worker runtime and the function to the database.

All of it runs on this machine, in its own processes: the rate is that of the machine, not of
Azure. First as fast as it goes; then at a steady rate, at which each payment's event time is the
moment at which it was to be sent, so that whatever holds it up counts: its latency ends with the
commit of its row (``track_commit_timestamp``). Publisher and pipeline share the machine, and with
many small messages the publisher is the slower of the two: its part is shown apart.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg2
from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext
from rich.console import Console

from bench import workload
from bench.report import Cell, Result, add_arguments, conclude, machine
from bench.throwaway import ROOT
from local_azure.config import PostgreSQLPart, load_config
from local_azure.environment import LocalAzure
from local_azure.host_client import wait_until_processed
from local_azure.services.postgresql import PostgreSQL
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.pace import Pace
from simulator.publishing.publish import publish

_FUNCTION: Final = "ProcessTransaction"
_PATIENCE_SECONDS: Final = 300
# A partition from which nothing comes for so long has been read to its end.
_SILENCE_SECONDS: Final = 3.0
_KEYS: Final = 64
# The first messages find cold code and are left out.
_WARM_UP_SECONDS: Final = 2.0
_LATENCIES: Final = """
    WITH committed AS (
        SELECT event_time, stored_at, pg_xact_commit_timestamp(xmin) AS committed_at
        FROM normalized_transactions WHERE event_time >= %s
    )
    SELECT count(*),
           percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
               ORDER BY extract(epoch FROM committed_at - event_time)),
           avg(extract(epoch FROM stored_at - event_time)),
           avg(extract(epoch FROM committed_at - stored_at))
    FROM committed
"""


class Load(NamedTuple):
    """How payments are sent: so many in a message, so many in all, at a rate or at once."""

    name: str
    per_message: int
    payments: int
    rate: int | None


def _messages(load: Load, seed: int, start: datetime) -> Iterator[Message]:
    source = random.Random(seed)
    for number in range(load.payments // load.per_message):
        sent_after = timedelta(seconds=number * load.per_message / (load.rate or 1e9))
        at = start + sent_after
        payments = [
            {**workload.payment(source, at), "event_time": at.isoformat()}
            for _ in range(load.per_message)
        ]
        body = json.dumps(payments).encode()
        yield Message(
            str(source.randrange(_KEYS)), body, load.per_message, round(at.timestamp() * 1e6)
        )


def _send(local: LocalAzure, load: Load, seed: int) -> tuple[float, datetime]:
    """Send a load, wait until it is processed, and return the seconds and when it began."""
    settings = ProducerSettings.of(local.settings, event_hub="payments")
    start = datetime.now(UTC)
    messages: Iterator[Message] | Sequence[Message] = _messages(load, seed, start)
    if load.rate is None:
        messages = list(messages)
    with EventHubsPublisher(settings) as publisher:
        start = datetime.now(UTC)
        began = time.perf_counter()
        pace = None if load.rate is None else Pace(round(start.timestamp() * 1e6))
        publish(messages, publisher, pace=pace)
    wait_until_processed(
        local.host.url,
        local.settings["EventHubConnection"],
        _FUNCTION,
        seconds=_PATIENCE_SECONDS,
    )
    return time.perf_counter() - began, start


def _rate(local: LocalAzure, load: Load, seed: int) -> list[Cell]:
    seconds, _ = _send(local, load, seed)
    return [
        load.name,
        round(load.payments / load.per_message / seconds),
        round(load.payments / seconds),
    ]


def _latency(local: LocalAzure, url: str, load: Load, seed: int) -> list[Cell]:
    _, start = _send(local, load, seed)
    warm = start + timedelta(seconds=_WARM_UP_SECONDS)
    enqueued = _mean_seconds_until_enqueued(local, start, warm)
    connection: Any = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(_LATENCIES, (warm,))
        payments, (median, slowest), begun, committed = cursor.fetchone()
    connection.close()
    parts = (median, slowest, enqueued, float(begun) - enqueued, committed)
    in_milliseconds = (float(part) * 1000 for part in parts)
    return [load.name, load.rate, payments, *map(round, in_milliseconds)]


def _mean_seconds_until_enqueued(local: LocalAzure, start: datetime, warm: datetime) -> float:
    """Return how long messages took into Event Hubs: the publisher's share of the latency.

    Args:
        local: what runs.
        start: when the load began.
        warm: messages of before are left out.
    """
    taken: list[float] = []
    with EventHubConsumerClient.from_connection_string(
        local.settings["EventHubConnection"], "$Default", eventhub_name="payments"
    ) as client:
        partitions = map(client.get_partition_properties, client.get_partition_ids())
        ends = {each["id"]: each["last_enqueued_sequence_number"] for each in partitions}
        done = threading.Event()

        def read(context: PartitionContext, events: list[EventData]) -> None:
            for event in events:
                sent_at = datetime.fromisoformat(json.loads(event.body_as_str())[0]["event_time"])
                if sent_at >= warm and event.enqueued_time is not None:
                    taken.append((event.enqueued_time - sent_at).total_seconds())
            if not events or event.sequence_number == ends[context.partition_id]:
                ends.pop(context.partition_id, None)
            if not ends:
                done.set()

        reading = threading.Thread(
            target=client.receive_batch,
            args=(read,),
            kwargs={"starting_position": start, "max_wait_time": _SILENCE_SECONDS},
        )
        reading.start()
        ended = done.wait(_PATIENCE_SECONDS)
    reading.join()
    if not ended:
        message = "Event Hubs did not give back what was sent"
        raise RuntimeError(message)
    return statistics.fmean(taken)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.end_to_end", description=__doc__)
    parser.add_argument("--payments", type=int, default=40_000, help="as fast as it goes (40000)")
    parser.add_argument("--rate", type=int, default=1500, help="steady payments/s (1500)")
    parser.add_argument("--seconds", type=int, default=12, help="at the steady rate (12)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    console = Console()
    config = load_config(ROOT / "local_azure.yaml")
    steady = options.rate * options.seconds
    with (
        PostgreSQL(settings={"track_commit_timestamp": "on"}) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        console.status("starting") as status,
    ):
        url = server.ensure_database("bench")
        config = replace(
            config,
            data_folder=Path(folder),
            functions=replace(config.functions, port=0),
            postgresql=PostgreSQLPart(connection_string=url),
        )
        with LocalAzure(config) as local:
            local.start_host()
            _send(local, Load("warm-up", 50, 5_000, None), 1)
            status.update("as fast as it goes")
            rates = [
                _rate(local, Load("packed by 50", 50, options.payments, None), 2),
                _rate(local, Load("one by one", 1, options.payments // 4, None), 3),
            ]
            status.update("at a steady rate")
            latencies = [
                _latency(local, url, Load("packed by 50", 50, steady, options.rate), 4),
                _latency(local, url, Load("one by one", 1, steady // 3, options.rate // 3), 5),
            ]
    seconds = time.perf_counter() - began
    results = [
        Result(
            benchmark="end_to_end",
            title="Simulator to database, as fast as it goes",
            columns=("", "messages/s", "payments/s"),
            rows=rates,
            ratios=[],
            seconds=seconds,
            machine=machine(),
        ),
        Result(
            benchmark="end_to_end",
            title="From the moment of sending to the commit of the row, at a steady rate",
            columns=(
                "",
                "payments/s",
                "payments",
                "p50, ms",
                "p99, ms",
                "mean: to Event Hubs, ms",
                "mean: on to its transaction, ms",
                "mean: on to its commit, ms",
            ),
            rows=latencies,
            ratios=[],
            seconds=seconds,
            machine=machine(),
        ),
    ]
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
