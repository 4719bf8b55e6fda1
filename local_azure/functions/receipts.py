"""Receipts of blobs: which version of a blob a function has already seen, and who is at it.

A receipt is an empty blob ``azure-webjobs-hosts/blobreceipts/HOST/FUNCTION/ETAG/CONTAINER/NAME``,
as in Azure. Its lease keeps two hosts from taking the same blob; its metadata say how far it got.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from local_azure.functions.binding_checks import HOST_STORAGE
from local_azure.functions.blob_stores import BlobStores, ListedBlob

CONTAINER = "azure-webjobs-hosts"
_LEASE_SECONDS = 60


class Progress(StrEnum):
    """How far a blob got."""

    PENDING = "pending"
    COMPLETED = "completed"
    POISONED = "poisoned"


@dataclass(slots=True)
class Claim:
    """The right to process one version of one blob."""

    client: BlobClient
    lease: BlobLeaseClient
    attempts: int

    async def note(self, progress: Progress, attempts: int) -> None:
        """Write down how far it got."""
        self.attempts = attempts
        await self.client.set_blob_metadata(
            {"progress": progress, "attempts": str(attempts)}, lease=self.lease
        )


class Receipts:
    """The receipts of one function."""

    def __init__(self, stores: BlobStores, host_id: str, function: str) -> None:
        self._stores = stores
        self._prefix = f"blobreceipts/{host_id}/{function}"

    def _client(self, container: str, blob: ListedBlob) -> BlobClient:
        etag = blob.etag.strip('"')
        name = f"{self._prefix}/{etag}/{container}/{blob.name}"
        return self._stores.blob(HOST_STORAGE, CONTAINER, name)

    async def is_done(self, container: str, blob: ListedBlob) -> bool:
        """Tell whether this version was processed, or given up, before."""
        try:
            properties = await self._client(container, blob).get_blob_properties()
        except ResourceNotFoundError:
            return False
        return (properties.metadata or {}).get("progress") in {
            Progress.COMPLETED,
            Progress.POISONED,
        }

    @asynccontextmanager
    async def claim(self, container: str, blob: ListedBlob) -> AsyncIterator[Claim | None]:
        """Claim a version; None when another host is at it."""
        client = self._client(container, blob)
        with suppress(ResourceExistsError):
            await client.upload_blob(
                b"", overwrite=False, metadata={"progress": Progress.PENDING, "attempts": "0"}
            )
        try:
            lease = await client.acquire_lease(lease_duration=_LEASE_SECONDS)
        except ResourceExistsError:
            yield None
            return
        renewal = asyncio.ensure_future(_renew(lease))
        try:
            properties = await client.get_blob_properties()
            metadata = properties.metadata or {}
            done = metadata.get("progress") in {Progress.COMPLETED, Progress.POISONED}
            attempts = int(metadata.get("attempts", "0"))
            yield None if done else Claim(client, lease, attempts)
        finally:
            renewal.cancel()
            # A lease that cannot be released ends by itself within its minute.
            with suppress(HttpResponseError, AzureError):
                await lease.release()


async def _renew(lease: BlobLeaseClient) -> None:
    while True:
        await asyncio.sleep(_LEASE_SECONDS / 3)
        await lease.renew()
