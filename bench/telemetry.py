"""What telemetry costs a batch, in processor time of the worker, beside the batch itself.

Three ways: without a provider, as where nobody listens; with one that records measurements but did
not sample the span, as most batches under load; and with one that records the span and links it to
a publisher of each message. Each has a process of its own, since a provider can be set but once.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, Literal

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind

from bench import workload
from bench.report import Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import database_url, engine_on
from shared_code.domain.decoding import Message, Origin
from shared_code.telemetry.measurements import record_batch, record_commit, record_lag
from shared_code.telemetry.spans import TRACEPARENT, function_span, link_publishers, place_of

type Way = Literal["no provider", "not sampled", "recorded"]

WAYS: Final[tuple[Way, ...]] = ("no provider", "not sampled", "recorded")
# Payments of a batch, and how often it is stored. They come fifty to a message.
SIZES: Final = {100: 30, 1000: 8}
PACKED: Final = 50
MOST_PERCENT: Final = 1.0
_ROUNDS: Final = 5
_REPEATS: Final = 300
_HOST: Any = SimpleNamespace(
    trace_parent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", trace_state=""
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.telemetry", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    batches = _batches()
    rows, ratios = [], []
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for way in WAYS:
            for size in SIZES:
                costs = pool.apply(_costs, (way, size // PACKED))
                of_batch = [100 * cost / batches[size] for cost in costs]
                middle = spread(costs).median
                share = spread(of_batch)
                rows.append(
                    (
                        way,
                        size,
                        size // PACKED,
                        f"{middle * 1e6:.0f}",
                        f"{batches[size] * 1e6:,.0f}",
                    )
                )
                goal = MOST_PERCENT if way == "no provider" else None
                name = f"percent of a batch of {size:,}, {way}"
                ratios.append(Ratio(name, *share, goal=goal, bound="at most"))
    result = Result(
        "telemetry",
        "processor time of telemetry",
        ("way", "payments", "messages", "telemetry µs", "batch µs"),
        rows,
        ratios,
        time.perf_counter() - began,
        machine(),
    )
    return conclude([result], options.json)


def _batches() -> dict[int, float]:
    """Return the least processor time of storing a batch, in seconds, by its payments."""
    end, document = workload.recent(), workload.rules_document()
    found = {}
    with database_url() as url:
        engine = engine_on(url)
        for size, times in SIZES.items():
            batches = [workload.messages(size, seed, end) for seed in range(times)]
            stored = (
                _taken(lambda each=each: engine.process_batch(each, document)) for each in batches
            )
            found[size] = min(stored)
        engine.database.engine.dispose()
    return found


def _costs(way: Way, messages: int) -> list[float]:
    """Return the processor time of telling of one batch, in seconds, for each round."""
    if way != "no provider":
        _provide(sampled=way == "recorded")
    now = datetime.now(UTC)
    batch = [Message(Origin("bench", "payments", "3", at), b"", now) for at in range(messages)]
    properties = [{TRACEPARENT: f"00-{at:032x}-{at:016x}-01"} for at in range(1, messages + 1)]

    def tell() -> None:
        for _ in range(_REPEATS):
            _tell(batch, properties)

    tell()
    return [_taken(tell) / _REPEATS for _ in range(_ROUNDS)]


def _provide(*, sampled: bool) -> None:
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - not without a provider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider, sampling  # noqa: PLC0415

    sampler = sampling.ALWAYS_ON if sampled else sampling.ALWAYS_OFF
    trace.set_tracer_provider(TracerProvider(sampler=sampler))
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))


def _tell(batch: Sequence[Message], properties: Sequence[dict[str, str]]) -> None:
    """Tell what ``ProcessTransaction`` and the engine tell of a batch that is stored."""
    place = place_of(batch)
    if place.enqueued_at is not None:
        record_lag(place.partition_id, place.enqueued_at, datetime.now(UTC))
    with function_span("ProcessTransaction", _HOST, SpanKind.CONSUMER, place) as span:
        link_publishers(span, properties)
        record_commit(0.001, (), "1.0.0")
        record_batch(messages=len(batch), stored=100, duplicates=0, rule_set_version="1.0.0")
        span.set_attributes({"payments.stored": 100, "payments.duplicates": 0})
        str(place)
        place.attributes()


def _taken(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
