"""An event hub for one test, and how functions bind to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from azure.eventhub import EventData, EventHubProducerClient

GROUP = "readers"


@dataclass(frozen=True)
class Hub:
    connection_string: str
    name: str
    producer: EventHubProducerClient

    def send(self, bodies: list[bytes], partition: int = 0, **properties: str) -> None:
        batch = self.producer.create_batch(partition_id=str(partition))
        for body in bodies:
            event = EventData(body)
            event.properties = dict(properties)
            batch.add(event)
        self.producer.send_batch(batch)

    def binding(self, **other: str) -> dict[str, str]:
        return {
            "name": "events",
            "type": "eventHubTrigger",
            "direction": "in",
            "eventHubName": "%HubName%",
            "connection": "EventHubConnection",
            "consumerGroup": GROUP,
            "cardinality": "many",
            "dataType": "binary",
            **other,
        }


@contextmanager
def opened(connection_string: str, name: str) -> Iterator[Hub]:
    """A hub with one producer for the whole test: opening one takes more than a second."""
    with EventHubProducerClient.from_connection_string(
        connection_string, eventhub_name=name
    ) as producer:
        yield Hub(connection_string, name, producer)
