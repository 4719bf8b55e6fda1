"""Event Hubs for the length of a ``with`` statement, for tests and small programs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_azure.event_hubs.config import EventHubsConfig
from local_azure.event_hubs.server import DEFAULT_HOST, EventHubsServer


@contextmanager
def serving(
    config: EventHubsConfig, data_folder: Path, host: str = DEFAULT_HOST, port: int = 0
) -> Iterator[str]:
    """Serve Event Hubs from a thread of this process.

    A thread starts in milliseconds, leaves no process behind whatever happens, and lets errors
    of the start reach the caller. Whoever wants to kill the server, or to measure it apart from
    the client, starts ``python -m local_azure.event_hubs`` instead.

    Args:
        config: The hubs.
        data_folder: Where their events are kept.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.

    Yields:
        The connection string.

    Raises:
        EventHubsError: The port is taken, or the data folder cannot be used.
        OSError: The disk refuses.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="event-hubs", daemon=True)
    thread.start()
    server = EventHubsServer(config, data_folder, host, port)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        try:
            yield server.connection_string
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
