"""An event hub for one test, and how functions bind to it."""

from dataclasses import dataclass

from azure.eventhub import EventData, EventHubProducerClient

GROUP = "readers"


@dataclass(frozen=True)
class Hub:
    connection_string: str
    name: str

    def send(self, bodies: list[bytes], partition: int = 0, **properties: str) -> None:
        with EventHubProducerClient.from_connection_string(
            self.connection_string, eventhub_name=self.name
        ) as producer:
            batch = producer.create_batch(partition_id=str(partition))
            for body in bodies:
                event = EventData(body)
                event.properties = dict(properties)
                batch.add(event)
            producer.send_batch(batch)

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
