"""The admin endpoint: runs any function, and tells how the host is.

``POST /admin/functions/NAME`` with ``{"input": "..."}`` answers 202, as the Azure host does. As an
extension for local use, ``?wait=true`` answers when the invocation has ended: 200 with
``{"status": "Succeeded"}``, or 500 with the error. A run by this endpoint is one attempt: the retry
policy, which may well be unlimited, does not apply.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from aiohttp import web

from local_azure.functions.bindings import (
    BlobTrigger,
    EventHubTrigger,
    FunctionSpec,
    HttpTrigger,
    TimerTrigger,
)
from local_azure.functions.errors import FunctionsError
from local_azure.functions.findings import did_you_mean
from local_azure.functions.invoker import HostStopping, Invoker
from local_azure.functions.project import Project, route_text
from local_azure.functions.triggers.blob import BlobListener
from local_azure.functions.triggers.event_hub import EventHubListener
from local_azure.functions.triggers.timer import TimerListener
from local_azure.functions.wire import Event, PartitionPlace, Request, http_request
from local_azure.functions.worker import HOST_VERSION, Outcome

type Listener = EventHubListener | TimerListener | BlobListener

_log = logging.getLogger("Host.Admin")


class InputRefused(FunctionsError):
    """The body of an admin request does not fit the function; the message says why."""


class Admin:
    """Answers requests under ``/admin``."""

    def __init__(
        self,
        project: Project,
        invoker: Invoker,
        listeners: Mapping[str, Listener],
        base_url: Callable[[], str],
    ) -> None:
        self._project = project
        self._invoker = invoker
        self._listeners = listeners
        self._base_url = base_url
        self._started = time.monotonic()
        self._background: set[asyncio.Task[Outcome]] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        parts = tuple(part for part in request.path.split("/") if part)[1:]
        response: web.StreamResponse = web.Response(status=404)
        match request.method, parts:
            case (("GET" | "POST" | "HEAD"), ("host", "ping")):
                response = web.Response(status=200)
            case "GET", ("host", "status"):
                response = web.json_response(self._status())
            case "GET", ("functions",):
                response = web.json_response(
                    [self._describe(spec) for spec in self._project.functions]
                )
            case (("GET" | "POST"), ("functions", name)):
                spec = self._find(name)
                if spec is None:
                    response = self._unknown(name)
                elif request.method == "GET":
                    response = web.json_response(self._describe(spec))
                else:
                    response = await self._run(spec, request)
        return response

    def _find(self, name: str) -> FunctionSpec | None:
        folded = name.casefold()
        return next(
            (spec for spec in self._project.functions if spec.name.casefold() == folded), None
        )

    def _unknown(self, name: str) -> web.Response:
        hint = did_you_mean(name, [spec.name for spec in self._project.functions])
        return _error(404, f"There is no function '{name}'. {hint}")

    async def _run(self, spec: FunctionSpec, request: web.Request) -> web.Response:
        if spec.disabled:
            return _error(409, f"{spec.name} is disabled")
        if self._invoker.stopping:
            return _error(503, "The host is stopping")
        try:
            work = self._invocation(spec, _input(await request.read()))
        except InputRefused as error:
            return _error(400, str(error))
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._forget)
        if request.query.get("wait", "").casefold() in {"true", "1"}:
            return await _ended(task)
        return web.Response(status=202)

    def _forget(self, task: asyncio.Task[Outcome]) -> None:
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.warning("A run by the admin endpoint did not start: %s", error)

    def _invocation(self, spec: FunctionSpec, given: str) -> Awaitable[Outcome]:
        listener = self._listeners.get(spec.name)
        match spec.trigger:
            case TimerTrigger() if isinstance(listener, TimerListener):
                return listener.fire()
            case BlobTrigger() if isinstance(listener, BlobListener):
                return _fire_blob(listener, given)
            case EventHubTrigger(event_hub=hub, consumer_group=group) if isinstance(
                listener, EventHubListener
            ):
                event = Event(given.encode(), 0, "0", datetime.now(UTC), None, {})
                place = PartitionPlace("localhost", hub, group, "0")
                return self._invoker.run(spec, listener.trigger_data([event], place))
            case HttpTrigger() as trigger:
                return self._invoker.run(
                    spec, http_request(spec.name, self._made(spec, trigger, given))
                )
            case _:
                msg = f"{spec.name} is not listening"
                raise InputRefused(msg)

    def _made(self, spec: FunctionSpec, trigger: HttpTrigger, given: str) -> Request:
        method = "POST" if not trigger.methods or "post" in trigger.methods else trigger.methods[0]
        url = f"{self._base_url()}/{self._project.options.route_prefix}/{route_text(spec, trigger)}"
        headers = {"content-type": "application/json"}
        return Request(method.upper(), url, headers, {}, {}, given.encode())

    def _describe(self, spec: FunctionSpec) -> dict[str, object]:
        described: dict[str, object] = {
            "name": spec.name,
            "script_href": spec.script_file.name,
            "href": f"{self._base_url()}/admin/functions/{spec.name}",
            "trigger": spec.trigger.kind,
            "isDisabled": spec.disabled,
        }
        if isinstance(spec.trigger, HttpTrigger):
            described["invoke_url_template"] = (
                f"{self._base_url()}/{self._project.options.route_prefix}/"
                f"{route_text(spec, spec.trigger)}"
            )
        return described

    def _status(self) -> dict[str, object]:
        enabled: Sequence[FunctionSpec] = self._project.enabled
        return {
            "id": self._project.host_id,
            "state": "Stopping" if self._invoker.stopping else "Running",
            "version": HOST_VERSION,
            "processUptime": round((time.monotonic() - self._started) * 1000),
            "functions": [spec.name for spec in enabled],
            "triggers": {
                name: dict(listener.status()) for name, listener in self._listeners.items()
            },
        }


async def _fire_blob(listener: BlobListener, path: str) -> Outcome:
    outcome = await listener.fire(path)
    if outcome is None:
        msg = f"There is no blob '{path}'; the input of a blobTrigger is \"container/name\""
        raise InputRefused(msg)
    return outcome


async def _ended(task: asyncio.Future[Outcome]) -> web.Response:
    try:
        outcome = await asyncio.shield(task)
    except InputRefused as error:
        return _error(404, str(error))
    except HostStopping as error:
        return _error(503, str(error))
    if outcome.failure is None:
        return web.json_response({"status": "Succeeded"})
    return web.json_response(
        {
            "status": "Failed",
            "error": outcome.failure.message,
            "stackTrace": outcome.failure.stack_trace,
        },
        status=500,
    )


def _input(body: bytes) -> str:
    if not body.strip():
        return ""
    try:
        document = json.loads(body)
    except ValueError as error:
        msg = f'The body is not JSON ({error}); send {{"input": "..."}}'
        raise InputRefused(msg) from error
    given = document.get("input", "") if isinstance(document, dict) else None
    if given is None:
        raise InputRefused('The body must be an object; send {"input": "..."}')
    return given if isinstance(given, str) else json.dumps(given)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
