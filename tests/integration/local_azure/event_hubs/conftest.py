"""A local Event Hubs, in a thread or in a process that can be killed, and clients of the SDK."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest
from azure.eventhub import (
    EventData,
    EventHubConsumerClient,
    EventHubProducerClient,
    PartitionContext,
)

from local_azure.event_hubs import parse_config, serving

HUB = "payments"
GROUP = "metrics"
DEADLINE_SECONDS = 30.0

type Receive = Callable[..., list[EventData]]


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a hub of four partitions for the tests of a module; gives the connection string."""
    config = parse_config({"hubs": {HUB: {"partitions": 4, "consumer_groups": [GROUP]}}})
    with serving(config, tmp_path_factory.mktemp("event_hubs")) as connection_string:
        yield connection_string


@pytest.fixture(scope="module")
def producer(namespace: str) -> Iterator[EventHubProducerClient]:
    client = EventHubProducerClient.from_connection_string(namespace, eventhub_name=HUB)
    with client:
        yield client


class Collector:
    """Receives in a thread until it is left."""

    def __init__(self, connection_string: str, group: str, **receive: Any) -> None:
        self.events: list[tuple[str, EventData]] = []
        self.errors: list[Exception] = []
        self._changed = threading.Condition()
        options = receive.pop("client", {})
        self._client = EventHubConsumerClient.from_connection_string(
            connection_string, group, eventhub_name=HUB, socket_timeout=0.05, **options
        )
        self._thread = threading.Thread(
            target=self._client.receive_batch,
            args=(self._on_batch,),
            kwargs={"on_error": self._on_error, "max_wait_time": 0.1, **receive},
        )

    def _on_batch(self, context: PartitionContext, events: list[EventData]) -> None:
        with self._changed:
            self.events += [(context.partition_id, event) for event in events]
            self._changed.notify_all()

    def _on_error(self, _: PartitionContext | None, error: Exception) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_SECONDS), (
                len(self.events),
                self.errors,
            )

    def partitions(self) -> set[str]:
        return {partition_id for partition_id, _ in self.events}

    def bodies(self) -> list[str]:
        return [event.body_as_str() for _, event in self.events]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Begin to stop; leaving waits for the end."""
        self._client.close()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(DEADLINE_SECONDS)


@pytest.fixture
def collect(namespace: str) -> Callable[..., Collector]:
    """Give a collector on the module's namespace."""

    def start(group: str = GROUP, **receive: Any) -> Collector:
        return Collector(namespace, group, **receive)

    return start


@pytest.fixture
def collector_of() -> type[Collector]:
    return Collector


@pytest.fixture
def receive(collect: Callable[..., Collector]) -> Receive:
    """Receive a number of events of one partition from a position on."""

    def run(
        partition_id: str,
        count: int,
        starting_position: str | int | datetime = "-1",
        **options: Any,
    ) -> list[EventData]:
        with collect(
            partition_id=partition_id, starting_position=starting_position, **options
        ) as collector:
            collector.until(lambda: len(collector.events) >= count)
            return [event for _, event in collector.events]

    return run


class ServerProcess:
    """``python -m local_azure.event_hubs``, to be killed and started again on the same port."""

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]

    def start(self, hubs: Sequence[str] = ("payments:2:metrics",)) -> str:
        arguments = [argument for hub in hubs for argument in ("--hub", hub)]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "local_azure.event_hubs", *arguments),
                *("--data", str(self._data_folder), "--port", str(self._port)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._end()

    def terminate(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._end()

    def _end(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        process, self._process = self._process, None
        process.stdout.close()
        return process.wait(DEADLINE_SECONDS)

    @contextmanager
    def stopped_at_the_end(self) -> Iterator["ServerProcess"]:
        try:
            yield self
        finally:
            if self._process is not None:
                self.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data").stopped_at_the_end() as server:
        yield server


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait
