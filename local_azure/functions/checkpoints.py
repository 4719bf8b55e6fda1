"""Checkpoints and ownership of partitions, kept in blobs through ``BlobCheckpointStore``.

The store is the blocking one of ``azure-eventhub-checkpointstoreblob``; its calls run in threads.
On top of it, an owner's id says which process of which machine it is, so that what a killed host
owned is free at once on the same machine, rather than after the ownership has expired.
"""

import asyncio
import os
import platform
from collections.abc import Iterable
from typing import Any

from azure.eventhub.aio import CheckpointStore
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore

_MARK = "@"


def process_tag() -> str:
    """Name this process among all machines."""
    return f"{platform.node()}:{os.getpid()}"


def owner_is_gone(owner_id: str) -> bool:
    """Tell whether an owner was a process of this machine that has ended.

    Anything in doubt counts as alive: then the ownership expires in its own time.
    """
    machine, _, pid = owner_id.partition(_MARK)[2].rpartition(":")
    if machine != platform.node() or not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def namespace_name(address: str) -> str:
    """Name a namespace by its host alone.

    A local endpoint listens on another port at each start, and is the same namespace for all that:
    with the port in their names its checkpoints would be lost.
    """
    return address.partition(":")[0]


class SharedCheckpoints(CheckpointStore):
    """The checkpoint store that the asyncio consumer client is given."""

    def __init__(self, store: BlobCheckpointStore) -> None:
        self._store = store
        self._tag = process_tag()
        self._known: dict[str, int] = {}

    def checkpointed(self, partition_id: str) -> int | None:
        """The sequence number last seen as checkpoint of a partition; None when there is none."""
        return self._known.get(partition_id)

    async def list_ownership(
        self, fully_qualified_namespace: str, eventhub_name: str, consumer_group: str, **_: Any
    ) -> Iterable[dict[str, Any]]:
        """List who owns which partition; what dead processes owned is shown as free."""
        found = await asyncio.to_thread(
            self._store.list_ownership,
            namespace_name(fully_qualified_namespace),
            eventhub_name,
            consumer_group,
        )
        return [self._seen(ownership) for ownership in found]

    async def claim_ownership(
        self, ownership_list: Iterable[dict[str, Any]], **_: Any
    ) -> Iterable[dict[str, Any]]:
        """Claim partitions; those that another host took meanwhile are left out."""
        claims = [self._stored(ownership) for ownership in ownership_list]
        won = await asyncio.to_thread(self._store.claim_ownership, claims)
        return [self._seen(ownership) for ownership in won]

    async def update_checkpoint(self, checkpoint: dict[str, Any], **_: Any) -> None:
        """Keep how far a partition has been processed."""
        namespace = namespace_name(checkpoint["fully_qualified_namespace"])
        stored = {**checkpoint, "fully_qualified_namespace": namespace}
        await asyncio.to_thread(self._store.update_checkpoint, stored)
        self._known[checkpoint["partition_id"]] = checkpoint["sequence_number"]

    async def list_checkpoints(
        self, fully_qualified_namespace: str, eventhub_name: str, consumer_group: str, **_: Any
    ) -> Iterable[dict[str, Any]]:
        """List how far each partition has been processed."""
        found = await asyncio.to_thread(
            self._store.list_checkpoints,
            namespace_name(fully_qualified_namespace),
            eventhub_name,
            consumer_group,
        )
        checkpoints = list(found)
        self._known |= {each["partition_id"]: each["sequence_number"] for each in checkpoints}
        return checkpoints

    def _stored(self, ownership: dict[str, Any]) -> dict[str, Any]:
        owner = ownership["owner_id"]
        return {
            **ownership,
            "fully_qualified_namespace": namespace_name(ownership["fully_qualified_namespace"]),
            "owner_id": f"{owner}{_MARK}{self._tag}" if owner else "",
        }

    def _seen(self, ownership: dict[str, Any]) -> dict[str, Any]:
        # A released partition has an empty owner, which storage gives back as none at all.
        owner = ownership["owner_id"] or ""
        own, _, tag = owner.partition(_MARK)
        if tag == self._tag:
            owner = own
        elif owner_is_gone(owner):
            owner = ""
        return {**ownership, "owner_id": owner}
