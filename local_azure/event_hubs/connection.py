"""A connection without its socket: SASL, opening, routing to sessions, idling, closing."""

import logging
import math
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from local_azure.event_hubs.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    MIN_MAX_FRAME_SIZE,
    SASL_HEADER,
    Frame,
    FrameReader,
    FrameType,
    encode_frame,
)
from local_azure.event_hubs.amqp.incoming import read_performative
from local_azure.event_hubs.amqp.performatives import (
    AmqpError,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
)
from local_azure.event_hubs.errors import ConnectionRefused, DecodeError, SessionRefused
from local_azure.event_hubs.namespace import Namespace
from local_azure.event_hubs.session import Session

_LOGGER = logging.getLogger(__name__)

CONTAINER_ID = "local-event-hubs"
MAX_FRAME_SIZE = 65_536
CHANNEL_MAX = 4_999
MECHANISMS = ("ANONYMOUS", "PLAIN", "EXTERNAL", "MSSBCBS")
# Reading stops above, and goes on below: the memory that one client's sends can take.
UNSETTLED_HIGH_BYTES = 16 * 1024 * 1024
UNSETTLED_LOW_BYTES = 4 * 1024 * 1024

_TLS_HANDSHAKE = 0x16


class Outlet(Protocol):
    """What a connection needs of its socket and of the event loop."""

    @property
    def writable(self) -> bool:
        """Whether the peer keeps up with reading."""

    def write(self, data: list[bytes | memoryview]) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Send what was written and close."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call back once the present input is dealt with."""

    def pause_reading(self) -> None:
        """Take no more input."""

    def resume_reading(self) -> None:
        """Take input again."""


class _Phase(Enum):
    HEADER = auto()
    SASL_INIT = auto()
    HEADER_AFTER_SASL = auto()
    OPENING = auto()
    OPEN = auto()
    CLOSED = auto()


