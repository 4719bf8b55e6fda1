"""Event Hubs trigger: stores batches of payments. See ``shared_code.engine.batch``."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import List  # noqa: UP035 - the worker takes typing.List only

import azure.functions as func

from shared_code.domain.decoding import Message, Origin
from shared_code.engine.metric_engine import engine_of_process
from shared_code.worker.enqueued_times import quicken_enqueued_times

_log = logging.getLogger(__name__)
_engine = engine_of_process()
quicken_enqueued_times()


def main(events: List[func.EventHubEvent], rules: func.InputStream) -> None:  # noqa: UP006
    """Store one batch; a raised error makes the host deliver it again.

    Args:
        events: of one partition, in order.
        rules: the active rule document; None before the first one was uploaded.
    """
    document = rules.read() if rules is not None else None
    result = _engine.process_batch(list(_messages(events)), document)
    _log.info(
        "%d messages: %d payments stored, %d duplicates, %d rejected, rule set %s",
        *result,
    )


def _messages(events: Sequence[func.EventHubEvent]) -> Iterator[Message]:
    """Yield the events' bodies with their places in Event Hubs, by which they are known again."""
    # All events of a batch share the metadata of all of them, and each would read these anew.
    metadata = (events[0].metadata if events else None) or {}
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


def _aware(time: datetime | None) -> datetime | None:
    """Return a time in UTC; the worker gives it without offset."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
