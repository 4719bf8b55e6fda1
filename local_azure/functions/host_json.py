"""Reads host.json (version 2.0) as far as this host follows it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from local_azure.functions.reader import Findings, ObjectReader, read_json_object

_FILE = "host.json"


class OffsetType(StrEnum):
    """Where a consumer group starts when it has no checkpoint yet."""

    FROM_START = "fromStart"
    FROM_END = "fromEnd"
    FROM_ENQUEUED_TIME = "fromEnqueuedTime"


class LogLevel(StrEnum):
    """The levels of .NET logging, most verbose first."""

    TRACE = "Trace"
    DEBUG = "Debug"
    INFORMATION = "Information"
    WARNING = "Warning"
    ERROR = "Error"
    CRITICAL = "Critical"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class EventHubsOptions:
    """``extensions.eventHubs``, with the defaults of the extension.

    Attributes:
        max_wait_time: counts only when ``min_event_batch_size`` is above 1.
        start: where to start without a checkpoint; a time (UTC) stands for fromEnqueuedTime.
    """

    max_event_batch_size: int = 100
    min_event_batch_size: int = 1
    max_wait_time: timedelta = timedelta(minutes=1)
    prefetch_count: int = 300
    batch_checkpoint_frequency: int = 1
    start: OffsetType | datetime = OffsetType.FROM_START


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What host.json says.

    Attributes:
        log_levels: category prefix to level; ``default`` holds for the rest.
        functions: the only functions to load; None means all.
        function_timeout: None means unlimited.
    """

    event_hubs: EventHubsOptions
    route_prefix: str
    function_timeout: timedelta | None
    log_levels: dict[str, LogLevel]
    functions: tuple[str, ...] | None

    def log_level(self, category: str) -> LogLevel:
        """The level of the longest prefix of a category, split at dots."""
        name = category
        while name:
            if name in self.log_levels:
                return self.log_levels[name]
            name = name.rpartition(".")[0]
        return self.log_levels.get("default", LogLevel.INFORMATION)


DEFAULT_TIMEOUT = timedelta(minutes=30)
"""What Premium and Dedicated plans, and Core Tools, take when host.json says nothing."""


def read_host_json(root: Path, findings: Findings) -> HostOptions:
    """Read host.json; mistakes are added to the findings and read as the default."""
    raw = read_json_object(root / _FILE, _FILE, findings)
    reader = ObjectReader(raw or {}, _FILE, findings)
    if raw is not None and reader.text("version", "2.0", required=True) not in {"2.0", ""}:
        reader.wrong("'version' is not '2.0'", 'Only "version": "2.0" is supported.')
    extensions = reader.child("extensions")
    event_hubs = _event_hubs(extensions.child("eventHubs"))
    http = extensions.child("http")
    prefix = http.raw("routePrefix")
    if prefix is not None and not isinstance(prefix, str):
        http.wrong("'extensions.http.routePrefix' is no string", 'Write "api", or "" for none.')
    http.ignore(
        "maxOutstandingRequests", "maxConcurrentRequests", "dynamicThrottlesEnabled", "hsts"
    )
    http.ignore("customHeaders")
    http.close()
    extensions.ignore("blobs", "queues", "serviceBus", "cosmosDB", "durableTask", "signalR")
    extensions.close()
    timeout = _timeout(reader)
    levels = _log_levels(reader.child("logging"))
    functions = reader.texts("functions", '["ProcessOrders"]')
    reader.ignore(
        "extensionBundle", "telemetryMode", "healthMonitor", "singleton", "aggregator", "retry"
    )
    reader.ignore("concurrency", "watchDirectories", "watchFiles", "managedDependency")
    reader.ignore("customHandler", "sendCanceledInvocationsToWorker")
    reader.close()
    route_prefix = prefix.strip("/") if isinstance(prefix, str) else "api"
    return HostOptions(event_hubs, route_prefix, timeout, levels, functions)


def _event_hubs(reader: ObjectReader) -> EventHubsOptions:
    bare = EventHubsOptions()
    largest = reader.integer("maxEventBatchSize", bare.max_event_batch_size, 1, 100_000)
    least = reader.integer("minEventBatchSize", bare.min_event_batch_size, 1, 100_000)
    if least > largest:
        reader.wrong(
            f"'minEventBatchSize' ({least}) is above 'maxEventBatchSize' ({largest})",
            "Lower the one or raise the other.",
        )
        least = largest
    wait = reader.duration("maxWaitTime", bare.max_wait_time, "00:01:00")
    prefetch = reader.integer("prefetchCount", bare.prefetch_count, 1, 100_000)
    frequency = reader.integer("batchCheckpointFrequency", 1, 1, 1_000_000)
    start = _initial_offset(reader.child("initialOffsetOptions"))
    reader.ignore(
        "targetUnprocessedEventThreshold", "transportType", "trackLastEnqueuedEventProperties"
    )
    reader.ignore("clientRetryOptions", "loadBalancingUpdateInterval", "webProxy")
    reader.ignore("partitionOwnershipExpirationInterval", "customEndpointAddress")
    reader.close()
    return EventHubsOptions(largest, least, wait or bare.max_wait_time, prefetch, frequency, start)


def _initial_offset(reader: ObjectReader) -> OffsetType | datetime:
    kind = reader.choice("type", OffsetType, OffsetType.FROM_START) or OffsetType.FROM_START
    text = reader.text("enqueuedTimeUtc", "2026-10-01T00:00:00Z")
    reader.close()
    if kind is not OffsetType.FROM_ENQUEUED_TIME:
        return kind
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        reader.wrong(
            f"'enqueuedTimeUtc' is '{text}'", 'Write a time such as "2026-10-01T00:00:00Z".'
        )
        return OffsetType.FROM_START
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _timeout(reader: ObjectReader) -> timedelta | None:
    if reader.raw("functionTimeout") in {"-1", -1}:
        return None
    return reader.duration("functionTimeout", DEFAULT_TIMEOUT, "00:30:00")


def _log_levels(reader: ObjectReader) -> dict[str, LogLevel]:
    levels = reader.child("logLevel")
    read: dict[str, LogLevel] = {}
    for category in list(levels.keys()):
        level = levels.choice(category, LogLevel, LogLevel.INFORMATION)
        if level is not None:
            read[category] = level
    reader.ignore("applicationInsights", "console", "fileLoggingMode")
    reader.close()
    return read
