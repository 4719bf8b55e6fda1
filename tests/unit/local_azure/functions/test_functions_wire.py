"""Triggers on the wire, read back by the converters of the azure-functions SDK."""

import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from azure.functions.meta import Datum, get_binding_registry
from hypothesis import given
from hypothesis import strategies as st

from local_azure.functions import wire
from local_azure.functions.bindings import DataType
from local_azure.functions.protos import load_worker_modules

PLACE = wire.PartitionPlace("ns.servicebus.windows.net", "payments", "metrics", "3")
NOON = datetime(2026, 10, 31, 12, 0, 0, 123000, tzinfo=UTC)


class _Many:
    """What the worker hands the converter for a collection."""

    def __init__(self, values: list[Any]) -> None:
        self.bytes = self.string = self.sint64 = values


def datum(value: wire.Datum) -> Datum:
    match value:
        case wire.Text(text):
            return Datum(text, "string")
        case wire.Json(text):
            return Datum(text, "json")
        case wire.Raw(content):
            return Datum(content, "bytes")
        case wire.RawMany(contents):
            return Datum(_Many(list(contents)), "collection_bytes")
        case wire.TextMany(texts):
            return Datum(_Many(list(texts)), "collection_string")
        case wire.IntegerMany(numbers):
            return Datum(_Many(list(numbers)), "collection_sint64")
    raise AssertionError(value)


def decode(kind: str, trigger: wire.TriggerData) -> Any:
    converter = get_binding_registry().get(kind)
    metadata = {name: datum(value) for name, value in trigger.metadata.items()}
    return converter.decode(datum(trigger.data), trigger_metadata=metadata)


def event(number: int, body: bytes = b"{}", key: str | None = None) -> wire.Event:
    return wire.Event(body, number, str(number * 10), NOON, key, {"p": number})


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_binary_bodies_come_back_as_they_were(bodies: list[bytes]) -> None:
    events = [event(number, body, f"k{number}") for number, body in enumerate(bodies)]
    decoded = decode("eventHubTrigger", wire.event_batch("F", events, PLACE, DataType.BINARY))
    assert [each.get_body() for each in decoded] == bodies
    assert [each.sequence_number for each in decoded] == list(range(len(bodies)))
    # The SDK makes numbers of a batch's offsets, though they travel as strings.
    assert [each.offset for each in decoded] == [number * 10 for number in range(len(bodies))]
    assert [each.partition_key for each in decoded] == [f"k{n}" for n in range(len(bodies))]
    # Without a zone, as from Azure: the extension leaves it out.
    assert {each.enqueued_time for each in decoded} == {NOON.replace(tzinfo=None)}


def test_the_metadata_of_a_batch_have_the_names_and_shapes_of_the_extension() -> None:
    batch = wire.event_batch("F", [event(0), event(1, key="k")], PLACE, DataType.BINARY)
    shapes = {name: type(value) for name, value in batch.metadata.items()}
    assert shapes == {
        "PartitionContext": wire.Json,
        "EnqueuedTimeUtcArray": wire.Json,
        "PropertiesArray": wire.Json,
        "SystemPropertiesArray": wire.Json,
        "SequenceNumberArray": wire.IntegerMany,
        "OffsetArray": wire.TextMany,
        "OffsetStringArray": wire.TextMany,
        "PartitionKeyArray": wire.TextMany,
        "sys": wire.Json,
    }
    context = batch.metadata["PartitionContext"]
    assert isinstance(context, wire.Json)
    assert json.loads(context.value) == {
        "FullyQualifiedNamespace": "ns.servicebus.windows.net",
        "EventHubName": "payments",
        "ConsumerGroup": "metrics",
        "PartitionId": "3",
    }
    # A null key is dropped, so that this array is shorter than the others.
    assert batch.metadata["PartitionKeyArray"] == wire.TextMany(("k",))
    assert batch.metadata["EnqueuedTimeUtcArray"] == wire.Json(
        '["2026-10-31T12:00:00.123","2026-10-31T12:00:00.123"]'
    )


def test_without_binary_bytes_are_damaged_and_empty_bodies_vanish_as_in_azure() -> None:
    batch = wire.event_batch("F", [event(0, b"\xffa"), event(1, b"")], PLACE, None)
    assert batch.data == wire.TextMany(("�a",))
    with pytest.raises(AssertionError, match="Number of bodies and metadata mismatched"):
        decode("eventHubTrigger", batch)


@pytest.mark.parametrize("data_type", [DataType.BINARY, DataType.STRING])
def test_a_single_event_comes_back_as_it_was(data_type: DataType) -> None:
    decoded = decode(
        "eventHubTrigger", wire.single_event("F", event(4, b"body", "k"), PLACE, data_type)
    )
    assert isinstance(decoded, func.EventHubEvent)
    assert decoded.get_body() == b"body"
    assert (decoded.sequence_number, decoded.offset, decoded.partition_key) == (4, "40", "k")
    assert decoded.enqueued_time == NOON.replace(tzinfo=None)


def test_a_single_event_without_a_key_has_none() -> None:
    decoded = decode("eventHubTrigger", wire.single_event("F", event(4), PLACE, DataType.BINARY))
    assert decoded.partition_key is None


def test_a_timer_comes_back_as_it_was() -> None:
    status = wire.ScheduleStatus(None, NOON, NOON)
    decoded = decode("timerTrigger", wire.timer_firing("F", status, past_due=True, reason="r"))
    assert decoded.past_due
    assert decoded.schedule == {"AdjustForDST": True}
    assert decoded.schedule_status["Last"] == "0001-01-01T00:00:00+00:00"
    assert decoded.schedule_status["Next"] == NOON.isoformat()
    bare = decode("timerTrigger", wire.timer_firing("F", None, past_due=False, reason="r"))
    assert not bare.past_due


def test_a_blob_comes_back_with_its_name_its_length_and_its_metadata() -> None:
    blob = wire.BlobSnapshot(
        "c/in/a.json", "http://x/c/in/a.json", b"{}", {"ContentLength": 2}, {"m": "1"}
    )
    found = wire.blob_found("F", blob, {"name": "a"}, None)
    decoded = decode("blobTrigger", found)
    assert (decoded.name, decoded.uri, decoded.length) == (blob.path, blob.uri, 2)
    assert decoded.metadata == {"m": "1"}
    assert decoded.read() == b"{}"
    assert found.metadata["name"] == wire.Text("a")
    assert found.metadata["Name"] == wire.Text("in/a.json")
    assert found.values["name"] == "a"
    assert wire.blob_data(b"{}", DataType.STRING) == wire.Text("{}")


def test_a_request_offers_its_route_before_its_query_to_expressions() -> None:
    request = wire.Request("GET", "u", {}, {"id": "query", "q": "1"}, {"id": "route"}, b"")
    trigger = wire.http_request("F", request)
    assert (trigger.values["id"], trigger.values["q"]) == ("route", "1")
    assert trigger.data is request


def test_the_messages_of_the_worker_are_found_whatever_package_is_called_tests() -> None:
    messages = load_worker_modules().messages
    for name in ("StreamingMessage", "InvocationRequest", "TypedData", "NullableString"):
        assert hasattr(messages, name)
