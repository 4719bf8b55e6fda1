"""What the function costs beside the bare write path, as Microsoft's worker runtime calls it.

The worker runtime runs in this process and is handed the messages that the Azure host sends it; the
function stores into a real PostgreSQL. The bare write path gets the same bodies. All take turns
in one run: packed by 50 and one payment per message, and with the converter's own reading of
enqueued times beside the quick one. Making the protobuf request, which is the host's work in Azure,
is counted with the function.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec
from azure.functions.eventhub import EventHubTriggerConverter
from rich.console import Console
from sqlalchemy import text

from bench import workload
from bench.report import Cell, Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import KEY, ROOT, database_url, engine_on
from local_azure.functions.project import read_project
from local_azure.functions.wire import Event, PartitionPlace, blob_data, event_batch
from local_azure.functions.worker import Invocation, Worker
from shared_code.domain.decoding import Message, Origin
from shared_code.engine.metric_engine import MetricEngine

PAYMENTS: Final = 1000
MOST_OF_BARE: Final = 1.15
WARM_UP: Final = 3
_NAME: Final = "ProcessTransaction"
_PLACE: Final = PartitionPlace("bench", "payments", "metrics", "0")
_PRIVATE_NAME: Final = "_parse_datetime"


def _bodies(per_message: int, seed: int, end: datetime) -> list[bytes]:
    """Return a thousand payments, in messages of 50 or of one."""
    bodies = workload.bodies(PAYMENTS, seed, end)
    if per_message == workload.PAYMENTS_PER_MESSAGE:
        return bodies
    return [
        bytes(item) for body in bodies for item in msgspec.json.decode(body, type=list[msgspec.Raw])
    ]


class Function:
    """ProcessTransaction, loaded by the worker runtime in this process."""

    def __init__(self) -> None:
        self._spec = next(
            spec for spec in read_project(ROOT, os.environ).enabled if spec.name == _NAME
        )
        self._worker = Worker(ROOT)
        self._worker.start()
        self._worker.load(self._spec)

    def seconds(self, bodies: Sequence[bytes]) -> float:
        """Invoke the function with one batch and return how long it took."""
        # Event Hubs counts milliseconds, and how many decimals there are decides who reads them.
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        events = [
            Event(body, number, str(number), now, str(number % 64), {})
            for number, body in enumerate(bodies)
        ]
        trigger = self._spec.trigger
        batch = event_batch(_NAME, events, _PLACE, trigger.data_type)
        rules = self._spec.inputs[0]
        inputs = {
            trigger.name: batch.data,
            rules.name: blob_data(workload.rules_document(), rules.data_type),
        }
        invocation = Invocation(str(uuid.uuid4()), _NAME, inputs, batch.metadata, None)
        began = time.perf_counter()
        outcome = asyncio.run(self._worker.invoke(invocation))
        taken = time.perf_counter() - began
        if outcome.failure is not None:
            raise RuntimeError(outcome.failure.message)
        return taken

    def stop(self) -> None:
        """Stop the worker."""
        self._worker.stop()


def _bare_seconds(engine: MetricEngine, bodies: Sequence[bytes]) -> float:
    messages = [
        Message(Origin("bench", "payments", "1", number), body, datetime.now(UTC))
        for number, body in enumerate(bodies)
    ]
    began = time.perf_counter()
    result = engine.process_batch(messages, workload.rules_document())
    taken = time.perf_counter() - began
    if result.stored != PAYMENTS:
        message = f"the engine stored {result.stored} of {PAYMENTS} payments"
        raise RuntimeError(message)
    return taken


@contextmanager
def _converters_own_times() -> Iterator[None]:
    """Let the converter read enqueued times as it comes from PyPI."""
    quick = vars(EventHubTriggerConverter)[_PRIVATE_NAME]
    delattr(EventHubTriggerConverter, _PRIVATE_NAME)
    try:
        yield
    finally:
        setattr(EventHubTriggerConverter, _PRIVATE_NAME, quick)


def _slow(function: Function, bodies: Sequence[bytes]) -> float:
    with _converters_own_times():
        return function.seconds(bodies)


def _measure(
    engine: MetricEngine, function: Function, rounds: int, progress: Callable[[str], None]
) -> dict[str, list[float]]:
    end = workload.recent()
    contestants: Mapping[str, tuple[int, Callable[[Sequence[bytes]], float]]] = {
        "bare write path, packed by 50": (50, lambda bodies: _bare_seconds(engine, bodies)),
        "function, packed by 50": (50, function.seconds),
        "bare write path, one by one": (1, lambda bodies: _bare_seconds(engine, bodies)),
        "function, one by one": (1, function.seconds),
        "function, one by one, converter as it comes": (
            1,
            lambda bodies: _slow(function, bodies),
        ),
    }
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + WARM_UP):
        for turn, (name, (per_message, seconds)) in enumerate(contestants.items()):
            taken = seconds(_bodies(per_message, number * len(contestants) + turn + 1, end))
            if number >= WARM_UP:
                measured[name].append(taken)
        progress(f"round {number + 1} of {rounds + WARM_UP}")
    return measured


def _ratio(
    measured: Mapping[str, Sequence[float]], name: str, base: str, goal: float | None = None
) -> Ratio:
    rounds = [taken / of for taken, of in zip(measured[name], measured[base], strict=True)]
    return Ratio(f"{name}: time of {base}", *spread(rounds), goal, "at most")


def _row(name: str, seconds: Sequence[float], messages: int) -> list[Cell]:
    median = statistics.median(seconds)
    return [name, round(messages / median), round(PAYMENTS / median), median / messages * 1e6]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if the goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.function", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="of each contestant (40)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    with database_url() as url, Console().status("starting") as status:
        engine = engine_on(url)
        with engine.database.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        os.environ.update(_settings(url))
        function = Function()
        measured = _measure(engine, function, options.rounds, status.update)
        function.stop()
        engine.database.engine.dispose()
    packed = PAYMENTS // workload.PAYMENTS_PER_MESSAGE
    result = Result(
        benchmark="function",
        title=f"The function beside the bare write path, {PAYMENTS} payments a batch",
        columns=("", "messages/s", "payments/s", "µs/message"),
        rows=[
            _row(name, seconds, packed if "packed" in name else PAYMENTS)
            for name, seconds in measured.items()
        ],
        ratios=[
            _ratio(
                measured,
                "function, packed by 50",
                "bare write path, packed by 50",
                MOST_OF_BARE,
            ),
            _ratio(measured, "function, one by one", "bare write path, one by one"),
            _ratio(
                measured,
                "function, one by one, converter as it comes",
                "bare write path, one by one",
            ),
        ],
        seconds=time.perf_counter() - began,
        machine=machine(version),
    )
    return conclude([result], options.json)


def _settings(url: str) -> dict[str, str]:
    """Return the app settings that the function and its bindings need."""
    return {
        "DATABASE_URL": url,
        "PII_HASH_KEY": KEY,
        "EVENT_HUB_NAME": "payments",
        "EVENT_HUB_CONSUMER_GROUP": "metrics",
        "RULES_CONTAINER": "compliance-rules",
        "EventHubConnection": "Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=a;"
        "UseDevelopmentEmulator=true;",
        "RulesStorage": "UseDevelopmentStorage=true",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "FUNCTIONS_WORKER_RUNTIME": "python",
    }


if __name__ == "__main__":
    sys.exit(main())
