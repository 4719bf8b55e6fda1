"""Sends messages to Event Hubs through the ``azure-eventhub`` SDK."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub import EventData, EventDataBatch, EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from simulator.connection import ProducerSettings
from simulator.errors import EventHubsRefused, EventHubsUnreachable, InvalidConnection
from simulator.simulation import Message

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# Few enough that little is repeated after a crash, many enough that a batch is worth its trip.
_MAX_WAITING: Final = 512
# A pause shorter than this is slept through later, together with others.
_SHORTEST_PAUSE: Final = 0.02
_NO_SUCH_HUB: Final = ("not-found", "not found", "could not be found")


class Sent(NamedTuple):
    """What has been acknowledged so far; ``bytes`` as encoded for the wire."""

    messages: int
    events: int
    bytes: int


type Progress = Callable[[Sent], None]


def publish(
    messages: Iterable[Message],
    settings: ProducerSettings,
    progress: Progress | None = None,
    *,
    rate: float | None = None,
) -> Sent:
    """Send every message, in order within its partition key, and return what was sent.

    The SDK repeats an operation whose acknowledgement got lost, so that a message may arrive
    twice: delivery is at least once.

    Args:
        messages: taken one by one; never more than a few hundred are held.
        settings: where to send, and how patiently.
        progress: told after every acknowledged batch.
        rate: most events per second; as fast as possible if None.

    Raises:
        InvalidConnection: the SDK takes no such connection string.
        EventHubsUnreachable: no connection, after all retries.
        EventHubsRefused: wrong key, missing right, no such event hub, or a message too large.
    """
    tally = _Tally(progress)
    with _named_failures(settings, tally):
        _look_for_event_hub(settings)
        with _producer(settings) as producer:
            sender = _Sender(producer, tally)
            started = time.monotonic()
            taken = 0
            for message in messages:
                sender.add(message)
                taken += message.events
                ahead = taken / rate - (time.monotonic() - started) if rate else 0.0
                if ahead > _SHORTEST_PAUSE:
                    sender.flush()
                    time.sleep(ahead)
            sender.flush()
    return tally.sent


class _Tally:
    """Counts what is acknowledged."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self.sent = Sent(0, 0, 0)

    def add(self, batch: EventDataBatch, events: int) -> None:
        self.sent = Sent(
            self.sent.messages + len(batch),
            self.sent.events + events,
            self.sent.bytes + batch.size_in_bytes,
        )
        if self._progress is not None:
            self._progress(self.sent)

    def __str__(self) -> str:
        return f"; {self.sent.events} events had been sent before" if self.sent.events else ""


class _Sender:
    """Holds one open batch per partition key."""

    def __init__(self, producer: EventHubProducerClient, tally: _Tally) -> None:
        self._producer = producer
        self._tally = tally
        self._batches: dict[str, EventDataBatch] = {}
        self._events: dict[str, int] = {}
        self._waiting = 0

    def add(self, message: Message) -> None:
        key = message.partition_key
        if key in self._batches and not _fits(self._batches[key], message):
            self._send(key)
        if key not in self._batches:
            batch = self._producer.create_batch(partition_key=key)
            if not _fits(batch, message):
                msg = (
                    f"a message of {len(message.body)} bytes is larger than the event hub takes "
                    f"({batch.max_size_in_bytes} bytes); pack fewer payments into one (--pack)"
                )
                raise EventHubsRefused(msg)
            self._batches[key] = batch
        self._events[key] = self._events.get(key, 0) + message.events
        self._waiting += 1
        if self._waiting >= _MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        for key in list(self._batches):
            self._send(key)

    def _send(self, key: str) -> None:
        batch, events = self._batches.pop(key), self._events.pop(key)
        self._producer.send_batch(batch)
        self._waiting -= len(batch)
        self._tally.add(batch, events)


def _fits(batch: EventDataBatch, message: Message) -> bool:
    """Add a message to a batch, or tell that it is full."""
    try:
        batch.add(EventData(message.body))
    except ValueError:
        return False
    return True


def _look_for_event_hub(settings: ProducerSettings) -> None:
    """Ask for the event hub's properties, with little patience.

    A wrong address or name is told within seconds; later, an outage is given all retries.
    """
    hasty = replace(settings, retry_total=min(settings.retry_total, 1), retry_backoff_factor=0.1)
    with _producer(hasty) as producer:
        producer.get_eventhub_properties()


def _producer(settings: ProducerSettings) -> EventHubProducerClient:
    if settings.connection_string is None:
        return EventHubProducerClient(
            settings.fully_qualified_namespace or "",
            settings.event_hub,
            _credential(settings),
            retry_total=settings.retry_total,
            retry_backoff_factor=settings.retry_backoff_factor,
            retry_backoff_max=settings.retry_backoff_max,
        )
    try:
        return EventHubProducerClient.from_connection_string(
            settings.connection_string,
            eventhub_name=settings.event_hub,
            retry_total=settings.retry_total,
            retry_backoff_factor=settings.retry_backoff_factor,
            retry_backoff_max=settings.retry_backoff_max,
        )
    except ValueError as error:
        msg = f"the SDK refuses the connection string: {settings.without_secrets(str(error))}"
        raise InvalidConnection(msg) from error


def _credential(settings: ProducerSettings) -> "TokenCredential":
    # Imported here: it takes half a second that a connection string does not need.
    from azure.identity import (  # noqa: PLC0415 - see above
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    if settings.managed_identity:
        return ManagedIdentityCredential(client_id=settings.client_id)
    return DefaultAzureCredential(managed_identity_client_id=settings.client_id)


@contextmanager
def _named_failures(settings: ProducerSettings, tally: _Tally) -> Iterator[None]:
    """Turn what the SDK raises into errors that say what to do; none of them shows a key."""
    where = f"event hub {settings.event_hub!r} at {settings.address}"
    try:
        yield
    except EventHubError as error:
        text = settings.without_secrets(str(error))
        first_line = text.partition("\n")[0]
        if any(sign in text for sign in _NO_SUCH_HUB):
            msg = f"there is no {where}; create it, or name another by --event-hub"
            raise EventHubsRefused(msg) from error
        if isinstance(error, AuthenticationError):
            msg = (
                f"{where} refuses the key or identity; does it have the right to send? {first_line}"
            )
            raise EventHubsRefused(msg) from error
        msg = f"cannot reach {where}: {first_line}{tally}; is the service running there?"
        raise EventHubsUnreachable(msg) from error
    except ClientAuthenticationError as error:
        text = settings.without_secrets(error.message).partition("\n")[0]
        msg = f"no identity to present to {where}: {text}; sign in, or give a connection string"
        raise EventHubsRefused(msg) from error