class Connection:
    """One client's connection as a machine that bytes are put into.

    Attributes:
        namespace: The hubs.
        peer_max_frame_size: Largest frame that the peer takes, in bytes.
    """

    def __init__(
        self, namespace: Namespace, outlet: Outlet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.namespace = namespace
        self.peer_max_frame_size = MIN_MAX_FRAME_SIZE
        self._outlet = outlet
        self._clock = clock
        self._reader = FrameReader(MAX_FRAME_SIZE)
        self._phase = _Phase.HEADER
        self._sessions: dict[int, Session] = {}
        self._outbox: list[bytes | memoryview] = []
        self._pump_scheduled = False
        self._unsettled_bytes = 0
        self._reading_paused = False
        self._open_sent = False
        self._last_received = clock()
        self._last_sent = clock()
        self._keep_alive_seconds = math.inf

    @property
    def writable(self) -> bool:
        """Whether the peer keeps up with reading."""
        return self._phase is _Phase.OPEN and self._outlet.writable

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer; whatever is wrong with them, only this connection ends."""
        self._last_received = self._clock()
        self._reader.feed(data)
        try:
            self._advance()
        except ConnectionRefused as refused:
            self.close(refused.condition, refused.description)
        except DecodeError as error:
            self.close("amqp:decode-error", str(error))
        self.flush()

    def tick(self) -> None:
        """Send a sign of life if the peer wants one; close if it gives none itself."""
        now = self._clock()
        allowed = self.namespace.config.idle_timeout_seconds
        if now - self._last_received > allowed and not self._reading_paused:
            self.close(
                "amqp:connection:forced",
                f"The connection was inactive for more than the allowed {allowed * 1000:.0f} "
                "milliseconds and is closed by the server.",
            )
        elif self._phase is _Phase.OPEN and now - self._last_sent >= self._keep_alive_seconds:
            self._outbox.append(EMPTY_FRAME)
        self.flush()

    def close(self, condition: str, description: str) -> None:
        """Close with an error."""
        if self._phase is _Phase.CLOSED:
            return
        _LOGGER.info("closing a connection: %s: %s", condition, description)
        if self._phase in {_Phase.OPENING, _Phase.OPEN}:
            if not self._open_sent:
                self._send_open()
            self.send(0, Close(AmqpError(condition, description)))
        self._shut()
        self.flush()
        self._outlet.close()

    def lost(self) -> None:
        """Let go of everything: the socket is gone."""
        self._shut()

    def flush(self) -> None:
        """Hand what was written to the socket."""
        if self._outbox:
            outbox, self._outbox = self._outbox, []
            self._last_sent = self._clock()
            self._outlet.write(outbox)

    # What sessions ask for.

    def send(self, channel: int, performative: Performative) -> None:
        """Send a frame, at the latest with the next turn of the event loop."""
        if self._phase is not _Phase.CLOSED:
            self._outbox.append(encode_frame(channel, performative.encode()))
            self.schedule_pump()

    def send_raw(self, frame: bytes | memoryview) -> None:
        """Send a part of a frame that is encoded already."""
        self._outbox.append(frame)

    def schedule_pump(self) -> None:
        """Have the sessions send what they have, soon and once."""
        if not self._pump_scheduled:
            self._pump_scheduled = True
            self._outlet.call_soon(self._pump)

    def count_unsettled(self, size: int) -> None:
        """Count bytes that wait for the disk; above a limit no more are read."""
        self._unsettled_bytes += size
        if self._phase is _Phase.CLOSED:
            return
        if not self._reading_paused and self._unsettled_bytes > UNSETTLED_HIGH_BYTES:
            self._reading_paused = True
            self._outlet.pause_reading()
        elif self._reading_paused and self._unsettled_bytes < UNSETTLED_LOW_BYTES:
            self._reading_paused = False
            self._last_received = self._clock()
            self._outlet.resume_reading()

    # Inside.

    def _pump(self) -> None:
        self._pump_scheduled = False
        self.flush()
        progress = True
        while progress and self.writable:
            progress = False
            for session in tuple(self._sessions.values()):
                progress |= session.pump()
            self.flush()

    def _shut(self) -> None:
        self._phase = _Phase.CLOSED
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.ended = True
            session.close()

    def _advance(self) -> None:
        while self._phase is not _Phase.CLOSED:
            if self._phase in {_Phase.HEADER, _Phase.HEADER_AFTER_SASL}:
                header = self._reader.take_header()
                if header is None:
                    return
                self._on_header(header)
            else:
                frame = self._reader.take_frame()
                if frame is None:
                    return
                self._on_frame(frame)

    def _on_header(self, header: bytes) -> None:
        if header == AMQP_HEADER:
            self._outbox.append(AMQP_HEADER)
            self._phase = _Phase.OPENING
        elif header == SASL_HEADER and self._phase is _Phase.HEADER:
            self._outbox.append(SASL_HEADER)
            self._send_sasl(SaslMechanisms(MECHANISMS))
            self._phase = _Phase.SASL_INIT
        else:
            if header[0] == _TLS_HANDSHAKE:
                _LOGGER.warning(
                    "a client tried TLS; put UseDevelopmentEmulator=true into its connection string"
                )
            # The standard's answer to an unknown protocol: the one that is spoken here.
            self._outbox.append(SASL_HEADER)
            self._shut()
            self.flush()
            self._outlet.close()

    def _on_frame(self, frame: Frame) -> None:
        if self._phase is _Phase.SASL_INIT:
            self._on_sasl(frame)
            return
        if frame.kind is not FrameType.AMQP:
            raise ConnectionRefused(
                "amqp:connection:framing-error", "A SASL frame came after the authentication."
            )
        if not frame.body:
            return
        performative, payload_start = read_performative(frame.body)
        match performative:
            case Open() if self._phase is _Phase.OPENING and frame.channel == 0:
                self._on_open(performative)
            case Close():
                self.send(0, Close())
                self._shut()
                self.flush()
                self._outlet.close()
            case _ if self._phase is not _Phase.OPEN:
                raise ConnectionRefused("amqp:not-allowed", "A connection begins with an open.")
            case Begin():
                self._on_begin(frame.channel, performative)
            case End():
                self._on_end(frame.channel)
            case Attach() | Flow() | Transfer() | Disposition() | Detach():
                self._on_session_frame(frame, performative, payload_start)
            case _:
                raise ConnectionRefused(
                    "amqp:not-allowed", f"{type(performative).__name__} is not allowed here."
                )

    def _on_sasl(self, frame: Frame) -> None:
        performative, _ = read_performative(frame.body)
        if frame.kind is not FrameType.SASL or not isinstance(performative, SaslInit):
            raise ConnectionRefused("amqp:not-allowed", "Authentication begins with a sasl-init.")
        # On one machine there is nothing to guard: every identity is taken for what it says.
        if performative.mechanism in MECHANISMS:
            self._send_sasl(SaslOutcome(0))
            self._phase = _Phase.HEADER_AFTER_SASL
            return
        self._send_sasl(SaslOutcome(1))
        self._shut()
        self.flush()
        self._outlet.close()

    def _on_open(self, peer: Open) -> None:
        size = MAX_FRAME_SIZE if peer.max_frame_size is None else peer.max_frame_size
        if size < MIN_MAX_FRAME_SIZE:
            raise ConnectionRefused(
                "amqp:invalid-field",
                f"The max-frame-size {size} is below the standard's {MIN_MAX_FRAME_SIZE} bytes.",
            )
        self.peer_max_frame_size = size
        if peer.idle_time_out:
            self._keep_alive_seconds = peer.idle_time_out / 1000 / 2
        self._send_open()
        self._phase = _Phase.OPEN

    def _send_open(self) -> None:
        self._open_sent = True
        self.send(
            0,
            Open(
                CONTAINER_ID,
                max_frame_size=MAX_FRAME_SIZE,
                channel_max=CHANNEL_MAX,
                idle_time_out=int(self.namespace.config.idle_timeout_seconds * 1000),
            ),
        )

    def _send_sasl(self, performative: Performative) -> None:
        self._outbox.append(encode_frame(0, performative.encode(), FrameType.SASL))

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel > CHANNEL_MAX:
            raise ConnectionRefused(
                "amqp:connection:framing-error", f"The channel {channel} is above {CHANNEL_MAX}."
            )
        if channel in self._sessions:
            raise ConnectionRefused(
                "amqp:not-allowed", f"The channel {channel} has a session already."
            )
        self._sessions[channel] = Session(self, channel, begin)

    def _on_end(self, channel: int) -> None:
        session = self._sessions.pop(channel, None)
        if session is not None:
            session.end()

    def _on_session_frame(self, frame: Frame, performative: Performative, start: int) -> None:
        session = self._sessions.get(frame.channel)
        if session is None:
            if isinstance(performative, Detach):
                # The SDK detaches its links after it has ended their session.
                return
            raise ConnectionRefused(
                "amqp:not-allowed", f"The channel {frame.channel} has no session."
            )
        if session.ended:
            return
        try:
            session.on_performative(performative, frame.body[start:])
        except SessionRefused as refused:
            session.end(AmqpError(refused.condition, refused.description))
