"""Everything that a release needs on this machine: hubs, storage, databases and a target."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import make_url

from deploy.targets.local import LocalTarget
from local_azure.config import load_config
from local_azure.environment import LocalAzure
from local_azure.event_hubs.config import EventHubsConfig, HubConfig

ROOT = Path(__file__).parents[1]
SMOKE_DATABASE = "payments_smoke"
SMOKE_HUB = "payments-smoke"
HUBS = ("payments", SMOKE_HUB)
# The slot consumes its own hub only; what a clock or an upload starts is production's business.
DISABLED_IN_STAGING = ("AggregateMetrics", "ReloadRules")


@dataclass(frozen=True)
class Stage:
    """Services that run, and a target folder whose app settings point to them.

    Attributes:
        folder: of the target.
        environment: what a pipeline's step is given.
    """

    local: LocalAzure
    folder: Path
    environment: Mapping[str, str]

    @property
    def target(self) -> LocalTarget:
        """The target, with a slot."""
        return LocalTarget(self.folder)


@contextmanager
def deploy_stage(folder: Path) -> Iterator[Stage]:
    """Run the services below a folder; hosts that a test leaves running are stopped at the end."""
    config = load_config(ROOT / "local_azure.yaml")
    assert config.event_hubs is not None
    config = replace(
        config,
        data_folder=folder / "services",
        event_hubs=replace(config.event_hubs, hubs=EventHubsConfig(tuple(map(_hub, HUBS)))),
    )
    with LocalAzure(config) as local:
        local.postgresql.ensure_database(SMOKE_DATABASE)
        stage = _stage(local, folder / "target")
        try:
            yield stage
        finally:
            stage.target.stop()


def _hub(name: str) -> HubConfig:
    return HubConfig(name, partitions=2, consumer_groups=("metrics",))


def _stage(local: LocalAzure, folder: Path) -> Stage:
    settings = local.settings
    smoke = make_url(settings["DATABASE_URL"]).set(database=SMOKE_DATABASE)
    staging = {
        **settings,
        "EVENT_HUB_NAME": SMOKE_HUB,
        "DATABASE_URL": smoke.render_as_string(hide_password=False),
        **{f"AzureWebJobs.{name}.Disabled": "true" for name in DISABLED_IN_STAGING},
    }
    folder.mkdir()
    for place, values in (("production", settings), ("staging", staging)):
        document = {"IsEncrypted": False, "Values": values}
        (folder / f"{place}.json").write_text(json.dumps(document))
    environment = {
        **settings,
        "SMOKE_DATABASE_NAME": SMOKE_DATABASE,
        "SMOKE_EVENT_HUB_NAME": SMOKE_HUB,
    }
    return Stage(local, folder, environment)
