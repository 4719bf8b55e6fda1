"""Sends messages by Kafka's protocol, through ``confluent-kafka``.

Retrying is librdkafka's: a message fails only when it was not acknowledged within the delivery
timeout, or the broker refuses it.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from simulator.errors import EventHubsRefused, EventHubsUnreachable, MissingLibrary, SimulatorError
from simulator.message import Message
from simulator.publishing.counters import Counters
from simulator.publishing.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

# librdkafka would write to standard error; what it gives up on is told once, by the error.
_LOGGER: Final = logging.getLogger(__name__)
_LOGGER.addHandler(logging.NullHandler())
_POLL_SECONDS: Final = 0.1
_MISSING: Final = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "UNKNOWN_TOPIC_ID"})
_TOO_LARGE: Final = frozenset({"MSG_SIZE_TOO_LARGE", "INVALID_MSG_SIZE", "INVALID_RECORD"})
_FORBIDDEN: Final = frozenset(
    {
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "SASL_AUTHENTICATION_FAILED",
        "_AUTHENTICATION",
    }
)
# How librdkafka says that it goes on by itself, without a message having failed.
_PURGED: Final = frozenset({"_PURGE_QUEUE", "_PURGE_INFLIGHT"})


@dataclass(slots=True, eq=False)
class _Entry:
    """A message on its way."""

    message: Message
    handed_over: float
    acknowledged: bool = False


class KafkaPublisher:
    """Hands messages to librdkafka, with the partition key as their key.

    Which partition a key goes to is decided here, by librdkafka, and not as Event Hubs decides it
    for messages over AMQP: do not mix both ways within one stream.

    Attributes:
        counters: what it has done so far; each message counts as a batch, since librdkafka makes
            its own and keeps them to itself.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self.counters = Counters()
        self._settings = settings
        self._started: Producer | None = None
        self._under_way: dict[str, deque[_Entry]] = {}
        self._failure: SimulatorError | None = None
        self._last_trouble = ""

    def __enter__(self) -> Self:
        """Connect and look for the topic.

        Raises:
            MissingLibrary: confluent-kafka is not installed.
            EventHubsUnreachable: nobody answers.
            EventHubsRefused: wrong key, missing right, or no such event hub.
        """
        self._started = self._producer()
        try:
            self._look_for_topic(self._started)
        except BaseException:
            self._abandon()
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
            self._abandon()

    def send(self, message: Message) -> None:
        """Hand over a message; waits while librdkafka holds as many as it may.

        Raises:
            EventHubsUnreachable: a message was not acknowledged in time.
            EventHubsRefused: the message is too large, or the service says no.
        """
        from confluent_kafka import KafkaException  # noqa: PLC0415 - optional

        # Noted before all else, so that it is not lost if Ctrl-C comes next.
        entry = _Entry(message, time.monotonic())
        self._under_way.setdefault(message.partition_key, deque()).append(entry)
        self.counters.take()
        report = partial(self._on_delivery, entry)
        while True:
            self._poll(0)
            try:
                self._running.produce(
                    self._settings.topic,
                    message.body,
                    message.partition_key,
                    on_delivery=report,
                )
            except BufferError:
                self._poll(_POLL_SECONDS)
            except KafkaException as error:
                self.counters.failures += 1
                raise self._named(error.args[0]) from error
            else:
                return

    def flush(self) -> None:
        """Wait until everything that was handed over is acknowledged.

        Raises:
            EventHubsUnreachable: a message was not acknowledged in time.
            EventHubsRefused: the service says no.
        """
        waiting = 1
        while waiting:
            with self.counters.inside_sdk():
                waiting = self._running.flush(_POLL_SECONDS)
            self._raise_failure()

    def unacknowledged(self) -> Sequence[Message]:
        """Return what was taken and may not have arrived, in order within a partition key.

        What follows a message that failed is repeated with it, acknowledged or not: the order
        within a partition key is worth more than a message that comes twice.
        """
        return [entry.message for queue in self._under_way.values() for entry in queue]

    @property
    def _running(self) -> "Producer":
        assert self._started is not None, "use the publisher in a with statement"  # noqa: S101
        return self._started

    def _producer(self) -> "Producer":
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 - optional
        except ImportError as error:
            raise MissingLibrary("confluent-kafka", "sending by Kafka's protocol") from error
        configuration = self._settings.configuration()
        return Producer({**configuration, "error_cb": self._on_trouble}, logger=_LOGGER)

    def _look_for_topic(self, producer: "Producer") -> None:
        """Ask for all topics: asking for one by its name might create it."""
        from confluent_kafka import KafkaException  # noqa: PLC0415 - optional

        deadline = time.monotonic() + self._settings.look_timeout
        while True:
            try:
                # In small steps: a wrong key shows in a callback, which runs in between.
                with self.counters.inside_sdk():
                    topics = producer.list_topics(timeout=min(1.0, self._settings.look_timeout))
                    break
            except KafkaException as error:
                self.counters.failures += 1
                self._poll(0)
                if time.monotonic() >= deadline:
                    raise self._named(error.args[0]) from error
        if self._settings.topic not in topics.topics:
            raise self._missing()

    def _poll(self, seconds: float) -> None:
        with self.counters.inside_sdk():
            self._running.poll(seconds)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _on_delivery(self, entry: _Entry, error: "KafkaError | None", _: object) -> None:
        """Note what became of a message; called while polling."""
        if error is not None:
            if error.name() not in _PURGED:
                self.counters.failures += 1
                self._failure = self._failure or self._named(error)
            return
        entry.acknowledged = True
        key = entry.message.partition_key
        self.counters.acknowledge(
            1,
            entry.message.events,
            len(entry.message.body) + len(key.encode()),
            time.monotonic() - entry.handed_over,
        )
        queue = self._under_way[key]
        while queue and queue[0].acknowledged:
            queue.popleft()

    def _on_trouble(self, error: "KafkaError") -> None:
        """Note trouble that librdkafka itself may get over; called while polling."""
        self.counters.failures += 1
        self._last_trouble = self._settings.without_secrets(error.str())
        # A key that was good before is good still: then it is the service that has a problem.
        wrong_key = error.name() in _FORBIDDEN and not self.counters.messages
        if wrong_key or error.fatal():
            self._failure = self._failure or self._named(error)

    def _named(self, error: "KafkaError") -> SimulatorError:
        """Return an error that says what to do, in one line without a key."""
        where, name = self._settings.where, error.name()
        text = self._settings.without_secrets(error.str())
        if name in _MISSING:
            return self._missing()
        if name in _TOO_LARGE:
            msg = f"a message is larger than {where} takes: {text}; pack fewer payments into one"
            return EventHubsRefused(msg)
        if name in _FORBIDDEN:
            msg = f"{where} refuses the key or identity; does it have the right to send? {text}"
            return EventHubsRefused(msg)
        if name == "POLICY_VIOLATION":
            msg = f"{where} is throttling; send more slowly (--rate), or buy throughput units"
            return EventHubsUnreachable(msg)
        trouble = f" ({self._last_trouble})" if self._last_trouble else ""
        msg = f"cannot reach {where}: {text}{trouble}; is the service running there?"
        return EventHubsUnreachable(msg)

    def _missing(self) -> SimulatorError:
        msg = f"there is no {self._settings.where}; create it, or name another by --event-hub"
        return EventHubsRefused(msg)

    def _abandon(self) -> None:
        producer, self._started = self._started, None
        if producer is not None:
            producer.purge()
            producer.flush(0)
