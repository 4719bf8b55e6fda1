"""Writes small projects, and reads what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_azure.functions.errors import ProjectInvalid
from local_azure.functions.project import Project, read_project

EVENT_HUBS = "Endpoint=sb://localhost;SharedAccessKeyName=k;SharedAccessKey=s"
STORAGE = "AccountName=a;AccountKey=aGk=;BlobEndpoint=http://127.0.0.1:1/a"
SETTINGS = {"Hub": EVENT_HUBS, "AzureWebJobsStorage": STORAGE, "HubName": "payments"}


def write(
    root: Path,
    functions: dict[str, Any],
    host: object = None,
    settings: dict[str, Any] | None = None,
    code: str = "def main(**_): ...",
) -> None:
    (root / "host.json").write_text(json.dumps(host or {"version": "2.0"}))
    values = {"Values": SETTINGS if settings is None else settings}
    (root / "local.settings.json").write_text(json.dumps(values))
    for name, document in functions.items():
        (root / name).mkdir()
        (root / name / "__init__.py").write_text(code)
        (root / name / "function.json").write_text(json.dumps(document))


def events(**other: Any) -> dict[str, Any]:
    return {
        "name": "events",
        "type": "eventHubTrigger",
        "direction": "in",
        "eventHubName": "%HubName%",
        "connection": "Hub",
        **other,
    }


def timer(**other: Any) -> dict[str, Any]:
    standard = {"name": "t", "type": "timerTrigger", "direction": "in", "schedule": "0 * * * * *"}
    return {**standard, **other}


def blob_trigger(**other: Any) -> dict[str, Any]:
    return {"name": "b", "type": "blobTrigger", "direction": "in", "path": "files/{name}", **other}


def blob(**other: Any) -> dict[str, Any]:
    return {"name": "o", "type": "blob", "direction": "out", "path": "files/x", **other}


def http(**other: Any) -> dict[str, Any]:
    return {"name": "req", "type": "httpTrigger", "direction": "in", **other}


def function(*bindings: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"bindings": list(bindings), **other}


def findings(root: Path, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ProjectInvalid) as caught:
        read_project(root, environment or {})
    return [str(finding) for finding in caught.value.findings]


def good(root: Path, environment: dict[str, str] | None = None) -> Project:
    return read_project(root, environment or {})
