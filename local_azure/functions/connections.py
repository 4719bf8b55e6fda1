"""Connections named in function.json: a connection string, or an identity.

``X`` is a setting that holds a connection string. Without it, ``X__fullyQualifiedNamespace`` (Event
Hubs) or ``X__blobServiceUri`` (storage) names the service and a Microsoft Entra identity opens it:
``X__credential`` = ``managedidentity`` with ``X__clientId`` for a user-assigned one, else
DefaultAzureCredential.
"""

from dataclasses import dataclass
from typing import Final

from azure.core.credentials import TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.storage.blob import ExponentialRetry
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.blob.aio import ExponentialRetry as AsyncExponentialRetry

from local_azure.functions.settings import Settings

EVENT_HUBS_EXAMPLE = (
    "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;"
    "SharedAccessKey=local;UseDevelopmentEmulator=true;"
)
STORAGE_EXAMPLE = "UseDevelopmentStorage=true"

# Azurite's published account, which "UseDevelopmentStorage=true" stands for.
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
)

# As the Azure host's own SDK does, after about 1, 3 and 5 seconds. The Python SDK's default, 15
# seconds and more, would hold a function back for half a minute after a storage that was away for
# one second.
_FIRST_PAUSE: Final = 1
_GROWTH: Final = 2
_RETRIES: Final = 3
_JITTER: Final = 1


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """A connection string, key included."""

    value: str

    def __repr__(self) -> str:
        return "ConnectionString(...)"


@dataclass(frozen=True, slots=True)
class IdentityConnection:
    """A service opened by an identity.

    Attributes:
        address: host name of an Event Hubs namespace, or URL of a blob service.
        managed: take the managed identity rather than the default chain.
        client_id: of a user-assigned identity.
    """

    address: str
    managed: bool
    client_id: str | None

    def credential(self) -> TokenCredential:
        """The credential for a blocking client."""
        if self.managed:
            return ManagedIdentityCredential(client_id=self.client_id)
        return DefaultAzureCredential(managed_identity_client_id=self.client_id)

    def async_credential(self) -> AsyncTokenCredential:
        """The credential for an asyncio client."""
        if self.managed:
            return AsyncManagedIdentityCredential(client_id=self.client_id)
        return AsyncDefaultAzureCredential(managed_identity_client_id=self.client_id)


type Connection = ConnectionString | IdentityConnection


def event_hubs_connection(settings: Settings, name: str) -> Connection | None:
    """Find how to reach an Event Hubs namespace; None when nothing is set."""
    return _connection(settings, name, ("fullyQualifiedNamespace",))


def storage_connection(settings: Settings, name: str) -> Connection | None:
    """Find how to reach a storage account's blobs; None when nothing is set."""
    value = settings.get(name)
    if value is not None and value.rstrip(";").casefold() == "usedevelopmentstorage=true":
        return ConnectionString(_AZURITE)
    account = settings.get(f"{name}__accountName")
    if value is None and account is not None and settings.get(f"{name}__blobServiceUri") is None:
        return _identity(settings, name, f"https://{account}.blob.core.windows.net")
    return _connection(settings, name, ("blobServiceUri", "serviceUri"))


def _connection(settings: Settings, name: str, suffixes: tuple[str, ...]) -> Connection | None:
    value = settings.get(name)
    if value is not None:
        return ConnectionString(value)
    for suffix in suffixes:
        address = settings.get(f"{name}__{suffix}")
        if address is not None:
            return _identity(settings, name, address)
    return None


def _identity(settings: Settings, name: str, address: str) -> IdentityConnection:
    managed = (settings.get(f"{name}__credential") or "").casefold() == "managedidentity"
    return IdentityConnection(address, managed, settings.get(f"{name}__clientId"))


def connection_string_mistake(value: str, required: tuple[str, ...]) -> str | None:
    """Say what is wrong with a connection string, without repeating its secrets."""
    parts = dict(part.partition("=")[::2] for part in value.split(";") if part)
    keys = {key.strip().casefold() for key in parts}
    missing = [key for key in required if key.casefold() not in keys]
    return f"it has no {' and no '.join(missing)}" if missing else None


def blob_service(connection: Connection) -> BlobServiceClient:
    """Open the blobs of a storage account."""
    retries = AsyncExponentialRetry(_FIRST_PAUSE, _GROWTH, _RETRIES, random_jitter_range=_JITTER)
    if isinstance(connection, ConnectionString):
        return BlobServiceClient.from_connection_string(connection.value, retry_policy=retries)
    credential = connection.async_credential()
    return BlobServiceClient(connection.address, credential=credential, retry_policy=retries)


def blob_checkpoints(connection: Connection, container: str) -> BlobCheckpointStore:
    """Open the checkpoints of consumers, in a container that must exist."""
    retries = ExponentialRetry(_FIRST_PAUSE, _GROWTH, _RETRIES, random_jitter_range=_JITTER)
    if isinstance(connection, ConnectionString):
        return BlobCheckpointStore.from_connection_string(
            connection.value, container, retry_policy=retries
        )
    credential = connection.credential()
    return BlobCheckpointStore(
        connection.address, container, credential=credential, retry_policy=retries
    )
