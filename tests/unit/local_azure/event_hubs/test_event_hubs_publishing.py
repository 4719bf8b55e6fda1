"""Links on which a client publishes, and links that are refused."""

from collections.abc import Callable

import pytest
from unit.local_azure.event_hubs.amqp_peer import (
    ATTACH,
    DETACH,
    DISPOSITION,
    FLOW,
    MAX_MESSAGE,
    SOURCE,
    TRANSFER,
    Peer,
    Scenario,
    codes,
    message,
    transfers,
)

from local_azure.event_hubs.amqp.performatives import (
    Attach,
    Detach,
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.amqp.types import Symbol


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
