"""Talks to the admin endpoints of a running function host."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from azure.eventhub import EventHubConsumerClient

from local_azure.errors import LocalAzureError

_INVOCATION_SECONDS: Final = 600
_STATUS_SECONDS: Final = 10
_POLL_SECONDS: Final = 0.25


class FunctionFailed(LocalAzureError):
    """A function that was called through the admin endpoint failed."""

    def __init__(self, name: str, answer: str) -> None:
        super().__init__(f"the function {name} failed: {answer}")


class NotProcessedInTime(LocalAzureError):
    """Events were still waiting when the time was over."""

    def __init__(self, seconds: float, waiting: Mapping[str, int]) -> None:
        super().__init__(f"after {seconds:.0f} s these messages wait, by partition: {waiting}")


def run_function(host_url: str, name: str, function_input: str = "") -> None:
    """Run a function now and wait until it has ended.

    Raises:
        FunctionFailed: it raised an error, or the host did not run it.
    """
    answer = requests.post(
        f"{host_url}/admin/functions/{name}",
        params={"wait": "true"},
        json={"input": function_input},
        timeout=_INVOCATION_SECONDS,
    )
    if answer.status_code != requests.codes.ok:
        raise FunctionFailed(name, answer.text)


def host_status(host_url: str) -> dict[str, Any]:
    """Return what the host says of itself and its triggers."""
    answer = requests.get(f"{host_url}/admin/host/status", timeout=_STATUS_SECONDS)
    answer.raise_for_status()
    status: dict[str, Any] = answer.json()
    return status


def wait_until_processed(
    host_url: str,
    connection_string: str,
    function: str,
    *,
    seconds: float,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Wait until an Event Hubs triggered function has done all messages that are in its hub.

    Args:
        host_url: of the running host.
        connection_string: of the Event Hubs namespace.
        function: its name.
        seconds: how long to wait at most.
        progress: told how many messages wait.

    Raises:
        NotProcessedInTime: some messages are still waiting.
    """
    trigger = host_status(host_url)["triggers"][function]
    deadline = time.monotonic() + seconds
    with EventHubConsumerClient.from_connection_string(
        connection_string, trigger["consumerGroup"], eventhub_name=trigger["eventHub"]
    ) as client:
        last = {
            partition: client.get_partition_properties(partition)["last_enqueued_sequence_number"]
            for partition in client.get_partition_ids()
        }
    while waiting := _waiting(host_status(host_url)["triggers"][function]["partitions"], last):
        progress(sum(waiting.values()))
        if time.monotonic() > deadline:
            raise NotProcessedInTime(seconds, waiting)
        time.sleep(_POLL_SECONDS)
    progress(0)


def _waiting(partitions: Mapping[str, Any], last: Mapping[str, int]) -> dict[str, int]:
    """Return how many messages of each partition lie behind its checkpoint."""
    waiting = {}
    for partition, sequence_number in last.items():
        done = partitions.get(partition, {}).get("checkpointed")
        count = sequence_number - (-1 if done is None else done)
        if count > 0:
            waiting[partition] = count
    return waiting
