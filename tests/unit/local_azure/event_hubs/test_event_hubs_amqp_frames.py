"""Frames and performatives, with the SDK's own codec as the judge."""

import pytest
from azure.eventhub._pyamqp import performatives as sdk
from azure.eventhub._pyamqp._decode import decode_frame
from azure.eventhub._pyamqp._encode import encode_frame as sdk_encode_frame
from azure.eventhub._pyamqp.endpoints import ApacheFilters, Source, Target
from azure.eventhub._pyamqp.error import AMQPError
from hypothesis import given, settings
from hypothesis import strategies as st

from local_azure.event_hubs.amqp import performatives as ours
from local_azure.event_hubs.amqp.decode import decode
from local_azure.event_hubs.amqp.encode import encode, encode_described_list
from local_azure.event_hubs.amqp.frames import Frame, FrameReader, FrameType, encode_frame
from local_azure.event_hubs.amqp.incoming import read_performative
from local_azure.event_hubs.amqp.transfers import OVERHEAD, transfer_frames
from local_azure.event_hubs.amqp.types import Described, Symbol, UInt
from local_azure.event_hubs.errors import DecodeError

# A busy machine is no failure.
UNHURRIED = settings(deadline=None)

PERFORMATIVES = [
    (ours.Open("me", max_frame_size=65536, channel_max=9, idle_time_out=5), 16, 10),
    (ours.Begin(1, 0, 5000, 5000, handle_max=255), 17, 8),
    (ours.Attach("link", 3, role=True, source=ours.Source("hub"), target=ours.Target()), 18, 14),
    (ours.Flow(0, 10, 0, 10, handle=1, delivery_count=0, link_credit=5, drain=False), 19, 11),
    (ours.Disposition(role=True, first=7, last=7, settled=True, state=ours.Accepted()), 21, 6),
    (ours.Detach(1, closed=True, error=ours.AmqpError("amqp:not-found", "no")), 22, 3),
    (ours.End(), 23, 1),
    (ours.Close(ours.AmqpError("amqp:not-allowed")), 24, 1),
    (ours.SaslMechanisms(("ANONYMOUS", "PLAIN")), 64, 1),
    (ours.SaslOutcome(0), 68, 2),
]


@pytest.mark.parametrize(("performative", "code", "length"), PERFORMATIVES)
def test_performatives_are_written_at_full_length_for_the_sdk(
    performative: ours.Performative, code: int, length: int
) -> None:
    found, fields = decode_frame(memoryview(performative.encode()))

    assert (found, len(fields)) == (code, length)


def test_the_sdk_reads_what_an_attach_says() -> None:
    source = ours.Source("hub", filters={Symbol("f"): Described(Symbol("f"), "x > '1'")})
    attach = ours.Attach("link", 3, role=False, source=source, max_message_size=1 << 20)

    _, fields = decode_frame(memoryview(attach.encode()))

    assert fields[:3] == [b"link", 3, False]
    assert fields[5][0] == b"hub"
    assert fields[5][7] == {b"f": b"x > '1'"}
    assert fields[10] == 1 << 20


def test_a_rejection_is_read_by_the_sdk_with_its_three_fields() -> None:
    rejected = ours.Rejected(ours.AmqpError("amqp:internal-error", "full"))

    disposition = ours.Disposition(role=True, first=1, settled=True, state=rejected)

    _, fields = decode_frame(memoryview(disposition.encode()))

    assert fields[4] == {"rejected": [[b"amqp:internal-error", b"full", None]]}


def from_the_sdk(frame: object) -> ours.Performative:
    _, body = sdk_encode_frame(frame)
    performative, _ = read_performative(bytes(body))
    return performative


def test_the_sdks_attach_is_read_with_its_filter_and_properties() -> None:
    selector = b"amqp.annotation.x-opt-offset > '5'"
    source = Source(
        address="amqps://localhost/hub/ConsumerGroups/g/Partitions/0",
        filters={
            ApacheFilters.selector_filter: (
                ApacheFilters.selector_filter,
                {"TYPE": "STRING", "VALUE": selector},
            )
        },
    )
    attach = from_the_sdk(
        sdk.AttachFrame(
            name="r",
            handle=4,
            role=True,
            send_settle_mode=1,
            rcv_settle_mode=0,
            source=source,
            target=Target(address="t"),
            unsettled=None,
            incomplete_unsettled=None,
            initial_delivery_count=None,
            max_message_size=None,
            offered_capabilities=None,
            desired_capabilities=[b"com.microsoft:georeplication"],
            properties={b"com.microsoft:epoch": {"TYPE": "LONG", "VALUE": 7}},
        )
    )

    assert isinstance(attach, ours.Attach)
    assert attach.source is not None
    assert attach.source.filters == {
        "apache.org:selector-filter:string": Described(
            "apache.org:selector-filter:string", selector.decode()
        )
    }
    assert attach.properties == {"com.microsoft:epoch": 7}
    assert attach.desired_capabilities == ("com.microsoft:georeplication",)


