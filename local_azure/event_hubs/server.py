"""The server: sockets and timers around connections."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from local_azure.event_hubs.config import EventHubsConfig
from local_azure.event_hubs.connection import Connection
from local_azure.event_hubs.errors import EventHubsError
from local_azure.event_hubs.namespace import Namespace

_LOGGER = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
RETENTION_SECONDS = 60.0
# Unsent bytes of one connection above which nothing more is read from disk for it.
WRITE_HIGH_BYTES = 1024 * 1024
SHUTDOWN_SECONDS = 2.0


class EventHubsServer:
    """A namespace of event hubs on a TCP port.

    Use it as an asynchronous context manager, or call ``start`` and ``stop``.
    """

    def __init__(
        self,
        config: EventHubsConfig,
        data_folder: Path,
        host: str = DEFAULT_HOST,
        port: int = 0,
    ) -> None:
        self._config = config
        self._data_folder = data_folder
        self._host = host
        self._port = port
        self._namespace: Namespace | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[_Socket] = set()
        self._timers: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """The port that is listened on, or 0 before ``start``."""
        return self._port

    @property
    def connection_string(self) -> str:
        """What the SDK's ``from_connection_string`` takes."""
        return connection_string(self._port)

    async def start(self) -> None:
        """Open the data folder and listen.

        Raises:
            EventHubsError: The port is taken, or the data folder cannot be used.
            OSError: The disk refuses.
        """
        namespace = Namespace.open(self._config, self._data_folder)
        try:
            await namespace.drop_expired()
            self._server = await self._listen(namespace)
        except BaseException:
            await namespace.close()
            raise
        self._namespace = namespace
        self._port = self._server.sockets[0].getsockname()[1]
        tick_seconds = min(1.0, self._config.idle_timeout_seconds / 4)
        self._timers = [
            asyncio.create_task(_every(tick_seconds, self._tick)),
            asyncio.create_task(self._drop_expired(namespace)),
        ]

    async def _listen(self, namespace: Namespace) -> asyncio.Server:
        try:
            return await asyncio.get_running_loop().create_server(
                lambda: _Socket(namespace, self._connections),
                self._host,
                self._port,
                # A port is free again at once after a server was killed.
                reuse_address=True,
            )
        except OSError as error:
            msg = (
                f"cannot listen on {self._host}:{self._port} ({error.strerror or error}); stop "
                "what listens there, or choose another port (0 takes a free one)"
            )
            raise EventHubsError(msg) from error

    async def stop(self) -> None:
        """Close every connection, store what is pending, close the data folder."""
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        self._timers = []
        if self._server is not None:
            self._server.close()
            for socket in tuple(self._connections):
                socket.connection.close("amqp:connection:forced", "Event Hubs is being stopped.")
            try:
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await self._server.wait_closed()
            except TimeoutError:
                # A client that reads nothing cannot hold the server up.
                self._server.abort_clients()
            self._server = None
        if self._namespace is not None:
            await self._namespace.close()
            self._namespace = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _tick(self) -> None:
        for socket in tuple(self._connections):
            socket.connection.tick()

    @staticmethod
    async def _drop_expired(namespace: Namespace) -> None:
        while True:
            await asyncio.sleep(RETENTION_SECONDS)
            await namespace.drop_expired()


def connection_string(port: int) -> str:
    """Give the connection string of an Event Hubs on this machine."""
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=local;UseDevelopmentEmulator=true;"
    )


async def _every(seconds: float, action: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        action()


class _Socket(asyncio.Protocol):
    """One client's socket: the outlet of a connection."""

    def __init__(self, namespace: Namespace, connections: "set[_Socket]") -> None:
        self.connection = Connection(namespace, self)
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._keeps_up = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server gives
        transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self._transport = transport
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.connection.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        _LOGGER.debug("a client is gone: %s", exc or "it closed the connection")
        self._connections.discard(self)
        self._transport = None
        self.connection.lost()

    def pause_writing(self) -> None:
        self._keeps_up = False

    def resume_writing(self) -> None:
        self._keeps_up = True
        self.connection.schedule_pump()

    @property
    def writable(self) -> bool:
        return self._keeps_up

    def write(self, data: Iterable[bytes | memoryview]) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(data))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._loop.call_soon(callback)

    def pause_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()
