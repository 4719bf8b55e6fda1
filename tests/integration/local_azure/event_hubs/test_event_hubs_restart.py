"""The server as a process: started, stopped, killed, started again."""

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

HUB = "payments"

# The SDK forgets to close the sockets of connections that broke.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(autouse=True)
def _forgotten_sockets_go_with_the_test() -> Iterator[None]:
    yield
    gc.collect()


def test_nothing_acknowledged_is_lost_by_a_kill_and_clients_come_back_by_themselves(
    server: Any, collector_of: type, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    connection_string = server.start()
    acknowledged: list[int] = []
    stop = threading.Event()

    def publish() -> None:
        number = 0
        with EventHubProducerClient.from_connection_string(
            connection_string, eventhub_name=HUB, retry_backoff_factor=0.05, retry_total=20
        ) as producer:
            while not stop.is_set():
                batch = [EventData(f"{number + n}") for n in range(20)]
                try:
                    producer.send_batch(batch, partition_key=f"{number % 7}")
                except EventHubError:
                    # What was under way when the server died: sent again or not, it was not
                    # acknowledged.
                    number += 20
                    continue
                acknowledged.extend(range(number, number + 20))
                number += 20

    publisher = threading.Thread(target=publish)
    options = {"starting_position": "-1", "client": {"retry_backoff_factor": 0.05}}
    with collector_of(connection_string, "metrics", **options) as collector:
        publisher.start()
        for _ in range(2):
            seen = len(acknowledged)
            eventually(lambda seen=seen: len(acknowledged) > seen + 400)
            server.kill()
            assert server.start() == connection_string
        seen = len(acknowledged)
        eventually(lambda seen=seen: len(acknowledged) > seen + 400)
        stop.set()
        publisher.join()
        collector.until(lambda: set(acknowledged) <= {int(body) for body in collector.bodies()})

    # Without a checkpoint the SDK begins again at the beginning whenever it has lost a server, so
    # that events come several times, but each in its one place.
    bodies = {
        (partition, event.sequence_number, event.offset, event.body_as_str())
        for partition, event in collector.events
    }
    for partition_id in ("0", "1"):
        numbers = sorted(
            sequence for partition, sequence, *_ in bodies if partition == partition_id
        )
        assert numbers == list(range(len(numbers)))


def test_a_clean_stop_ends_with_zero_and_a_restart_shows_the_same_events(
    server: Any, collector_of: type
) -> None:
    connection_string = server.start()

    def events() -> list[tuple[Any, ...]]:
        with collector_of(connection_string, "metrics", starting_position="-1") as collector:
            collector.until(lambda: len(collector.events) == 30)
            return sorted(
                (partition, e.sequence_number, e.offset, e.enqueued_time, e.body_as_str())
                for partition, e in collector.events
            )

    with EventHubProducerClient.from_connection_string(
        connection_string, eventhub_name=HUB
    ) as producer:
        created = producer.get_eventhub_properties()["created_at"]
        for number in range(10):
            producer.send_batch([EventData(f"{number}-{n}") for n in range(3)])
    before = events()

    assert server.terminate() == 0
    server.start(("payments:2:metrics", "second:1"))

    assert events() == before
    with EventHubProducerClient.from_connection_string(
        connection_string, eventhub_name=HUB
    ) as producer:
        assert producer.get_eventhub_properties()["created_at"] == created


def test_the_connection_string_is_the_only_line_on_stdout(server: Any) -> None:
    line = server.start()

    assert line.startswith("Endpoint=sb://localhost:")
    assert line.endswith(
        ";SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=local;"
        "UseDevelopmentEmulator=true;"
    )


def test_a_consumer_survives_a_clean_restart(server: Any, collector_of: type) -> None:
    connection_string = server.start()
    with collector_of(
        connection_string, "metrics", starting_position="-1", client={"retry_backoff_factor": 0.05}
    ) as collector:
        for body in ("before", "after"):
            with EventHubProducerClient.from_connection_string(
                connection_string, eventhub_name=HUB
            ) as producer:
                producer.send_event(EventData(body))
            collector.until(lambda body=body: body in collector.bodies())
            if body == "before":
                assert server.terminate() == 0
                server.start()

    assert collector.bodies() == ["before", "after"]
