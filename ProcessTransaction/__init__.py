"""Event Hubs trigger: stores batches of payments. See ``shared_code.engine.batch``."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, List  # noqa: UP035 - the worker takes typing.List only

import azure.functions as func
from opentelemetry.trace import SpanKind

from shared_code.domain.decoding import Message, Origin
from shared_code.engine.metric_engine import engine_of_process
from shared_code.telemetry.measurements import record_lag
from shared_code.telemetry.spans import function_span, link_publishers, place_of
from shared_code.worker.enqueued_times import quicken_enqueued_times

_log = logging.getLogger(__name__)
_engine = engine_of_process()
quicken_enqueued_times()


def main(
    events: List[func.EventHubEvent],  # noqa: UP006
    rules: func.InputStream,
    context: func.Context,
) -> None:
    """Store one batch; a raised error makes the host deliver it again.

    Args:
        events: of one partition, in order.
        rules: the active rule document; None before the first one was uploaded.
        context: of the invocation.
    """
    document = rules.read() if rules is not None else None
    messages = list(_messages(events))
    place = place_of(messages)
    if place.enqueued_at is not None:
        record_lag(place.partition_id, place.enqueued_at, datetime.now(UTC))
    trace_context = context.trace_context
    with function_span("ProcessTransaction", trace_context, SpanKind.CONSUMER, place) as span:
        link_publishers(span, _metadata(events).get("PropertiesArray"))
        result = _engine.process_batch(messages, document)
        span.set_attributes({f"payments.{each}": of for each, of in result._asdict().items()})
        _log.info(
            "%d messages: %d payments stored, %d duplicates, %d rejected, rule set %s; %s",
            *result,
            place,
            extra=place.attributes(),
        )


def _messages(events: Sequence[func.EventHubEvent]) -> Iterator[Message]:
    """Yield the events' bodies with their places in Event Hubs, by which they are known again."""
    # All events of a batch share the metadata of all of them, and each would read these anew.
    metadata = _metadata(events)
    context = metadata.get("PartitionContext")
    partition = json.loads(context) if isinstance(context, str) else context or {}
    place = Origin(
        namespace=partition.get("FullyQualifiedNamespace", ""),
        event_hub=partition.get("EventHubName", ""),
        partition_id=partition.get("PartitionId", ""),
        sequence_number=-1,
    )
    for event in events:
        origin = place
        if event.sequence_number is not None:
            origin = place._replace(sequence_number=event.sequence_number)
        yield Message(origin, event.get_body(), _aware(event.enqueued_time))


def _metadata(events: Sequence[func.EventHubEvent]) -> Mapping[str, Any]:
    return (events[0].metadata if events else None) or {}


def _aware(time: datetime | None) -> datetime | None:
    """Return a time in UTC; the worker gives it without offset."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
