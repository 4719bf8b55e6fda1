"""What tests of commands about rules run on."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from rule_documents import rule, use_rules
from rules_shell import HIGH, Shell
from store_fixtures import Store


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those that a test asks for: an operator needs no key to personal data."""
    for name in ("DATABASE_URL", "DATABASE_HOST", "RulesStorage", "PII_HASH_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


@pytest.fixture
def container(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerClient]:
    name = f"rules-{uuid.uuid4().hex}"
    monkeypatch.setenv("RulesStorage", azurite)
    monkeypatch.setenv("RULES_CONTAINER", name)
    with BlobServiceClient.from_connection_string(azurite) as service:
        yield service.create_container(name)


@pytest.fixture
def used(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A database that the commands reach, with version 1.0.0 active."""
    monkeypatch.setenv("DATABASE_URL", store.writer_url)
    use_rules(store, rule("high", when=HIGH))
    return store
