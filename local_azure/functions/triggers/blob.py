"""The blob trigger, by polling: each version (ETag) of a matching blob fires once.

A function that fails is tried five times in all, as in Azure. Azure then puts a message into the
queue ``webjobs-blobtrigger-poison``; this host has no queues and writes the same note as a blob
``azure-webjobs-hosts/poison/HOST/FUNCTION/ETAG/CONTAINER/NAME.json`` and logs it.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import timedelta

from local_azure.functions.binding_checks import HOST_STORAGE
from local_azure.functions.bindings import BlobTrigger, FunctionSpec
from local_azure.functions.blob_stores import ListedBlob
from local_azure.functions.invoker import HostStopping
from local_azure.functions.receipts import CONTAINER, Claim, Progress, Receipts
from local_azure.functions.triggers.services import HostServices
from local_azure.functions.wire import TriggerData, blob_found
from local_azure.functions.worker import Outcome

ATTEMPTS = 5
"""How often Azure hands a blob to a failing function (maxDequeueCount)."""

_CONCURRENT = 8
_log = logging.getLogger("Host.Triggers.Blobs")


class BlobListener:
    """Polls one container and fires one function with new versions."""

    def __init__(
        self,
        spec: FunctionSpec,
        trigger: BlobTrigger,
        services: HostServices,
        interval: timedelta,
    ) -> None:
        self._spec = spec
        self._trigger = trigger
        self._host_id = services.host_id
        self._stores = services.stores
        self._invoker = services.invoker
        self._interval = interval
        self._receipts = Receipts(services.stores, services.host_id, spec.name)
        self._seen: dict[str, str] = {}
        self._polls = 0
        self._processed = 0
        self._gate = asyncio.Semaphore(_CONCURRENT)

    def status(self) -> Mapping[str, object]:
        """Show what was polled, for the admin endpoint."""
        return {
            "path": self._trigger.path.text,
            "polls": self._polls,
            "processed": self._processed,
            "running": _CONCURRENT - self._gate._value,  # noqa: SLF001 -- a semaphore tells no one else
        }

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._stores.ensure_container(HOST_STORAGE, CONTAINER)
        while True:
            await self._poll()
            self._polls += 1
            await asyncio.sleep(self._interval.total_seconds())

    async def _poll(self) -> None:
        path = self._trigger.path
        listed = await self._stores.list(
            self._trigger.connection, path.container, path.listing_prefix
        )
        fresh = [blob for blob in listed if self._seen.get(blob.name) != blob.etag]
        try:
            async with asyncio.TaskGroup() as group:
                for blob in fresh:
                    names = path.match(blob.name)
                    if names is not None:
                        group.create_task(self._consider(blob, names))
        except* HostStopping:
            _log.debug("%s: the rest is left to the next start", self._spec.name)

    async def _consider(self, blob: ListedBlob, names: Mapping[str, str]) -> None:
        container = self._trigger.path.container
        async with self._gate:
            if not await self._receipts.is_done(container, blob):
                async with (
                    self._invoker.unit(),
                    self._receipts.claim(container, blob) as claim,
                ):
                    if claim is None or not await self._process(claim, blob, names):
                        return
            self._seen[blob.name] = blob.etag

    async def _process(self, claim: Claim, blob: ListedBlob, names: Mapping[str, str]) -> bool:
        """Run the function until it succeeds or has failed too often.

        Returns:
            whether this version is settled; one that has gone or changed meanwhile is not.
        """
        path = self._trigger.path
        for attempt in range(claim.attempts + 1, ATTEMPTS + 1):
            snapshot = await self._stores.snapshot(
                self._trigger.connection, path.container, blob.name, blob.etag
            )
            if snapshot is None:
                return False
            await claim.note(Progress.PENDING, attempt)
            data = blob_found(self._spec.name, snapshot, names, self._trigger.data_type)
            outcome = await self._invoker.run(self._spec, data)
            if outcome.failure is None:
                await claim.note(Progress.COMPLETED, attempt)
                self._processed += 1
                return True
            if self._invoker.stopping:
                return False
        await self._poison(claim, blob)
        return True

    async def _poison(self, claim: Claim, blob: ListedBlob) -> None:
        container = self._trigger.path.container
        etag = blob.etag.strip('"')
        name = f"poison/{self._host_id}/{self._spec.name}/{etag}/{container}/{blob.name}.json"
        note = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{self._spec.name}",
            "BlobType": "BlockBlob",
            "ContainerName": container,
            "BlobName": blob.name,
            "ETag": blob.etag,
        }
        await self._stores.write(HOST_STORAGE, CONTAINER, name, json.dumps(note).encode())
        await claim.note(Progress.POISONED, ATTEMPTS)
        _log.error(
            "%s failed %d times for '%s/%s'; it is given up and noted in '%s/%s'",
            self._spec.name,
            ATTEMPTS,
            container,
            blob.name,
            CONTAINER,
            name,
        )

    async def fire(self, path: str) -> Outcome | None:
        """Run the function once for a blob, for the admin endpoint.

        Args:
            path: ``container/name``.

        Returns:
            the outcome; None when there is no such blob.
        """
        container, _, name = path.partition("/")
        snapshot = await self._stores.snapshot(self._trigger.connection, container, name)
        if snapshot is None:
            return None
        names = self._trigger.path.match(name) or {}
        data: TriggerData = blob_found(self._spec.name, snapshot, names, self._trigger.data_type)
        return await self._invoker.run(self._spec, data)
