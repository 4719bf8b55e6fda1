"""The four kinds of links that the server has: publisher, receiver, request and reply."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from local_azure.event_hubs.amqp.message import insert_delivery_annotations
from local_azure.event_hubs.amqp.performatives import (
    Accepted,
    AmqpError,
    Attach,
    Rejected,
)
from local_azure.event_hubs.amqp.types import Timestamp
from local_azure.event_hubs.errors import DecodeError, DeliveryRefused, LinkRefused
from local_azure.event_hubs.events import read_publication
from local_azure.event_hubs.links import (
    CHUNK_BYTES,
    Delivery,
    IncomingLink,
    LinkSession,
    OutgoingLink,
)
from local_azure.event_hubs.namespace import Namespace, PublisherTarget, ReceiverSource, now_ms
from local_azure.event_hubs.nodes import Node, Request, encode_answer, read_request
from local_azure.event_hubs.positions import first_sequence, read_filters

_LOGGER = logging.getLogger(__name__)

EPOCH_PROPERTY = "com.microsoft:epoch"
# A receiver with this capability wants to know the partition's end with every event.
RUNTIME_METRIC = "com.microsoft:enable-receiver-runtime-metric"


class PublisherLink(IncomingLink):
    """Stores what a client publishes to a hub or a partition."""

    def __init__(
        self, session: LinkSession, attach: Attach, max_message_bytes: int, target: PublisherTarget
    ) -> None:
        super().__init__(session, attach, max_message_bytes)
        self._target = target

    def on_message(self, delivery: Delivery) -> None:
        """Store a message's events; the answer follows when they are on the disk.

        Raises:
            DeliveryRefused: The message is malformed.
        """
        try:
            publication = read_publication(delivery.message, delivery.message_format)
        except DecodeError as error:
            raise DeliveryRefused("amqp:decode-error", str(error)) from error
        partition = self._target.choose(publication.partition_key)
        size = len(delivery.message)
        self.session.count_unsettled(size)

        def on_stored(problem: str | None) -> None:
            self.session.count_unsettled(-size)
            if problem is None:
                outcome: Accepted | Rejected = Accepted()
            else:
                outcome = Rejected(AmqpError("amqp:internal-error", problem))
            if not delivery.settled:
                self.session.settle(delivery.delivery_id, outcome)

        partition.submit(publication.events, on_stored)


class ReceiverLink(OutgoingLink):
    """Sends a partition's events to a client of a consumer group.

    Attributes:
        epoch: The client's owner level; None if it shares the partition.
    """

    def __init__(
        self, session: LinkSession, attach: Attach, max_message_bytes: int, source: ReceiverSource
    ) -> None:
        super().__init__(session, attach, max_message_bytes)
        epoch = (attach.properties or {}).get(EPOCH_PROPERTY)
        self.epoch = int(epoch) if isinstance(epoch, int) else None
        self._partition = source.partition
        self._audience = source.audience
        self._wants_metrics = RUNTIME_METRIC in (attach.desired_capabilities or ())
        position = read_filters(None if attach.source is None else attach.source.filters)
        self._next = first_sequence(position, self._partition.log, self._partition.end)
        self._audience.admit(self)
        self._partition.listen(self._on_news)

    def attached(self, attach: Attach) -> Attach:
        """Give the answer to the peer's attach."""
        answer = super().attached(attach)
        if not self._wants_metrics:
            return answer
        return replace(answer, offered_capabilities=(RUNTIME_METRIC,))

    def next_messages(self, max_events: int) -> Sequence[bytes | memoryview]:
        """Read the next events.

        Raises:
            LinkRefused: The disk failed.
        """
        try:
            first, messages = self._partition.read(self._next, max_events, CHUNK_BYTES)
        except OSError as error:
            _LOGGER.exception(
                "cannot read the log of %s/%s", self._partition.hub, self._partition.number
            )
            raise LinkRefused("amqp:internal-error", f"Events cannot be read: {error}.") from error
        self._next = first + len(messages)
        if not self._wants_metrics:
            return messages
        metrics = self._metrics()
        return [insert_delivery_annotations(message, metrics) for message in messages]

    def _on_news(self) -> None:
        self.session.schedule_pump()

    def _metrics(self) -> dict[str, object]:
        end = self._partition.end
        return {
            "last_enqueued_sequence_number": end.next_sequence - 1,
            "last_enqueued_offset": str(end.last_offset),
            "last_enqueued_time_utc": Timestamp(end.last_time),
            "runtime_info_retrieval_time_utc": Timestamp(now_ms()),
        }

    def evict(self, condition: str, description: str) -> None:
        """Detach with an error."""
        self.session.detach(self, condition, description)

    def closed(self) -> None:
        """Leave the audience."""
        self._audience.leave(self)
        self._partition.unlisten(self._on_news)


class ReplyLink(OutgoingLink):
    """Sends a node's answers to a client.

    Attributes:
        node: The node's address.
        target: The address by which a request may name this link.
    """

    def __init__(
        self, session: LinkSession, attach: Attach, max_message_bytes: int, node: str
    ) -> None:
        super().__init__(session, attach, max_message_bytes)
        self.node = node
        self.target = None if attach.target is None else attach.target.address
        self._answers: deque[bytes] = deque()

    def send(self, message: bytes) -> None:
        """Send an answer as soon as there is credit."""
        self._answers.append(message)
        self.session.schedule_pump()

    def next_messages(self, max_events: int) -> Sequence[bytes | memoryview]:
        """Take the next answers."""
        return [self._answers.popleft() for _ in range(min(max_events, len(self._answers)))]


class RequestLink(IncomingLink):
    """Takes requests to a node."""

    def __init__(
        self,
        session: LinkSession,
        attach: Attach,
        namespace: Namespace,
        node: Node,
        find_reply_link: Callable[[Request], ReplyLink],
    ) -> None:
        super().__init__(session, attach, namespace.config.max_message_bytes)
        self._namespace = namespace
        self._node = node
        self._find_reply_link = find_reply_link

    def on_message(self, delivery: Delivery) -> None:
        """Answer a request.

        Raises:
            DeliveryRefused: The message is malformed, or nobody listens for the answer.
        """
        try:
            request = read_request(delivery.message)
        except DecodeError as error:
            raise DeliveryRefused("amqp:decode-error", str(error)) from error
        reply_link = self._find_reply_link(request)
        reply_link.send(encode_answer(request, self._node(self._namespace, request)))
        if not delivery.settled:
            self.session.settle(delivery.delivery_id, Accepted())
