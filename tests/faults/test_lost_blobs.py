"""Checkpoints that are lost, a rules file that is gone, and a blob storage that is away."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import BlobServiceClient
from fault_load import Load, Pipeline, Record, settle
from pipeline_probe import query

from local_azure.environment import LocalAzure
from shared_code.rules.compiler import canonical_content

ROOT = Path(__file__).parents[2]
CHECKPOINTS = "azure-webjobs-eventhub"
RULES = "compliance-rules"
ACTIVE = "active/metric_derivation_rules.json"
FOUND = re.compile(r"\d+ messages: \d+ payments stored, (\d+) duplicates")


@contextmanager
def storage(local: LocalAzure) -> Iterator[BlobServiceClient]:
    """Connect to the blob storage."""
    with BlobServiceClient.from_connection_string(local.settings["RulesStorage"]) as client:
        yield client


def lose_checkpoints(local: LocalAzure) -> None:
    with storage(local) as client:
        container = client.get_container_client(CHECKPOINTS)
        for blob in container.list_blobs():
            if "/checkpoint/" in blob.name:
                container.delete_blob(blob.name)


def stored(local: LocalAzure) -> int:
    [(payments,)] = query(local, "SELECT count(*) FROM normalized_transactions")
    return int(payments)


def duplicates_since(log: Path, start: int) -> int:
    """Return how many events a host found stored, by what it says from a place in its log on."""
    said = log.read_bytes()[start:].decode()
    return sum(int(found) for found in FOUND.findall(said))


def test_lost_checkpoints_bring_everything_again_and_double_nothing(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    local = pipeline.local
    lost = []
    before = 0
    with Load(pipeline):
        for _ in range(8 if full else 1):
            time.sleep(1.5)
            while not stored(local):  # on a slow machine the first payment takes its time
                time.sleep(0.1)
            lose_checkpoints(local)  # while the host runs: it writes new ones
            time.sleep(1.0)
            local.kill_host()
            lose_checkpoints(local)
            before = stored(local)
            lost.append(datetime.now(UTC))
            local.start_host()
            time.sleep(1.0)
    settle(pipeline, record, "checkpoints lost", lost, times=2 * len(lost))
    host = local.host
    assert duplicates_since(host.log, host.log_start) >= before > 0


def raised(version: str) -> bytes:
    """Return the shipped rules as another version."""
    document = json.loads((ROOT / "rules" / "metric_derivation_rules.json").read_bytes())
    return canonical_content(json.dumps(document | {"version": version}).encode())


def activate(local: LocalAzure, document: bytes) -> None:
    """Upload rules as an analyst does, and wait until they are active."""
    with storage(local) as client:
        client.get_blob_client(RULES, "incoming/rules.json").upload_blob(document)
        active = client.get_blob_client(RULES, ACTIVE)
        deadline = time.monotonic() + 60
        while not (active.exists() and active.download_blob().readall() == document):
            assert time.monotonic() < deadline, "the uploaded rules never became active"
            time.sleep(0.1)


def test_without_the_rules_file_the_active_set_of_the_database_judges_on(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    local = pipeline.local
    document = raised("2.99.0")
    activate(local, document)
    activated = datetime.now(UTC)
    times = 10 if full else 2
    gone = []
    with storage(local) as client:
        active = client.get_blob_client(RULES, ACTIVE)
        with Load(pipeline) as load:
            for turn in range(times):
                time.sleep(1.0)
                # Gone, and then in its place: the old rules, and half a document.
                active.delete_blob()
                gone.append(datetime.now(UTC))
                time.sleep(1.0)
                wrong = (raised("2.0.0"), document[: len(document) // 2])[turn % 2]
                active.upload_blob(wrong, overwrite=True)
            time.sleep(1.0)
        settle(pipeline, record, "rules file deleted or wrong", gone, times=2 * times)
        judged = query(
            local,
            "SELECT version, count(*) FROM normalized_transactions"
            f" JOIN rule_sets USING (rule_set) WHERE stored_at > '{activated}' GROUP BY 1",
        )
        assert judged == [("2.99.0", sum(ledger.payments for ledger in load.ledgers))]
        assert active.download_blob().readall() == document, "the timer puts it back"


def test_while_blob_storage_is_away_payments_wait_and_none_is_lost(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    local = pipeline.local
    back = []
    with Load(pipeline):
        for turn in range(10 if full else 2):
            time.sleep(1.5)
            local.blob_storage.stop()
            if turn % 2:
                # A host that starts meanwhile has neither checkpoints nor rules.
                local.kill_host()
                local.start_host()
            time.sleep(1.5)
            back.append(datetime.now(UTC))
            local.blob_storage.start()
        time.sleep(4.0)
    settle(pipeline, record, "blob storage away", back)
