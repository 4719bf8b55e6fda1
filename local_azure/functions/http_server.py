"""Serves HTTP functions by their routes, and the admin endpoint beside them."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from local_azure.functions.bindings import AuthLevel, FunctionSpec, HttpOutput, HttpTrigger
from local_azure.functions.errors import PortTaken
from local_azure.functions.invoker import HostStopping, Invoker
from local_azure.functions.keys import Keys
from local_azure.functions.project import route_text
from local_azure.functions.routes import RouteTemplate, parse_route
from local_azure.functions.wire import (
    Json,
    OutDatum,
    Raw,
    Request,
    Response,
    Text,
    http_request,
)
from local_azure.functions.worker import Outcome

MAX_BODY = 100 * 1024 * 1024
"""Azure's limit of a request's length."""

type AdminHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger("Host.Http")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One HTTP function and where it listens."""

    spec: FunctionSpec
    trigger: HttpTrigger
    route: RouteTemplate

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it answers; none given means all."""
        return tuple(method.upper() for method in self.trigger.methods)

    def allows(self, method: str) -> bool:
        """Tell whether it answers a method."""
        return not self.methods or method in self.methods


def endpoints(functions: Sequence[FunctionSpec]) -> tuple[Endpoint, ...]:
    """List the HTTP functions, the most specific route first."""
    found = [
        Endpoint(spec, spec.trigger, parse_route(route_text(spec, spec.trigger)))
        for spec in functions
        if isinstance(spec.trigger, HttpTrigger)
    ]
    return tuple(sorted(found, key=lambda endpoint: endpoint.route.precedence))


class HttpServer:
    """The HTTP side of the host."""

    def __init__(
        self,
        routes: Sequence[Endpoint],
        prefix: str,
        invoker: Invoker,
        admin: AdminHandler,
        keys: Keys | None,
    ) -> None:
        self._routes = tuple(routes)
        self._prefix = f"/{prefix}/" if prefix else "/"
        self._invoker = invoker
        self._admin = admin
        self._keys = keys
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen.

        Returns:
            the port, which matters when 0 was asked for.

        Raises:
            PortTaken: another process listens there.
        """
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(host, port) from error
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening; requests under way have been drained before."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path == "/":
            return web.Response(text="The local Azure Functions host is up and running.\n")
        if path.startswith("/admin/"):
            if self._keys and not self._keys.opens(AuthLevel.ADMIN, "", _given_key(request)):
                return web.Response(status=401)
            return await self._admin(request)
        if not path.casefold().startswith(self._prefix.casefold()):
            return web.Response(status=404)
        return await self._function(request, path[len(self._prefix) :])

    async def _function(self, request: web.Request, path: str) -> web.StreamResponse:
        fitting = [
            (endpoint, values)
            for endpoint in self._routes
            if (values := endpoint.route.match(path)) is not None
        ]
        if not fitting:
            return web.Response(status=404)
        for endpoint, values in fitting:
            if endpoint.allows(request.method):
                return await self._invoke(request, endpoint, values)
        allowed = sorted({method for endpoint, _ in fitting for method in endpoint.methods})
        return web.Response(status=405, headers={"Allow": ", ".join(allowed)})

    async def _invoke(
        self, request: web.Request, endpoint: Endpoint, values: Mapping[str, str]
    ) -> web.StreamResponse:
        level = endpoint.trigger.auth_level
        name = endpoint.spec.name
        if self._keys and not self._keys.opens(level, name, _given_key(request)):
            return web.Response(status=401)
        content = Request(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            query=dict(request.query),
            parameters=values,
            body=await request.read(),
        )
        try:
            outcome = await self._invoker.run(endpoint.spec, http_request(name, content))
        except HostStopping as error:
            return web.Response(status=503, text=str(error))
        return answer(endpoint.spec, outcome)


def answer(spec: FunctionSpec, outcome: Outcome) -> web.Response:
    """Turn an outcome into a response: 500 without a body for a failure, as Azure answers."""
    if outcome.failure is not None:
        return web.Response(status=500)
    for output in spec.outputs:
        if isinstance(output, HttpOutput):
            value = outcome.outputs.get(output.name)
            return _response(outcome.returned if output.name == "$return" else value)
    return web.Response(status=204)


def _response(value: OutDatum | None) -> web.Response:
    match value:
        case Response(status, headers, body):
            response = web.Response(status=status, body=body)
            response.headers.popall("content-type", None)
            for header, text in headers:
                response.headers.add(header, text)
            return response
        case Text(text):
            return web.Response(text=text)
        case Json(text):
            return web.Response(text=text, content_type="application/json")
        case Raw(content):
            return web.Response(body=content)
        case None:
            return web.Response(status=204)


def _given_key(request: web.Request) -> str | None:
    return request.headers.get("x-functions-key") or request.query.get("code")
