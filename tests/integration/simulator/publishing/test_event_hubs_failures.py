"""What the publisher repeats, and what it does not, told by a real endpoint over AMQP."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from integration.simulator.publishing.hub import (
    HASTY,
    Cut,
    Detached,
    Fault,
    FaultyHub,
    Rejected,
    bodies_by_key,
    messages,
    received,
)

from local_azure.event_hubs.nodes import Answer
from simulator.errors import EventHubsRefused, EventHubsUnreachable
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish

BUSY = Rejected("com.microsoft:server-busy", "The request was terminated: please wait 4 seconds.")
EXPIRED = "ExpiredToken: The token is expired."
# The SDK sends a batch once more by itself, at once, before it says that it failed.
TRIES = 2

# The SDK does not close the socket of a connection that broke.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def sockets_end_with_their_test() -> Iterator[None]:
    yield
    gc.collect()


def test_a_throttled_batch_is_sent_again_after_the_asked_for_wait(hub: FaultyHub) -> None:
    settings = replace(hub.settings, patience=replace(HASTY, busy=0.3))
    hub.faults.extend([BUSY] * TRIES * 2)
    started = time.monotonic()
    with EventHubsPublisher(settings) as publisher:
        assert publish(messages(range(30)), publisher).messages == 30
    assert time.monotonic() - started >= 0.6
    assert publisher.counters.failures == 2
    assert publisher.counters.latencies.percentile(0.99) >= 0.6
    assert received(hub.connection_string, 30).bodies == bodies_by_key(messages(range(30)))


def test_throttling_by_detaching_the_link_is_waited_out_too(hub: FaultyHub) -> None:
    hub.faults.extend([Detached("com.microsoft:server-busy")] * TRIES)
    with EventHubsPublisher(hub.settings) as publisher:
        assert publish(messages(range(30)), publisher).messages == 30
    assert publisher.counters.failures >= 1
    assert received(hub.connection_string, 30).bodies == bodies_by_key(messages(range(30)))


def test_throttling_that_does_not_end_says_so_and_keeps_what_was_taken(hub: FaultyHub) -> None:
    hub.faults.extend([Fault(), *[BUSY] * TRIES * (HASTY.retries + 1)])
    with (
        pytest.raises(EventHubsUnreachable, match=r"is throttling; send more slowly \(--rate\)"),
        EventHubsPublisher(hub.settings) as publisher,
    ):
        publish(messages(range(30)), publisher)
    assert publisher.counters.failures == HASTY.retries + 1
    assert publisher.counters.messages == 10
    expected = [message for message in messages(range(30)) if message.partition_key != "0"]
    assert sorted(publisher.unacknowledged()) == sorted(expected)


@pytest.mark.parametrize("stored", [False, True])
def test_a_cut_connection_is_made_anew_and_nothing_is_missing(
    hub: FaultyHub, *, stored: bool
) -> None:
    hub.faults.extend([Fault(), *[Cut(stored)] * TRIES, Fault()])
    with EventHubsPublisher(hub.settings) as publisher:
        assert publish(messages(range(60)), publisher).messages == 60
    assert publisher.counters.failures == 1
    repeated = TRIES * 20 if stored else 0
    found = received(hub.connection_string, 60 + repeated)
    assert found.messages == 60 + repeated
    assert found.without_repetitions == bodies_by_key(messages(range(60)))


def test_an_expired_token_is_replaced_by_a_fresh_one_on_a_new_connection(hub: FaultyHub) -> None:
    with EventHubsPublisher(hub.settings) as publisher:
        publish(messages(range(30)), publisher)
        first = publisher._connected
        hub.faults.extend([Detached("amqp:unauthorized-access", EXPIRED)] * TRIES)
        publish(messages(range(30, 60)), publisher)
        assert publisher._connected is not first
        hub.faults.extend([Cut(stored=False)] * TRIES)
        hub.tokens.extend([Answer(401, EXPIRED)] * TRIES)
        publish(messages(range(60, 90)), publisher)
    assert publisher.counters.failures >= 2
    assert not hub.faults
    assert not hub.tokens
    assert received(hub.connection_string, 90).bodies == bodies_by_key(messages(range(90)))


def test_tokens_that_are_always_expired_point_to_the_clock(hub: FaultyHub) -> None:
    hub.tokens.extend([Answer(401, EXPIRED)] * 10)
    with (
        pytest.raises(EventHubsUnreachable, match="is this machine's clock right"),
        EventHubsPublisher(hub.settings),
    ):
        pass


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Detached("amqp:not-found"), "there is no event hub 'payments'"),
        (Detached("amqp:unauthorized-access", "Send claim is missing."), "the right to send"),
        (Rejected("amqp:link:message-size-exceeded"), "no message as large as this one"),
        (Rejected("amqp:not-allowed"), "refuses: not-allowed"),
    ],
)
def test_what_cannot_heal_is_refused_at_once(hub: FaultyHub, fault: Fault, text: str) -> None:
    hub.faults.extend([fault] * TRIES)
    with (
        pytest.raises(EventHubsRefused, match=text),
        EventHubsPublisher(hub.settings) as publisher,
    ):
        publish(messages(range(30)), publisher)
    assert publisher.counters.failures == 1
    assert len(publisher.unacknowledged()) == 30


def test_a_wrong_key_is_refused_at_once(hub: FaultyHub) -> None:
    hub.tokens.extend([Answer(401, "InvalidSignature: The token has an invalid signature.")] * 5)
    with (
        pytest.raises(EventHubsRefused, match="refuses the key or identity"),
        EventHubsPublisher(hub.settings),
    ):
        pass
    assert len(hub.tokens) == 4


def test_an_answer_that_does_not_come_is_not_waited_for_forever(
    hub: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fault, "strike", lambda *_: False)
    settings = replace(hub.settings, patience=replace(HASTY, retries=1, attempt=0.3))
    with (
        pytest.raises(EventHubsUnreachable, match="cannot reach"),
        EventHubsPublisher(settings) as publisher,
    ):
        publish(messages(range(3), keys=1), publisher)
    assert publisher.counters.failures == 2
