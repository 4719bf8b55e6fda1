"""The data of invocations in the shapes in which the Azure host sends them to the worker.

Only these shapes know how a trigger looks on the wire; the worker driver turns them into protobuf.
Observed with the Functions host 4 and its Event Hubs, Timer and Blob extensions.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict

from local_azure.functions.bindings import DataType


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document, written out."""

    value: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes."""

    value: bytes


@dataclass(frozen=True, slots=True)
class RawMany:
    """A list of bytes."""

    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TextMany:
    """A list of strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntegerMany:
    """A list of 64-bit integers."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request.

    Attributes:
        parameters: values of the route's names.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; ``headers`` may hold ``set-cookie`` several times."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


type Datum = Text | Json | Raw | RawMany | TextMany | IntegerMany | Request
type OutDatum = Text | Json | Raw | Response


@dataclass(frozen=True, slots=True)
class TriggerData:
    """What fires one invocation.

    Attributes:
        data: the value of the trigger's parameter.
        metadata: the trigger's metadata, which the SDK's converters read.
        values: what binding expressions such as ``{name}`` may use.
        reason: for the log.
    """

    data: Datum
    metadata: Mapping[str, Datum] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    reason: str = "(null)"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an event hub.

    Attributes:
        enqueued_time: UTC.
        properties: the sender's application properties.
    """

    body: bytes
    sequence_number: int
    offset: str
    enqueued_time: datetime
    partition_key: str | None
    properties: Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class PartitionPlace:
    """Where a batch comes from."""

    namespace: str
    event_hub: str
    consumer_group: str
    partition_id: str


class _SystemProperties(TypedDict):
    SequenceNumber: int
    Offset: str
    PartitionKey: str | None
    EnqueuedTimeUtc: str


def system_values(method: str) -> dict[str, str]:
    """The ``{sys.*}`` values that every trigger offers."""
    return {
        "sys.MethodName": method,
        "sys.UtcNow": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sys.RandGuid": str(uuid.uuid4()),
    }


def _system_metadata(values: Mapping[str, str]) -> Json:
    return _json({name.removeprefix("sys."): value for name, value in values.items()})


