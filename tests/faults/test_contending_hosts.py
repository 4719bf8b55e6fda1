"""Two function hosts of one consumer group that take partitions from each other."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import ContainerClient
from fault_load import Load, Pipeline, Record, settle

from local_azure.environment import LocalAzure
from local_azure.services.functions_host import FunctionsHost

ROOT = Path(__file__).parents[2]
CONTAINER = "azure-webjobs-eventhub"
STORED = re.compile(r"\d+ messages: ([1-9]\d*) payments stored")
LOST = re.compile(r"gave up partition \d+ \(OWNERSHIP_LOST\)")


def forget_owners(local: LocalAzure) -> None:
    """Delete what says whose partitions are: every host takes all of them, the others' too."""
    storage = local.settings["AzureWebJobsStorage"]
    with ContainerClient.from_connection_string(storage, CONTAINER) as container:
        for blob in container.list_blobs():
            if "/ownership/" in blob.name:
                container.delete_blob(blob.name)


def test_hosts_that_take_partitions_from_each_other_lose_and_double_nothing(
    pipeline: Pipeline, tmp_path: Path, record: Record, *, full: bool
) -> None:
    folder = tmp_path / "second"
    second = FunctionsHost(ROOT, folder / "local.settings.json", folder / "functions.log")
    local = pipeline.local
    before = local.host.log.stat().st_size
    fought = []
    with second, Load(pipeline):
        second.start(local.settings)
        for _ in range(20 if full else 3):
            time.sleep(2.2)
            forget_owners(local)
            fought.append(datetime.now(UTC))
        time.sleep(1.5)
    logs = [local.host.log.read_bytes()[before:].decode(), second.log.read_text("utf-8")]
    assert all(STORED.search(log) for log in logs), "a host stored nothing"
    thefts = sum(len(LOST.findall(log)) for log in logs)
    assert thefts >= len(fought)
    settle(pipeline, record, "partition taken by the other host", fought, times=thefts)
