"""The local Event Hubs endpoint as a process of its own."""

from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from local_azure.event_hubs.config import EventHubsConfig
from local_azure.services.errors import ServiceError
from local_azure.services.folder_lock import FolderLock
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.process import Process, python_command

_SERVICE = "Event Hubs"
_READY_SECONDS = 60.0  # a large log is indexed before the endpoint listens
_READY_LINE = "Endpoint=sb://"


class EventHubs:
    """The endpoint of :mod:`local_azure.event_hubs`, its events kept from start to start.

    Args:
        hubs: What hubs there are.
        folder: Where events and the log of the process are kept.
        port: TCP port on 127.0.0.1; 0 for a free one, kept for all restarts of this object.
    """

    def __init__(self, hubs: EventHubsConfig, folder: Path, *, port: int = 0) -> None:
        self._hubs = hubs
        self._folder = folder.absolute()
        self._wanted_port = port
        self._port: int | None = None
        self._connection_string: str | None = None
        self._lock = FolderLock(_SERVICE, self._folder)
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether the endpoint's process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> Path:
        """The file with everything the process said."""
        return self._folder / "event_hubs.log"

    @property
    def connection_string(self) -> str:
        """Connection string for the SDK, the same for all restarts of this object."""
        if self._connection_string is None:
            raise ServiceError(_SERVICE, "it has no address before its first start")
        return self._connection_string

    def start(self) -> None:
        """Start the endpoint and wait until it listens.

        Raises:
            FolderInUse: Another program uses the folder.
            PortTaken: The port is fixed and in use.
            ServiceFailed: The process did not start; the message holds the end of its log.
        """
        if self.running:
            return
        self._release()
        self._lock.acquire()
        try:
            self._start()
        except BaseException:
            self._release()
            raise

    def stop(self) -> None:
        """Stop the endpoint and wait until it has ended; does nothing when it is not running."""
        self._release()

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
        self._release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        port = claim_port(_SERVICE, self._port or self._wanted_port)
        config = self._folder / "hubs.yaml"
        config.write_text(yaml.safe_dump(_document(self._hubs)), encoding="utf-8")
        arguments = ["--config", str(config), "--data", str(self._folder / "data")]
        arguments += ["--host", LOOPBACK, "--port", str(port)]
        self._process = process = Process(
            python_command(_SERVICE, ["local_azure.event_hubs", *arguments], self.log)
        )
        self._connection_string = process.wait_until(
            lambda: process.line(_READY_LINE), _READY_SECONDS
        )
        self._port = port

    def _release(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._lock.release()


def _document(config: EventHubsConfig) -> dict[str, object]:
    return {
        "hubs": {
            hub.name: {
                "partitions": hub.partitions,
                "consumer_groups": list(hub.consumer_groups),
                "retention_hours": hub.retention_hours,
            }
            for hub in config.hubs
        }
    }
