"""The real SDK against the local Event Hubs endpoint."""

import socket
import time

import pytest
from integration.simulator.publishing.hub import (
    Endpoint,
    FaultyHub,
    bodies_by_key,
    messages,
    received,
    settings_of,
)

from simulator.errors import EventHubsRefused, EventHubsUnreachable
from simulator.message import Message
from simulator.publishing.counters import summary
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.protocol import Sent
from simulator.publishing.publish import publish

KEY = "a-secret-not-to-be-shown"


def test_every_message_arrives_in_order_within_its_partition_key(endpoint: Endpoint) -> None:
    told: list[Sent] = []
    with EventHubsPublisher(endpoint.settings) as publisher:
        sent = publish(messages(range(1_500), keys=7), publisher, told.append)
    assert (sent.messages, sent.events) == (1_500, 1_500)
    assert told[-1] == sent
    assert told == sorted(told)
    assert publisher.unacknowledged() == []

    found = received(endpoint.connection_string, sent.messages)
    assert found.bodies == bodies_by_key(messages(range(1_500), keys=7))
    assert all(len(partitions) == 1 for partitions in found.partitions.values())


def test_counters_tell_what_was_acknowledged_and_how_fast(hub: FaultyHub) -> None:
    with EventHubsPublisher(hub.settings) as publisher:
        publish(messages(range(100), keys=4), publisher)
    counters = publisher.counters
    assert (counters.taken, counters.messages, counters.batches) == (100, 100, 4)
    assert counters.failures == 0
    assert 0 < counters.latencies.percentile(0.5) <= counters.latencies.percentile(0.99) < 10
    assert counters.sdk_seconds > 0
    assert counters.events_per_second > 0
    assert "100 events in 100 messages" in summary(counters)


def test_a_publisher_is_used_again_and_tells_each_part_alone(hub: FaultyHub) -> None:
    with EventHubsPublisher(hub.settings) as publisher:
        first = publish(messages(range(10)), publisher)
        second = publish(messages(range(10, 15)), publisher)
    assert (first.messages, second.messages, publisher.counters.messages) == (10, 5, 15)


def test_leaving_the_with_statement_sends_what_is_open(hub: FaultyHub) -> None:
    with EventHubsPublisher(hub.settings) as publisher:
        publisher.send(Message("1", b"{}", 1))
        assert publisher.counters.messages == 0
    assert publisher.counters.messages == 1


def test_a_rate_spreads_the_events_over_time(hub: FaultyHub) -> None:
    told: list[float] = []
    with EventHubsPublisher(hub.settings) as publisher:
        started = time.monotonic()
        publish(
            [Message(str(n), b"{}", 50) for n in range(10)],
            publisher,
            lambda _: told.append(time.monotonic() - started),
            rate=500,
        )
    assert told[-1] >= 0.85
    assert len(told) > 1


def test_a_missing_event_hub_is_refused_by_name(hub: FaultyHub) -> None:
    settings = settings_of(f"{hub.connection_string}EntityPath=refunds")
    with (
        pytest.raises(EventHubsRefused, match="there is no event hub 'refunds' at localhost"),
        EventHubsPublisher(settings),
    ):
        pass


# The SDK does not close the socket of a connection that did not come about.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_nobody_listening_is_told_within_seconds_and_without_the_key() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        text = (
            f"Endpoint=sb://localhost:{port};SharedAccessKeyName=send;SharedAccessKey={KEY};"
            "UseDevelopmentEmulator=true;"
        )
        started = time.monotonic()
        with (
            pytest.raises(EventHubsUnreachable, match=rf"'payments' at localhost:{port}") as caught,
            EventHubsPublisher(settings_of(text)),
        ):
            pass
        assert time.monotonic() - started < 20
    assert KEY not in str(caught.value)


def test_more_messages_of_one_key_than_a_batch_holds_keep_their_order(hub: FaultyHub) -> None:
    large = [Message("1", bytes([65 + n]) * 700_000, 1) for n in range(3)]
    with EventHubsPublisher(hub.settings) as publisher:
        assert publish(large, publisher).messages == 3
    assert received(hub.connection_string, 3).bodies == {"1": [message.body for message in large]}


def test_a_message_beyond_the_size_limit_is_refused_and_stays_known(hub: FaultyHub) -> None:
    large = Message("1", b"x" * 2_000_000, 1)
    with (
        EventHubsPublisher(hub.settings) as publisher,
        pytest.raises(EventHubsRefused, match=r"2000000 bytes is larger than the event hub takes"),
    ):
        publish([Message("1", b"{}", 1), large], publisher)
    assert large in publisher.unacknowledged()