def test_the_sdks_error_is_read_as_an_error() -> None:
    detach = from_the_sdk(
        sdk.DetachFrame(handle=1, closed=True, error=AMQPError(b"amqp:not-found", "gone", None))
    )

    assert detach == ours.Detach(1, closed=True, error=ours.AmqpError("amqp:not-found", "gone"))


def test_a_transfers_payload_begins_behind_its_performative() -> None:
    body = ours.Transfer(1, 2, b"t", 0, settled=True, more=False).encode()

    performative, start = read_performative(body + b"payload")

    assert performative == ours.Transfer(1, 2, b"t", 0, settled=True, more=False)
    assert (body + b"payload")[start:] == b"payload"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (encode("text"), "is a performative"),
        (encode_described_list(0x99, []), "no performative"),
        (encode(Described(Symbol("amqp:open:list"), [])), "no performative"),
        (encode(Described(0x10, "text")), "list of fields"),
        (encode_described_list(0x10, []), r"Open\.container_id is required"),
        (encode_described_list(0x10, [encode(5)]), r"Open\.container_id cannot be 5"),
        (encode_described_list(0x17, [encode(None)] * 2), "has 1 fields, 2 came"),
        (encode_described_list(0x16, [encode(-1)]), r"Detach\.handle cannot be -1"),
        (encode_described_list(0x16, [encode(True)]), r"Detach\.handle cannot be True"),
        (encode_described_list(0x16, [encode(2**40)]), "cannot be"),
    ],
)
def test_what_is_no_performative_is_refused_by_name(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_performative(body)


def test_fields_that_are_left_out_at_the_end_are_unset() -> None:
    performative, _ = read_performative(encode_described_list(0x16, [encode(UInt(9))]))

    assert performative == ours.Detach(9)


@UNHURRIED
@given(st.binary(max_size=300))
def test_any_frame_body_is_read_or_refused(body: bytes) -> None:
    try:
        read_performative(b"\x00\x53" + body)
    except DecodeError:
        return


@UNHURRIED
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    bodies: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(encode_frame(n, body) for n, body in enumerate(bodies))
    reader = FrameReader(512)
    found = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:cut])
        stream = stream[cut:]
        while (frame := reader.take_frame()) is not None:
            found.append(frame)

    assert found == [Frame(n, FrameType.AMQP, body) for n, body in enumerate(bodies)]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\x00\x00\x02\x01\x02\x00\x00\x00", "at most 512"),
        (b"\x00\x00\x00\x08\x01\x00\x00\x00", "1 words in"),
        (b"\x00\x00\x00\x08\x03\x00\x00\x00", "3 words in"),
        (b"\x00\x00\x00\x08\x02\x07\x00\x00", "not 7"),
    ],
)
def test_an_impossible_frame_is_refused(head: bytes, reason: str) -> None:
    reader = FrameReader(512)
    reader.feed(head)

    with pytest.raises(DecodeError, match=reason):
        reader.take_frame()


@UNHURRIED
@given(st.binary(max_size=5000), st.integers(512, 4096))
def test_a_message_is_cut_into_frames_that_the_peer_takes(payload: bytes, size: int) -> None:
    reader = FrameReader(size)
    for head, part in transfer_frames(3, 7, 41, payload, size):
        reader.feed(head + bytes(part))

    parts = []
    while (frame := reader.take_frame()) is not None:
        performative, start = read_performative(frame.body)
        assert isinstance(performative, ours.Transfer)
        assert (performative.handle, performative.delivery_id) == (7, 41)
        assert performative.settled
        parts.append((frame.body[start:], performative.more))
    assert b"".join(part for part, _ in parts) == payload
    assert [more for _, more in parts] == [True] * (len(parts) - 1) + [False]
    assert len(parts) == max(1, -(-len(payload) // (size - OVERHEAD)))


def test_the_sdk_reads_a_transfer_frame() -> None:
    ((head, part),) = transfer_frames(3, 7, 41, b"payload", 512)

    code, fields = decode_frame(memoryview(head + bytes(part))[8:])

    assert code == 20
    assert len(fields) == 12
    assert fields[:6] == [7, 41, b"\x00\x00\x00\x29", 0, True, False]
    assert bytes(fields[11]) == b"payload"


def test_a_described_value_keeps_its_descriptor() -> None:
    assert decode(ours.Accepted().encode())[0] == Described(0x24, [])
