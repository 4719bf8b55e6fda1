"""Requests to $cbs and $management."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.eventhub._pyamqp._decode import decode_payload
from azure.eventhub._pyamqp._encode import encode_payload
from azure.eventhub._pyamqp.message import Message, Properties
from unit.local_azure.event_hubs.amqp_peer import (
    DISPOSITION,
    Peer,
    Scenario,
    codes,
    message,
    transfers,
)

from local_azure.event_hubs.amqp.performatives import (
    Attach,
    Source,
    Target,
    Transfer,
)


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
