"""Connections and sessions: greeting, rules, signs of life, endings."""

from collections.abc import Callable

import pytest
from unit.local_azure.event_hubs.amqp_peer import BEGIN, CLOSE, END, OPEN, Peer, Scenario, codes

from local_azure.event_hubs.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    SASL_HEADER,
    FrameType,
    encode_frame,
)
from local_azure.event_hubs.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    End,
    Flow,
    Open,
    Performative,
    SaslInit,
    Target,
    Transfer,
)


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
