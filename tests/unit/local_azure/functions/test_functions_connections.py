import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.identity.aio import DefaultAzureCredential as AsyncDefault
from azure.identity.aio import ManagedIdentityCredential as AsyncManaged

from local_azure.functions.bindings import AuthLevel, Cardinality, EventHubTrigger
from local_azure.functions.checkpoints import (
    SharedCheckpoints,
    namespace_name,
    owner_is_gone,
    process_tag,
)
from local_azure.functions.connections import (
    ConnectionString,
    IdentityConnection,
    blob_checkpoints,
    blob_service,
    connection_string_mistake,
    event_hubs_connection,
    storage_connection,
)
from local_azure.functions.errors import FunctionsError, KeysMissing, WorkerMissing
from local_azure.functions.keys import Keys, read_keys
from local_azure.functions.settings import Settings
from local_azure.functions.triggers.event_hub import consumer_client

ENDPOINT = "Endpoint=sb://localhost:5672;SharedAccessKeyName=k;SharedAccessKey=s"
TRIGGER = EventHubTrigger("e", "hub", "Hub", "group", Cardinality.MANY, None)


def test_a_connection_string_wins_over_an_identity() -> None:
    settings = Settings({"Hub": "Endpoint=x", "Hub__fullyQualifiedNamespace": "ns"})
    assert event_hubs_connection(settings, "Hub") == ConnectionString("Endpoint=x")
    assert event_hubs_connection(settings, "Other") is None
    assert "Endpoint" not in repr(ConnectionString("Endpoint=x"))


def test_an_identity_is_named_by_suffixes() -> None:
    settings = Settings(
        {
            "Hub__fullyQualifiedNamespace": "ns.servicebus.windows.net",
            "Hub__credential": "managedidentity",
            "Hub__clientId": "c",
            "Blob__blobServiceUri": "https://a.blob.core.windows.net",
            "Named__accountName": "b",
        }
    )
    hub = event_hubs_connection(settings, "Hub")
    assert hub == IdentityConnection("ns.servicebus.windows.net", managed=True, client_id="c")
    blob = storage_connection(settings, "Blob")
    assert blob == IdentityConnection(
        "https://a.blob.core.windows.net", managed=False, client_id=None
    )
    named = storage_connection(settings, "Named")
    assert isinstance(named, IdentityConnection)
    assert named.address == "https://b.blob.core.windows.net"


def test_the_right_credential_and_clients_are_built_for_an_identity() -> None:
    managed = IdentityConnection("https://a.blob.core.windows.net", managed=True, client_id="c")
    default = IdentityConnection("https://a.blob.core.windows.net", managed=False, client_id=None)

    async def build() -> None:
        assert isinstance(managed.async_credential(), AsyncManaged)
        assert isinstance(default.async_credential(), AsyncDefault)
        async with blob_service(managed) as service:
            assert service.url == "https://a.blob.core.windows.net/"
            assert isinstance(service.credential, AsyncManaged)
        settings = Settings({"Hub__fullyQualifiedNamespace": "ns.servicebus.windows.net"})
        with blob_checkpoints(managed, "c") as store:
            client = consumer_client(settings, TRIGGER, SharedCheckpoints(store))
            assert client._address.hostname == "ns.servicebus.windows.net"
            assert isinstance(client._credential, AsyncDefault)
            await client.close()

    asyncio.run(build())
    with managed.credential() as credential:  # type: ignore[attr-defined]
        assert isinstance(credential, ManagedIdentityCredential)
    with default.credential() as credential:  # type: ignore[attr-defined]
        assert isinstance(credential, DefaultAzureCredential)


def test_the_consumer_of_a_connection_string_reads_the_triggers_hub_and_group() -> None:
    async def build() -> None:
        with blob_checkpoints(ConnectionString("AccountName=a;AccountKey=aGk="), "c") as store:
            checkpoints = SharedCheckpoints(store)
            client = consumer_client(Settings({"Hub": ENDPOINT}), TRIGGER, checkpoints)
            assert (client.eventhub_name, client._consumer_group) == ("hub", "group")
            await client.close()
            with pytest.raises(FunctionsError, match="'Hub' is missing"):
                consumer_client(Settings({}), TRIGGER, checkpoints)

    asyncio.run(build())


def test_development_storage_stands_for_azurite() -> None:
    found = storage_connection(Settings({"S": "UseDevelopmentStorage=true"}), "S")
    assert isinstance(found, ConnectionString)
    assert "http://127.0.0.1:10000/devstoreaccount1" in found.value


def test_a_wrong_connection_string_is_explained_without_its_secret() -> None:
    assert connection_string_mistake("AccountKey=secret", ("AccountName",)) == (
        "it has no AccountName"
    )
    assert connection_string_mistake("accountname=x;AccountKey=a==", ("AccountName",)) is None


