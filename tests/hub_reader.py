"""Reads back what an event hub holds, as the pipeline sees it."""

import threading

from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext

from local_azure.environment import LocalAzure
from shared_code.domain.decoding import Message, Origin


def messages_in_hub(local: LocalAzure) -> list[Message]:
    """Return every message that Event Hubs holds, with its place, by partition and in order."""
    found: list[Message] = []
    with EventHubConsumerClient.from_connection_string(
        local.settings["EventHubConnection"], "$Default", eventhub_name="payments"
    ) as client:
        partitions = client.get_partition_ids()
        ends = {
            partition: client.get_partition_properties(partition)["last_enqueued_sequence_number"]
            for partition in partitions
        }
        waiting = {partition for partition, end in ends.items() if end >= 0}
        done = threading.Event()

        def take(context: PartitionContext, events: list[EventData]) -> None:
            for event in events:
                sequence_number = event.sequence_number or 0
                origin = Origin("localhost", "payments", context.partition_id, sequence_number)
                found.append(Message(origin, b"".join(event.body)))
                if sequence_number == ends[context.partition_id]:
                    waiting.discard(context.partition_id)
            if not waiting:
                done.set()

        reading = threading.Thread(
            target=client.receive_batch,
            args=(take,),
            kwargs={"starting_position": "-1", "max_wait_time": 1},
        )
        reading.start()
        assert done.wait(60)
    reading.join()
    return sorted(found, key=lambda message: message.origin)
