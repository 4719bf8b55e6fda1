"""Messages as the SDK encodes them become events that the SDK decodes."""

import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp._decode import decode_payload
from azure.eventhub._pyamqp._encode import encode_payload
from azure.eventhub._pyamqp.message import BatchMessage, Header, Message, Properties
from azure.eventhub._pyamqp.utils import add_batch
from hypothesis import given, settings
from hypothesis import strategies as st

from local_azure.event_hubs.amqp.encode import encode, encode_described_map
from local_azure.event_hubs.amqp.message import (
    BATCH_FORMAT,
    MESSAGE_ANNOTATIONS,
    encode_section,
    insert_delivery_annotations,
    split_sections,
)
from local_azure.event_hubs.amqp.types import Symbol, Timestamp
from local_azure.event_hubs.errors import DecodeError
from local_azure.event_hubs.events import read_publication

# A busy machine is no failure.
UNHURRIED = settings(deadline=None)


def encoded(message: Message) -> bytes:
    output = bytearray()
    encode_payload(output, message)
    return bytes(output)


def batch_of(*members: Message, partition_key: str | None = None) -> bytes:
    annotations = {b"x-opt-partition-key": partition_key} if partition_key else None
    batch = BatchMessage(data=[], message_annotations=annotations)
    for member in members:
        add_batch(batch, member)
    return encoded(batch)


def received(event_bytes: bytes) -> EventData:
    return EventData._from_message(decode_payload(memoryview(event_bytes)))


def test_an_event_carries_the_services_annotations() -> None:
    publication = read_publication(encoded(Message(data=[b"body"])), 0)

    event = received(publication.events[0].encode(2**40, 123_456, 1_700_000_000_123))

    assert event.sequence_number == 2**40
    assert event.offset == "123456"
    assert event.enqueued_time is not None
    assert event.enqueued_time.timestamp() == 1_700_000_000.123
    assert event.partition_key is None
    assert event.body_as_str() == "body"


@UNHURRIED
@given(
    st.one_of(st.binary(min_size=1, max_size=400), st.text(min_size=1, max_size=40)),
    st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), st.integers(0)),
    st.one_of(st.none(), st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)),
)
def test_the_bare_message_goes_through_byte_for_byte(
    body: bytes | str, properties: dict[str, int], correlation_id: str | None
) -> None:
    properties = {key: value % 2**31 for key, value in properties.items()}
    message = Message(
        properties=Properties(correlation_id=correlation_id, content_type="application/json"),
        application_properties=properties,
        data=[body] if isinstance(body, bytes) else None,
        value=body if isinstance(body, str) else None,
    )
    published = encoded(message)

    (event,) = read_publication(published, 0).events

    assert event.encode(1, 2, 3).endswith(published)


def test_header_and_the_publishers_own_annotations_stay() -> None:
    message = Message(
        header=Header(durable=True, priority=3),
        message_annotations={b"x-opt-mine": "kept", b"x-opt-sequence-number": 99},
        data=[b"body"],
    )
    (event,) = read_publication(encoded(message), 0).events

    decoded = decode_payload(memoryview(event.encode(5, 6, 7)))

    assert decoded.header.durable
    assert decoded.header.priority == 3
    assert decoded.message_annotations[b"x-opt-mine"] == b"kept"
    assert decoded.message_annotations[b"x-opt-sequence-number"] == 5


def test_a_batch_becomes_its_members_in_order_with_its_key() -> None:
    raw = batch_of(*(Message(data=[b"%d" % n]) for n in range(3)), partition_key="k")

    publication = read_publication(raw, BATCH_FORMAT)

    events = [received(event.encode(n, n, n)) for n, event in enumerate(publication.events)]
    assert publication.partition_key == "k"
    assert [event.body_as_str() for event in events] == ["0", "1", "2"]
    assert [event.partition_key for event in events] == [b"k"] * 3


def test_the_key_of_the_first_member_counts_where_the_batch_has_none() -> None:
    member = Message(message_annotations={b"x-opt-partition-key": "inner"}, data=[b"1"])

    publication = read_publication(batch_of(member, Message(data=[b"2"])), BATCH_FORMAT)

    assert publication.partition_key == "inner"
    assert [received(e.encode(0, 0, 0)).partition_key for e in publication.events] == [
        b"inner",
        None,
    ]


def test_a_batch_of_large_members_is_taken_apart() -> None:
    publication = read_publication(batch_of(Message(data=[b"x" * 70_000])), BATCH_FORMAT)

    assert len(received(publication.events[0].encode(0, 0, 0)).body_as_str()) == 70_000


def test_a_map_of_annotations_in_the_large_form_is_read() -> None:
    key, value = encode(Symbol("x-opt-partition-key")), encode("k" * 300)
    raw = encode_described_map(MESSAGE_ANNOTATIONS, 2, key + value)

    assert read_publication(raw + encode_section(0x75, b""), 0).partition_key == "k" * 300


def test_a_descriptor_in_the_wide_form_is_read() -> None:
    raw = b"\x00\x80" + (0x75).to_bytes(8) + encode(b"body")

    assert split_sections(raw).bare == raw


@pytest.mark.parametrize("key", [None, 5])
def test_a_partition_key_that_is_no_text_counts_as_none(key: object) -> None:
    raw = encode_section(0x72, {Symbol("x-opt-partition-key"): key}) + encode_section(0x75, b"")

    assert read_publication(raw, 0).partition_key is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"x", "numeric descriptor"),
        (b"\x00\x53\x75\xa0\x05abc", "bytes too many"),
        (b"\x00\x53\x99\x40", "no message section"),
        (b"\x00\x53\x75\xa0\x00\x00\x53\x70\x45", "comes too late"),
        (b"\x00\x53\x72\xa0\x00", "annotations are a map"),
        (b"\x00\x53\x72\xd1\x00\x00\x00\x01\x00", "cut short"),
        (b"\x00\x53\x72\xc1\x02\x02\x45", "a symbol or a number"),
        (b"\x00\x53", "bytes more"),
    ],
)
def test_a_malformed_message_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_publication(raw, 0)


def test_a_batch_with_a_malformed_member_is_refused_whole() -> None:
    good = b"".join(encode_section(0x75, b"") for _ in range(2))

    with pytest.raises(DecodeError):
        read_publication(encode_section(0x75, good) + encode_section(0x75, b"junk"), BATCH_FORMAT)
    with pytest.raises(DecodeError, match="holds a binary"):
        read_publication(encode_section(0x75, "text"), BATCH_FORMAT)


@UNHURRIED
@given(st.binary(max_size=200), st.sampled_from([0, BATCH_FORMAT]))
def test_any_bytes_are_read_or_refused(raw: bytes, message_format: int) -> None:
    try:
        read_publication(b"\x00\x53" + raw, message_format)
    except DecodeError:
        return


@pytest.mark.parametrize("header", [None, Header(durable=True)])
def test_delivery_annotations_go_behind_the_header(header: Header | None) -> None:
    message = Message(header=header, message_annotations={b"a": 1}, data=[b"body"])

    raw = insert_delivery_annotations(encoded(message), {"last": 4, "time": Timestamp(9)})

    decoded = decode_payload(memoryview(raw))
    assert decoded.delivery_annotations == {b"last": 4, b"time": 9}
    assert decoded.message_annotations == {b"a": 1}
    assert (decoded.header is None) == (header is None)
    assert split_sections(raw).annotations