def test_an_owner_is_gone_only_when_its_process_of_this_machine_has_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine = process_tag().rpartition(":")[0]
    assert owner_is_gone(f"guid@{machine}:{ended.pid}")
    assert not owner_is_gone(f"guid@{machine}:{os.getpid()}")
    assert not owner_is_gone(f"guid@elsewhere:{ended.pid}")
    assert not owner_is_gone("guid")
    assert not owner_is_gone("")


class _Store:
    """Stands for the blobs: keeps what it is given."""

    def __init__(self) -> None:
        self.owned: list[dict[str, Any]] = []
        self.checkpoints: list[dict[str, Any]] = []

    def claim_ownership(self, claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # Azurite gives an empty metadata value back as none.
        self.owned = [{**claim, "owner_id": claim["owner_id"] or None} for claim in claims]
        return claims

    def list_ownership(self, namespace: str, *_: str) -> list[dict[str, Any]]:
        return [own for own in self.owned if own["fully_qualified_namespace"] == namespace]

    def update_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.checkpoints.append(checkpoint)

    def list_checkpoints(self, namespace: str, *_: str) -> list[dict[str, Any]]:
        return [each for each in self.checkpoints if each["fully_qualified_namespace"] == namespace]


def test_ownership_and_checkpoints_survive_another_port_of_the_local_endpoint() -> None:
    async def run() -> None:
        store = _Store()
        checkpoints = SharedCheckpoints(store)  # type: ignore[arg-type] # the four methods used
        claim = {
            "fully_qualified_namespace": "localhost:5001",
            "eventhub_name": "h",
            "consumer_group": "g",
            "partition_id": "0",
            "owner_id": "me",
        }
        assert [each["owner_id"] for each in await checkpoints.claim_ownership([claim])] == ["me"]
        found = list(await checkpoints.list_ownership("localhost:5002", "h", "g"))
        assert [each["owner_id"] for each in found] == ["me"]
        await checkpoints.claim_ownership([{**claim, "owner_id": ""}])
        found = list(await checkpoints.list_ownership("localhost:5002", "h", "g"))
        assert [each["owner_id"] for each in found] == [""]
        await checkpoints.update_checkpoint({**claim, "offset": "5", "sequence_number": 7})
        assert checkpoints.checkpointed("0") == 7
        assert checkpoints.checkpointed("1") is None
        other = SharedCheckpoints(store)  # type: ignore[arg-type] # the four methods used
        (kept,) = await other.list_checkpoints("localhost:5003", "h", "g")
        assert (kept["offset"], other.checkpointed("0")) == ("5", 7)

    asyncio.run(run())
    assert namespace_name("ns.servicebus.windows.net") == "ns.servicebus.windows.net"


KEYS = Keys("m", {"default": "h"}, {"Api": {"default": "f"}})


@pytest.mark.parametrize(
    ("level", "key", "opens"),
    [
        (AuthLevel.ANONYMOUS, None, True),
        (AuthLevel.FUNCTION, None, False),
        (AuthLevel.FUNCTION, "f", True),
        (AuthLevel.FUNCTION, "h", True),
        (AuthLevel.FUNCTION, "m", True),
        (AuthLevel.FUNCTION, "x", False),
        (AuthLevel.ADMIN, "h", False),
        (AuthLevel.ADMIN, "m", True),
    ],
)
def test_a_key_opens(level: AuthLevel, key: str | None, opens: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert KEYS.opens(level, "Api", key) is opens
    if key == "f":
        assert not KEYS.opens(level, "Other", key)


@pytest.mark.parametrize(
    "content",
    ["{}", '{"master": ""}', '{"master": "m", "host": []}', "{", '{"functions": {"A": 1}}'],
)
def test_a_wrong_file_of_keys_shows_a_right_one(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(KeysMissing, match=r'Example: \{"master"'):
        read_keys(file)


def test_keys_are_read(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"master": "m", "host": {"default": "h"}, "functions": {"Api": {"d": "f"}}}')
    assert read_keys(file) == Keys("m", {"default": "h"}, {"Api": {"d": "f"}})


def test_a_worker_of_another_layout_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    from local_azure.functions import protos  # noqa: PLC0415 -- patched below

    monkeypatch.setattr(protos, "_MESSAGES", "tests/protos/Moved_pb2.py")
    with pytest.raises(WorkerMissing, match="its layout has moved"):
        protos._messages_folder()
    monkeypatch.setattr(protos, "_DISTRIBUTION", "azure-functions-runtime-v9")
    with pytest.raises(WorkerMissing, match="is not installed"):
        protos._messages_folder()
