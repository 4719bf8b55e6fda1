"""The Event Hubs trigger, on the asyncio ``EventHubConsumerClient`` of ``azure-eventhub``.

The asyncio client runs one receiver per partition: a partition's batches stay in order, partitions
run side by side, and a partition that waits for a retry holds up no other and stays connected. (The
blocking client polls all partitions from one thread.)

As in Azure, a checkpoint is written after each ``batchCheckpointFrequency`` batches, and also when
the function has failed and its retries are exhausted: only a retry policy keeps a batch.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from azure.core.exceptions import AzureError
from azure.eventhub import CloseReason, EventData
from azure.eventhub.aio import EventHubConsumerClient, PartitionContext
from azure.eventhub.amqp import AmqpMessageBodyType
from azure.eventhub.exceptions import EventHubError

from local_azure.functions.binding_checks import HOST_STORAGE
from local_azure.functions.bindings import Cardinality, EventHubTrigger, FunctionSpec
from local_azure.functions.checkpoints import SharedCheckpoints, namespace_name
from local_azure.functions.connections import (
    ConnectionString,
    blob_checkpoints,
    event_hubs_connection,
    storage_connection,
)
from local_azure.functions.errors import FunctionsError
from local_azure.functions.host_json import EventHubsOptions, OffsetType
from local_azure.functions.invoker import HostStopping
from local_azure.functions.settings import Settings
from local_azure.functions.triggers.services import HostServices
from local_azure.functions.wire import (
    Event,
    PartitionPlace,
    TriggerData,
    event_batch,
    single_event,
)

CONTAINER = "azure-webjobs-eventhub"
"""Where the Azure host keeps its checkpoints as well."""

# Azure's defaults (30 s and 2 minutes) suit a service; a developer restarts the host all the time.
_BALANCING = timedelta(seconds=2)
_EXPIRY = timedelta(seconds=20)
_RECONNECT = timedelta(milliseconds=200)
_POLL = timedelta(milliseconds=200)

_log = logging.getLogger("Host.Triggers.EventHubs")


@dataclass(slots=True)
class PartitionState:
    """What the host knows of one partition that it owns; sequence numbers, None before the first.

    Attributes:
        pending: events held back until ``minEventBatchSize`` or ``maxWaitTime`` is reached.
        retries: failures of the batch that runs now.
        batches: batches ended since the last checkpoint.
    """

    received: int | None = None
    checkpointed: int | None = None
    running: bool = False
    retries: int = 0
    batches: int = 0
    pending: list[EventData] = field(default_factory=list)
    pending_since: datetime | None = None


class EventHubListener:
    """Receives the partitions that this host owns and fires one function with their batches."""

    def __init__(
        self,
        spec: FunctionSpec,
        trigger: EventHubTrigger,
        options: EventHubsOptions,
        services: HostServices,
    ) -> None:
        self._spec = spec
        self._trigger = trigger
        self._options = options
        self._settings = services.settings
        self._stores = services.stores
        self._invoker = services.invoker
        self._partitions: dict[str, PartitionState] = {}
        self._checkpoints: SharedCheckpoints | None = None
        self._client: EventHubConsumerClient | None = None
        self._last_error = ""
        self._questions: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Receive until cancelled; then give the partitions back."""
        await self._stores.ensure_container(HOST_STORAGE, CONTAINER)
        storage = storage_connection(self._settings, HOST_STORAGE)
        if storage is None:
            msg = f"the setting '{HOST_STORAGE}' is missing"
            raise FunctionsError(msg)
        with blob_checkpoints(storage, CONTAINER) as store:
            self._checkpoints = SharedCheckpoints(store)
            client = consumer_client(self._settings, self._trigger, self._checkpoints)
            try:
                await self._receive(client)
            finally:
                await client.close()

    async def _receive(self, client: EventHubConsumerClient) -> None:
        options = self._options
        start = options.start
        position: str | datetime = (
            start
            if isinstance(start, datetime)
            else ("@latest" if start is OffsetType.FROM_END else "-1")
        )
        # The client calls back without events, so that a batch that never fills is not forgotten.
        waits = options.min_event_batch_size > 1
        poll = min(options.max_wait_time, _POLL).total_seconds() if waits else None
        self._client = client
        await client.receive_batch(
            on_event_batch=self._on_batch,
            max_batch_size=options.max_event_batch_size,
            max_wait_time=poll,
            prefetch=options.prefetch_count,
            starting_position=position,
            on_error=self._on_error,
            on_partition_initialize=self._on_open,
            on_partition_close=self._on_close,
        )

    def status(self) -> Mapping[str, object]:
        """Show each owned partition, for the admin endpoint."""
        return {
            "eventHub": self._trigger.event_hub,
            "consumerGroup": self._trigger.consumer_group,
            "partitions": {
                partition: {
                    "received": state.received,
                    "checkpointed": state.checkpointed,
                    "running": state.running,
                    "retries": state.retries,
                    "pending": len(state.pending),
                }
                for partition, state in sorted(self._partitions.items())
            },
        }

    async def _on_open(self, context: PartitionContext) -> None:
        store = self._checkpoints
        known = None if store is None else store.checkpointed(context.partition_id)
        self._partitions[context.partition_id] = PartitionState(checkpointed=known)
        self._last_error = ""
        _log.info(
            "%s owns partition %s of '%s', from %s",
            self._spec.name,
            context.partition_id,
            self._trigger.event_hub,
            "its start" if known is None else f"sequence number {known + 1}",
        )
        if known is not None:
            question = asyncio.create_task(self._question(context.partition_id, known))
            self._questions.add(question)
            question.add_done_callback(self._questions.discard)

    async def _question(self, partition_id: str, known: int) -> None:
        """Warn of a checkpoint beyond the last event, behind which nothing would ever arrive."""
        if self._client is None:
            return
        try:
            properties = await self._client.get_partition_properties(partition_id)
        except EventHubError as error:
            _log.debug("Partition %s cannot be asked: %s", partition_id, error)
            return
        last = properties["last_enqueued_sequence_number"]
        if known > last:
            _log.warning(
                "%s: the checkpoint of partition %s of '%s' is %d, but its last event is %d: the "
                "hub was made anew. Delete the blobs below '%s/.../%s' and restart",
                self._spec.name,
                partition_id,
                self._trigger.event_hub,
                known,
                last,
                CONTAINER,
                self._trigger.event_hub,
            )

    async def _on_close(self, context: PartitionContext, reason: CloseReason) -> None:
        self._partitions.pop(context.partition_id, None)
        _log.info(
            "%s gave up partition %s (%s)", self._spec.name, context.partition_id, reason.name
        )

    async def _on_error(self, context: PartitionContext | None, error: Exception) -> None:
        if isinstance(error, HostStopping):
            return
        place = "" if context is None else f", partition {context.partition_id}"
        cause = str(error).partition("\n")[0]
        text = f"{self._spec.name}: event hub '{self._trigger.event_hub}'{place}: {cause}"
        # The client tries again every few seconds: the same error is worth one line.
        level = logging.DEBUG if text == self._last_error else logging.WARNING
        self._last_error = text
        _log.log(level, "%s", text)

    async def _on_batch(self, context: PartitionContext, events: list[EventData]) -> None:
        state = self._partitions.setdefault(context.partition_id, PartitionState())
        if events:
            state.received = events[-1].sequence_number
            state.pending.extend(events)
            state.pending_since = state.pending_since or datetime.now(UTC)
        if not state.pending or not self._is_due(state):
            return
        if self._invoker.stopping:
            # Nothing new starts; the client is about to cancel this wait.
            await asyncio.Event().wait()
        batch, state.pending = state.pending, []
        state.pending_since = None
        for part in batched(batch, self._options.max_event_batch_size, strict=False):
            async with self._invoker.unit():
                await self._process(context, state, part)

    def _is_due(self, state: PartitionState) -> bool:
        if len(state.pending) >= self._options.min_event_batch_size or not state.pending_since:
            return True
        return datetime.now(UTC) - state.pending_since >= self._options.max_wait_time

    async def _process(
        self, context: PartitionContext, state: PartitionState, batch: Sequence[EventData]
    ) -> None:
        place = PartitionPlace(
            namespace_name(context.fully_qualified_namespace),
            context.eventhub_name,
            context.consumer_group,
            context.partition_id,
        )
        state.running = True
        try:
            await self._fire([read_event(event) for event in batch], place, state)
        finally:
            state.running = False
            state.retries = 0
        state.batches += 1
        if state.batches >= self._options.batch_checkpoint_frequency:
            await self._checkpoint(context, state, batch[-1])

    async def _fire(
        self, events: Sequence[Event], place: PartitionPlace, state: PartitionState
    ) -> None:
        def retried(failures: int) -> None:
            state.retries = failures

        groups = (
            [events]
            if self._trigger.cardinality is Cardinality.MANY
            else batched(events, 1, strict=True)
        )
        for group in groups:

            def build(group: Sequence[Event] = group) -> TriggerData:
                return self.trigger_data(group, place)

            await self._invoker.run_with_retries(self._spec, build, retried)

    def trigger_data(self, events: Sequence[Event], place: PartitionPlace) -> TriggerData:
        """Shape events as this trigger's cardinality and dataType want them."""
        if self._trigger.cardinality is Cardinality.MANY:
            return event_batch(self._spec.name, events, place, self._trigger.data_type)
        return single_event(self._spec.name, events[0], place, self._trigger.data_type)

    async def _checkpoint(
        self, context: PartitionContext, state: PartitionState, event: EventData
    ) -> None:
        try:
            await context.update_checkpoint(event)
        except AzureError as error:
            # Not fatal: the events come again, and the next checkpoint covers these as well.
            _log.warning(
                "%s: the checkpoint of partition %s was not written: %s",
                self._spec.name,
                context.partition_id,
                error,
            )
            return
        state.batches = 0
        state.checkpointed = event.sequence_number


