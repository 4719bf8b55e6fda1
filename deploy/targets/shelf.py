"""Keeps the packages of releases, and what runs where, for the way back."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import msgspec
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from deploy.errors import DeployError
from deploy.packaging.package import Package, note_file, read_package
from deploy.settings import required
from deploy.targets.target import Address, LocalAddress
from shared_code.store.rule_archive import blob_service

_SETTING: Final = "DeploymentStorage"
_CONTAINER: Final = "DEPLOYMENT_CONTAINER"
_ACCOUNT_EXAMPLE: Final = "https://account.blob.core.windows.net/"


class Releases(msgspec.Struct, frozen=True):
    """Which package is where, by sha256; None where there is none.

    Attributes:
        production: runs now.
        staging: was published last and has not become production.
        previous: ran in production before.
    """

    production: str | None = None
    staging: str | None = None
    previous: str | None = None


class Shelf(Protocol):
    """Where packages are kept, each under its hash."""

    def keep(self, package: Package) -> None:
        """Keep a package; the same again changes nothing."""

    def fetch(self, sha256: str, folder: Path) -> Package:
        """Bring a kept package into a folder.

        Raises:
            DeployError: it is not here any more.
        """

    def releases(self) -> Releases:
        """Return what was noted last."""

    def note(self, releases: Releases) -> None:
        """Note what is where."""


class FolderShelf:
    """A shelf in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / "releases.json"

    def keep(self, package: Package) -> None:
        """Keep a package; the same again changes nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._folder / f"{package.note.sha256}.zip"
        for file, goal in ((package.file, kept), (note_file(package.file), note_file(kept))):
            if not goal.exists():
                unfinished = goal.with_name(f".{goal.name}.unfinished")
                unfinished.write_bytes(file.read_bytes())
                unfinished.replace(goal)

    def fetch(self, sha256: str, folder: Path) -> Package:
        """Return a kept package where it lies; ``folder`` is not needed.

        Raises:
            DeployError: it is not here any more.
        """
        del folder
        return read_package(self._folder / f"{sha256}.zip")

    def releases(self) -> Releases:
        """Return what was noted last."""
        if not self._state.exists():
            return Releases()
        return msgspec.json.decode(self._state.read_bytes(), type=Releases)

    def note(self, releases: Releases) -> None:
        """Note what is where; readers see the old note or the new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._state.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.encode(releases))
        unfinished.replace(self._state)


class BlobShelf:
    """A shelf in a container of a storage account, below ``releases/APP/``."""

    def __init__(self, service: BlobServiceClient, container: str, app: str) -> None:
        self._client = service.get_container_client(container)
        self._prefix = _prefix(app)

    def keep(self, package: Package) -> None:
        """Keep a package; the same again changes nothing."""
        name = f"{package.note.sha256}.zip"
        with _unavailable(f"keep {name}"):
            if self._client.get_blob_client(f"{self._prefix}/{name}.json").exists():
                return
            # The note comes last: with it, the package is whole.
            for file, goal in ((package.file, name), (note_file(package.file), f"{name}.json")):
                with file.open("rb") as content:
                    self._client.upload_blob(f"{self._prefix}/{goal}", content, overwrite=True)

    def fetch(self, sha256: str, folder: Path) -> Package:
        """Bring a kept package into a folder.

        Raises:
            DeployError: it is not here any more.
        """
        goal = folder / f"{sha256}.zip"
        with _unavailable(f"fetch {goal.name}"):
            for file in (goal, note_file(goal)):
                download = self._client.download_blob(f"{self._prefix}/{file.name}")
                with file.open("wb") as content:
                    download.readinto(content)
        return read_package(goal)

    def releases(self) -> Releases:
        """Return what was noted last."""
        with _unavailable("read what is where"):
            try:
                content = self._client.download_blob(f"{self._prefix}/releases.json").readall()
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == "ContainerNotFound":
                    raise
                return Releases()
        return msgspec.json.decode(content, type=Releases)

    def note(self, releases: Releases) -> None:
        """Note what is where."""
        with _unavailable("note what is where"):
            content = msgspec.json.encode(releases)
            self._client.upload_blob(f"{self._prefix}/releases.json", content, overwrite=True)


def package_address(app: str, package: Package, values: Mapping[str, str] = os.environ) -> str:
    """Return the address at which a package of an app in Azure is kept.

    Raises:
        SettingsError: it is not said where packages are kept.
    """
    account = required(values, f"{_SETTING}__blobServiceUri", _ACCOUNT_EXAMPLE).rstrip("/")
    container = required(values, _CONTAINER, "deployment")
    return f"{account}/{container}/{_prefix(app)}/{package.note.sha256}.zip"


def open_shelf(address: Address, values: Mapping[str, str] = os.environ) -> Shelf:
    """Return the shelf that belongs to a target.

    That of an app in Azure is named by ``DeploymentStorage`` (a connection string) or
    ``DeploymentStorage__blobServiceUri``, and ``DEPLOYMENT_CONTAINER``.

    Raises:
        SettingsError: they are missing.
    """
    if isinstance(address, LocalAddress):
        return FolderShelf(address.folder / "kept")
    service = blob_service(values, _SETTING)
    return BlobShelf(service, required(values, _CONTAINER, "deployment"), address.app)


def _prefix(app: str) -> str:
    return f"releases/{app}"


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        message = f"cannot {what} in blob storage: {str(error).partition('\n')[0]}"
        raise DeployError(message) from error
