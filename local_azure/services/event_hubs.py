"""The local Event Hubs endpoint as a process of its own."""

from pathlib import Path

import yaml

from local_azure.event_hubs.config import EventHubsConfig
from local_azure.services.errors import ServiceError
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.process import python_command
from local_azure.services.service import Service

_READY_SECONDS = 60.0  # a large log is indexed before the endpoint listens
_READY_LINE = "Endpoint=sb://"


class EventHubs(Service):
    """The endpoint of :mod:`local_azure.event_hubs`, its events kept from start to start.

    Args:
        hubs: What hubs there are.
        folder: Where events and the log of the process are kept.
        port: TCP port on 127.0.0.1; 0 for a free one, kept for all restarts of this object.
    """

    def __init__(self, hubs: EventHubsConfig, folder: Path, *, port: int = 0) -> None:
        super().__init__("Event Hubs", folder)
        self._hubs = hubs
        self._wanted_port = port
        self._port: int | None = None
        self._connection_string: str | None = None

    @property
    def connection_string(self) -> str:
        """Connection string for the SDK, the same for all restarts of this object."""
        if self._connection_string is None:
            raise ServiceError(self.name, "it has no address before its first start")
        return self._connection_string

    def _start(self) -> None:
        port = claim_port(self.name, self._port or self._wanted_port)
        config = self._folder / "hubs.yaml"
        config.write_text(yaml.safe_dump(_document(self._hubs)), encoding="utf-8")
        arguments = ["--config", str(config), "--data", str(self._folder / "data")]
        arguments += ["--host", LOOPBACK, "--port", str(port)]
        process = self._run(
            python_command(self.name, ["local_azure.event_hubs", *arguments], self.log)
        )
        self._connection_string = process.wait_until(
            lambda: process.line(_READY_LINE), _READY_SECONDS
        )
        self._port = port


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
