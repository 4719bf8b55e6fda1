"""Receiving links, and the credit and windows of both directions."""

import asyncio
from collections.abc import Callable

import pytest
from unit.local_azure.event_hubs.amqp_peer import (
    ATTACH,
    DETACH,
    DISPOSITION,
    FLOW,
    TRANSFER,
    Peer,
    Scenario,
    codes,
    message,
    transfers,
)

from local_azure.event_hubs.amqp.encode import encode, encode_described_list
from local_azure.event_hubs.amqp.frames import (
    encode_frame,
)
from local_azure.event_hubs.amqp.performatives import (
    Accepted,
    Begin,
    Detach,
    Disposition,
    Flow,
    Transfer,
)
from local_azure.event_hubs.amqp.types import Described
from local_azure.event_hubs.connection import UNSETTLED_HIGH_BYTES
from local_azure.event_hubs.log.partition_log import PartitionLog


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
