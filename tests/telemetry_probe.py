"""Keeps in memory what is told by OpenTelemetry's API, so that tests can look at it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass(frozen=True)
class Told:
    """What was told since the test began."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self) -> Sequence[ReadableSpan]:
        """Return the spans that have ended."""
        return self.exporter.get_finished_spans()

    def span(self) -> ReadableSpan:
        """Return the only span that has ended."""
        (found,) = self.spans()
        return found

    def measured(self) -> dict[str, list[tuple[Mapping[str, Any], Any]]]:
        """Return attributes and value by instrument, since the last look.

        The value of a histogram is the number of its measurements and their sum.
        """
        data = self.reader.get_metrics_data()
        found: dict[str, list[tuple[Mapping[str, Any], Any]]] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = [
                        (dict(point.attributes or {}), _value(point))
                        for point in metric.data.data_points
                    ]
        return found


def _value(point: Any) -> Any:
    return (point.count, point.sum) if hasattr(point, "count") else point.value


@lru_cache(maxsize=1)
def _providers() -> Told:
    """Set the providers of this process, which can be done but once."""
    exporter = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracing)
    delta = AggregationTemporality.DELTA
    reader = InMemoryMetricReader(preferred_temporality={Counter: delta, Histogram: delta})
    metrics.set_meter_provider(MeterProvider([reader]))
    return Told(exporter, reader)


@pytest.fixture
def told() -> Iterator[Told]:
    """What the test's code tells."""
    found = _providers()
    found.exporter.clear()
    found.reader.get_metrics_data()
    yield found
    found.exporter.clear()
