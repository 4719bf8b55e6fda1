"""The storage accounts that a project's connections name, opened once and shared."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient

from local_azure.functions.connections import blob_service, storage_connection
from local_azure.functions.errors import FunctionsError
from local_azure.functions.settings import Settings
from local_azure.functions.wire import BlobSnapshot


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """One blob of a listing."""

    name: str
    etag: str


class BlobStores:
    """Reads and writes blobs by the name of a connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: dict[str, BlobServiceClient] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def container(self, connection: str, name: str) -> ContainerClient:
        """Open a container, which need not exist."""
        return self._service(connection).get_container_client(name)

    def blob(self, connection: str, container: str, name: str) -> BlobClient:
        """Open a blob, which need not exist."""
        return self._service(connection).get_blob_client(container, name)

    def _service(self, connection: str) -> BlobServiceClient:
        service = self._services.get(connection)
        if service is None:
            found = storage_connection(self._settings, connection)
            if found is None:
                msg = f"the setting '{connection}' of a storage connection is missing"
                raise FunctionsError(msg)
            service = self._services[connection] = blob_service(found)
            self._stack.push_async_callback(service.close)
        return service

    async def ensure_container(self, connection: str, name: str) -> None:
        """Create a container unless it exists."""
        try:
            await self.container(connection, name).create_container()
        except ResourceExistsError:
            return

    async def read(self, connection: str, container: str, name: str) -> bytes | None:
        """Read a blob; None when it, or its container, does not exist."""
        try:
            download = await self.blob(connection, container, name).download_blob()
            return await download.readall()
        except ResourceNotFoundError:
            return None

    async def write(self, connection: str, container: str, name: str, content: bytes) -> None:
        """Write a blob over what is there; its container is created when missing."""
        blob = self.blob(connection, container, name)
        try:
            await blob.upload_blob(content, overwrite=True)
        except ResourceNotFoundError:
            await self.ensure_container(connection, container)
            await blob.upload_blob(content, overwrite=True)

    async def list(self, connection: str, container: str, prefix: str) -> list[ListedBlob]:
        """List blobs by a prefix; none when the container does not exist."""
        client = self.container(connection, container)
        try:
            return [
                ListedBlob(blob.name, str(blob.etag))
                async for blob in client.list_blobs(name_starts_with=prefix or None)
            ]
        except ResourceNotFoundError:
            return []

    async def snapshot(
        self, connection: str, container: str, name: str, etag: str | None = None
    ) -> BlobSnapshot | None:
        """Read a blob with its properties.

        Args:
            connection: name of the connection.
            container: name of the container.
            name: name of the blob in it.
            etag: the version wanted; None takes whatever is there.

        Returns:
            the blob; None when it is gone or has changed since.
        """
        blob = self.blob(connection, container, name)
        try:
            if etag is None:
                download = await blob.download_blob()
            else:
                download = await blob.download_blob(
                    etag=etag, match_condition=MatchConditions.IfNotModified
                )
            content = await download.readall()
        except (ResourceNotFoundError, ResourceModifiedError):
            return None
        return BlobSnapshot(
            path=f"{container}/{name}",
            uri=blob.url.partition("?")[0],
            content=content,
            properties=_shown(download.properties),
            metadata=dict(download.properties.metadata or {}),
        )


def _shown(properties: BlobProperties) -> dict[str, str | int]:
    """The properties that the SDK and functions look at, named as by the .NET client."""
    settings = properties.content_settings
    modified: datetime | None = properties.last_modified
    shown: dict[str, str | int | None] = {
        "ContentLength": properties.size,
        "Length": properties.size,
        "ContentType": settings.content_type if settings else None,
        "ContentEncoding": settings.content_encoding if settings else None,
        "ETag": str(properties.etag),
        "LastModified": modified.isoformat() if modified else None,
        "BlobType": str(properties.blob_type.value) if properties.blob_type else None,
    }
    return {name: value for name, value in shown.items() if value is not None}
