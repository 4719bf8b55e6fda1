"""Drives Microsoft's worker runtime in this process, on an event loop and thread of its own.

In Azure the host and the worker are two processes that speak protobuf over gRPC. Here the same
messages are handed to the same handlers directly. The worker keeps its own thread, so that a
function that blocks its event loop stops neither the host nor its AMQP links.

A loaded project never unloads: one process, one project.
"""

import asyncio
import sys
import threading
from collections.abc import Coroutine, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local_azure.functions.bindings import (
    BlobOutput,
    BlobTrigger,
    Cardinality,
    DataType,
    Direction,
    EventHubTrigger,
    FunctionSpec,
)
from local_azure.functions.errors import FunctionLoadFailed
from local_azure.functions.protos import load_worker_modules
from local_azure.functions.wire import (
    Datum,
    IntegerMany,
    Json,
    OutDatum,
    Raw,
    RawMany,
    Request,
    Response,
    Text,
    TextMany,
)

HOST_VERSION = "4.1042.0"
"""The Functions host whose messages are imitated."""


@dataclass(frozen=True, slots=True)
class RetryState:
    """What ``context.retry_context`` shows: how often it was retried, and why."""

    retry_count: int
    max_retry_count: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one function.

    Attributes:
        inputs: value of each input parameter; None stands for a blob that does not exist.
    """

    invocation_id: str
    function: str
    inputs: Mapping[str, Datum | None]
    metadata: Mapping[str, Datum]
    retry: RetryState | None


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception that ended an invocation."""

    message: str
    stack_trace: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation gave: its outputs by binding name, or a failure."""

    outputs: Mapping[str, OutDatum] = field(default_factory=dict)
    returned: OutDatum | None = None
    failure: Failure | None = None


_running: ContextVar[str | None] = ContextVar("running_function", default=None)


class Worker:
    """Microsoft's worker runtime, loaded with one project."""

    def __init__(self, root: Path) -> None:
        self._root = root
        modules = load_worker_modules()
        self._runtime = modules.runtime
        self._messages = modules.messages
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
        self._functions: dict[str, str] = {}

    def start(self) -> None:
        """Start the worker's thread pool and initialise it, as the host does at start."""
        # The worker appends the project to the path: an installed package wins over a module of
        # the project of the same name, here as in Azure.
        if str(self._root) not in sys.path:
            sys.path.append(str(self._root))
        self._runtime.start_threadpool_executor()
        self._thread.start()
        init = self._messages.WorkerInitRequest(
            host_version=HOST_VERSION, function_app_directory=str(self._root)
        )
        self._call(self._handle("worker_init_request", worker_init_request=init))

    def stop(self) -> None:
        """Stop the worker's loop; functions that still run are abandoned."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
        if not self._loop.is_running():
            self._loop.close()

    def load(self, spec: FunctionSpec) -> None:
        """Load one function's module and check it against its bindings.

        Raises:
            FunctionLoadFailed: the worker refuses it, or would fail on its first batch.
        """
        messages = self._messages
        metadata = messages.RpcFunctionMetadata(
            name=spec.name,
            directory=str(spec.directory),
            script_file=str(spec.script_file),
            entry_point=spec.entry_point,
        )
        for name, kind, direction, data_type in _declared(spec):
            info = metadata.bindings[name]
            info.type = kind
            info.direction = getattr(messages.BindingInfo, direction.value)
            info.data_type = getattr(
                messages.BindingInfo, data_type.value if data_type else "undefined"
            )
        request = messages.FunctionLoadRequest(function_id=spec.name, metadata=metadata)
        answer = self._call(self._handle("function_load_request", function_load_request=request))
        if answer.result.status != messages.StatusResult.Success:
            error = answer.result.exception
            raise FunctionLoadFailed(spec.name, error.message, error.stack_trace)
        self._check_cardinality(spec)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run a function and await its end; a failure is part of the outcome."""
        work = self._handle("invocation_request", invocation_request=self._request(invocation))
        self._functions[invocation.invocation_id] = invocation.function
        try:
            future = asyncio.run_coroutine_threadsafe(_within(invocation, work), self._loop)
            answer = await asyncio.wrap_future(future)
        finally:
            self._functions.pop(invocation.invocation_id, None)
        result = answer.result
        if result.status != self._messages.StatusResult.Success:
            error = result.exception
            return Outcome(failure=Failure(error.message, error.stack_trace))
        outputs = {out.name: _outgoing(out.data) for out in answer.output_data}
        present = {name: value for name, value in outputs.items() if value is not None}
        return Outcome(present, _outgoing(answer.return_value))

    def running_function(self) -> str | None:
        """The function on whose behalf the calling thread or task runs, for the log."""
        invocation_id = self._runtime.invocation_id_cv.get() or _running.get()
        return self._functions.get(invocation_id) if invocation_id else None

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _handle(self, handler: str, **content: Any) -> Coroutine[Any, Any, Any]:
        message = self._messages.StreamingMessage(request_id="", **content)
        properties = {"protos": self._messages, "host": "127.0.0.1"}
        request = SimpleNamespace(request=message, properties=properties)
        coroutine: Coroutine[Any, Any, Any] = getattr(self._runtime, handler)(request)
        return coroutine

    def _request(self, invocation: Invocation) -> Any:
        messages = self._messages
        request = messages.InvocationRequest(
            invocation_id=invocation.invocation_id, function_id=invocation.function
        )
        for name, datum in invocation.inputs.items():
            binding = request.input_data.add()
            binding.name = name
            binding.data.SetInParent()
            if datum is not None:
                self._fill(binding.data, datum)
        for name, datum in invocation.metadata.items():
            self._fill(request.trigger_metadata[name], datum)
        if invocation.retry is not None:
            request.retry_context.retry_count = invocation.retry.retry_count
            request.retry_context.max_retry_count = invocation.retry.max_retry_count
            if invocation.retry.error is not None:
                request.retry_context.exception.message = invocation.retry.error
        return request

    def _fill(self, target: Any, datum: Datum) -> None:
        match datum:
            case Text(value):
                target.string = value
            case Json(value):
                target.json = value
            case Raw(content):
                target.bytes = content
            case RawMany(contents):
                target.collection_bytes.bytes.extend(contents)
                target.collection_bytes.SetInParent()
            case TextMany(texts):
                target.collection_string.string.extend(texts)
                target.collection_string.SetInParent()
            case IntegerMany(numbers):
                target.collection_sint64.sint64.extend(numbers)
                target.collection_sint64.SetInParent()
            case Request():
                _fill_request(target.http, datum)

    def _check_cardinality(self, spec: FunctionSpec) -> None:
        """Refuse an annotation that loads but cannot take what the trigger sends."""
        trigger = spec.trigger
        if not isinstance(trigger, EventHubTrigger):
            return
        registry: Any = sys.modules[f"{self._runtime.__name__}.handle_event"]
        annotation = registry._functions.get_function(spec.name).input_types[trigger.name].pytype  # noqa: SLF001 -- the runtime has no public way to ask
        if annotation is None:
            return
        takes_many = not isinstance(annotation, type)
        if trigger.cardinality is Cardinality.MANY and not takes_many:
            wanted = "typing.List[azure.functions.EventHubEvent]"
        elif trigger.cardinality is Cardinality.ONE and takes_many:
            wanted = "azure.functions.EventHubEvent"
        else:
            return
        name = getattr(annotation, "__name__", str(annotation))
        msg = (
            f"the parameter '{trigger.name}' is annotated {name}, but function.json says "
            f'"cardinality": "{trigger.cardinality}"; annotate it {wanted}'
        )
        raise FunctionLoadFailed(spec.name, msg, "")