def consumer_client(
    settings: Settings, trigger: EventHubTrigger, checkpoints: SharedCheckpoints
) -> EventHubConsumerClient:
    """Open the consumer client of a trigger, by connection string or identity.

    Raises:
        FunctionsError: the connection's setting is missing.
    """
    found = event_hubs_connection(settings, trigger.connection)
    if found is None:
        msg = f"the setting '{trigger.connection}' is missing"
        raise FunctionsError(msg)
    options: dict[str, Any] = {
        "checkpoint_store": checkpoints,
        "load_balancing_interval": _BALANCING.total_seconds(),
        "partition_ownership_expiration_interval": _EXPIRY.total_seconds(),
        "retry_backoff_factor": _RECONNECT.total_seconds(),
    }
    if isinstance(found, ConnectionString):
        return EventHubConsumerClient.from_connection_string(
            found.value, trigger.consumer_group, eventhub_name=trigger.event_hub, **options
        )
    return EventHubConsumerClient(
        found.address,
        trigger.event_hub,
        trigger.consumer_group,
        found.async_credential(),
        **options,
    )


def read_event(event: EventData) -> Event:
    """Take from the SDK's event what the wire needs."""
    if event.body_type is AmqpMessageBodyType.DATA:
        sections: Any = event.body
        body = b"".join(sections)
    else:
        body = event.body_as_str().encode()
    key = event.partition_key
    return Event(
        body=body,
        sequence_number=event.sequence_number or 0,
        offset=str(event.offset),
        enqueued_time=event.enqueued_time or datetime.now(UTC),
        partition_key=key.decode() if isinstance(key, bytes) else key,
        properties={
            _text(name): value if isinstance(value, str | int | float | None) else _text(value)
            for name, value in (event.properties or {}).items()
        },
    )


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
