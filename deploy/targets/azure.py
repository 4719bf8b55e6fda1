"""A function app in Azure, reached by Azure's command line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from deploy.errors import DeployError
from deploy.packaging.package import Package
from deploy.targets.az import az
from deploy.targets.shelf import package_address
from deploy.targets.target import AzureAddress, Outcomes, Place

_API_VERSION: Final = "2024-04-01"
_LOGS: Final = "https://api.loganalytics.io"
_DEPLOYMENT_SECONDS: Final = 900
_QUERY: Final = (
    "AppRequests | where TimeGenerated > datetime({since}) and AppRoleName =~ '{app}'"
    " | summarize ended = count(), failed = countif(Success == false)"
)


class AzureTarget:
    """A function app and, if its plan has one, its staging slot.

    Args:
        address: of the app.
        workspace: id of the Log Analytics workspace that hears of its invocations; only
            ``outcomes`` asks it.
    """

    def __init__(self, address: AzureAddress, workspace: str) -> None:
        self._address = address
        self._workspace = workspace

    @property
    def has_slot(self) -> bool:
        """Whether there is a staging slot."""
        return self._address.slot is not None

    def deploy(self, package: Package, place: Place) -> None:
        """Let a place run a package, which is complete: nothing is built in Azure.

        On Elastic Premium, which has no content share (terraform/README.md), the app mounts the
        package where it is kept; by the address alone Azure would not look for other triggers.

        Raises:
            ToolFailed: Azure did not take it.
            SettingsError: it is not said where packages are kept.
        """
        if self.has_slot:
            setting = f"WEBSITE_RUN_FROM_PACKAGE={package_address(self._address.app, package)}"
            chosen = self._at(place)
            az("functionapp", "config", "appsettings", "set", *chosen, "--settings", setting)
            site = az("functionapp", "show", *chosen)
            url = f"{site['id']}/syncfunctiontriggers?api-version={_API_VERSION}"
            az("rest", "--method", "post", "--url", url)
            return
        az(
            *("functionapp", "deployment", "source", "config-zip", *self._at(place)),
            *("--src", str(package.file), "--build-remote", "false"),
            *("--timeout", str(_DEPLOYMENT_SECONDS)),
        )

    def exchange(self) -> None:
        """Swap staging into production, once it is warm with production's settings.

        Raises:
            ToolFailed: Azure did not do it.
        """
        slot = self._address.slot or ""
        az(
            *("functionapp", "deployment", "slot", "swap", *self._at(Place.PRODUCTION)),
            *("--slot", slot, "--target-slot", "production"),
        )

    def functions(self, place: Place) -> Sequence[str]:
        """Return the functions that Azure has found in what runs in a place.

        Raises:
            ToolFailed: Azure did not answer.
            DeployError: the app is stopped.
        """
        site = az("functionapp", "show", *self._at(place))
        if site["state"] != "Running":
            message = f"{site['name']} is {site['state']}; start it: az functionapp start"
            raise DeployError(message)
        url = f"{site['id']}/functions?api-version={_API_VERSION}"
        listed = az("rest", "--method", "get", "--url", url)
        # Such as "app/Name", or "app/slot/Name".
        return sorted(each["name"].rpartition("/")[2] for each in listed["value"])

    def outcomes(self, since: datetime) -> Outcomes:
        """Return what Application Insights knows; it hears of invocations some minutes late.

        Raises:
            DeployError: no workspace is set.
            ToolFailed: Azure did not answer.
        """
        if not self._workspace:
            raise DeployError(
                "LOG_ANALYTICS_WORKSPACE_ID is missing: it names the workspace to ask for failures"
            )
        query = _QUERY.format(since=since.isoformat(), app=self._address.app)
        url = f"{_LOGS}/v1/workspaces/{self._workspace}/query"
        answer = az(
            *("rest", "--method", "post", "--resource", _LOGS, "--url", url),
            *("--body", f'{{"query": "{query}"}}'),
        )
        ended, failed = answer["tables"][0]["rows"][0]
        return Outcomes(ended, failed)

    def blobs_extension_key(self) -> str:
        """Return the key by which Event Grid calls the blob triggers of production.

        Raises:
            ToolFailed: Azure did not answer.
            DeployError: there is none yet.
        """
        keys = az("functionapp", "keys", "list", *self._at(Place.PRODUCTION))
        key = keys.get("systemKeys", {}).get("blobs_extension")
        if not key:
            message = (
                f"{self._address.app} has no blobs_extension key yet: it appears when a blob"
                " trigger with source EventGrid was loaded; publish first"
            )
            raise DeployError(message)
        return str(key)

    def host_name(self) -> str:
        """Return the host name of production.

        Raises:
            ToolFailed: Azure did not answer.
        """
        site = az("functionapp", "show", *self._at(Place.PRODUCTION))
        return str(site["defaultHostName"])

    def _at(self, place: Place) -> Sequence[str]:
        chosen = ["--resource-group", self._address.group, "--name", self._address.app]
        if place is Place.STAGING and self._address.slot is not None:
            chosen += ["--slot", self._address.slot]
        return chosen
