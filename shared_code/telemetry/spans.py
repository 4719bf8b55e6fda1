"""One span for each batch, tick and upload, linked to the spans of those who published.

A span carries what finds its rows, and no personal data: of an error its type, not its text.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    get_tracer,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared_code.domain.decoding import Message
from shared_code.errors import PaymentsError
from shared_code.telemetry.measurements import PARTITION, SCOPE

# Of all application properties of a message the one that is read, and never kept.
TRACEPARENT: Final = "traceparent"
MOST_LINKS: Final = 16

_log: Final = logging.getLogger(__name__)
_tracer = get_tracer(SCOPE)
_propagator: Final = TraceContextTextMapPropagator()


class HostContext(Protocol):
    """What the worker says of the span of the host in which a function runs."""

    @property
    def trace_parent(self) -> str: ...  # noqa: D102 - W3C Trace Context

    @property
    def trace_state(self) -> str: ...  # noqa: D102 - W3C Trace Context


class BatchPlace(NamedTuple):
    """Where a batch comes from.

    ``enqueued_at`` is that of its oldest message, None if unknown. All of its payments are stored
    with just this time, so that it finds the batch of a payment and the payments of a batch.
    """

    partition_id: str
    first: int
    last: int
    enqueued_at: datetime | None

    def __str__(self) -> str:
        """Return it as it stands in logs."""
        said = f"partition {self.partition_id}, sequence numbers {self.first} to {self.last}"
        if self.enqueued_at is None:
            return said
        waited = (datetime.now(UTC) - self.enqueued_at).total_seconds()
        return f"{said}, enqueued at {self.enqueued_at.isoformat()}, {waited:.1f} s ago"

    def attributes(self) -> dict[str, str | int]:
        """Return it as attributes of a span or a log record."""
        found: dict[str, str | int] = {
            PARTITION: self.partition_id,
            "payments.sequence_number.first": self.first,
            "payments.sequence_number.last": self.last,
        }
        if self.enqueued_at is not None:
            found["payments.enqueued_at"] = self.enqueued_at.isoformat()
        return found


def place_of(messages: Sequence[Message]) -> BatchPlace:
    """Return where messages of one partition, in order, come from."""
    if not messages:
        return BatchPlace("", -1, -1, None)
    times = [each.enqueued_at for each in messages if each.enqueued_at is not None]
    first, last = messages[0].origin, messages[-1].origin
    return BatchPlace(
        first.partition_id, first.sequence_number, last.sequence_number, min(times, default=None)
    )


@contextmanager
def function_span(
    name: str,
    host: HostContext,
    kind: SpanKind = SpanKind.SERVER,
    place: BatchPlace | None = None,
) -> Iterator[Span]:
    """Run the block in a span of a function's name, within the host's span.

    The worker hands the host's context over, but does not put it into force for functions that are
    no coroutines. An error fails the span, is logged, and goes on.

    Args:
        name: of the function.
        host: the ``trace_context`` of its invocation.
        kind: Application Insights shows servers and consumers as requests.
        place: of the batch that it runs for.
    """
    attributes = place.attributes() if place else {}
    within = {TRACEPARENT: host.trace_parent or "", "tracestate": host.trace_state or ""}
    with _tracer.start_as_current_span(
        name,
        context=_propagator.extract(within),
        kind=kind,
        attributes={"faas.invoked_name": name, **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
            # What is no error of the product may quote a payment.
            said = str(error) if isinstance(error, PaymentsError) else type(error).__qualname__
            _log.error(
                "%s failed: %s%s", name, said, f"; {place}" if place else "", extra=attributes
            )
            raise


def link_publishers(span: Span, properties: Any) -> None:
    """Link a span to those in which the messages of a batch were published, each one once.

    Args:
        span: of the batch; one that is not recorded is given nothing.
        properties: the application properties of each message, as the host sends them. Only a
            valid ``traceparent`` is looked at, and at most ``MOST_LINKS`` are taken.
    """
    if not span.is_recording() or not isinstance(properties, list):
        return
    for traceparent in _distinct_traceparents(properties):
        within = _propagator.extract({TRACEPARENT: traceparent})
        publisher = get_current_span(within).get_span_context()
        if publisher.is_valid:
            span.add_link(publisher)


def _distinct_traceparents(properties: Sequence[Any]) -> Sequence[str]:
    found: dict[str, None] = {}
    for each in properties:
        traceparent = each.get(TRACEPARENT) if isinstance(each, dict) else None
        if isinstance(traceparent, str):
            found[traceparent] = None
            if len(found) == MOST_LINKS:
                break
    return list(found)