def _json(value: object) -> Json:
    return Json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _naive_time(moment: datetime) -> str:
    """An enqueued time as the extension writes it: UTC, but without a zone."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text.rstrip("0") if "." in text else text


def _system_properties(event: Event) -> _SystemProperties:
    return {
        "SequenceNumber": event.sequence_number,
        "Offset": event.offset,
        "PartitionKey": event.partition_key,
        "EnqueuedTimeUtc": _naive_time(event.enqueued_time),
    }


def _partition_context(place: PartitionPlace) -> Json:
    return _json(
        {
            "FullyQualifiedNamespace": place.namespace,
            "EventHubName": place.event_hub,
            "ConsumerGroup": place.consumer_group,
            "PartitionId": place.partition_id,
        }
    )


def event_batch(
    function: str, events: Sequence[Event], place: PartitionPlace, data_type: DataType | None
) -> TriggerData:
    """An Event Hubs batch for a function with cardinality many.

    Without ``"dataType": "binary"`` bodies travel as strings, as from the real host: bytes that are
    no UTF-8 are replaced, and empty bodies vanish from the list.
    """
    values = system_values(function)
    if data_type is DataType.BINARY:
        data: Datum = RawMany(tuple(event.body for event in events))
    else:
        texts = (event.body.decode("utf-8", "replace") for event in events)
        data = TextMany(tuple(text for text in texts if text))
    keys = (event.partition_key for event in events)
    metadata: dict[str, Datum] = {
        "PartitionContext": _partition_context(place),
        "EnqueuedTimeUtcArray": _json([_naive_time(event.enqueued_time) for event in events]),
        "PropertiesArray": _json([dict(event.properties) for event in events]),
        "SystemPropertiesArray": _json([_system_properties(event) for event in events]),
        "SequenceNumberArray": IntegerMany(tuple(event.sequence_number for event in events)),
        "OffsetArray": TextMany(tuple(event.offset for event in events)),
        "OffsetStringArray": TextMany(tuple(event.offset for event in events)),
        # Null keys are dropped by the host, so that this array does not line up with the others.
        "PartitionKeyArray": TextMany(tuple(key for key in keys if key is not None)),
        "sys": _system_metadata(values),
    }
    return TriggerData(data, metadata, values)


def single_event(
    function: str, event: Event, place: PartitionPlace, data_type: DataType | None
) -> TriggerData:
    """One event for a function with cardinality one."""
    values = system_values(function)
    if data_type is DataType.BINARY:
        data: Datum = Raw(event.body)
    else:
        data = Text(event.body.decode("utf-8", "replace"))
    metadata: dict[str, Datum] = {
        "PartitionContext": _partition_context(place),
        "EnqueuedTimeUtc": _json(_naive_time(event.enqueued_time)),
        "Properties": _json(dict(event.properties)),
        "SystemProperties": _json(_system_properties(event)),
        "SequenceNumber": _json(event.sequence_number),
        "Offset": Text(event.offset),
        "OffsetString": Text(event.offset),
        "sys": _system_metadata(values),
    }
    if event.partition_key is not None:
        metadata["PartitionKey"] = Text(event.partition_key)
    return TriggerData(data, metadata, values)


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """What the host remembers of a timer; times are UTC."""

    last: datetime | None
    next: datetime
    last_updated: datetime


def schedule_status_json(status: ScheduleStatus) -> dict[str, str]:
    """The status as the worker gets it and as the blob keeps it."""
    last = status.last or datetime(1, 1, 1, tzinfo=UTC)
    return {
        "Last": last.isoformat(),
        "Next": status.next.isoformat(),
        "LastUpdated": status.last_updated.isoformat(),
    }


def timer_firing(
    function: str, status: ScheduleStatus | None, *, past_due: bool, reason: str
) -> TriggerData:
    """A timer's firing."""
    values = system_values(function)
    document: dict[str, object] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None if status is None else schedule_status_json(status),
        "IsPastDue": past_due,
    }
    return TriggerData(_json(document), {"sys": _system_metadata(values)}, values, reason)


@dataclass(frozen=True, slots=True)
class BlobSnapshot:
    """One blob as it was read.

    Attributes:
        path: ``container/name``.
        properties: as the SDK's converter knows them, ``ContentLength`` among them.
    """

    path: str
    uri: str
    content: bytes
    properties: Mapping[str, str | int]
    metadata: Mapping[str, str]


def blob_found(
    function: str, blob: BlobSnapshot, names: Mapping[str, str], data_type: DataType | None
) -> TriggerData:
    """A new or changed blob; ``names`` are the values of the path's expressions."""
    values = {
        **system_values(function),
        "BlobTrigger": blob.path,
        "Uri": blob.uri,
        **names,
    }
    metadata: dict[str, Datum] = {
        "BlobTrigger": Text(blob.path),
        "Uri": _json(blob.uri),
        "Name": Text(blob.path.partition("/")[2]),
        "Properties": _json(dict(blob.properties)),
        "Metadata": _json(dict(blob.metadata)),
        "sys": _system_metadata(system_values(function)),
    }
    metadata |= {name: Text(value) for name, value in names.items()}
    reason = f"New blob detected(LogsAndContainerScan): {blob.path}"
    return TriggerData(blob_data(blob.content, data_type), metadata, values, reason)


def blob_data(content: bytes, data_type: DataType | None) -> Datum:
    """A blob's content: bytes, or text when function.json asks for a string."""
    if data_type is DataType.STRING:
        return Text(content.decode("utf-8", "replace"))
    return Raw(content)


def http_request(function: str, request: Request) -> TriggerData:
    """An HTTP request; its route and query fill binding expressions."""
    values = {**system_values(function), **request.query, **request.parameters}
    reason = "This function was programmatically called via the host APIs."
    return TriggerData(request, {"sys": _system_metadata(values)}, values, reason)
