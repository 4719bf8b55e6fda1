"""Puts the host together: worker, triggers, HTTP, and a clean stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.eventhub.exceptions import EventHubError

from local_azure.functions.admin import Admin, Listener
from local_azure.functions.bindings import BlobTrigger, EventHubTrigger, FunctionSpec, TimerTrigger
from local_azure.functions.blob_stores import BlobStores
from local_azure.functions.console import function_list, say
from local_azure.functions.http_server import HttpServer, endpoints
from local_azure.functions.invoker import Invoker
from local_azure.functions.keys import Keys
from local_azure.functions.project import Project
from local_azure.functions.triggers.blob import BlobListener
from local_azure.functions.triggers.event_hub import EventHubListener
from local_azure.functions.triggers.services import HostServices
from local_azure.functions.triggers.timer import TimerListener
from local_azure.functions.worker import Worker

_RESTART_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
_GOODBYE = timedelta(seconds=8)
_PASSING = (AzureError, EventHubError, OSError, ExceptionGroup)
_log = logging.getLogger("Host.General")


@dataclass(frozen=True, slots=True)
class HostSwitches:
    """How the host is started.

    Attributes:
        address: where HTTP listens.
        port: 0 takes a free one.
        keys: enforced keys; None asks for none, as Core Tools.
        blob_interval: pause between two polls of a blob trigger.
        grace: how long a stop waits for running invocations.
    """

    address: str = "127.0.0.1"
    port: int = 7071
    keys: Keys | None = None
    blob_interval: timedelta = timedelta(seconds=1)
    grace: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Ending:
    """How the host ended.

    Attributes:
        exit_code: 0 after a signal, 1 after a function outlived its time limit.
        clean: nothing runs any more, so that the interpreter can end in the ordinary way.
    """

    exit_code: int
    clean: bool


async def run_host(project: Project, worker: Worker, switches: HostSwitches) -> Ending:
    """Serve a project whose functions are loaded, until SIGINT or SIGTERM.

    Raises:
        PortTaken: another process listens on the port.
    """
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(BlobStores(project.settings))
        invoker = Invoker(worker, stores, project.options.function_timeout)
        services = HostServices(project.host_id, project.settings, stores, invoker)
        listeners = {
            spec.name: listener
            for spec in project.enabled
            if (listener := _listener(spec, project, services, switches)) is not None
        }
        address: list[str] = []
        admin = Admin(project, invoker, listeners, lambda: address[0])
        server = HttpServer(
            endpoints(project.enabled),
            project.options.route_prefix,
            invoker,
            admin.handle,
            switches.keys,
        )
        port = await server.start(switches.address, switches.port)
        stack.push_async_callback(server.stop)
        address.append(f"http://localhost:{port}")
        stopped = _on_signals()
        tasks = [
            asyncio.create_task(_supervise(name, listener.run), name=name)
            for name, listener in listeners.items()
        ]
        say(function_list(project, address[0]))
        say(f"Listening on {address[0]}")
        signalled = asyncio.ensure_future(stopped.wait())
        ends: set[asyncio.Future[Any]] = {signalled, invoker.overdue}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        return await _stop(invoker, tasks, switches.grace)


def _listener(
    spec: FunctionSpec,
    project: Project,
    services: HostServices,
    switches: HostSwitches,
) -> Listener | None:
    match spec.trigger:
        case EventHubTrigger() as trigger:
            options = project.options.event_hubs
            return EventHubListener(spec, trigger, options, services)
        case TimerTrigger() as trigger:
            return TimerListener(spec, trigger, services)
        case BlobTrigger() as trigger:
            return BlobListener(spec, trigger, services, switches.blob_interval)
        case _:
            return None


def _on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _supervise(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Keep a listener running: storage or Event Hubs may be away for a while."""
    failures = 0
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 -- a trigger must neither die nor fail in silence
            pause = _RESTART_PAUSES[min(failures, len(_RESTART_PAUSES) - 1)]
            failures += 1
            if not isinstance(error, _PASSING):
                _log.exception("The listener of %s has a defect", name)
            _log.warning(
                "The listener of %s failed, next try in %.0f s: %s", name, pause, _text(error)
            )
            await asyncio.sleep(pause)


def _text(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(_text(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}".partition("\n")[0]


async def _stop(invoker: Invoker, tasks: list[asyncio.Task[None]], grace: timedelta) -> Ending:
    overdue = invoker.overdue.done()
    if overdue:
        _log.critical(
            "'%s' outlived the functionTimeout of host.json; the host stops, since its thread "
            "cannot be stopped alone",
            invoker.overdue.result(),
        )
    else:
        say("Stopping: waiting for running functions ...")
    clean = await invoker.drain(timedelta(0) if overdue else grace)
    if not clean and not overdue:
        _log.error("Functions still run after %.0f s; they are abandoned", grace.total_seconds())
    for task in tasks:
        task.cancel()
    if tasks:
        # Clients whose service has gone may take long to say goodbye.
        _, pending = await asyncio.wait(tasks, timeout=_GOODBYE.total_seconds())
        clean = clean and not pending
    return Ending(1 if overdue else 0, clean)
