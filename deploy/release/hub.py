"""The event hub as a release sees it: a payment sent, and how much waits to be processed."""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from azure.core.exceptions import AzureError
from azure.eventhub import (
    EventData,
    EventHubConsumerClient,
    EventHubProducerClient,
    parse_connection_string,
)
from azure.eventhub.exceptions import EventHubError
from azure.identity import DefaultAzureCredential

from deploy.errors import DeployError
from deploy.settings import required
from shared_code.store.rule_archive import blob_service

_CONNECTION: Final = "EventHubConnection"
_NAMESPACE: Final = f"{_CONNECTION}__fullyQualifiedNamespace"
_EXAMPLE: Final = "NAMESPACE.servicebus.windows.net"
# Where the Functions host keeps how far it has come.
_CHECKPOINTS: Final = "azure-webjobs-eventhub"


class Progress(NamedTuple):
    """How far a partition has come.

    Attributes:
        last: sequence number of the last message that it holds; -1 if it never held one.
        done: of the last one that was processed; -1 if none was.
    """

    last: int
    done: int

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return max(0, self.last - self.done)


def send(hub: str, bodies: list[bytes], values: Mapping[str, str] = os.environ) -> None:
    """Send messages to a hub of the namespace that the app settings name.

    Raises:
        SettingsError: they name none.
        DeployError: it did not take them.
    """
    try:
        with _producer(hub, values) as producer:
            producer.send_batch([EventData(body) for body in bodies])
    except EventHubError as error:
        message = f"cannot send to the hub {hub}: {error}"
        raise DeployError(message) from error


def progress(values: Mapping[str, str] = os.environ) -> Mapping[str, Progress]:
    """Return how far each partition of ``EVENT_HUB_NAME`` has come for the functions.

    Raises:
        SettingsError: hub, consumer group or the host's storage is not set.
        DeployError: one of them does not answer.
    """
    hub = required(values, "EVENT_HUB_NAME", "payments")
    group = required(values, "EVENT_HUB_CONSUMER_GROUP", "metrics")
    try:
        with _consumer(hub, group, values) as client:
            last = {
                partition: client.get_partition_properties(partition)[
                    "last_enqueued_sequence_number"
                ]
                for partition in client.get_partition_ids()
            }
        prefix = f"{_namespace(values)}/{hub}/{group}/checkpoint/".lower()
        container = blob_service(values, "AzureWebJobsStorage").get_container_client(_CHECKPOINTS)
        done = {
            blob.name.rpartition("/")[2]: int((blob.metadata or {})["sequencenumber"])
            for blob in container.list_blobs(name_starts_with=prefix, include=["metadata"])
        }
    except (AzureError, EventHubError) as error:
        message = f"cannot tell how far {hub} has been processed: {error}"
        raise DeployError(message) from error
    return {partition: Progress(at, done.get(partition, -1)) for partition, at in last.items()}


def _namespace(values: Mapping[str, str]) -> str:
    if connection_string := values.get(_CONNECTION):
        address = parse_connection_string(connection_string).fully_qualified_namespace
        # The local endpoint's port is no part of its name.
        return address.partition(":")[0]
    return required(values, _NAMESPACE, _EXAMPLE)


def _producer(hub: str, values: Mapping[str, str]) -> EventHubProducerClient:
    if connection_string := values.get(_CONNECTION):
        return EventHubProducerClient.from_connection_string(connection_string, eventhub_name=hub)
    return EventHubProducerClient(_namespace(values), hub, DefaultAzureCredential())


def _consumer(hub: str, group: str, values: Mapping[str, str]) -> EventHubConsumerClient:
    if connection_string := values.get(_CONNECTION):
        return EventHubConsumerClient.from_connection_string(
            connection_string, group, eventhub_name=hub
        )
    return EventHubConsumerClient(_namespace(values), hub, group, DefaultAzureCredential())
