"""Event Hubs trigger: stores batches of payments. See ``shared_code.engine.batch``."""

import json
import logging
from datetime import UTC, datetime
from typing import List  # noqa: UP035 - the worker takes typing.List only

import azure.functions as func

from shared_code.domain.decoding import Message, Origin
from shared_code.engine.metric_engine import engine_of_process

_log = logging.getLogger(__name__)
_engine = engine_of_process()


def main(events: List[func.EventHubEvent], rules: func.InputStream) -> None:  # noqa: UP006
    """Store one batch; a raised error makes the host deliver it again.

    Args:
        events: of one partition, in order.
        rules: the active rule document; None before the first one was uploaded.
    """
    document = rules.read() if rules is not None else None
    result = _engine.process_batch([_message(event) for event in events], document)
    _log.info(
        "%d messages: %d payments stored, %d duplicates, %d rejected, rule set %s",
        *result,
    )


def _message(event: func.EventHubEvent) -> Message:
    """Return the event's body with its place in Event Hubs, by which it is known again."""
    metadata = event.metadata or {}
    context = metadata.get("PartitionContext")
    partition = json.loads(context) if isinstance(context, str) else context or {}
    origin = Origin(
        namespace=partition.get("FullyQualifiedNamespace", ""),
        event_hub=partition.get("EventHubName", ""),
        partition_id=partition.get("PartitionId", ""),
        sequence_number=event.sequence_number if event.sequence_number is not None else -1,
    )
    return Message(origin, event.get_body(), _aware(event.enqueued_time))


def _aware(time: datetime | None) -> datetime | None:
    """Return a time in UTC; the worker gives it without offset."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
