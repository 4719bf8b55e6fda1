"""Blob and queue storage: Microsoft's Azurite on the Node.js of a wheel."""

from collections.abc import Callable
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local_azure.services.azurite_install import install_azurite, pinned_package, wheel_node
from local_azure.services.errors import ServiceError
from local_azure.services.ports import LOOPBACK, claim_port
from local_azure.services.process import Command
from local_azure.services.service import Service

_SERVICE = "Azurite"
_READY_SECONDS = 60.0
_LAST_LINE = "Azurite Table service is successfully listening"

# Public, fixed in Azurite for everyone:
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Azurite(Service):
    """Azurite's blob and queue services, on two ports.

    Args:
        cache: Folder that holds, and is given, the installation (see
            :func:`~local_azure.services.azurite_install.install_azurite`).
        folder: Where blobs and the log are kept; None keeps blobs in memory, and the log in a
            temporary folder that goes when the context ends.
        blob_port: TCP port of the blob service on 127.0.0.1; 0 for a free one.
        queue_port: The same for the queue service.
        say: Receives a line for people when the start takes long.
    """

    def __init__(
        self,
        cache: Path,
        folder: Path | None = None,
        *,
        blob_port: int = 0,
        queue_port: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(_SERVICE, folder)
        self._cache = cache.absolute()
        self._in_memory = folder is None
        self._wanted = (blob_port, queue_port)
        self._ports: tuple[int, int] | None = None
        self._say = say

    @property
    def blob_port(self) -> int:
        """TCP port of the blob service, the same for all restarts of this object."""
        return self._known_ports()[0]

    @property
    def connection_string(self) -> str:
        """Connection string for the storage SDKs, with Azurite's well-known account."""
        blob, queue = self._known_ports()
        return (
            f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
            f"BlobEndpoint=http://{LOOPBACK}:{blob}/{_ACCOUNT};"
            f"QueueEndpoint=http://{LOOPBACK}:{queue}/{_ACCOUNT};"
        )

    def ensure_container(self, name: str) -> None:
        """Create a blob container if it is not there yet."""
        with BlobServiceClient.from_connection_string(self.connection_string) as client:
            try:
                client.create_container(name)
            except ResourceExistsError:
                return

    def _known_ports(self) -> tuple[int, int]:
        if self._ports is None:
            raise ServiceError(_SERVICE, "it has no ports before its first start")
        return self._ports

    def _start(self) -> None:
        node = wheel_node()
        installed = install_azurite(self._cache, node, pinned_package(), self._say)
        blob_wanted, queue_wanted = self._ports or self._wanted
        blob, queue = claim_port(_SERVICE, blob_wanted), claim_port(_SERVICE, queue_wanted)
        persistence = (
            ("--inMemoryPersistence",) if self._in_memory else ("--location", str(self._folder))
        )
        process = self._run(
            Command(
                _SERVICE,
                [
                    str(node.program),
                    str(installed / "node_modules/azurite/dist/src/azurite.js"),
                    *("--blobHost", LOOPBACK, "--blobPort", str(blob)),
                    *("--queueHost", LOOPBACK, "--queuePort", str(queue)),
                    *("--tableHost", LOOPBACK, "--tablePort", "0"),
                    "--skipApiVersionCheck",
                    "--silent",
                    "--disableTelemetry",
                    *persistence,
                ],
                log=self.log,
                folder=self._folder,
                grace=5.0,
            )
        )
        process.wait_until(lambda: process.line(_LAST_LINE), _READY_SECONDS)
        self._ports = blob, queue
