"""The ends of links, as far as all kinds share them: assembling, credit, detaching."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from local_azure.event_hubs.amqp.performatives import (
    MAX_UINT,
    Accepted,
    AmqpError,
    Attach,
    Flow,
    Rejected,
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.errors import DeliveryRefused, LinkRefused

# What the server lets a publisher have under way on one link. The SDK sets its own credit and
# does not wait for this; what really holds it back is that reading stops, see Connection.
INCOMING_CREDIT = 1000
# Read from disk and queued in one go.
CHUNK_BYTES = 256 * 1024


class LinkSession(Protocol):
    """What a link needs of its session."""

    def send_link_flow(self, flow: "LinkFlow") -> None:
        """Tell the peer about a link's credit."""

    def settle(self, delivery_id: int, outcome: Accepted | Rejected) -> None:
        """Tell the peer what became of its delivery."""

    def detach(self, link: "Link", condition: str, description: str) -> None:
        """Detach a link with an error."""

    def schedule_pump(self) -> None:
        """Have the links send what they have, soon."""

    def count_unsettled(self, size: int) -> None:
        """Add to, or with a negative size take from, the bytes that wait for the disk."""


@dataclass(frozen=True, slots=True)
class LinkFlow:
    """A link's side of a flow frame."""

    handle: int
    delivery_count: int
    link_credit: int
    drain: bool = False
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that arrived whole."""

    delivery_id: int
    settled: bool
    message_format: int
    message: bytes


class Link(ABC):
    """One end of a link.

    Attributes:
        name: The link's name, from the peer.
        handle: The link's number in its session, the same in both directions.
    """

    def __init__(self, session: LinkSession, attach: Attach) -> None:
        self.session = session
        self.name = attach.name
        self.handle = attach.handle

    @abstractmethod
    def attached(self, attach: Attach) -> Attach:
        """Give the answer to the peer's attach."""

    def opened(self) -> None:  # noqa: B027 - most kinds have nothing to do here
        """Do what follows the answer to the attach."""

    @abstractmethod
    def on_flow(self, flow: Flow) -> None:
        """Take note of the peer's flow frame."""

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Take a transfer frame.

        Raises:
            LinkRefused: The peer may not send here, or what it sends is wrong.
        """
        del transfer, payload
        raise LinkRefused("amqp:not-allowed", "Messages cannot be sent on a receiving link.")

    def closed(self) -> None:  # noqa: B027 - most kinds have nothing to do here
        """Let go of everything; the link is detached."""


class IncomingLink(Link):
    """The server's end of a link on which the peer sends messages."""

    def __init__(self, session: LinkSession, attach: Attach, max_message_bytes: int) -> None:
        super().__init__(session, attach)
        self._max_message_bytes = max_message_bytes
        self._delivery_count = attach.initial_delivery_count or 0
        self._credit = 0
        self._first: Transfer | None = None
        self._parts = bytearray()
        self._discarding = False

    @abstractmethod
    def on_message(self, delivery: Delivery) -> None:
        """Take a whole message.

        Raises:
            DeliveryRefused: The message is answered with a rejection.
        """

    def attached(self, attach: Attach) -> Attach:
        """Give the answer to the peer's attach."""
        return Attach(
            attach.name,
            attach.handle,
            role=True,
            snd_settle_mode=attach.snd_settle_mode,
            rcv_settle_mode=0,
            source=attach.source or Source(),
            target=attach.target or Target(),
            max_message_size=self._max_message_bytes,
        )

    def opened(self) -> None:
        """Grant the first credit."""
        self._grant()

    def on_flow(self, flow: Flow) -> None:
        """Take note of the peer's count of deliveries."""
        if flow.delivery_count is not None:
            self._delivery_count = flow.delivery_count
        if flow.echo:
            self._grant()

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Assemble a message from its frames.

        Raises:
            LinkRefused: A settled message is too large, or its first frame has no number.
        """
        first = self._first or transfer
        if first.delivery_id is None:
            raise LinkRefused(
                "amqp:invalid-field", "The first transfer of a delivery needs a delivery-id."
            )
        settled = bool(first.settled or transfer.settled)
        if not self._discarding and len(self._parts) + len(payload) > self._max_message_bytes:
            self._refuse_size(first.delivery_id, settled=settled)
        if transfer.aborted or (self._discarding and not transfer.more):
            self._end_delivery()
            return
        if transfer.more:
            self._first = first
            if not self._discarding:
                self._parts += payload
            return
        message = bytes(self._parts + payload) if self._parts else payload
        self._end_delivery()
        delivery = Delivery(first.delivery_id, settled, first.message_format or 0, message)
        try:
            self.on_message(delivery)
        except DeliveryRefused as refused:
            if not settled:
                error = AmqpError(refused.condition, refused.description)
                self.session.settle(delivery.delivery_id, Rejected(error))

    def _refuse_size(self, delivery_id: int, *, settled: bool) -> None:
        condition = "amqp:link:message-size-exceeded"
        description = (
            f"The received message (delivery-id:{delivery_id}) exceeds the limit "
            f"({self._max_message_bytes} bytes) currently allowed on the link."
        )
        if settled:
            raise LinkRefused(condition, description)
        # A rejection reaches the caller of the SDK with its reason; of a detached link the SDK
        # only says "unknown error", and the next, innocent send suffers from it.
        self.session.settle(delivery_id, Rejected(AmqpError(condition, description)))
        self._discarding = True
        self._parts = bytearray()

    def _end_delivery(self) -> None:
        self._first = None
        self._parts = bytearray()
        self._discarding = False
        self._delivery_count = (self._delivery_count + 1) & MAX_UINT
        self._credit -= 1
        if self._credit <= INCOMING_CREDIT // 2:
            self._grant()

    def _grant(self) -> None:
        self._credit = INCOMING_CREDIT
        self.session.send_link_flow(LinkFlow(self.handle, self._delivery_count, self._credit))


class OutgoingLink(Link):
    """The server's end of a link on which the peer receives messages, settled when sent."""

    def __init__(self, session: LinkSession, attach: Attach, max_message_bytes: int) -> None:
        super().__init__(session, attach)
        self._max_message_bytes = max_message_bytes
        self._delivery_count = 0
        self._credit = 0
        self._drain = False

    @abstractmethod
    def next_messages(self, max_events: int) -> Sequence[bytes | memoryview]:
        """Take up to ``max_events`` messages that are ready to be sent.

        Raises:
            LinkRefused: They cannot be had.
        """

    def attached(self, attach: Attach) -> Attach:
        """Give the answer to the peer's attach."""
        return Attach(
            attach.name,
            attach.handle,
            role=False,
            snd_settle_mode=1,
            rcv_settle_mode=0,
            source=attach.source or Source(),
            target=attach.target or Target(),
            initial_delivery_count=0,
            max_message_size=self._max_message_bytes,
        )

    def on_flow(self, flow: Flow) -> None:
        """Take note of the peer's credit."""
        if flow.link_credit is not None:
            # A receiver that has not seen our attach yet does not know our count: it began at 0.
            seen = flow.delivery_count or 0
            credit = (seen + flow.link_credit - self._delivery_count) & MAX_UINT
            # Credit that was withdrawn below what is under way comes out "negative".
            self._credit = credit if credit <= MAX_UINT // 2 else 0
        self._drain = bool(flow.drain)
        if flow.echo:
            self._report()
        self.session.schedule_pump()

    def take(self) -> Sequence[bytes | memoryview]:
        """Take what the credit allows to send now; the peer's wish to drain is met here.

        Raises:
            LinkRefused: The messages cannot be had.
        """
        messages = self.next_messages(self._credit) if self._credit else ()
        self._credit -= len(messages)
        self._delivery_count = (self._delivery_count + len(messages)) & MAX_UINT
        return messages

    def finish_drain(self) -> None:
        """Use up the credit if the peer asked for that; call when nothing is left to send."""
        if self._drain and self._credit:
            self._delivery_count = (self._delivery_count + self._credit) & MAX_UINT
            self._credit = 0
            self._report()

    def _report(self) -> None:
        self.session.send_link_flow(
            LinkFlow(
                self.handle, self._delivery_count, self._credit, drain=self._drain, available=0
            )
        )
