"""The hubs of one data folder, and what an address means among them."""

import asyncio
import fcntl
import json
import os
import re
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from local_azure.event_hubs.audience import Audience
from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.errors import DataFolderUnusable, LinkRefused
from local_azure.event_hubs.log.partition_log import HOUR_MS, LogLimits, PartitionLog
from local_azure.event_hubs.log.segment import sync_folder
from local_azure.event_hubs.partition import Partition

NOT_FOUND = "amqp:not-found"

_HUB_FILE = "hub.json"
# No hub can have this name.
_LOCK_FILE = ".lock"
_SCHEME = re.compile(r"(?:sb|amqps?)://[^/]*/")
_RECEIVER_ADDRESS = re.compile(r"([^/]+)/ConsumerGroups/([^/]+)/Partitions/([^/]+)", re.IGNORECASE)
_PUBLISHER_ADDRESS = re.compile(r"([^/]+)(?:/Partitions/([^/]+))?", re.IGNORECASE)


def now_ms() -> int:
    """The time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Hub:
    """One event hub at work.

    Attributes:
        config: What it was configured as.
        created_at: When its data folder was begun, milliseconds since the epoch.
        partitions: By number.
        audiences: By consumer group in lower case, then by partition number.
    """

    config: HubConfig
    created_at: int
    partitions: tuple[Partition, ...]
    audiences: Mapping[str, tuple[Audience, ...]]

    def partition(self, name: str) -> Partition:
        """Find a partition by its name on the wire.

        Raises:
            LinkRefused: There is none of that name.
        """
        for partition in self.partitions:
            if partition.partition_id == name:
                return partition
        last = len(self.partitions) - 1
        raise LinkRefused(
            NOT_FOUND,
            f"The partition '{name}' of the event hub '{self.config.name}' could not be found; "
            f"its partitions are 0 to {last}.",
        )


@dataclass(slots=True)
class PublisherTarget:
    """Where a publisher's events go: one partition, or a choice by key or in turn."""

    hub: Hub
    partition: Partition | None
    _turn: int = field(default=0, init=False)

    def choose(self, partition_key: str | None) -> Partition:
        """Choose a partition; equal keys always get the same one.

        The hash is not the one of Azure, so that a key may land in another partition there.
        """
        if self.partition is not None:
            return self.partition
        partitions = self.hub.partitions
        if partition_key is not None:
            return partitions[zlib.crc32(partition_key.encode()) % len(partitions)]
        self._turn = (self._turn + 1) % len(partitions)
        return partitions[self._turn]


@dataclass(frozen=True, slots=True)
class ReceiverSource:
    """What a receiver reads, and the audience that it has to join."""

    partition: Partition
    audience: Audience


