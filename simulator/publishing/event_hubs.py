"""Sends messages to Event Hubs over AMQP, through the ``azure-eventhub`` SDK.

Retrying is done here and not by the SDK (``retry_total=0``): the SDK waits without jitter, repeats
what no time heals, such as a wrong key, and does not wait for a service that is busy. What it
cannot be talked out of is to send a batch once more, at once, before it reports a failure: one
attempt here is two on the wire.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub import EventData, EventDataBatch, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from simulator.errors import EventHubsRefused, InvalidConnection
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.counters import Counters
from simulator.publishing.event_hubs_faults import Remedy, diagnose
from simulator.publishing.identity import credential_of
from simulator.publishing.retry import Patience

_LOGGER: Final = logging.getLogger(__name__)
# Few enough that little is repeated after a crash, many enough that a batch is worth its trip.
_MAX_WAITING: Final = 512


@dataclass(slots=True)
class _OpenBatch:
    """A batch of one partition key, and the messages in it."""

    batch: EventDataBatch
    messages: list[Message] = field(default_factory=list)

    def take(self, message: Message) -> bool:
        """Add a message, or tell that the batch is full."""
        try:
            self.batch.add(EventData(message.body))
        except ValueError:
            return False
        self.messages.append(message)
        return True


class EventHubsPublisher:
    """Sends batches, one open for each partition key.

    An operation whose acknowledgement got lost is repeated, so that a message may arrive twice:
    delivery is at least once.

    Attributes:
        counters: what it has done so far.
    """

    def __init__(self, settings: ProducerSettings) -> None:
        self.counters = Counters()
        self._settings = settings
        self._connected: EventHubProducerClient | None = None
        self._batches: dict[str, _OpenBatch] = {}
        self._entering: Message | None = None
        self._waiting = 0

    def __enter__(self) -> Self:
        """Ask for the event hub's properties, with little patience.

        A wrong address or name is told within seconds; later, an outage is given all retries.

        Raises:
            InvalidConnection: the SDK takes no such connection string.
            EventHubsUnreachable: nobody answers.
            EventHubsRefused: wrong key, missing right, or no such event hub.
        """
        patience = self._settings.patience
        hasty = replace(patience, retries=min(patience.retries, 1), first=min(patience.first, 0.1))
        try:
            self._patiently(lambda client: client.get_eventhub_properties(), hasty)
        except BaseException:
            self._disconnect()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; flush before if all is well."""
        try:
            if kind is None:
                self.flush()
        finally:
            self._disconnect()

    def send(self, message: Message) -> None:
        """Add a message to the batch of its partition key.

        Raises:
            EventHubsUnreachable: no connection, after all retries.
            EventHubsRefused: the message is too large, or the service says no.
        """
        # Noted before all else, so that it is not lost if Ctrl-C comes next.
        self._entering = message
        self.counters.take()
        key = message.partition_key
        batch = self._batches.get(key)
        if batch is None or not batch.take(message):
            if batch is not None:
                self._deliver(key)
            self._batches[key] = self._new_batch(message)
        self._entering = None
        self._waiting += 1
        if self._waiting >= _MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Send every open batch, and return when all are acknowledged.

        Raises:
            EventHubsUnreachable: no connection, after all retries.
            EventHubsRefused: the service says no.
        """
        for key in list(self._batches):
            self._deliver(key)

    def unacknowledged(self) -> Sequence[Message]:
        """Return what was taken and may not have arrived, in order within a partition key."""
        waiting = [message for batch in self._batches.values() for message in batch.messages]
        return waiting if self._entering is None else [*waiting, self._entering]

    def _new_batch(self, message: Message) -> _OpenBatch:
        batch = self._patiently(
            lambda client: client.create_batch(partition_key=message.partition_key)
        )
        opened = _OpenBatch(batch)
        if not opened.take(message):
            msg = (
                f"a message of {len(message.body)} bytes is larger than the event hub takes "
                f"({batch.max_size_in_bytes} bytes); pack fewer payments into one"
            )
            raise EventHubsRefused(msg)
        return opened

    def _deliver(self, key: str) -> None:
        opened = self._batches[key]
        began = time.monotonic()
        timeout = self._settings.patience.attempt
        self._patiently(lambda client: client.send_batch(opened.batch, timeout=timeout))
        # Forgotten only now: whatever ends the attempt, the messages are still known.
        del self._batches[key]
        self._waiting -= len(opened.messages)
        self.counters.acknowledge(
            len(opened.messages),
            sum(message.events for message in opened.messages),
            opened.batch.size_in_bytes,
            time.monotonic() - began,
        )

    def _patiently[Answer](
        self,
        operation: Callable[[EventHubProducerClient], Answer],
        patience: Patience | None = None,
    ) -> Answer:
        """Repeat an operation until it succeeds, cannot succeed, or patience ends."""
        patience = patience or self._settings.patience
        retry = 0
        while True:
            try:
                with self.counters.inside_sdk():
                    return operation(self._client())
            except (EventHubError, ClientAuthenticationError) as error:
                self.counters.failures += 1
                fault = diagnose(error, self._settings)
                if fault.remedy is Remedy.NONE or retry >= patience.retries:
                    raise fault.error from error
                retry += 1
                _LOGGER.info("retry %d of %d: %s", retry, patience.retries, fault.error)
                if fault.remedy is Remedy.RECONNECT:
                    self._disconnect()
            time.sleep(patience.pause(retry, busy=fault.remedy is Remedy.WAIT))

    def _client(self) -> EventHubProducerClient:
        """Return the client, a new one with a fresh connection and token if there is none."""
        if self._connected is None:
            self._connected = _connect(self._settings)
        return self._connected

    def _disconnect(self) -> None:
        client, self._connected = self._connected, None
        if client is not None:
            # A connection that is broken already may refuse to be closed.
            with suppress(EventHubError, OSError):
                client.close()


def _connect(settings: ProducerSettings) -> EventHubProducerClient:
    if settings.connection_string is None:
        return EventHubProducerClient(
            settings.fully_qualified_namespace or "",
            settings.event_hub,
            credential_of(settings),
            retry_total=0,
            retry_backoff_factor=0,
        )
    try:
        return EventHubProducerClient.from_connection_string(
            settings.connection_string,
            eventhub_name=settings.event_hub,
            retry_total=0,
            retry_backoff_factor=0,
        )
    except ValueError as error:
        msg = f"the SDK refuses the connection string: {settings.without_secrets(str(error))}"
        raise InvalidConnection(msg) from error
