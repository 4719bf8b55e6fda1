"""A session: windows, and the links inside it (part 2, sections 2.5 and 2.6 of the standard)."""

from collections import deque
from typing import Protocol

from local_azure.event_hubs.amqp.performatives import (
    MAX_UINT,
    Accepted,
    AmqpError,
    Attach,
    Begin,
    Detach,
    Disposition,
    End,
    Flow,
    Performative,
    Rejected,
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.amqp.transfers import transfer_frames
from local_azure.event_hubs.endpoints import PublisherLink, ReceiverLink, ReplyLink, RequestLink
from local_azure.event_hubs.errors import DeliveryRefused, LinkRefused, SessionRefused
from local_azure.event_hubs.links import Link, LinkFlow, OutgoingLink
from local_azure.event_hubs.namespace import Namespace, strip_host
from local_azure.event_hubs.nodes import NODES, Request

# As the service announces them.
INCOMING_WINDOW = 5000
HANDLE_MAX = 255


class SessionHost(Protocol):
    """What a session needs of its connection.

    Attributes:
        namespace: The hubs.
        peer_max_frame_size: Largest frame that the peer takes, in bytes.
    """

    namespace: Namespace
    peer_max_frame_size: int

    @property
    def writable(self) -> bool:
        """Whether the peer keeps up with reading."""

    def send(self, channel: int, performative: Performative) -> None:
        """Send a frame."""

    def send_raw(self, frame: bytes | memoryview) -> None:
        """Send a part of a frame that is encoded already."""

    def schedule_pump(self) -> None:
        """Have the sessions send what they have, soon."""

    def count_unsettled(self, size: int) -> None:
        """Add to the bytes that wait for the disk."""


class Session:
    """One session of a connection.

    Attributes:
        channel: Its number, the same in both directions.
        ended: Whether the server has ended it: what still comes in is thrown away.
    """

    def __init__(self, host: SessionHost, channel: int, begin: Begin) -> None:
        self.channel = channel
        self.ended = False
        self._host = host
        self._links: dict[int, Link] = {}
        # Handles that the server detached, until the peer has said so too.
        self._detaching: set[int] = set()
        self._next_incoming_id = begin.next_outgoing_id
        self._incoming_window = INCOMING_WINDOW
        self._next_outgoing_id = 0
        self._peer_window = begin.incoming_window
        self._next_delivery_id = 0
        # Frames that were cut but wait for the peer's window, in order, with their link's handle.
        self._frames: deque[tuple[int, bytes, bytes | memoryview]] = deque()
        self._host.send(
            channel,
            Begin(
                remote_channel=channel,
                next_outgoing_id=0,
                incoming_window=INCOMING_WINDOW,
                outgoing_window=INCOMING_WINDOW,
                handle_max=HANDLE_MAX,
            ),
        )

    def on_performative(self, performative: Performative, payload: bytes) -> None:
        """Take a frame of this session.

        Raises:
            SessionRefused: The peer broke a rule of sessions.
        """
        match performative:
            case Transfer():
                self._on_transfer(performative, payload)
            case Flow():
                self._on_flow(performative)
            case Attach():
                self._on_attach(performative)
            case Detach():
                self._on_detach(performative)
            case Disposition():
                # Everything is sent settled, so that no outcome changes anything.
                pass
            case _:
                raise SessionRefused(
                    "amqp:not-allowed",
                    f"{type(performative).__name__} is not allowed inside a session.",
                )

    def end(self, error: AmqpError | None = None) -> None:
        """End the session from the server's side."""
        if not self.ended:
            self.ended = True
            self.close()
            self._host.send(self.channel, End(error))

    def close(self) -> None:
        """Let go of every link."""
        links, self._links = self._links, {}
        self._frames.clear()
        for link in links.values():
            link.closed()

    # What links ask for.

    def send_link_flow(self, flow: LinkFlow) -> None:
        """Tell the peer about a link's credit and the session's windows."""
        self._host.send(
            self.channel,
            Flow(
                self._next_incoming_id,
                self._incoming_window,
                self._next_outgoing_id,
                INCOMING_WINDOW,
                handle=flow.handle,
                delivery_count=flow.delivery_count,
                link_credit=flow.link_credit,
                available=flow.available,
                drain=flow.drain,
                echo=False,
            ),
        )

    def settle(self, delivery_id: int, outcome: Accepted | Rejected) -> None:
        """Tell the peer what became of its delivery."""
        if not self.ended:
            self._host.send(
                self.channel,
                Disposition(
                    role=True, first=delivery_id, last=delivery_id, settled=True, state=outcome
                ),
            )

    def detach(self, link: Link, condition: str, description: str) -> None:
        """Detach a link with an error."""
        if link.handle in self._links:
            self._forget(link)
            self._detaching.add(link.handle)
            self._send_detach(link.handle, AmqpError(condition, description))

    def schedule_pump(self) -> None:
        """Have the links send what they have, soon."""
        self._host.schedule_pump()

    def count_unsettled(self, size: int) -> None:
        """Add to the bytes that wait for the disk."""
        self._host.count_unsettled(size)

    # Sending.

    def pump(self) -> bool:
        """Send what the windows allow of what the links have.

        Returns:
            Whether anything was sent, so that asking again may send more.
        """
        progress = self._send_frames()
        for link in tuple(self._links.values()):
            if self._frames or not self._host.writable:
                break
            if isinstance(link, OutgoingLink):
                progress |= self._pump_link(link)
        return progress

    def _pump_link(self, link: OutgoingLink) -> bool:
        try:
            messages = link.take()
        except LinkRefused as refused:
            self.detach(link, refused.condition, refused.description)
            return False
        for message in messages:
            frames = transfer_frames(
                self.channel,
                link.handle,
                self._next_delivery_id,
                message,
                self._host.peer_max_frame_size,
            )
            self._frames.extend((link.handle, head, payload) for head, payload in frames)
            self._next_delivery_id = (self._next_delivery_id + 1) & MAX_UINT
        self._send_frames()
        if not messages:
            link.finish_drain()
        return bool(messages)

    def _send_frames(self) -> bool:
        sent = min(len(self._frames), self._peer_window)
        for _ in range(sent):
            _, head, payload = self._frames.popleft()
            self._host.send_raw(head)
            self._host.send_raw(payload)
        self._peer_window -= sent
        self._next_outgoing_id = (self._next_outgoing_id + sent) & MAX_UINT
        return sent > 0

    # Receiving.

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        self._next_incoming_id = (self._next_incoming_id + 1) & MAX_UINT
        # The SDK counts deliveries here, not frames: so the window is topped up early and never
        # held against the peer.
        self._incoming_window -= 1
        if self._incoming_window <= INCOMING_WINDOW // 2:
            self._incoming_window = INCOMING_WINDOW
            self._send_session_flow()
        link = self._find_link(transfer.handle)
        if link is None:
            return
        try:
            link.on_transfer(transfer, payload)
        except LinkRefused as refused:
            self.detach(link, refused.condition, refused.description)

    def _on_flow(self, flow: Flow) -> None:
        # A peer that has not seen our begin yet does not know our first id: it is 0.
        expected = flow.next_incoming_id or 0
        window = (expected + flow.incoming_window - self._next_outgoing_id) & MAX_UINT
        self._peer_window = window if window <= MAX_UINT // 2 else 0
        if flow.handle is not None:
            link = self._find_link(flow.handle)
            if link is not None:
                link.on_flow(flow)
        elif flow.echo:
            self._send_session_flow()
        self._host.schedule_pump()

    def _on_attach(self, attach: Attach) -> None:
        if attach.handle > HANDLE_MAX:
            raise SessionRefused(
                "amqp:not-allowed", f"The handle {attach.handle} is above {HANDLE_MAX}."
            )
        if attach.handle in self._links or attach.handle in self._detaching:
            raise SessionRefused(
                "amqp:session:handle-in-use", f"The handle {attach.handle} has a link already."
            )
        try:
            link = self._create_link(attach)
        except LinkRefused as refused:
            self._refuse(attach, refused)
            return
        self._links[attach.handle] = link
        self._host.send(self.channel, link.attached(attach))
        link.opened()

    def _refuse(self, attach: Attach, refused: LinkRefused) -> None:
        # The standard has a refusal answer the attach first; the SDK wants source and target
        # there although a null would say that there is none.
        answer = Attach(
            attach.name,
            attach.handle,
            role=not attach.role,
            source=attach.source or Source(),
            target=attach.target or Target(),
            initial_delivery_count=0 if attach.role else None,
        )
        self._host.send(self.channel, answer)
        self._detaching.add(attach.handle)
        self._send_detach(attach.handle, AmqpError(refused.condition, refused.description))

    def _create_link(self, attach: Attach) -> Link:
        namespace = self._host.namespace
        limit = namespace.config.max_message_bytes
        end = attach.source if attach.role else attach.target
        address = None if end is None else end.address
        if not isinstance(address, str):
            raise LinkRefused(
                "amqp:invalid-field",
                "A link needs the address of what it sends to or receives from, as a string.",
            )
        name = strip_host(address).rpartition("/")[2]
        node = NODES.get(name)
        if attach.role:
            if node is not None:
                return ReplyLink(self, attach, limit, name)
            return ReceiverLink(self, attach, limit, namespace.find_source(address))
        if node is not None:
            return RequestLink(
                self, attach, namespace, node, lambda request: self._find_reply(name, request)
            )
        return PublisherLink(self, attach, limit, namespace.find_target(address))

    def _find_reply(self, node: str, request: Request) -> ReplyLink:
        links = [
            link
            for link in self._links.values()
            if isinstance(link, ReplyLink) and link.node == node
        ]
        for link in links:
            if link.target == request.reply_to:
                return link
        # The SDK names no address to reply to: its session has one pair of links for each node.
        if not links:
            raise DeliveryRefused(
                "amqp:not-allowed", f"Nobody receives answers from {node} on this session."
            )
        return links[0]

    def _on_detach(self, detach: Detach) -> None:
        if detach.handle in self._detaching:
            self._detaching.discard(detach.handle)
            return
        link = self._links.get(detach.handle)
        if link is None:
            raise _unattached(detach.handle)
        self._forget(link)
        self._send_detach(detach.handle, None)

    def _forget(self, link: Link) -> None:
        del self._links[link.handle]
        self._frames = deque(frame for frame in self._frames if frame[0] != link.handle)
        link.closed()

    def _find_link(self, handle: int) -> Link | None:
        """Find a link; None if it is being detached, so that its frames are thrown away."""
        if handle in self._detaching:
            return None
        link = self._links.get(handle)
        if link is None:
            raise _unattached(handle)
        return link

    def _send_detach(self, handle: int, error: AmqpError | None) -> None:
        self._host.send(self.channel, Detach(handle, closed=True, error=error))

    def _send_session_flow(self) -> None:
        self._host.send(
            self.channel,
            Flow(
                self._next_incoming_id,
                self._incoming_window,
                self._next_outgoing_id,
                INCOMING_WINDOW,
            ),
        )


def _unattached(handle: int) -> SessionRefused:
    return SessionRefused(
        "amqp:session:unattached-handle", f"No link is attached to the handle {handle}."
    )