class Namespace:
    """All hubs of one data folder; owns the folder while it is open.

    Attributes:
        config: What it was configured as.
        hubs: By name in lower case.
    """

    def __init__(
        self,
        config: EventHubsConfig,
        hubs: Mapping[str, Hub],
        *,
        executor: ThreadPoolExecutor,
        lock: int,
    ) -> None:
        self.config = config
        self.hubs = hubs
        self._executor = executor
        self._lock = lock

    @classmethod
    def open(
        cls, config: EventHubsConfig, folder: Path, clock: Callable[[], int] = now_ms
    ) -> "Namespace":
        """Open the logs of every hub; needs a running event loop.

        Args:
            config: The hubs.
            folder: Where they are kept; created if need be.
            clock: Gives milliseconds since the epoch.

        Raises:
            DataFolderUnusable: Another process has the folder, or it has more partitions than the
                configuration.
            LogDamaged: A log cannot be trusted.
            OSError: The disk refuses.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock_folder(folder)
        logs: list[PartitionLog] = []
        try:
            opened = [_open_hub(hub, config, folder, logs) for hub in config.hubs]
        except BaseException:
            for log in logs:
                log.close()
            os.close(lock)
            raise
        executor = ThreadPoolExecutor(min(8, len(logs)), thread_name_prefix="event-hubs-fsync")
        hubs = {}
        for hub, (created_at, hub_logs) in zip(config.hubs, opened, strict=True):
            partitions = tuple(
                Partition(hub.name, number, log, executor=executor, now_ms=clock)
                for number, log in enumerate(hub_logs)
            )
            audiences = {
                group.lower(): tuple(Audience() for _ in partitions) for group in hub.all_groups
            }
            hubs[hub.name.lower()] = Hub(hub, created_at, partitions, audiences)
        return cls(config, hubs, executor=executor, lock=lock)

    def find_hub(self, name: str) -> Hub:
        """Find a hub, case aside.

        Raises:
            LinkRefused: There is none of that name.
        """
        hub = self.hubs.get(name.lower())
        if hub is None:
            existing = ", ".join(sorted(hub.config.name for hub in self.hubs.values()))
            raise LinkRefused(
                NOT_FOUND,
                f"The messaging entity '{name}' could not be found; the event hubs here are: "
                f"{existing}.",
            )
        return hub

    def find_target(self, address: str) -> PublisherTarget:
        """Find where ``hub`` or ``hub/Partitions/N`` publishes to.

        Raises:
            LinkRefused: There is no such place.
        """
        match = _PUBLISHER_ADDRESS.fullmatch(strip_host(address))
        if match is None:
            raise _unknown_address(address, "HUB or HUB/Partitions/N")
        hub = self.find_hub(match[1])
        return PublisherTarget(hub, None if match[2] is None else hub.partition(match[2]))

    def find_source(self, address: str) -> ReceiverSource:
        """Find what ``hub/ConsumerGroups/G/Partitions/N`` receives from.

        Raises:
            LinkRefused: There is no such place.
        """
        match = _RECEIVER_ADDRESS.fullmatch(strip_host(address))
        if match is None:
            raise _unknown_address(address, "HUB/ConsumerGroups/GROUP/Partitions/N")
        hub = self.find_hub(match[1])
        audiences = hub.audiences.get(match[2].lower())
        if audiences is None:
            raise LinkRefused(
                NOT_FOUND,
                f"The consumer group '{match[2]}' of the event hub '{hub.config.name}' could not "
                f"be found; its consumer groups are: {', '.join(hub.config.all_groups)}.",
            )
        partition = hub.partition(match[3])
        return ReceiverSource(partition, audiences[partition.number])

    async def drop_expired(self) -> None:
        """Drop what is past retention in every partition."""
        for hub in self.hubs.values():
            for partition in hub.partitions:
                await partition.drop_expired()

    async def close(self) -> None:
        """Store what is pending and let go of the folder."""
        await asyncio.gather(
            *(partition.close() for hub in self.hubs.values() for partition in hub.partitions)
        )
        self._executor.shutdown()
        os.close(self._lock)


def strip_host(address: str) -> str:
    """Take ``sb://host/`` or ``amqps://host/`` and outer slashes off an address."""
    return _SCHEME.sub("", address, count=1).strip("/")


def _unknown_address(address: str, expected: str) -> LinkRefused:
    return LinkRefused(
        NOT_FOUND, f"The address '{address:.200}' could not be found; expected {expected}."
    )


def _lock_folder(folder: Path) -> int:
    lock = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # The kernel lets go of it when the process dies, however it dies.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        msg = (
            f"the data folder {folder} is in use by another Event Hubs; stop that one or choose "
            "another folder"
        )
        raise DataFolderUnusable(msg) from error
    return lock


def _open_hub(
    hub: HubConfig, config: EventHubsConfig, folder: Path, logs: list[PartitionLog]
) -> tuple[int, list[PartitionLog]]:
    hub_folder = folder / hub.name.lower()
    created_at = _created_at(hub, hub_folder)
    limits = LogLimits(hub.retention_hours * HOUR_MS, config.segment_bytes)
    opened = []
    for number in range(hub.partitions):
        log = PartitionLog.open(hub_folder / str(number), limits)
        logs.append(log)
        opened.append(log)
    return created_at, opened


def _created_at(hub: HubConfig, folder: Path) -> int:
    path = folder / _HUB_FILE
    created_at = now_ms()
    if path.exists():
        try:
            known = json.loads(path.read_bytes())
            created_at, partitions = int(known["created_at"]), int(known["partitions"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{path} is no description of a hub ({error}); move {folder} away to begin afresh"
            raise DataFolderUnusable(msg) from error
        if partitions > hub.partitions:
            msg = (
                f"the hub {hub.name} has {partitions} partitions in {folder}, the configuration "
                f"says {hub.partitions}: partitions can be added but never taken away. Configure "
                f"{partitions} or more, or move {folder} away to begin afresh"
            )
            raise DataFolderUnusable(msg)
        if partitions == hub.partitions:
            return created_at
    folder.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"created_at": created_at, "partitions": hub.partitions}))
    draft.rename(path)
    sync_folder(folder)
    return created_at