async def _within(invocation: Invocation, work: Coroutine[Any, Any, Any]) -> Any:
    _running.set(invocation.invocation_id)
    return await work


def _declared(spec: FunctionSpec) -> Iterable[tuple[str, str, Direction, DataType | None]]:
    trigger = spec.trigger
    data_type = trigger.data_type if isinstance(trigger, EventHubTrigger | BlobTrigger) else None
    yield trigger.name, trigger.kind, Direction.IN, data_type
    for blob in spec.inputs:
        yield blob.name, "blob", Direction.IN, blob.data_type
    for output in spec.outputs:
        kind = "blob" if isinstance(output, BlobOutput) else "http"
        yield output.name, kind, Direction.OUT, None


def _fill_request(http: Any, request: Request) -> None:
    http.method = request.method
    http.url = request.url
    http.headers.update(request.headers)
    http.query.update(request.query)
    http.params.update(request.parameters)
    http.body.bytes = request.body


def _outgoing(data: Any) -> OutDatum | None:
    value: OutDatum | None = None
    match data.WhichOneof("data"):
        case "string":
            value = Text(data.string)
        case "json":
            value = Json(data.json)
        case "bytes":
            value = Raw(data.bytes)
        case "int":
            value = Json(str(data.int))
        case "double":
            value = Json(repr(data.double))
        case "http":
            value = _response(data.http)
    return value


def _response(http: Any) -> Response:
    body = http.body.bytes if http.body.WhichOneof("data") == "bytes" else b""
    headers = [*http.headers.items(), *(("set-cookie", _cookie(each)) for each in http.cookies)]
    return Response(int(http.status_code or 200), tuple(headers), body)


def _cookie(cookie: Any) -> str:
    parts = [f"{cookie.name}={cookie.value}"]
    if cookie.HasField("domain") and cookie.domain.value:
        parts.append(f"Domain={cookie.domain.value}")
    if cookie.HasField("path") and cookie.path.value:
        parts.append(f"Path={cookie.path.value}")
    if cookie.HasField("max_age"):
        parts.append(f"Max-Age={int(cookie.max_age.value)}")
    if cookie.HasField("expires"):
        expires = cookie.expires.value.ToDatetime()
        parts.append(f"Expires={expires:%a, %d %b %Y %H:%M:%S GMT}")
    same_site = {1: "Lax", 2: "Strict", 3: "None"}.get(cookie.same_site)
    if same_site:
        parts.append(f"SameSite={same_site}")
    if cookie.HasField("secure") and cookie.secure.value:
        parts.append("Secure")
    if cookie.HasField("http_only") and cookie.http_only.value:
        parts.append("HttpOnly")
    return "; ".join(parts)
