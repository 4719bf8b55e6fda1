"""What a function.json says, once it has been checked: triggers, inputs, outputs, retries."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local_azure.functions.path_templates import PathTemplate
from local_azure.functions.retry import RetryPolicy
from local_azure.functions.routes import RouteTemplate
from local_azure.functions.schedules import Schedule


class Direction(StrEnum):
    """Which way a binding's data goes, seen from the function."""

    IN = "in"
    OUT = "out"


class DataType(StrEnum):
    """How the worker is given the data of a binding."""

    BINARY = "binary"
    STRING = "string"
    STREAM = "stream"


class Cardinality(StrEnum):
    """Whether an Event Hubs function takes one event or a batch."""

    ONE = "one"
    MANY = "many"


class AuthLevel(StrEnum):
    """Which key an HTTP function asks for."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class EventHubTrigger:
    """``eventHubTrigger``: batches of events of one hub and consumer group."""

    name: str
    event_hub: str
    connection: str
    consumer_group: str
    cardinality: Cardinality
    data_type: DataType | None
    kind: str = "eventHubTrigger"


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """``timerTrigger``: a schedule."""

    name: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool
    kind: str = "timerTrigger"


@dataclass(frozen=True, slots=True)
class BlobTrigger:
    """``blobTrigger``: every new or changed blob whose path fits a pattern."""

    name: str
    path: PathTemplate
    connection: str
    data_type: DataType | None
    kind: str = "blobTrigger"


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """``httpTrigger``: requests to a route."""

    name: str
    route: RouteTemplate
    methods: tuple[str, ...]
    auth_level: AuthLevel
    kind: str = "httpTrigger"


type Trigger = EventHubTrigger | TimerTrigger | BlobTrigger | HttpTrigger


@dataclass(frozen=True, slots=True)
class BlobInput:
    """``blob`` with direction in: the content of one blob, None when there is none."""

    name: str
    path: PathTemplate
    connection: str
    data_type: DataType | None


@dataclass(frozen=True, slots=True)
class BlobOutput:
    """``blob`` with direction out: the content that the function sets."""

    name: str
    path: PathTemplate
    connection: str


@dataclass(frozen=True, slots=True)
class HttpOutput:
    """``http`` with direction out: the answer to the request, often ``$return``."""

    name: str


type Output = BlobOutput | HttpOutput


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function: its code and its bindings.

    Attributes:
        name: name of its folder.
        directory: its folder, absolute.
        script_file: its Python file, absolute.
        entry_point: name of the Python function in that file.
        retry: what to do when it fails; None means one attempt.
        disabled: it is listed, but neither loaded nor fired.
    """

    name: str
    directory: Path
    script_file: Path
    entry_point: str
    trigger: Trigger
    inputs: tuple[BlobInput, ...]
    outputs: tuple[Output, ...]
    retry: RetryPolicy | None
    disabled: bool
