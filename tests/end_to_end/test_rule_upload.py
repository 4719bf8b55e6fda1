"""Rules change by uploading a file, through Azurite and the blob trigger."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from pipeline_probe import await_processed, query, send, traffic

from local_azure.environment import LocalAzure
from local_azure.host_client import run_function
from shared_code.rules.compiler import canonical_content
from shared_code.rules.document_text import yaml_text

RULES = Path(__file__).parents[2] / "rules" / "metric_derivation_rules.json"
SHIPPED_VERSION = json.loads(RULES.read_text("utf-8"))["version"]
WAIT_SECONDS = 60
ACTIVE = "active/metric_derivation_rules.json"
ACTIVATIONS = """
    SELECT version, activated_by FROM rule_set_activations JOIN rule_sets USING (rule_set)
    ORDER BY activation_id
"""


@pytest.fixture
def container(local_azure: LocalAzure) -> Iterator[ContainerClient]:
    connection_string = local_azure.settings["RulesStorage"]
    with BlobServiceClient.from_connection_string(connection_string) as service:
        yield service.get_container_client("compliance-rules")


def document(version: str, **rule: Any) -> dict[str, Any]:
    rules = json.loads(RULES.read_text("utf-8"))
    rules["version"] = version
    rules["rules"] = [
        {
            "id": "every_payment",
            "scope": "transaction",
            "description": "Counts every payment.",
            "category": "operations",
            "severity": "info",
            "metric": {"name": "payments", "type": "count"},
            **rule,
        }
    ]
    return rules


def upload(container: ContainerClient, name: str, content: dict[str, Any]) -> bytes:
    """Upload a document as a person would, and return the form in which it is served."""
    body = json.dumps(content).encode()
    if name.endswith(".yaml"):
        body = yaml_text(content).encode()
    container.upload_blob(f"incoming/{name}", body, overwrite=True)
    return canonical_content(body)


def await_that[T](look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.2)
    pytest.fail(f"nothing happened within {WAIT_SECONDS} s")


def read(container: ContainerClient, name: str) -> bytes | None:
    blob = container.get_blob_client(name)
    return blob.download_blob().readall() if blob.exists() else None


def test_uploaded_rules_judge_the_next_payments(
    local_azure: LocalAzure, container: ContainerClient
) -> None:
    local_azure.start_host()
    send(local_azure, traffic(payments=100, seed=21))
    await_processed(local_azure)
    uploaded = upload(container, "mine.yaml", document("9.0.0"))
    assert await_that(lambda: read(container, ACTIVE)) == uploaded
    assert read(container, "versions/9.0.0.json") == uploaded
    send(local_azure, traffic(payments=100, seed=22))
    await_processed(local_azure)
    judged = query(
        local_azure,
        "SELECT rule_set_version, count(*) FROM rule_matches WHERE rule_id = 'every_payment'"
        " GROUP BY 1",
    )
    assert judged == [("9.0.0", 100)]
    assert query(local_azure, ACTIVATIONS) == [
        (SHIPPED_VERSION, "deployment"),
        ("9.0.0", "upload of compliance-rules/incoming/mine.yaml"),
    ]


def test_bad_file_is_refused_with_all_its_errors_and_changes_nothing(
    local_azure: LocalAzure, container: ContainerClient
) -> None:
    local_azure.start_host()
    good = upload(container, "good.json", document("9.0.0"))
    assert await_that(lambda: read(container, ACTIVE)) == good
    when = {
        "all": [
            {"field": "payment_state", "operator": "eq", "value": "failed"},
            {"field": "currency", "operator": "eq", "value": "EURO"},
            {"field": "amount", "operator": "starts_with", "value": "1"},
        ]
    }
    upload(container, "bad.json", document("9.1.0", when=when))
    report = json.loads(await_that(lambda: read(container, "rejected/bad.json")))
    assert [error["path"] for error in report["errors"]] == [
        "$.rules[0].when.all[0].field",
        "$.rules[0].when.all[1].value",
        "$.rules[0].when.all[2].operator",
    ]
    assert read(container, ACTIVE) == good
    assert read(container, "versions/9.1.0.json") is None
    assert query(local_azure, ACTIVATIONS)[-1][0] == "9.0.0"
    [(verdict, errors)] = query(
        local_azure, "SELECT verdict, jsonb_array_length(errors) FROM rule_sets WHERE rule_set = 2"
    )
    assert (verdict, errors) == ("refused", 3)


def test_file_that_does_not_raise_the_version_is_refused(
    local_azure: LocalAzure, container: ContainerClient
) -> None:
    local_azure.start_host()
    good = upload(container, "first.json", document("9.0.0"))
    assert await_that(lambda: read(container, ACTIVE)) == good
    upload(container, "second.json", document("9.0.0", severity="high"))
    report = json.loads(await_that(lambda: read(container, "rejected/second.json")))
    assert [error["path"] for error in report["errors"]] == ["$.version"]
    assert read(container, ACTIVE) == good


def test_a_stale_document_in_blob_storage_is_replaced_by_the_active_one(
    local_azure: LocalAzure, container: ContainerClient
) -> None:
    host = local_azure.start_host()
    good = upload(container, "good.json", document("9.0.0"))
    assert await_that(lambda: read(container, ACTIVE)) == good
    container.upload_blob(ACTIVE, canonical_content(RULES.read_bytes()), overwrite=True)
    run_function(host, "AggregateMetrics")
    assert read(container, ACTIVE) == good
    container.delete_blob(ACTIVE)
    run_function(host, "AggregateMetrics")
    assert read(container, ACTIVE) == good
