"""All local parts of a function app together: started at once, stopped in reverse order."""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Self

from local_azure.config import BlobStoragePart, LocalAzureConfig, Part, PostgreSQLPart, fill
from local_azure.errors import LocalAzureError
from local_azure.services.azurite import Azurite
from local_azure.services.event_hubs import EventHubs
from local_azure.services.folder_lock import FolderLock
from local_azure.services.functions_host import FunctionsHost, write_settings
from local_azure.services.postgresql import PostgreSQL
from local_azure.services.service import Service

SETTINGS_FILE = "local.settings.json"
_NAME = "local_azure"


class PartMissing(LocalAzureError):
    """A part was asked for that does not run here.

    Attributes:
        part: The part.
    """

    def __init__(self, part: Part) -> None:
        super().__init__(
            f"{part} does not run here: it is not in the configuration, is taken from a "
            "connection string, or was left out"
        )
        self.part = part


class LocalAzure:
    """The parts that a configuration names, running within a ``with`` block.

    The host is started apart, by :meth:`start_host`. Nothing outlives the block, nor this program.

    Args:
        config: What there is.
        only: The parts to start; None for all. One that is left out has no address, unless the
            configuration gives its connection string.
        say: Receives a line for people when something takes long.
    """

    def __init__(
        self,
        config: LocalAzureConfig,
        *,
        only: Collection[Part] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        wanted = set(Part if only is None else only)
        folder = config.data_folder.absolute()
        self._config = config
        self._folder = folder
        self._lock = FolderLock(_NAME, folder)
        self._connections = {
            part: found.connection_string
            for part in Part
            if (found := config.part(part)) and found.connection_string
        }
        wanted -= self._connections.keys()
        self._event_hubs = _event_hubs(config, folder) if Part.EVENT_HUBS in wanted else None
        self._blob_storage = (
            _blob_storage(config, folder, say) if Part.BLOB_STORAGE in wanted else None
        )
        self._postgresql = _postgresql(config, folder) if Part.POSTGRESQL in wanted else None
        self._host = FunctionsHost(
            config.functions.project,
            folder / SETTINGS_FILE,
            folder / "functions" / "functions.log",
            port=config.functions.port,
        )
        self._prepared = False

    @property
    def folder(self) -> Path:
        """Where data and logs are kept."""
        return self._folder

    @property
    def connections(self) -> Mapping[Part, str]:
        """Connection string of every part that runs, here or elsewhere."""
        return dict(self._connections)

    @property
    def settings(self) -> dict[str, str]:
        """App settings; those that need a part which has no address are left out."""
        filled = {
            name: fill(template, self._connections)
            for name, template in self._config.settings.items()
        }
        return {name: value for name, value in filled.items() if value is not None}

    @property
    def services(self) -> Mapping[Part, Service]:
        """The services that run here, in the order of their start."""
        made: dict[Part, Service | None] = {
            Part.EVENT_HUBS: self._event_hubs,
            Part.BLOB_STORAGE: self._blob_storage,
            Part.POSTGRESQL: self._postgresql,
        }
        return {part: service for part, service in made.items() if service is not None}

    @property
    def host(self) -> FunctionsHost:
        """The function host, running or not."""
        return self._host

    @property
    def event_hubs(self) -> EventHubs:
        """The Event Hubs endpoint, to be stopped and started at will.

        Raises:
            PartMissing: It does not run here.
        """
        if self._event_hubs is None:
            raise PartMissing(Part.EVENT_HUBS)
        return self._event_hubs

    @property
    def blob_storage(self) -> Azurite:
        """The blob storage, to be stopped and started at will.

        Raises:
            PartMissing: It does not run here.
        """
        if self._blob_storage is None:
            raise PartMissing(Part.BLOB_STORAGE)
        return self._blob_storage

    @property
    def postgresql(self) -> PostgreSQL:
        """The database server, to be stopped and started at will.

        Raises:
            PartMissing: It does not run here.
        """
        if self._postgresql is None:
            raise PartMissing(Part.POSTGRESQL)
        return self._postgresql

    def start(self) -> None:
        """Start all parts at once and wait until every one is ready.

        When one fails, the others are stopped again.

        Raises:
            FolderInUse: Another program uses the data folder.
            ServiceError: A part did not start; what went wrong with others stands in its notes.
        """
        self._lock.acquire()
        try:
            self._start_all()
            write_settings(self._folder / SETTINGS_FILE, self.settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the host, then all parts in reverse order, even if one of them fails to."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._lock.release)
            if self._lock.held:
                stack.callback((self._folder / SETTINGS_FILE).unlink, missing_ok=True)
            for service in self.services.values():
                stack.callback(service.stop)
            stack.callback(self._host.stop)

    def start_host(self, settings: Mapping[str, str] | None = None) -> str:
        """Run the commands of ``prepare`` once, then the function host, and wait until it listens.

        Args:
            settings: App settings on top of the configured ones.

        Returns:
            The host's address, such as ``http://localhost:7071``.

        Raises:
            PortTaken: The port is fixed and in use.
            ServiceFailed: A command or the host failed; the message holds the end of its log.
        """
        together = {**self.settings, **(settings or {})}
        if not self._prepared:
            self._host.prepare(self._config.prepare, together)
            self._prepared = True
        self._host.start(together)
        return self._host.url

    def stop_host(self) -> None:
        """Let running functions end, then stop the host."""
        self._host.stop()

    def kill_host(self) -> None:
        """End the host at once (SIGKILL), as a crash would."""
        self._host.kill()

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

    def _start_all(self) -> None:
        if not self.services:
            return
        with ThreadPoolExecutor(len(self.services)) as pool:
            starting = {
                pool.submit(self._start_part, part, service): part
                for part, service in self.services.items()
            }
            try:
                done, _ = wait(starting, return_when=FIRST_EXCEPTION)
                _raise_failures([error for future in done if (error := future.exception())])
            except BaseException:
                # End the processes that other threads still wait for.
                for service in self.services.values():
                    service.stop()
                raise
        self._connections.update({part: future.result() for future, part in starting.items()})

    def _start_part(self, part: Part, service: Service) -> str:
        service.start()
        match part:
            case Part.EVENT_HUBS:
                return self.event_hubs.connection_string
            case Part.BLOB_STORAGE:
                for container in (self._config.blob_storage or BlobStoragePart()).containers:
                    self.blob_storage.ensure_container(container)
                return self.blob_storage.connection_string
            case Part.POSTGRESQL:
                database = (self._config.postgresql or PostgreSQLPart()).database
                return self.postgresql.ensure_database(database)


def _raise_failures(failures: Sequence[BaseException]) -> None:
    if failures:
        first, *others = failures
        for other in others:
            first.add_note(str(other))
        raise first


def _event_hubs(config: LocalAzureConfig, folder: Path) -> EventHubs | None:
    part = config.event_hubs
    if part is None or part.hubs is None:
        return None
    return EventHubs(part.hubs, folder / Part.EVENT_HUBS, port=part.port)


def _blob_storage(
    config: LocalAzureConfig, folder: Path, say: Callable[[str], None]
) -> Azurite | None:
    part = config.blob_storage
    if part is None:
        return None
    return Azurite(
        config.cache_folder,
        folder / Part.BLOB_STORAGE,
        blob_port=part.port,
        queue_port=part.queue_port,
        say=say,
    )


def _postgresql(config: LocalAzureConfig, folder: Path) -> PostgreSQL | None:
    part = config.postgresql
    if part is None:
        return None
    return PostgreSQL(folder / Part.POSTGRESQL, port=part.port, bin_folder=part.bin_folder)
