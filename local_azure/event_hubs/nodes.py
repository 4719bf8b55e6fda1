"""The nodes that answer requests: ``$cbs`` (tokens) and ``$management`` (what there is)."""

from collections.abc import Callable
from dataclasses import dataclass

from local_azure.event_hubs.amqp.message import (
    APPLICATION_PROPERTIES,
    PROPERTIES,
    VALUE,
    encode_section,
    read_sections,
)
from local_azure.event_hubs.amqp.types import Int, StringArray, Timestamp, ULong
from local_azure.event_hubs.errors import DecodeError, LinkRefused
from local_azure.event_hubs.namespace import Namespace

CBS = "$cbs"
MANAGEMENT = "$management"

HUB_TYPE = "com.microsoft:eventhub"
PARTITION_TYPE = "com.microsoft:partition"

# Year 1, in milliseconds since 1970: how Event Hubs writes a time that never was.
NEVER = Timestamp(-62_135_596_800_000)


@dataclass(frozen=True, slots=True)
class Request:
    """A request message.

    Attributes:
        message_id: What the answer refers to; kept in its AMQP type.
        reply_to: Address of the link that wants the answer, or None.
        properties: The application properties.
    """

    message_id: object
    reply_to: str | None
    properties: dict[object, object]

    def text(self, name: str) -> str:
        """Give an application property as text, empty if it is missing."""
        value = self.properties.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node says.

    Attributes:
        status: As in HTTP.
        description: In words.
        condition: The AMQP error condition, or None.
        value: The body, or None.
    """

    status: int
    description: str
    condition: str | None = None
    value: dict[object, object] | None = None


type Node = Callable[[Namespace, Request], Answer]


def read_request(message: bytes) -> Request:
    """Read a request.

    Raises:
        DecodeError: The message is none, or has no application properties.
    """
    sections = read_sections(message)
    properties = sections.get(PROPERTIES)
    application_properties = sections.get(APPLICATION_PROPERTIES)
    if not isinstance(application_properties, dict):
        msg = "a request names its operation in its application properties"
        raise DecodeError(msg)
    fields = properties if isinstance(properties, list) else []
    message_id = fields[0] if fields else None
    if type(message_id) is int:
        # The only integer that a message id can be.
        message_id = ULong(message_id)
    reply_to = fields[4] if len(fields) > 4 else None
    return Request(
        message_id, reply_to if isinstance(reply_to, str) else None, application_properties
    )


def encode_answer(request: Request, answer: Answer) -> bytes:
    """Encode the answer to a request."""
    # Both spellings are in use: the SDK asks for the first, the AMQP draft names the second.
    properties: dict[object, object] = {
        "status-code": Int(answer.status),
        "status-description": answer.description,
        "statusCode": Int(answer.status),
        "statusDescription": answer.description,
    }
    if answer.condition is not None:
        properties["error-condition"] = answer.condition
    body: object = answer.value if answer.value is not None else {}
    # The correlation id is the sixth of the properties.
    correlation = [None, None, None, None, None, request.message_id]
    return (
        encode_section(PROPERTIES, correlation)
        + encode_section(APPLICATION_PROPERTIES, properties)
        + encode_section(VALUE, body)
    )


def answer_cbs(_: Namespace, request: Request) -> Answer:
    """Accept every token: on one machine there is nothing to guard."""
    if request.text("operation") != "put-token":
        return _unsupported(request, "put-token")
    return Answer(202, "Accepted")


def answer_management(namespace: Namespace, request: Request) -> Answer:
    """Describe a hub or a partition."""
    if request.text("operation") != "READ":
        return _unsupported(request, "READ")
    kind = request.text("type")
    try:
        if kind == HUB_TYPE:
            return Answer(200, "OK", value=_describe_hub(namespace, request))
        if kind == PARTITION_TYPE:
            return Answer(200, "OK", value=_describe_partition(namespace, request))
    except LinkRefused as refused:
        return Answer(404, refused.description, refused.condition)
    return Answer(
        400,
        f"The type '{kind}' cannot be read, only {HUB_TYPE} and {PARTITION_TYPE} can.",
        "amqp:not-allowed",
    )


NODES: dict[str, Node] = {CBS: answer_cbs, MANAGEMENT: answer_management}


def _unsupported(request: Request, known: str) -> Answer:
    return Answer(
        400,
        f"The operation '{request.text('operation')}' is not supported, only {known} is.",
        "amqp:not-implemented",
    )


def _describe_hub(namespace: Namespace, request: Request) -> dict[object, object]:
    hub = namespace.find_hub(request.text("name"))
    return {
        "name": hub.config.name,
        "type": HUB_TYPE,
        "created_at": Timestamp(hub.created_at),
        "partition_count": Int(len(hub.partitions)),
        "partition_ids": StringArray(partition.partition_id for partition in hub.partitions),
    }


def _describe_partition(namespace: Namespace, request: Request) -> dict[object, object]:
    hub = namespace.find_hub(request.text("name"))
    partition = hub.partition(request.text("partition"))
    end = partition.end
    return {
        "name": hub.config.name,
        "type": PARTITION_TYPE,
        "partition": partition.partition_id,
        "begin_sequence_number": partition.log.first_sequence,
        "last_enqueued_sequence_number": end.next_sequence - 1,
        "last_enqueued_offset": str(end.last_offset),
        "last_enqueued_time_utc": NEVER if end.last_offset < 0 else Timestamp(end.last_time),
        "is_partition_empty": partition.log.first_sequence >= end.next_sequence,
    }
