"""A full card number that comes in, in any writing at any place, is nowhere afterwards.

All that the pipeline writes is searched: each column of each table, the logs of every part, and
blobs. Left out is what others wrote: the event hub keeps its messages as they came, and blob
storage the uploads in ``incoming/``.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from card_number_canaries import Cage, Delivered, messages
from pipeline_probe import await_processed, close_windows, query
from rule_documents import rule
from store_fixtures import ROOT

from local_azure.config import load_config
from local_azure.environment import LocalAzure
from local_azure.services.postgresql import StopMode

PATIENCE_SECONDS = 30


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[LocalAzure]:
    config = load_config(ROOT / "local_azure.yaml")
    functions = replace(config.functions, port=0)
    with LocalAzure(replace(config, data_folder=tmp_path, functions=functions)) as local:
        local.start_host()
        yield local


def send(local: LocalAzure, delivered: list[Delivered]) -> None:
    with EventHubProducerClient.from_connection_string(
        local.settings["EventHubConnection"], eventhub_name="payments"
    ) as producer:
        for body, properties, partition_key in delivered:
            event = EventData(body)
            event.properties = dict(properties)
            event.message_id = next(iter(properties.values()), None)
            event.correlation_id = partition_key
            producer.send_event(event, partition_key=partition_key)


def rule_documents(cage: Cage) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Yield rule documents as they are uploaded, and the blob's metadata."""

    def document(version: str, **changes: Any) -> dict[str, Any]:
        plain = rule("every_payment", **changes)
        return {"version": version, "description": "canaries", "rules": [plain]}

    number = cage.number
    yield json.dumps(document("90.0.0", description=number("description"))).encode(), {}
    condition = {"field": "merchant.name", "operator": "eq", "value": number("condition")}
    yield json.dumps(document("90.0.1", when=condition)).encode(), {}
    yield json.dumps(document("90.0.2", tags=[number("tag")])).encode(), {}
    yield json.dumps(document(number("version"))).encode(), {}
    yield json.dumps(document("90.0.3", **{number("unknown key"): 1})).encode(), {}
    yield f'{{"version": "90.0.4", "rules": [{number("broken JSON")}'.encode(), {}
    yield f"version: {number('YAML', 'plain')}\nrules: []".encode(), {}
    escaped = json.dumps(document("90.0.5", description="PAN"))
    digits = number("escaped digits in a document", "plain")
    hidden = "".join(f"\\u{ord(digit):04x}" for digit in digits)
    yield escaped.replace("PAN", hidden).encode(), {}
    across = b"version: 1\n# " + b"x" * (64 * 1024 - 20)
    yield across + number("across the cut", "plain").encode(), {}
    yield (
        json.dumps(document("91.0.0")).encode(),
        {"uploaded_by": number("uploader"), "reason": number("reason")},
    )


def upload(container: ContainerClient, cage: Cage) -> int:
    """Upload rule documents; return how many."""
    documents = list(rule_documents(cage))
    for at, (content, metadata) in enumerate(documents):
        container.upload_blob(f"incoming/canary-{at}", content, metadata=metadata)
    return len(documents)


def await_verdicts(local: LocalAzure, uploads: int) -> None:
    """Wait until every upload was refused or accepted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    verdicts = "SELECT count(*) FROM rule_sets WHERE source LIKE '%canary%'"
    activated = "SELECT count(*) FROM rule_set_activations WHERE activated_by LIKE '%canary%'"
    while query(local, verdicts)[0][0] + query(local, activated)[0][0] < uploads:
        assert time.monotonic() < deadline, query(local, "SELECT source, verdict FROM rule_sets")
        time.sleep(0.2)


def evidence(local: LocalAzure, storage: BlobServiceClient) -> Iterator[tuple[str, bytes]]:
    """Yield everything that the pipeline has written, by where it stands."""
    tables = query(
        local,
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm')"
        " AND relnamespace = 'public'::regnamespace",
    )
    for (table,) in tables:
        rows = query(local, f"SELECT row_to_json(kept)::text FROM {table} AS kept")
        yield f"table {table}", "\n".join(row for (row,) in rows).encode()
    for log in local.folder.rglob("*.log"):
        if not log.stem.isdigit():  # the hub's messages, by the offset of the first
            yield f"log {log.name}", log.read_bytes()
    for container in storage.list_containers():
        client = storage.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            if not blob.name.startswith("incoming/"):
                head = f"{blob.name} {blob.metadata}".encode()
                content: bytes = client.download_blob(blob.name).readall()
                yield f"blob {container.name}/{blob.name}", head + content


def test_a_card_number_that_comes_in_is_nowhere_afterwards(pipeline: LocalAzure) -> None:
    cage = Cage(seed=4)
    delivered = list(messages(cage))
    with BlobServiceClient.from_connection_string(pipeline.settings["RulesStorage"]) as storage:
        uploads = upload(storage.get_container_client("compliance-rules"), cage)
        await_verdicts(pipeline, uploads)
        send(pipeline, delivered[::2])
        # What fails is logged and delivered again.
        pipeline.postgresql.stop(StopMode.IMMEDIATE)
        send(pipeline, delivered[1::2])
        time.sleep(1.5)
        pipeline.postgresql.start()
        await_processed(pipeline)
        close_windows(pipeline)
        found = list(evidence(pipeline, storage))
    hub = b"".join(file.read_bytes() for file in pipeline.folder.rglob("*") if file.is_file())
    assert len(cage.found_in(hub)) > len(cage.canaries) / 2, "they have come in"
    stored = query(pipeline, "SELECT count(*) FROM normalized_transactions")[0][0]
    refused = query(pipeline, "SELECT count(*) FROM rejected_events")[0][0]
    assert stored > 20
    assert refused > 20
    out = [(where, canary.place) for where, text in found for canary in cage.found_in(text)]
    assert out == []


@pytest.mark.parametrize("writing", ["plain", "spaces", "hyphens"])
def test_the_search_finds_every_writing(writing: str) -> None:
    cage = Cage()
    for _ in range(24):
        text = cage.number("here", writing)
        hidden = "".join(f"\\u{ord(it):04x}" for it in text)
        for form in (f"17 {text}, 4".encode(), hidden.encode(), text.encode("utf-16")):
            assert cage.canaries[-1] in cage.found_in(form)
        masked = f"{text[:6]}******{text[-4:]}"
        assert cage.found_in(masked.encode()) == []


def test_the_search_finds_encoded_numbers() -> None:
    cage = Cage()
    digits = cage.number("here", "plain").encode()
    for at in range(3):
        evidence = b"some bytes"[at:] + digits + b" and more"
        assert cage.found_in(base64.b64encode(evidence))
        assert cage.found_in(evidence.hex().encode())
