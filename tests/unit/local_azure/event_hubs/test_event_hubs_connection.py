"""A connection as a machine: frames in, frames out, with the SDK's codec on the other side."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub._pyamqp._decode import decode_frame, decode_payload
from azure.eventhub._pyamqp._encode import encode_payload
from azure.eventhub._pyamqp.message import Message, Properties

from local_azure.event_hubs.amqp.encode import encode, encode_described_list
from local_azure.event_hubs.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    SASL_HEADER,
    FrameReader,
    FrameType,
    encode_frame,
)
from local_azure.event_hubs.amqp.performatives import (
    Accepted,
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
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.amqp.types import Described, Symbol
from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.connection import UNSETTLED_HIGH_BYTES, Connection
from local_azure.event_hubs.log.partition_log import PartitionLog
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


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Scenario], None]:
    def run(scenario: Scenario) -> None:
        async def main() -> None:
            config = EventHubsConfig(
                (HubConfig("hub", 1),), max_message_bytes=MAX_MESSAGE, idle_timeout_seconds=60
            )
            namespace = Namespace.open(config, tmp_path)
            peer = Peer(namespace)
            try:
                await scenario(peer)
            finally:
                peer.connection.lost()
                await namespace.close()

        asyncio.run(main())

    return run


@pytest.mark.parametrize("mechanism", ["ANONYMOUS", "PLAIN", "EXTERNAL", "MSSBCBS"])
def test_every_mechanism_of_the_sdk_is_accepted(
    run: Callable[[Scenario], None], mechanism: str
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.connection.receive(SASL_HEADER)
        assert peer.header() == SASL_HEADER
        ((code, (mechanisms,)),) = peer.frames()
        assert code == 0x40
        assert mechanism.encode() in mechanisms
        init = SaslInit(mechanism, b"\0user\0secret").encode()
        peer.connection.receive(encode_frame(0, init, FrameType.SASL))
        ((code, (result, _)),) = peer.frames()
        assert (code, result) == (0x44, 0)
        peer.open()
        assert codes(peer.frames()) == [OPEN]

    run(scenario)


def test_an_unknown_mechanism_is_refused(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.connection.receive(SASL_HEADER)
        peer.header()
        peer.frames()
        init = SaslInit("GSSAPI").encode()
        peer.connection.receive(encode_frame(0, init, FrameType.SASL))
        ((_, (result, _)),) = peer.frames()
        assert result == 1
        assert peer.closed

    run(scenario)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"])
def test_another_protocol_is_answered_with_the_one_that_is_spoken(
    run: Callable[[Scenario], None], first: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.connection.receive(first)
        assert peer.header() == SASL_HEADER
        assert peer.closed

    run(scenario)

    assert ("UseDevelopmentEmulator=true" in caplog.text) == (first[0] == 0x16)


@pytest.mark.parametrize(
    ("raw", "condition", "reason"),
    [
        (b"\x00\x00\x00\x04\x02\x00\x00\x00", b"amqp:decode-error", "4 bytes"),
        (b"\x7f\xff\xff\xff\x02\x00\x00\x00", b"amqp:decode-error", "at most 65536"),
        (encode_frame(0, b"\x3f"), b"amqp:decode-error", "no AMQP constructor"),
        (encode_frame(1, Begin(None, 0, 1, 1).encode()), b"amqp:not-allowed", "has a session"),
        (encode_frame(5000, Begin(None, 0, 1, 1).encode()), b"amqp:connection:framing-error", ""),
        (encode_frame(7, Flow(0, 1, 0, 1).encode()), b"amqp:not-allowed", "has no session"),
        (encode_frame(0, Open("again").encode()), b"amqp:not-allowed", "Open is not allowed"),
        (encode_frame(0, b"", FrameType.SASL), b"amqp:connection:framing-error", "SASL"),
    ],
)
def test_a_frame_against_the_rules_closes_the_connection_with_the_reason(
    run: Callable[[Scenario], None], raw: bytes, condition: bytes, reason: str
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.connection.receive(raw)
        ((code, (error,)),) = peer.frames()
        assert code == CLOSE
        assert error[0] == condition
        assert reason in error[1].decode()
        assert peer.closed
        peer.connection.receive(raw)
        assert peer.frames() == []

    run(scenario)


def test_a_frame_before_the_open_is_refused_after_an_open(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.connection.receive(AMQP_HEADER)
        peer.header()
        peer.send(Begin(None, 0, 1, 1))
        assert codes(peer.frames()) == [OPEN, CLOSE]

    run(scenario)


def test_a_max_frame_size_below_the_standard_is_refused(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.open(max_frame_size=100)
        _, (code, (error,)) = peer.frames()
        assert (code, error[0]) == (CLOSE, b"amqp:invalid-field")

    run(scenario)


def test_a_close_is_answered(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.send(Close(), channel=0)
        assert peer.frames() == [(CLOSE, [None])]
        assert peer.closed

    run(scenario)


def test_signs_of_life_are_sent_at_half_the_time_that_the_peer_allows(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.open(idle_time_out=10_000)
        peer.frames()
        peer.now = 4.9
        peer.connection.tick()
        assert peer.frames() == []
        peer.now = 5.0
        peer.connection.tick()
        assert peer.frames() == [(0, [])]

    run(scenario)


def test_a_silent_peer_is_disconnected_and_an_empty_frame_is_life(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.now = 59.0
        peer.connection.receive(EMPTY_FRAME)
        peer.now = 118.0
        peer.connection.tick()
        assert not peer.closed
        peer.now = 119.5
        peer.connection.tick()
        ((code, (error,)),) = peer.frames()
        assert (code, error[0]) == (CLOSE, b"amqp:connection:forced")
        assert b"60000 milliseconds" in error[1]
        assert peer.closed

    run(scenario)


def test_a_published_message_is_accepted_and_received(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.attach_receiver()
        peer.credit(2, 10)
        attached = peer.frames()
        assert codes(attached) == [ATTACH, FLOW, ATTACH]
        assert attached[0][1][10] == MAX_MESSAGE
        assert attached[1][1][6] == 1000
        peer.send(Transfer(1, 7, b"t", 0), payload=message(b"one"))
        frames = await peer.settled()
        assert sorted(codes(frames)) == [TRANSFER, DISPOSITION]
        (disposition,) = [fields for code, fields in frames if code == DISPOSITION]
        assert disposition[:5] == [True, 7, 7, True, {"accepted": []}]
        (transfer,) = transfers(frames)
        assert transfer[0] == 2
        assert transfer[4]
        assert bytes(transfer[11]).endswith(message(b"one"))

    run(scenario)


def test_a_settled_message_is_stored_without_an_answer(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.attach_receiver()
        peer.credit(2, 10)
        peer.frames()
        peer.send(Transfer(1, 0, b"t", 0, settled=True), payload=message(b"one"))
        assert codes(await peer.settled()) == [TRANSFER]

    run(scenario)


def test_a_message_in_parts_is_put_together_and_an_aborted_one_forgotten(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.attach_receiver()
        peer.credit(2, 10)
        peer.frames()
        whole = message(b"whole" * 100)
        peer.send(Transfer(1, 0, b"t", 0, more=True), payload=b"junk")
        peer.send(Transfer(1, aborted=True))
        peer.send(Transfer(1, 1, b"t", 0, more=True), payload=whole[:100])
        peer.send(Transfer(1, more=True), payload=whole[100:200])
        peer.send(Transfer(1), payload=whole[200:])
        frames = await peer.settled()
        (transfer,) = transfers(frames)
        assert bytes(transfer[11]).endswith(whole)
        assert [fields[1] for code, fields in frames if code == DISPOSITION] == [1]

    run(scenario)


def test_a_message_that_is_too_large_is_rejected_once_and_the_next_is_taken(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        for _ in range(3):
            peer.send(Transfer(1, 0, b"t", 0, more=True), payload=b"x" * 60_000)
        peer.send(Transfer(1, 0, b"t", 0), payload=b"x")
        ((code, fields),) = peer.frames()
        assert code == DISPOSITION
        assert fields[4]["rejected"][0][0] == b"amqp:link:message-size-exceeded"
        peer.send(Transfer(1, 1, b"t", 0), payload=message(b"fits"))
        ((_, fields),) = await peer.settled()
        assert (fields[1], fields[4]) == (1, {"accepted": []})

    run(scenario)


def test_a_settled_message_that_is_too_large_detaches_the_link(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        for _ in range(2):
            peer.send(Transfer(1, 0, b"t", 0, settled=True, more=True), payload=b"x" * 60_000)
        ((code, fields),) = peer.frames()
        assert (code, fields[2][0]) == (DETACH, b"amqp:link:message-size-exceeded")
        # What was under way is thrown away until the peer has detached too; then the handle is
        # free.
        peer.send(Transfer(1, more=True), payload=b"x")
        peer.send(Detach(1, closed=True))
        peer.attach_publisher()
        assert codes(peer.frames()) == [ATTACH, FLOW]

    run(scenario)


@pytest.mark.parametrize("more", [False, True])
def test_a_malformed_message_is_rejected_alone(
    run: Callable[[Scenario], None], *, more: bool
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        peer.send(Transfer(1, 0, b"t", 0, more=more), payload=b"junk")
        if more:
            peer.send(Transfer(1), payload=b"junk")
        peer.send(Transfer(1, 1, b"t", 0), payload=message(b"good"))
        first, second = await peer.settled(at_least=2)
        assert first[1][1] == 0
        assert first[1][4]["rejected"][0][0] == b"amqp:decode-error"
        assert (second[1][1], second[1][4]) == (1, {"accepted": []})

    run(scenario)


def test_a_delivery_without_a_number_detaches_the_link(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        peer.send(Transfer(1), payload=message(b"x"))
        ((code, fields),) = peer.frames()
        assert (code, fields[2][0]) == (DETACH, b"amqp:invalid-field")

    run(scenario)


@pytest.mark.parametrize(
    ("attach", "condition", "reason"),
    [
        (Attach("x", 3, role=False, target=Target("nope")), "amqp:not-found", "are: hub"),
        (Attach("x", 3, role=False, target=Target("hub/a/b")), "amqp:not-found", "expected HUB"),
        (Attach("x", 3, role=True, source=Source("hub")), "amqp:not-found", "expected HUB/Cons"),
        (Attach("x", 3, role=True), "amqp:invalid-field", "address"),
        (Attach("x", 3, role=False, target=Target(7)), "amqp:invalid-field", "address"),
        (
            Attach("x", 3, role=False, target=Target("sb://host/hub/Partitions/4")),
            "amqp:not-found",
            "0 to 0",
        ),
        (
            Attach("x", 3, role=True, source=Source("hub/ConsumerGroups/g/Partitions/0")),
            "amqp:not-found",
            "are: $Default",
        ),
        (
            Attach("x", 3, role=True, source=Source(SOURCE, filters={Symbol("f"): "text"})),
            "amqp:not-implemented",
            "'f'",
        ),
    ],
)
def test_a_refused_link_is_attached_with_source_and_target_and_detached_with_the_reason(
    run: Callable[[Scenario], None], attach: Attach, condition: str, reason: str
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.send(attach)
        (first, attached), (second, detached) = peer.frames()
        assert (first, second) == (ATTACH, DETACH)
        assert attached[:3] == [b"x", 3, not attach.role]
        assert attached[5]
        assert attached[6]
        assert detached[1]
        assert detached[2][0] == condition.encode()
        assert reason in detached[2][1].decode()

    run(scenario)


def test_credit_and_session_window_are_both_kept(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        await peer.publish(*[b"%d" % n for n in range(20)])
        peer.attach_receiver()
        peer.credit(2, 4)
        frames = await peer.settled()
        assert [f[1] for f in transfers(frames)] == [0, 1, 2, 3]
        peer.credit(2, 10, count=4, next_incoming_id=4, window=3)
        assert [f[1] for f in transfers(await peer.settled())] == [4, 5, 6]
        peer.send(Flow(7, 2, 0, 1000))
        assert [f[1] for f in transfers(await peer.settled())] == [7, 8]
        peer.credit(2, 1, count=9, next_incoming_id=9, window=1000)
        frames = await peer.settled()
        # Ten were granted and taken before the credit went down; their window came later.
        assert [f[1] for f in transfers(frames)] == [9, 10, 11, 12, 13]

    run(scenario)


def test_a_large_message_waits_for_the_window_in_the_middle(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.open(max_frame_size=512)
        peer.send(Begin(None, 0, 2, 1000))
        peer.attach_publisher()
        await peer.publish(b"x" * 2000)
        peer.attach_receiver()
        peer.credit(2, 10, window=2)
        first = transfers(await peer.settled())
        assert [fields[5] for fields in first] == [True, True]
        peer.send(Flow(2, 100, 0, 1000))
        rest = transfers(await peer.settled())
        assert [fields[5] for fields in rest] == [True] * (len(rest) - 1) + [False]
        payload = b"".join(bytes(fields[11]) for fields in first + rest)
        assert payload.endswith(message(b"x" * 2000))

    run(scenario)


def test_a_detached_receiver_gets_nothing_of_what_waited_for_the_window(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin(incoming_window=1)
        peer.attach_publisher()
        await peer.publish(b"1", b"2", b"3")
        peer.attach_receiver()
        peer.credit(2, 10, window=1)
        assert len(transfers(await peer.settled())) == 1
        peer.send(Detach(2, closed=True))
        peer.send(Flow(1, 100, 0, 1000, echo=True))
        assert codes(await peer.settled()) == [DETACH, FLOW]

    run(scenario)


def test_draining_uses_the_credit_up(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        await peer.publish(b"1", b"2")
        peer.attach_receiver()
        peer.credit(2, 10, drain=True)
        frames = await peer.settled()
        assert codes(frames) == [ATTACH, TRANSFER, TRANSFER, FLOW]
        flow = frames[-1][1]
        assert (flow[4], flow[5], flow[6], flow[8]) == (2, 10, 0, True)

    run(scenario)


@pytest.mark.parametrize("handle", [1, 2])
def test_a_flow_that_wants_an_echo_gets_one(run: Callable[[Scenario], None], handle: int) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.attach_receiver()
        peer.frames()
        peer.credit(handle, 5, echo=True)
        ((code, fields),) = await peer.settled()
        assert (code, fields[4]) == (FLOW, handle)

    run(scenario)


def test_a_publishers_credit_is_renewed(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        for number in range(600):
            peer.send(Transfer(1, number, b"t", 0, settled=True), payload=message(b"x"))
        flows = [fields for code, fields in await peer.settled() if code == FLOW]
        assert [(fields[5], fields[6]) for fields in flows] == [(500, 1000)]

    run(scenario)


def test_the_session_window_is_renewed(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        for _ in range(2600):
            peer.send(Transfer(1, 0, b"t", 0, more=True))
        ((code, fields),) = peer.frames()
        assert (code, fields[0], fields[1]) == (FLOW, 2500, 5000)

    run(scenario)


def test_reading_stops_while_too_much_waits_for_the_disk(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        sent = 0
        body = message(b"x" * 60_000)
        while peer.reading:
            peer.send(Transfer(1, sent, b"t", 0), payload=body)
            sent += 1
        assert UNSETTLED_HIGH_BYTES < sent * len(body) < UNSETTLED_HIGH_BYTES + 2 * len(body)
        outcomes = 0
        while outcomes < sent:
            await asyncio.sleep(0.005)
            outcomes += codes(peer.frames()).count(DISPOSITION)
        assert peer.reading

    run(scenario)


def test_a_peer_that_does_not_read_is_sent_nothing_until_it_does(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        await peer.publish(b"1")
        peer.attach_receiver()
        peer.frames()
        peer.writable = False
        peer.credit(2, 10)
        assert transfers(await peer.settled()) == []
        peer.writable = True
        peer.connection.schedule_pump()
        assert len(transfers(await peer.settled())) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("performative", "condition"),
    [
        (Transfer(9, 0, b"t"), b"amqp:session:unattached-handle"),
        (Detach(9), b"amqp:session:unattached-handle"),
        (Attach("x", 1, role=False, target=Target("hub")), b"amqp:session:handle-in-use"),
        (Attach("x", 300, role=False, target=Target("hub")), b"amqp:not-allowed"),
    ],
)
def test_a_rule_of_sessions_broken_ends_the_session_only(
    run: Callable[[Scenario], None], performative: Performative, condition: bytes
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        peer.frames()
        peer.send(performative)
        ((code, (error,)),) = peer.frames()
        assert (code, error[0]) == (END, condition)
        peer.send(Transfer(1, 0, b"t"), Detach(1), End())
        assert peer.frames() == []
        assert not peer.closed
        peer.send(Begin(None, 0, 10, 10))
        assert codes(peer.frames()) == [BEGIN]

    run(scenario)


def test_an_end_is_answered_and_a_detach_after_it_ignored(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_receiver()
        peer.frames()
        peer.send(End(), Detach(2, closed=True), End())
        assert peer.frames() == [(END, [None])]
        assert not peer.closed

    run(scenario)


def test_sending_on_a_receiving_link_detaches_it(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_receiver()
        peer.frames()
        peer.send(Transfer(2, 0, b"t"), payload=message(b"x"))
        ((code, fields),) = peer.frames()
        assert (code, fields[2][0]) == (DETACH, b"amqp:not-allowed")

    run(scenario)


def test_a_receivers_outcome_changes_nothing(run: Callable[[Scenario], None]) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_receiver()
        peer.frames()
        peer.send(Disposition(role=True, first=0, settled=True, state=Accepted()))
        released = encode_described_list(
            0x15, [b"\x41", b"\x43", b"\x40", b"\x41", encode(Described(0x26, []))]
        )
        peer.connection.receive(encode_frame(1, released))
        assert peer.frames() == []

    run(scenario)


def request(properties: dict[str, str], **fields: Any) -> bytes:
    output = bytearray()
    encode_payload(
        output,
        Message(properties=Properties(**fields), application_properties=properties, value="token"),
    )
    return bytes(output)


@pytest.mark.parametrize(
    ("node", "properties", "status"),
    [
        ("$cbs", {"operation": "put-token"}, 202),
        ("hub/$management", {"operation": "READ", "type": "com.microsoft:eventhub"}, 404),
        ("$cbs", {"operation": "delete-token"}, 400),
        ("$management", {"operation": "WRITE"}, 400),
        ("$management", {"operation": "READ", "type": "queue"}, 400),
        ("$management", {"operation": "READ", "type": "com.microsoft:eventhub", "name": "x"}, 404),
        (
            "$management",
            {"operation": "READ", "type": "com.microsoft:eventhub", "name": "hub"},
            200,
        ),
    ],
)
@pytest.mark.parametrize("message_id", [7, "id", b"id"])
def test_a_node_answers_with_a_status_and_the_requests_id(
    run: Callable[[Scenario], None],
    node: str,
    properties: dict[str, str],
    status: int,
    message_id: object,
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.send(Attach("a", 1, role=False, source=Source("me"), target=Target(node)))
        peer.send(Attach("b", 2, role=True, source=Source(node), target=Target("me")))
        peer.send(Attach("c", 3, role=True, source=Source(node), target=Target("other")))
        peer.credit(2, 10)
        peer.credit(3, 10)
        peer.frames()
        raw = request(properties, message_id=message_id, reply_to="other")
        peer.send(Transfer(1, 0, b"t", 0), payload=raw)
        frames = await peer.settled()
        (answer,) = transfers(frames)
        assert answer[0] == 3
        decoded = decode_payload(answer[11])
        assert decoded.application_properties[b"status-code"] == status
        expected = message_id.encode() if isinstance(message_id, str) else message_id
        assert decoded.properties.correlation_id == expected
        assert DISPOSITION in codes(frames)

    run(scenario)


@pytest.mark.parametrize("raw", [b"junk", message(b"no application properties")])
def test_a_request_that_is_none_is_rejected(run: Callable[[Scenario], None], raw: bytes) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.send(Attach("a", 1, role=False, target=Target("$cbs")))
        peer.frames()
        peer.send(Transfer(1, 0, b"t", 0), payload=raw)
        ((_, fields),) = await peer.settled()
        assert fields[4]["rejected"][0][0] == b"amqp:decode-error"

    run(scenario)


def test_a_request_without_a_link_for_the_answer_is_rejected(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.send(Attach("a", 1, role=False, target=Target("$cbs")))
        peer.frames()
        peer.send(Transfer(1, 0, b"t", 0), payload=request({"operation": "put-token"}))
        ((_, fields),) = await peer.settled()
        assert b"Nobody receives" in fields[4]["rejected"][0][1]

    run(scenario)


def test_a_log_that_cannot_be_read_detaches_its_receiver(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    async def scenario(peer: Peer) -> None:
        peer.begin()
        peer.attach_publisher()
        await peer.publish(b"1")
        peer.attach_receiver()
        peer.frames()
        monkeypatch.setattr(PartitionLog, "read", failing)
        peer.credit(2, 10)
        ((code, fields),) = await peer.settled()
        assert (code, fields[2][0]) == (DETACH, b"amqp:internal-error")
        assert b"Input/output error" in fields[2][1]
        monkeypatch.undo()
        peer.send(Detach(2, closed=True))
        peer.attach_receiver()
        peer.credit(2, 10)
        assert len(transfers(await peer.settled(at_least=2))) == 1

    run(scenario)
