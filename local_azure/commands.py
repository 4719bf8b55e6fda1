"""What ``python -m local_azure`` does, as functions that anyone can call."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from local_azure.config import LocalAzureConfig, Part
from local_azure.environment import SETTINGS_FILE, LocalAzure
from local_azure.errors import LocalAzureError
from local_azure.services.errors import FolderInUse, ServiceFailed
from local_azure.services.folder_lock import LOCK_FILE, FolderLock
from local_azure.services.process import tail

_WATCH_SECONDS = 0.2
_NAME = "local_azure"


class NotRunning(LocalAzureError):
    """Nothing runs on the data folder.

    Attributes:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"nothing runs on {folder}, so there are no addresses yet. "
            "Start it in another terminal: python -m local_azure start"
        )
        self.folder = folder


def with_connections(
    config: LocalAzureConfig, connections: Mapping[Part, str | None]
) -> LocalAzureConfig:
    """Take those parts from elsewhere that have a connection string."""
    for part, connection_string in connections.items():
        if connection_string is not None:
            config = config.with_connection(part, connection_string)
    return config


def watch(local: LocalAzure, show: Callable[[str], None], *, host: bool) -> None:
    """Show what the functions say for as long as everything runs.

    Args:
        local: The parts, running.
        show: Receives new text of the host's log.
        host: Whether the function host runs, too.

    Raises:
        ServiceFailed: A part ended by itself.
    """
    new_text = _follow(local.host.log, local.host.log_start) if host else iter(())
    while True:
        show(next(new_text, ""))
        for service in local.services.values():
            if not service.running:
                raise ServiceFailed(service.name, "ended by itself", service.log, tail(service.log))
        if host and not local.host.running:
            # Everything it said was shown above.
            raise ServiceFailed("Functions host", "ended by itself", local.host.log, "")
        time.sleep(_WATCH_SECONDS)


def running_settings(config: LocalAzureConfig) -> str:
    """Return the ``local.settings.json`` of what runs on the data folder.

    Raises:
        NotRunning: Nothing does.
    """
    folder = config.data_folder
    if FolderLock(_NAME, folder).holder() is None:
        raise NotRunning(folder)
    try:
        return (folder / SETTINGS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotRunning(folder) from error


def things_to_delete(config: LocalAzureConfig, *, cache: bool) -> tuple[Path, ...]:
    """List what was made in the data folder, and nothing else that may be in it.

    Args:
        config: What there is.
        cache: Whether installed packages count as well.

    Raises:
        FolderInUse: Something runs on the folder.
    """
    folder = config.data_folder
    if (holder := FolderLock(_NAME, folder).holder()) is not None:
        raise FolderInUse(_NAME, folder, holder)
    names = (*Part, "functions", SETTINGS_FILE, LOCK_FILE)
    made = [folder / name for name in names]
    if cache:
        made.append(config.cache_folder)
    return tuple(path for path in made if path.exists())


def delete(config: LocalAzureConfig, things: tuple[Path, ...]) -> None:
    """Delete things, and the data folder itself if nothing else is in it."""
    for path in things:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if config.data_folder.exists() and not any(config.data_folder.iterdir()):
        config.data_folder.rmdir()


def _follow(log: Path, start: int) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        while True:
            yield file.read()
