"""An event hub to publish to: one that fails as it is told, and one that can be killed."""

import subprocess
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventHubConsumerClient

from local_azure.event_hubs import endpoints, nodes
from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.endpoints import PublisherLink
from local_azure.event_hubs.errors import DeliveryRefused
from local_azure.event_hubs.links import Delivery
from local_azure.event_hubs.namespace import Namespace
from local_azure.event_hubs.nodes import Answer, Request
from local_azure.event_hubs.serving import serving
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.retry import Patience

HASTY = Patience(retries=3, first=0.02, longest=0.1, busy=0.05)


def messages(numbers: Iterable[int], keys: int = 3) -> Iterator[Message]:
    """Yield one message for each number, with partition keys in turn."""
    for number in numbers:
        yield Message(str(number % keys), b'{"n":%d}' % number, 1, at=number)


def bodies_by_key(sent: Iterable[Message]) -> dict[str, list[bytes]]:
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for message in sent:
        found[message.partition_key].append(message.body)
    return dict(found)


def settings_of(connection_string: str) -> ProducerSettings:
    settings = ProducerSettings.of({}, connection_string=connection_string)
    return replace(settings, patience=HASTY)


@dataclass
class Received:
    """What lies in the event hub: bodies by partition key, and the partitions of each key."""

    bodies: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    partitions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    messages: int = 0

    @property
    def without_repetitions(self) -> dict[str, list[bytes]]:
        return {key: list(dict.fromkeys(bodies)) for key, bodies in self.bodies.items()}


def received(connection_string: str, expected: int) -> Received:
    """Read the event hub from its beginning, until so many messages have come."""
    found, complete = Received(), threading.Event()

    def take(partition: Any, events: list[Any]) -> None:
        for event in events:
            key = (event.partition_key or b"").decode()
            found.bodies[key].append(event.body_as_str(encoding="latin-1").encode("latin-1"))
            found.partitions[key].add(partition.partition_id)
        found.messages += len(events)
        if found.messages >= expected:
            complete.set()

    consumer = EventHubConsumerClient.from_connection_string(
        connection_string, consumer_group="metrics", eventhub_name="payments", socket_timeout=0.05
    )
    reader = threading.Thread(
        target=consumer.receive_batch,
        args=(take,),
        kwargs={"starting_position": "-1", "max_wait_time": 0.1, "max_batch_size": 300},
    )
    reader.start()
    assert complete.wait(timeout=60), f"only {found.messages} of {expected} messages came"
    consumer.close()
    reader.join(timeout=30)
    return found


class Fault:
    """What happens to one batch that a publisher sends: nothing special."""

    def strike(self, _: PublisherLink) -> bool:
        """Strike, and tell whether the batch is stored all the same."""
        return True


@dataclass(frozen=True)
class Rejected(Fault):
    condition: str
    text: str = "as the test wants it"

    def strike(self, _: PublisherLink) -> bool:
        raise DeliveryRefused(self.condition, self.text)


@dataclass(frozen=True)
class Detached(Fault):
    condition: str
    text: str = "as the test wants it"

    def strike(self, link: PublisherLink) -> bool:
        link.session.detach(link, self.condition, self.text)  # type: ignore[attr-defined]
        return False


@dataclass(frozen=True)
class Cut(Fault):
    """The connection breaks, before the batch is stored or after."""

    stored: bool

    def strike(self, link: PublisherLink) -> bool:
        link.session._host._outlet._transport.abort()  # type: ignore[attr-defined]
        return self.stored


class FaultyHub:
    """An event hub in a thread of this process, whose next answers can be chosen.

    Attributes:
        connection_string: how to reach it.
        faults: of the next batches, one each.
        tokens: answers to the next tokens, one each.
    """

    def __init__(self, connection_string: str) -> None:
        self.connection_string = connection_string
        self.faults: deque[Fault] = deque()
        self.tokens: deque[Answer] = deque()

    @property
    def settings(self) -> ProducerSettings:
        return settings_of(self.connection_string)


@contextmanager
def faulty_hub(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[FaultyHub]:
    config = EventHubsConfig((HubConfig("payments", 4, ("metrics",)),))
    with serving(config, folder) as connection_string:
        hub = FaultyHub(connection_string)
        store = endpoints.PublisherLink.on_message

        def on_message(link: PublisherLink, delivery: Delivery) -> None:
            fault = hub.faults.popleft() if hub.faults else Fault()
            if fault.strike(link):
                store(link, delivery)

        def answer(namespace: Namespace, request: Request) -> Answer:
            if hub.tokens:
                return hub.tokens.popleft()
            return nodes.answer_cbs(namespace, request)

        patch.setattr(endpoints.PublisherLink, "on_message", on_message)
        patch.setitem(nodes.NODES, nodes.CBS, answer)
        yield hub


@dataclass
class Endpoint:
    """An event hub in a process of its own, which can be killed and started again."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None
    connection_string: str = ""

    @property
    def settings(self) -> ProducerSettings:
        return settings_of(self.connection_string)

    def start(self) -> None:
        """Start on a free port, the first time; then always on the same."""
        command = [sys.executable, "-m", "local_azure.event_hubs", "--hub", "payments:4:metrics"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.folder), "--port", str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Endpoint=sb://" in line:
                self.connection_string = line[line.index("Endpoint=") :].strip()
                self.port = int(line.partition("localhost:")[2].partition(";")[0])
                return
        self.process.wait(timeout=10)
        pytest.fail("the Event Hubs endpoint ended without naming its connection string")

    def kill(self) -> None:
        """End the process at once, as a power failure would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
