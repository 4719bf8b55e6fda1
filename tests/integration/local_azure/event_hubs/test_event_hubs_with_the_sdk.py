"""The unmodified SDK publishes and receives."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient, EventHubSharedKeyCredential
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumer
from azure.eventhub.aio import EventHubProducerClient as AsyncProducer
from azure.eventhub.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.eventhub.exceptions import ConnectError, EventDataSendError, EventHubError

HUB = "payments"


def publish(producer: EventHubProducerClient, *bodies: str | bytes, **where: str) -> None:
    batch = producer.create_batch(**where)
    for body in bodies:
        batch.add(EventData(body))
    producer.send_batch(batch)


def last_sequence(producer: EventHubProducerClient, partition_id: str) -> int:
    properties = producer.get_partition_properties(partition_id)
    return int(properties["last_enqueued_sequence_number"])


def test_hub_and_partitions_describe_themselves(producer: EventHubProducerClient) -> None:
    before = datetime.now(UTC)
    hub = producer.get_eventhub_properties()
    empty = producer.get_partition_properties("3")
    publish(producer, "1", "2", partition_id="3")
    filled = producer.get_partition_properties("3")

    assert hub["eventhub_name"] == HUB
    assert hub["partition_ids"] == ["0", "1", "2", "3"]
    assert before - timedelta(minutes=5) < hub["created_at"] <= before
    assert empty["is_empty"]
    assert (empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (-1, "-1")
    assert not filled["is_empty"]
    assert filled["beginning_sequence_number"] == 0
    assert filled["last_enqueued_sequence_number"] == 1
    assert int(filled["last_enqueued_offset"]) > 0
    assert abs(filled["last_enqueued_time_utc"] - datetime.now(UTC)) < timedelta(seconds=30)


def test_equal_keys_meet_in_one_partition_in_order(
    producer: EventHubProducerClient, collect: Callable[..., Any]
) -> None:
    with collect(starting_position="@latest") as collector:
        # @latest begins when the links are attached, and the first event that comes shows that.
        while collector.partitions() != set("0123"):
            for partition_id in "0123":
                publish(producer, "probe", partition_id=partition_id)
            time.sleep(0.1)
        for number in range(24):
            publish(producer, f"{number}", partition_key=f"key-{number % 6}")
        collector.until(lambda: sum(body != "probe" for body in collector.bodies()) >= 24)

    where = defaultdict(set)
    order = defaultdict(list)
    for partition_id, event in collector.events:
        if event.body_as_str() != "probe":
            where[event.partition_key].add(partition_id)
            order[event.partition_key].append(int(event.body_as_str()))
    assert {key: len(partitions) for key, partitions in where.items()} == {
        b"key-%d" % n: 1 for n in range(6)
    }
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert len(set.union(*where.values())) > 1


def test_without_a_key_batches_go_round(producer: EventHubProducerClient) -> None:
    before = [last_sequence(producer, p) for p in "0123"]

    for _ in range(8):
        publish(producer, "x")

    assert [last_sequence(producer, p) for p in "0123"] == [n + 2 for n in before]


def test_everything_that_an_event_carries_comes_out(
    producer: EventHubProducerClient, receive: Callable[..., list[EventData]]
) -> None:
    event = EventData(b"\x00\xff binary")
    event.properties = {"text": "ü", "number": 7, "flag": True, "real": 0.5}
    event.content_type = "application/octet-stream"
    event.correlation_id = "c-1"
    event.message_id = "m-1"
    batch = producer.create_batch(partition_id="2", partition_key=None)
    batch.add(event)
    start = last_sequence(producer, "2")
    producer.send_batch(batch)

    (found,) = receive("2", 1, start)

    assert b"".join(found.body) == b"\x00\xff binary"
    assert found.properties == {b"text": "ü".encode(), b"number": 7, b"flag": True, b"real": 0.5}
    assert found.content_type == "application/octet-stream"
    assert found.correlation_id == "c-1"
    assert found.message_id == "m-1"
    assert found.sequence_number == start + 1
    assert found.enqueued_time is not None
    assert abs(found.enqueued_time - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_message_with_a_value_body_comes_out(
    producer: EventHubProducerClient, receive: Callable[..., list[EventData]]
) -> None:
    start = last_sequence(producer, "2")
    producer.send_event(AmqpAnnotatedMessage(value_body={"a": [1, None]}), partition_id="2")

    (found,) = receive("2", 1, start)

    assert found.body_type == AmqpMessageBodyType.VALUE
    assert found.body == {b"a": [1, None]}


def test_a_message_near_one_mebibyte_makes_the_round_trip(
    producer: EventHubProducerClient, receive: Callable[..., list[EventData]]
) -> None:
    body = bytes(range(256)) * 4090
    start = last_sequence(producer, "1")

    publish(producer, body, partition_id="1")
    publish(producer, b"after", partition_id="1")

    large, after = receive("1", 2, start)
    assert b"".join(large.body) == body
    assert b"".join(after.body) == b"after"


def test_a_message_above_one_mebibyte_is_refused_and_the_client_lives_on(
    producer: EventHubProducerClient,
) -> None:
    start = last_sequence(producer, "1")

    with pytest.raises(
        EventDataSendError, match=r"delivery-id:\d+\) exceeds the limit \(1048576 bytes\)"
    ):
        producer.send_event(EventData(b"x" * (1024 * 1024 + 1)), partition_id="1")

    publish(producer, "fits", partition_id="1")
    assert last_sequence(producer, "1") == start + 1


def test_positions_by_offset_sequence_number_and_time(
    producer: EventHubProducerClient,
    collect: Callable[..., Any],
    receive: Callable[..., list[EventData]],
) -> None:
    start = last_sequence(producer, "0")
    for number in range(5):
        # Events of one millisecond could not be told apart by their time.
        time.sleep(0.005)
        publish(producer, f"{number}", partition_id="0")
    events = receive("0", 5, start)
    assert [event.body_as_str() for event in events] == list("01234")
    third = events[2]
    assert third.enqueued_time is not None

    assert third.offset is not None
    assert third.sequence_number is not None
    with ExitStack() as stack:
        collectors = [
            stack.enter_context(
                collect(
                    group,
                    partition_id="0",
                    starting_position=position,
                    starting_position_inclusive=inclusive,
                )
            )
            for position in (third.offset, third.sequence_number, third.enqueued_time)
            # Two groups, since one has room for five receivers.
            for group, inclusive in (("metrics", False), ("$Default", True))
        ]
        for collector in collectors:
            collector.until(lambda c=collector: "4" in c.bodies())
        for collector in collectors:
            collector.stop()

    assert ["".join(c.bodies()) for c in collectors] == ["34", "234"] * 3


def test_latest_sees_only_what_comes_after(
    producer: EventHubProducerClient, collect: Callable[..., Any]
) -> None:
    publish(producer, "old", partition_id="0")
    with collect(partition_id="0", starting_position="@latest") as collector:
        while not collector.events:
            publish(producer, "new", partition_id="0")
            time.sleep(0.1)

    assert set(collector.bodies()) == {"new"}


def test_the_end_of_the_partition_comes_with_each_event_on_request(
    producer: EventHubProducerClient, namespace: str, collector_of: type
) -> None:
    start = last_sequence(producer, "0")
    publish(producer, "1", "2", "3", partition_id="0")
    seen = []

    with collector_of(
        namespace,
        "$Default",
        partition_id="0",
        starting_position=start,
        track_last_enqueued_event_properties=True,
    ) as collector:
        collector.until(lambda: len(collector.events) >= 3)
        seen = [event for _, event in collector.events]

    (first, *_, last) = seen
    properties = first._message.delivery_annotations
    assert properties[b"last_enqueued_sequence_number"] == last.sequence_number
    assert properties[b"last_enqueued_offset"].decode() == last.offset


def test_every_group_sees_every_event(
    producer: EventHubProducerClient, collect: Callable[..., Any]
) -> None:
    start = last_sequence(producer, "1")
    publish(producer, "for all", partition_id="1")

    with ExitStack() as stack:
        collectors = [
            stack.enter_context(collect(group, partition_id="1", starting_position=start))
            for group in ("metrics", "$Default", "METRICS")
        ]
        for collector in collectors:
            collector.until(lambda c=collector: len(c.events) == 1)
        for collector in collectors:
            collector.stop()

    assert [collector.bodies() for collector in collectors] == [["for all"]] * 3


def test_an_unknown_hub_is_refused_with_what_there_is(namespace: str) -> None:
    producer = EventHubProducerClient.from_connection_string(
        namespace, eventhub_name="payment", retry_total=0
    )
    with producer:
        with pytest.raises(ConnectError, match=r"'payment' could not be found.*are: payments"):
            producer.get_eventhub_properties()
        with pytest.raises(EventHubError, match=r"'payment' could not be found.*are: payments"):
            producer.send_event(EventData("x"))


def test_an_unknown_partition_is_refused_with_what_there_is(namespace: str) -> None:
    producer = EventHubProducerClient.from_connection_string(
        namespace, eventhub_name=HUB, retry_total=0
    )
    with producer, pytest.raises(EventHubError, match=r"partition '9'.*0 to 3"):
        producer.get_partition_properties("9")


def test_an_unknown_group_is_refused_with_what_there_is(collect: Callable[..., Any]) -> None:
    with collect("metric", partition_id="0", client={"retry_total": 0}) as collector:
        collector.until(lambda: bool(collector.errors))

    assert "consumer groups are: $Default, metrics" in str(collector.errors[0])


def test_a_checkpoint_of_another_data_folder_is_refused(collect: Callable[..., Any]) -> None:
    with collect(
        partition_id="0", starting_position="99999999", client={"retry_total": 0}
    ) as collector:
        collector.until(lambda: bool(collector.errors))

    assert "supplied offset '99999999' is invalid" in str(collector.errors[0])


def test_a_higher_owner_level_takes_the_partition_over(
    producer: EventHubProducerClient, collect: Callable[..., Any]
) -> None:
    start = last_sequence(producer, "2")
    publish(producer, "1", partition_id="2")
    options = {"partition_id": "2", "starting_position": start}
    with collect(owner_level=1, **options) as first:
        first.until(lambda: len(first.events) == 1)
        with collect(owner_level=2, **options) as second:
            second.until(lambda: len(second.events) == 1)
            first.until(lambda: bool(first.errors))
            with collect(owner_level=1, client={"retry_total": 0}, **options) as third:
                third.until(lambda: bool(third.errors))
            publish(producer, "2", partition_id="2")
            second.until(lambda: len(second.events) == 2)

    assert "New receiver with higher epoch of '2'" in str(first.errors[0])
    assert "higher epoch '2' already exists" in str(third.errors[0])
    assert not second.errors
    assert (first.bodies(), third.bodies()) == (["1"], [])


def test_the_asynchronous_clients_work_too(namespace: str) -> None:
    async def scenario() -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        done = asyncio.Event()
        producer = AsyncProducer.from_connection_string(namespace, eventhub_name=HUB)
        consumer = AsyncConsumer.from_connection_string(namespace, "$Default", eventhub_name=HUB)
        async with producer, consumer:
            await producer.send_batch([EventData(f"a-{n}") for n in range(50)], partition_key="a")
            properties = await producer.get_eventhub_properties()
            assert properties["partition_ids"] == ["0", "1", "2", "3"]

            async def on_event(context: Any, event: EventData) -> None:
                if event.body_as_str().startswith("a-"):
                    found.append((context.partition_id, event.body_as_str()))
                if len(found) == 50:
                    done.set()

            task = asyncio.create_task(consumer.receive(on_event, starting_position="-1"))
            async with asyncio.timeout(30):
                await done.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return found

    found = asyncio.run(scenario())

    assert len({partition for partition, _ in found}) == 1
    assert [body for _, body in found] == [f"a-{n}" for n in range(50)]


def test_a_credential_object_works_as_well_as_a_connection_string(namespace: str) -> None:
    host = namespace.partition("sb://")[2].partition(";")[0]
    producer = EventHubProducerClient(
        host, HUB, EventHubSharedKeyCredential("any", "thing"), use_tls=False
    )
    with producer:
        assert producer.get_partition_ids() == ["0", "1", "2", "3"]
