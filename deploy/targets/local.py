"""A folder on this machine as a function app with a staging slot, run by the local host.

FOLDER/production.json, staging.json    app settings of each place, which stay there in a swap
FOLDER/slots/blue, green                two folders of code, and ...
FOLDER/production                       ... the name of the one that is production
FOLDER/hosts/                           the hosts' processes and logs
FOLDER/kept/                            packages, and what runs where
"""

import os
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import requests

import local_azure
from deploy.errors import DeployError
from deploy.packaging.package import Package
from deploy.targets.processes import RunningHost, is_running, start_host, stop_host
from deploy.targets.target import Outcomes, Place

_SLOTS: Final = ("blue", "green")
_HOST_ID: Final = "AzureFunctionsWebHost__hostid"
_EXECUTED: Final = re.compile(
    r"^\[(?P<time>[^\]]+)\] (?:\w+: )?Executed 'Functions\.\w+' \((?P<how>Succeeded|Failed),",
    re.MULTILINE,
)
_TAIL_BYTES: Final = 2000
_ANSWER_SECONDS: Final = 10


class _SettingsFile(msgspec.Struct, rename="pascal"):
    values: dict[str, str]


class LocalTarget:
    """Runs packages with the hosts of :mod:`local_azure`.

    Args:
        folder: holds everything; app settings of the places have to be there.
        has_slot: whether there is a staging slot, as on Elastic Premium.
    """

    def __init__(self, folder: Path, *, has_slot: bool = True) -> None:
        self._folder = folder
        self._has_slot = has_slot
        self._pointer = folder / "production"

    @property
    def has_slot(self) -> bool:
        """Whether there is a staging slot."""
        return self._has_slot

    def deploy(self, package: Package, place: Place) -> None:
        """Unzip a package and run it, in the place of what ran there.

        As in Azure, code that cannot be loaded is deployed all the same: the smoke test finds out.

        Raises:
            DeployError: app settings of the place are missing.
        """
        self._settings(place)
        self._stop(place)
        code = self._code(place)
        shutil.rmtree(code, ignore_errors=True)
        with zipfile.ZipFile(package.file) as archive:
            archive.extractall(code)
        self._start(place)

    def exchange(self) -> None:
        """Let staging's code run in production, then stop what ran there, and run that in staging.

        For a moment both run in production, as in Azure: instances share the work.

        Raises:
            DeployError: the code did not start there; production goes on with what it had.
        """
        if not self._code(Place.STAGING).exists():
            raise DeployError("nothing is in staging; publish first")
        self._stop(Place.STAGING)
        started = self._run(self._code(Place.STAGING), Place.PRODUCTION)
        if started.url is None:
            message = f"the code of staging does not start in production:\n{self.said()}"
            raise DeployError(message)
        replaced = self._host(Place.PRODUCTION)
        self._pointer.write_text(self._slot(Place.STAGING), encoding="utf-8")
        self._note(Place.PRODUCTION, started)
        if replaced is not None:
            stop_host(replaced)
        if self._code(Place.STAGING).exists():
            self._start(Place.STAGING)

    def functions(self, place: Place) -> Sequence[str]:
        """Return the functions that the host of a place has loaded.

        Raises:
            DeployError: no host runs there; the message holds the end of what it said.
        """
        listed = requests.get(f"{self.url(place)}/admin/functions", timeout=_ANSWER_SECONDS)
        listed.raise_for_status()
        return sorted(each["name"] for each in listed.json())

    def outcomes(self, since: datetime) -> Outcomes:
        """Return what the log of production's host says."""
        log = self._log(Place.PRODUCTION)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        found = [
            each["how"]
            for each in _EXECUTED.finditer(text)
            if datetime.fromisoformat(each["time"]).astimezone(UTC) >= since
        ]
        return Outcomes(len(found), found.count("Failed"))

    def url(self, place: Place) -> str:
        """Return where the host of a place listens.

        Raises:
            DeployError: no host runs there.
        """
        host = self._host(place)
        if host is None or host.url is None or not is_running(host):
            message = f"no host runs in {place} of {self._folder}:\n{self.said(place)}"
            raise DeployError(message)
        return host.url

    def said(self, place: Place = Place.PRODUCTION) -> str:
        """Return the end of what the host of a place said."""
        log = self._log(place)
        return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""

    def stop(self) -> None:
        """Stop both hosts; what they are given goes on waiting in its hub."""
        for place in Place:
            self._stop(place)

    def start(self) -> None:
        """Start the hosts of what was deployed."""
        for place in Place:
            if self._code(place).exists():
                self._start(place)

    def _slot(self, place: Place) -> str:
        production = self._pointer.read_text("utf-8") if self._pointer.exists() else _SLOTS[0]
        if place is Place.PRODUCTION:
            return production
        return _SLOTS[1 - _SLOTS.index(production)]

    def _code(self, place: Place) -> Path:
        return self._folder / "slots" / self._slot(place)

    def _log(self, place: Place) -> Path:
        return self._folder / "hosts" / f"{place}.log"

    def _settings_file(self, place: Place) -> Path:
        return self._folder / f"{place}.json"

    def _settings(self, place: Place) -> Mapping[str, str]:
        file = self._settings_file(place)
        try:
            return msgspec.json.decode(file.read_bytes(), type=_SettingsFile).values
        except FileNotFoundError:
            message = (
                f"{file} is missing: it holds the app settings of {place}, in the form of"
                " local.settings.json.example"
            )
            raise DeployError(message) from None
        except msgspec.DecodeError as error:
            message = f"{file} is no file of app settings: {error}"
            raise DeployError(message) from None

    def _note(self, place: Place, host: RunningHost) -> None:
        file = self._folder / "hosts" / f"{place}.json"
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.encode(host))
        unfinished.replace(file)

    def _host(self, place: Place) -> RunningHost | None:
        file = self._folder / "hosts" / f"{place}.json"
        if not file.exists():
            return None
        return msgspec.json.decode(file.read_bytes(), type=RunningHost)

    def _start(self, place: Place) -> None:
        self._note(place, self._run(self._code(place), place))

    def _stop(self, place: Place) -> None:
        if (host := self._host(place)) is not None:
            stop_host(host)

    def _run(self, code: Path, place: Place) -> RunningHost:
        log = self._log(place)
        log.parent.mkdir(parents=True, exist_ok=True)
        settings = self._settings(place)
        environment = {
            **os.environ,
            # Both places keep their state apart, whichever folder their code lies in.
            _HOST_ID: f"{self._folder.name}-{place}".lower(),
            **settings,
            "PYTHONPATH": str(self._host_only()),
        }
        return start_host(code, self._settings_file(place), log, environment)

    def _host_only(self) -> Path:
        """Return a folder that lets the host be imported, and no product code of the checkout."""
        folder = self._folder / "hosts" / "python"
        link = folder / "local_azure"
        if not link.exists():
            folder.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(local_azure.__file__ or "").parent.absolute())
        return folder
