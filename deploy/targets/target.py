"""What a release needs of the place that it goes to, and how such a place is named."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from deploy.errors import DeployError
from deploy.packaging.package import Package

_AZURE: Final = re.compile(r"azure:(?P<group>[\w.()-]+)/(?P<app>[\w-]+)(?:/(?P<slot>[\w-]+))?")
_EXAMPLES: Final = (
    "azure:GROUP/APP/SLOT (Elastic Premium), azure:GROUP/APP (Flex Consumption), local:FOLDER or"
    " local-flex:FOLDER"
)


class Place(StrEnum):
    """Where code runs: what counts, or what is tried first."""

    PRODUCTION = "production"
    STAGING = "staging"


class Outcomes(NamedTuple):
    """How many invocations of functions ended, and how many of them failed."""

    ended: int
    failed: int


class Target(Protocol):
    """A place for releases: with a staging slot beside production, or without."""

    @property
    def has_slot(self) -> bool:
        """Whether there is a staging slot; if not, what is deployed is production at once."""

    def deploy(self, package: Package, place: Place) -> None:
        """Run a package's code in a place, in the place of what ran there.

        Raises:
            DeployError: it could not be put there.
        """

    def exchange(self) -> None:
        """Exchange what runs in staging and in production; settings stay where they are.

        Raises:
            DeployError: it could not be done; production goes on with what it had.
        """

    def functions(self, place: Place) -> Sequence[str]:
        """Return the functions that are loaded in a place.

        Raises:
            DeployError: nothing runs there.
        """

    def outcomes(self, since: datetime) -> Outcomes:
        """Return how invocations in production ended since a time, as far as is known by now.

        Raises:
            DeployError: nobody knows.
        """


@dataclass(frozen=True, slots=True)
class AzureAddress:
    """A function app in Azure, and its staging slot unless its plan has none."""

    group: str
    app: str
    slot: str | None


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """A folder on this machine."""

    folder: Path
    has_slot: bool


type Address = AzureAddress | LocalAddress


def parse_address(text: str) -> Address:
    """Return what a TARGET of the command line names.

    Raises:
        DeployError: it names nothing.
    """
    if found := _AZURE.fullmatch(text):
        return AzureAddress(**found.groupdict())
    kind, _, folder = text.partition(":")
    if kind in {"local", "local-flex"} and folder:
        return LocalAddress(Path(folder).absolute(), has_slot=kind == "local")
    message = f"no target: {text!r}; expected {_EXAMPLES}"
    raise DeployError(message)


def open_target(address: Address, values: Mapping[str, str] = os.environ) -> Target:
    """Return the target at an address."""
    # Imported where needed: pipelines in Azure have no local stand-in.
    if isinstance(address, LocalAddress):
        from deploy.targets.local import LocalTarget  # noqa: PLC0415

        return LocalTarget(address.folder, has_slot=address.has_slot)
    from deploy.targets.azure import AzureTarget  # noqa: PLC0415

    return AzureTarget(address, values.get("LOG_ANALYTICS_WORKSPACE_ID", ""))
