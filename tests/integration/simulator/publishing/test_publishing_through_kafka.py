"""The real librdkafka against the mock cluster that it brings along."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from integration.simulator.publishing.hub import bodies_by_key, messages

from simulator.errors import EventHubsRefused, EventHubsUnreachable
from simulator.message import Message
from simulator.publishing import kafka_settings
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.kafka import KafkaPublisher
from simulator.publishing.kafka_settings import KafkaSettings
from simulator.publishing.protocol import Sent
from simulator.publishing.publish import publish
from simulator.publishing.spool import Spool

KEY = "a-secret-not-to-be-shown"


class MockCluster:
    """One broker in this process, for as long as the producer that hosts it lives."""

    def __init__(self) -> None:
        self._host: Producer | None = Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 0}
        )
        broker = next(iter(self._host.list_topics("payments", timeout=10).brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"

    @property
    def settings(self) -> KafkaSettings:
        return KafkaSettings("payments", bootstrap=self.bootstrap, delivery_timeout=1.0)

    def stop(self) -> None:
        self._host = None

    def received(self, expected: int) -> dict[str, list[bytes]]:
        """Read the topic from its beginning: bodies by key, in order of offsets."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "test",
                "log_level": 0,
            }
        )
        partitions = consumer.list_topics("payments", timeout=10).topics["payments"].partitions
        consumer.assign([TopicPartition("payments", n, OFFSET_BEGINNING) for n in partitions])
        found: list[Message] = []
        deadline = time.monotonic() + 30
        while len(found) < expected and time.monotonic() < deadline:
            for record in consumer.consume(500, timeout=0.5):
                key, body = record.key(), record.value()
                assert isinstance(key, bytes)
                assert isinstance(body, bytes)
                found.append(Message(key.decode(), body, 1))
        consumer.close()
        return bodies_by_key(found)


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    running = MockCluster()
    yield running
    running.stop()


@pytest.fixture
def nobody() -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"


def test_bytes_keys_and_order_within_a_key_arrive(cluster: MockCluster) -> None:
    odd = [Message("odd", bytes(range(256)), 1), Message("ö", b"no \xff JSON", 1)]
    told: list[Sent] = []
    with KafkaPublisher(cluster.settings) as publisher:
        sent = publish([*messages(range(2_000), keys=7), *odd], publisher, told.append)
    assert (sent.messages, sent.events) == (2_002, 2_002)
    assert told[-1] == sent
    assert publisher.unacknowledged() == []
    assert cluster.received(2_002) == bodies_by_key([*messages(range(2_000), keys=7), *odd])
    assert publisher.counters.failures == 0
    assert 0 < publisher.counters.latencies.percentile(0.5) < 5


def test_bytes_are_counted_with_their_keys(cluster: MockCluster) -> None:
    with KafkaPublisher(cluster.settings) as publisher:
        assert publish([Message("ö", b"12345", 3)], publisher) == Sent(1, 3, 7)


def test_leaving_the_with_statement_sends_what_is_under_way(cluster: MockCluster) -> None:
    with KafkaPublisher(cluster.settings) as publisher:
        publisher.send(Message("1", b"{}", 1))
    assert publisher.counters.messages == 1


def test_a_full_queue_is_waited_for(cluster: MockCluster) -> None:
    settings = KafkaSettings("payments", bootstrap=cluster.bootstrap, max_queued=10)
    with KafkaPublisher(settings) as publisher:
        assert publish(messages(range(500)), publisher).messages == 500
    assert cluster.received(500) == bodies_by_key(messages(range(500)))


def test_an_unreachable_broker_is_told_in_time(nobody: str) -> None:
    started = time.monotonic()
    with (
        pytest.raises(EventHubsUnreachable, match=rf"cannot reach .* at {nobody}: .*refused"),
        KafkaPublisher(KafkaSettings("payments", bootstrap=nobody, look_timeout=1.0)),
    ):
        pass
    assert time.monotonic() - started < 10


def test_a_missing_topic_is_refused_by_name_and_not_made(cluster: MockCluster) -> None:
    settings = KafkaSettings("refunds", bootstrap=cluster.bootstrap)
    for _ in range(2):
        with (
            pytest.raises(EventHubsRefused, match="there is no event hub or topic 'refunds' at"),
            KafkaPublisher(settings),
        ):
            pass


def test_a_message_beyond_the_size_limit_is_refused_and_stays_known(cluster: MockCluster) -> None:
    large = Message("1", b"x" * 2_000_000, 1)
    with (
        pytest.raises(EventHubsRefused, match="a message is larger than"),
        KafkaPublisher(cluster.settings) as publisher,
    ):
        publish([large], publisher)
    assert publisher.unacknowledged() == [large]
    assert publisher.counters.failures == 1


@pytest.mark.parametrize("max_queued", [10, 10_000])
def test_a_broker_that_dies_fails_after_the_delivery_timeout_and_nothing_is_forgotten(
    cluster: MockCluster, tmp_path: Path, max_queued: int
) -> None:
    settings = KafkaSettings(
        "payments", bootstrap=cluster.bootstrap, delivery_timeout=1.0, max_queued=max_queued
    )
    spool = Spool(tmp_path / "spool")

    def dying() -> Iterator[Message]:
        yield from messages(range(100))
        publisher.flush()
        cluster.stop()
        yield from messages(range(100, 200))

    with (
        pytest.raises(EventHubsUnreachable, match=r"cannot reach .*timed out.* are kept in"),
        KafkaPublisher(settings) as publisher,
    ):
        publish(dying(), publisher, spool=spool)
    assert publisher.counters.messages == 100
    assert publisher.counters.failures >= 1

    again = MockCluster()
    with KafkaPublisher(again.settings) as publisher:
        taken = spool.drain(publisher).messages
    assert (max_queued, taken) in {(10, 11), (10_000, 100)}
    assert again.received(taken) == bodies_by_key(messages(range(100, 100 + taken)))
    again.stop()


def test_what_follows_a_lost_message_is_repeated_with_it(cluster: MockCluster) -> None:
    sent = list(messages(range(3), keys=1))
    with KafkaPublisher(cluster.settings) as publisher:
        for message in sent:
            publisher.send(message)
        entries = list(publisher._under_way["0"])
        publisher._on_delivery(entries[2], None, None)
        publisher._on_delivery(entries[0], None, None)
        assert publisher.unacknowledged() == sent[1:]


class Identity:
    """An identity, since there is none to be had here: it gives a token, or fails."""

    def __init__(self, *, signed_in: bool) -> None:
        self.signed_in = signed_in
        self.scopes: list[str] = []

    def get_token(self, scope: str) -> AccessToken:
        self.scopes.append(scope)
        if not self.signed_in:
            raise ClientAuthenticationError("please run 'az login'")
        return AccessToken("token", round(time.time()) + 3600)


@pytest.mark.parametrize("signed_in", [True, False])
def test_librdkafka_asks_the_identity_for_a_token_of_the_namespace(
    monkeypatch: pytest.MonkeyPatch, *, signed_in: bool
) -> None:
    identity = Identity(signed_in=signed_in)
    monkeypatch.setattr(kafka_settings, "credential_of", lambda _: identity)
    connection = ProducerSettings(fully_qualified_namespace="bank.invalid")
    settings = replace(KafkaSettings.of_event_hubs(connection), look_timeout=1.0)
    expected = EventHubsUnreachable if signed_in else EventHubsRefused
    text = "cannot reach" if signed_in else "no identity to present to .*az login"
    with pytest.raises(expected, match=text), KafkaPublisher(settings):
        pass
    assert set(identity.scopes) == {"https://bank.invalid/.default"}
