"""The other end of a connection without sockets, with the SDK's codec as the judge."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from azure.eventhub._pyamqp._decode import decode_frame
from azure.eventhub._pyamqp._encode import encode_payload
from azure.eventhub._pyamqp.message import Message

from local_azure.event_hubs.amqp.frames import (
    AMQP_HEADER,
    FrameReader,
    encode_frame,
)
from local_azure.event_hubs.amqp.performatives import (
    Attach,
    Begin,
    Flow,
    Open,
    Performative,
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.connection import Connection
from local_azure.event_hubs.namespace import Namespace

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(16, 25)
SOURCE = "hub/ConsumerGroups/$Default/Partitions/0"
MAX_MESSAGE = 100_000

type Scenario = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The other end, and the socket between."""

    def __init__(self, namespace: Namespace) -> None:
        self.now = 0.0
        self.closed = False
        self.writable = True
        self.reading = True
        self._reader = FrameReader(1 << 20)
        self.connection = Connection(namespace, self, lambda: self.now)

    def write(self, data: list[bytes | memoryview]) -> None:
        self._reader.feed(b"".join(data))

    def close(self) -> None:
        self.closed = True

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def header(self) -> bytes | None:
        return self._reader.take_header()

    def frames(self) -> list[tuple[int, list[Any]]]:
        """The frames that came since the last call; empty ones have the code 0."""
        found = []
        while (frame := self._reader.take_frame()) is not None:
            found.append(decode_frame(memoryview(frame.body)) if frame.body else (0, []))
        return found

    def send(self, *performatives: Performative, channel: int = 1, payload: bytes = b"") -> None:
        for performative in performatives:
            self.connection.receive(encode_frame(channel, performative.encode() + payload))

    def open(self, **options: Any) -> None:
        self.connection.receive(AMQP_HEADER)
        assert self.header() == AMQP_HEADER
        self.send(Open("peer", **options), channel=0)

    def begin(self, incoming_window: int = 1000) -> None:
        self.open()
        self.send(Begin(None, 0, incoming_window, 1000))
        assert [code for code, _ in self.frames()] == [OPEN, BEGIN]

    def attach_publisher(self, handle: int = 1, address: str = "hub/Partitions/0") -> None:
        self.send(Attach(f"p{handle}", handle, role=False, source=Source(), target=Target(address)))

    def attach_receiver(self, handle: int = 2, **options: Any) -> None:
        options.setdefault("source", Source(SOURCE))
        self.send(Attach(f"r{handle}", handle, role=True, target=Target("me"), **options))

    def credit(self, handle: int, credit: int, count: int = 0, **flow: Any) -> None:
        window = flow.pop("window", 1000)
        self.send(
            Flow(
                flow.pop("next_incoming_id", 0),
                window,
                0,
                1000,
                handle=handle,
                delivery_count=count,
                link_credit=credit,
                **flow,
            )
        )

    async def settled(self, at_least: int = 1) -> list[tuple[int, list[Any]]]:
        """Let the server work until it has said something and then nothing more.

        Gives its frames: none only after it was silent for a while.
        """
        found = self.frames()
        quiet = 0
        while quiet < (2 if len(found) >= at_least else 40 * at_least):
            await asyncio.sleep(0.005)
            more = self.frames()
            found += more
            quiet = 0 if more else quiet + 1
        return found

    async def publish(self, *bodies: bytes) -> None:
        for number, body in enumerate(bodies):
            self.send(Transfer(1, number, b"%d" % number, 0), payload=message(body))
        outcomes = 0
        while outcomes < len(bodies):
            await asyncio.sleep(0.002)
            outcomes += sum(code == DISPOSITION for code, _ in self.frames())


def message(body: bytes) -> bytes:
    output = bytearray()
    encode_payload(output, Message(data=[body]))
    return bytes(output)


def transfers(frames: list[tuple[int, list[Any]]]) -> list[list[Any]]:
    return [fields for code, fields in frames if code == TRANSFER]


def codes(frames: list[tuple[int, list[Any]]]) -> list[int]:
    return [code for code, _ in frames]
