"""The real SDK against the local Event Hubs endpoint, in a process of its own."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventHubConsumerClient

from simulator.cli import main
from simulator.connection import ProducerSettings
from simulator.errors import EventHubsRefused, EventHubsUnreachable
from simulator.ledger import Ledger
from simulator.parameters import Parameters
from simulator.publisher import Sent, publish
from simulator.simulation import Message, simulate

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = "a-secret-not-to-be-shown"


@dataclass
class Endpoint:
    """A running Event Hubs endpoint."""

    process: subprocess.Popen[str]
    connection_string: str

    @property
    def settings(self) -> ProducerSettings:
        settings = ProducerSettings.of({}, connection_string=self.connection_string)
        return replace(settings, retry_total=1, retry_backoff_factor=0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()


def _start(folder: Path) -> Endpoint:
    command = [sys.executable, "-m", "local_azure.event_hubs", "--hub", "payments:4:metrics"]
    process = subprocess.Popen(
        [*command, "--data", str(folder), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Endpoint=sb://" in line:
            return Endpoint(process, line[line.index("Endpoint=") :].strip())
    process.wait(timeout=10)
    pytest.fail("the Event Hubs endpoint ended without naming its connection string")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    running = _start(tmp_path / "event-hubs")
    yield running
    running.stop()


@dataclass
class Received:
    """What lies in the event hub: bodies by partition key, and the partitions of each key."""

    bodies: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    partitions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    messages: int = 0


def _receive(endpoint: Endpoint, expected: int) -> Received:
    received, complete = Received(), threading.Event()

    def take(partition: Any, event: Any) -> None:
        if event is None:
            return
        key = (event.partition_key or b"").decode()
        received.bodies[key].append(event.body_as_str(encoding="latin-1").encode("latin-1"))
        received.partitions[key].add(partition.partition_id)
        received.messages += 1
        if received.messages >= expected:
            complete.set()

    consumer = EventHubConsumerClient.from_connection_string(
        endpoint.connection_string,
        consumer_group="metrics",
        eventhub_name="payments",
        socket_timeout=0.05,
    )
    reader = threading.Thread(
        target=consumer.receive,
        kwargs={"on_event": take, "starting_position": "-1", "max_wait_time": 0.1},
    )
    reader.start()
    assert complete.wait(timeout=60), f"only {received.messages} of {expected} messages came"
    consumer.close()
    reader.join(timeout=30)
    return received


def test_every_message_arrives_in_order_within_its_partition_key(endpoint: Endpoint) -> None:
    simulation = simulate(Parameters(end=END, payments=3_000, bad_share=0.03, pack=20))
    told: list[Sent] = []
    sent = publish(simulation, endpoint.settings, told.append)
    assert (sent.messages, sent.events) == (simulation.ledger.messages, simulation.ledger.events)
    assert told[-1] == sent
    assert told == sorted(told)

    received = _receive(endpoint, sent.messages)
    expected: defaultdict[str, list[bytes]] = defaultdict(list)
    for message in simulation:
        expected[message.partition_key].append(message.body)
    assert received.bodies == expected
    assert all(len(partitions) == 1 for partitions in received.partitions.values())


def test_the_command_line_publishes_and_leaves_the_ledger(
    endpoint: Endpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EventHubConnection", endpoint.connection_string)
    ledger_file = tmp_path / "ledger.json"
    assert main(["run", "--payments", "500", "--ledger", str(ledger_file)]) == 0
    ledger = Ledger.load(ledger_file)
    captured = capsys.readouterr()
    assert f"{ledger.events} events in {ledger.messages} messages" in captured.out
    assert _receive(endpoint, ledger.messages).messages == ledger.messages


def test_a_rate_spreads_the_events_over_time(endpoint: Endpoint) -> None:
    messages = [Message(str(n), b"{}", 50) for n in range(10)]
    started = time.monotonic()
    told: list[float] = []
    publish(
        messages, endpoint.settings, lambda _: told.append(time.monotonic() - started), rate=500
    )
    assert told[-1] >= 0.85
    assert len(told) == 10


def test_a_missing_event_hub_is_refused_by_name(
    endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--connection-string", endpoint.connection_string, "--event-hub", "refunds"]
    assert main(["run", "--payments", "20", *arguments]) == 4
    assert "there is no event hub 'refunds' at localhost" in capsys.readouterr().err


def test_nobody_listening_is_told_within_seconds_and_without_the_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        text = (
            f"Endpoint=sb://localhost:{port};SharedAccessKeyName=send;SharedAccessKey={KEY};"
            "UseDevelopmentEmulator=true;"
        )
        started = time.monotonic()
        assert main(["run", "--payments", "20", "--connection-string", text]) == 3
        assert time.monotonic() - started < 20
    error = capsys.readouterr().err
    assert f"cannot reach event hub 'payments' at localhost:{port}" in error
    assert KEY not in error


# The SDK does not close the socket of a connection that broke.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_endpoint_that_dies_on_the_way_is_unreachable(endpoint: Endpoint) -> None:
    def messages() -> Iterator[Message]:
        for number in range(2_000):
            if number == 600:
                endpoint.process.kill()
                endpoint.process.wait(timeout=20)
            yield Message("1", b"{}", 1)

    told: list[Sent] = []
    with pytest.raises(EventHubsUnreachable, match="512 events had been sent before"):
        publish(messages(), endpoint.settings, told.append)
    assert told[-1].messages == 512
    gc.collect()


def test_more_messages_of_one_key_than_a_batch_holds_keep_their_order(endpoint: Endpoint) -> None:
    messages = [Message("1", bytes([65 + n]) * 700_000, 1) for n in range(3)]
    assert publish(messages, endpoint.settings).messages == 3
    assert _receive(endpoint, 3).bodies == {"1": [message.body for message in messages]}


def test_a_message_beyond_the_size_limit_is_refused_by_name(endpoint: Endpoint) -> None:
    with pytest.raises(EventHubsRefused, match=r"larger than the event hub takes .* \(--pack\)"):
        publish([Message("1", b"x" * 2_000_000, 1)], endpoint.settings)


def test_an_interrupted_run_ends_with_code_130_and_no_ledger(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    ledger_file = tmp_path / "ledger.json"
    command = [sys.executable, "-m", "simulator", "run", "--payments", "5000", "--rate", "100"]
    process = subprocess.Popen(
        [*command, "--ledger", str(ledger_file)],
        env={**os.environ, "EventHubConnection": endpoint.connection_string},
        stderr=subprocess.PIPE,
        text=True,
    )
    _receive(endpoint, 2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "no ledger was written" in error
    assert "Traceback" not in error
    assert not ledger_file.exists()
