"""Reads each supported kind of binding of a function.json, field by field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from local_azure.functions.bindings import (
    AuthLevel,
    BlobInput,
    BlobOutput,
    BlobTrigger,
    Cardinality,
    DataType,
    Direction,
    EventHubTrigger,
    HttpOutput,
    HttpTrigger,
    Output,
    TimerTrigger,
    Trigger,
)
from local_azure.functions.connections import (
    EVENT_HUBS_EXAMPLE,
    STORAGE_EXAMPLE,
    ConnectionString,
    connection_string_mistake,
    event_hubs_connection,
    storage_connection,
)
from local_azure.functions.findings import did_you_mean
from local_azure.functions.path_templates import PathTemplate, path_mistake
from local_azure.functions.reader import ObjectReader
from local_azure.functions.routes import RouteInvalid, RouteTemplate, parse_route
from local_azure.functions.schedules import is_monitored, parse_schedule
from local_azure.functions.settings import Settings, suggest_setting

type Part = Trigger | BlobInput | Output

HOST_STORAGE = "AzureWebJobsStorage"
"""The connection in which the host keeps its own state, and the default of blob bindings."""

_METHODS = ("get", "post", "put", "delete", "patch", "head", "options", "trace")
_EXTENSION_PREFIXES = ("admin", "runtime")


@dataclass(frozen=True, slots=True)
class BindingContext:
    """One binding being read.

    Attributes:
        reader: its fields; mistakes go there.
        settings: for ``%Name%`` and connections.
        name: the binding's name.
    """

    reader: ObjectReader
    settings: Settings
    name: str

    def resolved(self, key: str, example: str, *, required: bool = False, default: str = "") -> str:
        """Read a string and fill in its settings; empty after a mistake."""
        text = self.reader.text(key, example, required=required, default=default)
        value, missing = self.settings.resolve(text)
        for setting in missing:
            whole = text == f"%{setting}%"
            shown = example if whole else f"some-{'container' if key == 'path' else 'value'}"
            self._missing(setting, f"'{key}' is '{text}', but the setting '{setting}'", shown)
        return "" if missing else value

    def _missing(self, setting: str, subject: str, example: str) -> None:
        hint = suggest_setting(setting, self.settings)
        self.reader.wrong(
            f"{subject} is missing",
            f'{hint}Set it in local.settings.json, for example "{setting}": "{example}", '
            "or in the environment.",
        )

    def event_hubs(self) -> str:
        """Read and check ``connection`` of an Event Hubs binding."""
        name = self.reader.text("connection", "EventHubConnection", required=True)
        if not name:
            return ""
        found = event_hubs_connection(self.settings, name)
        if found is None:
            self._missing(name, f"'connection' is '{name}', but that setting", EVENT_HUBS_EXAMPLE)
        elif isinstance(found, ConnectionString):
            self._connection_string(
                name, found.value, ("Endpoint", "SharedAccessKeyName", "SharedAccessKey")
            )
        return name

    def storage(self, *, queues: bool = False) -> str:
        """Read and check ``connection`` of a blob binding, AzureWebJobsStorage by default."""
        name = self.reader.text("connection", HOST_STORAGE, default=HOST_STORAGE)
        found = storage_connection(self.settings, name)
        if found is None:
            self._missing(name, f"'connection' is '{name}', but that setting", STORAGE_EXAMPLE)
        elif isinstance(found, ConnectionString):
            self._connection_string(name, found.value, ("AccountName",))
        elif queues and not self.settings.get(f"{name}__queueServiceUri"):
            # A blob trigger keeps failed blobs in a queue: without it Azure does not start.
            self._missing(
                f"{name}__queueServiceUri",
                f"'connection' is '{name}', an identity, but the setting '{name}__queueServiceUri'",
                "https://ACCOUNT.queue.core.windows.net",
            )
        return name

    def _connection_string(self, name: str, value: str, required: tuple[str, ...]) -> None:
        mistake = connection_string_mistake(value, required)
        if mistake is not None:
            self.reader.wrong(
                f"'connection' is '{name}', and that setting is no connection string: {mistake}",
                "Copy it whole from the portal or from the local service.",
            )

    def path(self, *, trigger: bool) -> PathTemplate | None:
        """Read and check ``path`` of a blob binding."""
        text = self.resolved("path", "rules/incoming/{name}", required=True)
        if not text:
            return None
        mistake = path_mistake(text, trigger=trigger)
        if mistake is not None:
            self.reader.wrong(f"'path' is '{text}': {mistake}", 'Write "container/folder/{name}".')
            return None
        return PathTemplate(text)

    def direction(self, wanted: Direction) -> None:
        """Check that the data goes the only way that this binding allows."""
        found = self.reader.choice("direction", Direction)
        if found is not None and found is not wanted:
            self.reader.wrong(f"'direction' is '{found}'", f"This binding goes '{wanted}' only.")


def _event_hub_trigger(context: BindingContext) -> EventHubTrigger | None:
    reader = context.reader
    context.direction(Direction.IN)
    hub = context.resolved("eventHubName", "payments", required=True)
    group = context.resolved("consumerGroup", "$Default", default="$Default")
    connection = context.event_hubs()
    cardinality = reader.choice("cardinality", Cardinality, Cardinality.MANY)
    data_type = _data_type(reader)
    if data_type is DataType.STREAM:
        reader.wrong("'dataType' is 'stream'", "Events are 'binary' or 'string'.")
    if not (hub and group and connection and cardinality):
        return None
    return EventHubTrigger(context.name, hub, connection, group, cardinality, data_type)


def _timer_trigger(context: BindingContext) -> TimerTrigger | None:
    reader = context.reader
    context.direction(Direction.IN)
    text = context.resolved("schedule", "0 */5 * * * *", required=True)
    run_on_startup = reader.boolean("runOnStartup", default=False)
    use_monitor = reader.boolean("useMonitor", default=True)
    if not text:
        return None
    try:
        schedule = parse_schedule(text)
        monitored = is_monitored(schedule, datetime.now(UTC))
    except ValueError as error:
        reader.wrong(
            f"'schedule' is '{text}': {error}",
            'Write six fields such as "0 */5 * * * *", or an interval such as "00:05:00".',
        )
        return None
    return TimerTrigger(context.name, schedule, run_on_startup, use_monitor and monitored)


def _blob_trigger(context: BindingContext) -> BlobTrigger | None:
    context.direction(Direction.IN)
    path = context.path(trigger=True)
    connection = context.storage(queues=True)
    data_type = _data_type(context.reader)
    source = context.reader.text("source", "LogsAndContainerScan", default="LogsAndContainerScan")
    if source not in {"LogsAndContainerScan", "EventGrid"}:
        context.reader.wrong(
            f"'source' is '{source}'", did_you_mean(source, ("LogsAndContainerScan", "EventGrid"))
        )
    if path is None:
        return None
    return BlobTrigger(context.name, path, connection, data_type)


def _http_trigger(context: BindingContext) -> HttpTrigger | None:
    reader = context.reader
    context.direction(Direction.IN)
    level = reader.choice("authLevel", AuthLevel, AuthLevel.FUNCTION) or AuthLevel.FUNCTION
    methods = tuple(method.lower() for method in reader.texts("methods", '["get", "post"]') or ())
    for method in methods:
        if method not in _METHODS:
            reader.wrong(f"'methods' holds '{method}'", did_you_mean(method, _METHODS))
    reader.ignore("webHookType")
    route = _route(context)
    return None if route is None else HttpTrigger(context.name, route, methods, level)


def _route(context: BindingContext) -> RouteTemplate | None:
    text = context.resolved("route", "orders/{id:int}")
    try:
        route = parse_route(text)
    except RouteInvalid as error:
        context.reader.wrong(f"'route' is '{text}': {error}", 'Write for example "v1/{*path}".')
        return None
    if text.partition("/")[0].casefold() in _EXTENSION_PREFIXES:
        context.reader.wrong(f"'route' is '{text}', which the host keeps for itself", "Rename it.")
    return route


def _blob(context: BindingContext) -> BlobInput | BlobOutput | None:
    direction = context.reader.choice("direction", Direction)
    path = context.path(trigger=False)
    connection = context.storage()
    data_type = _data_type(context.reader)
    if path is None or direction is None:
        return None
    if direction is Direction.IN:
        return BlobInput(context.name, path, connection, data_type)
    return BlobOutput(context.name, path, connection)


def _http_output(context: BindingContext) -> HttpOutput:
    context.direction(Direction.OUT)
    return HttpOutput(context.name)


def _data_type(reader: ObjectReader) -> DataType | None:
    return reader.choice("dataType", DataType) if reader.raw("dataType") is not None else None


BINDINGS: Mapping[str, Callable[[BindingContext], Part | None]] = {
    "eventHubTrigger": _event_hub_trigger,
    "timerTrigger": _timer_trigger,
    "blobTrigger": _blob_trigger,
    "httpTrigger": _http_trigger,
    "http": _http_output,
    "blob": _blob,
}
"""The supported binding types; any other is refused by name."""
