"""The whole pipeline, on real parts, for tests that may stop, kill and restart any of them."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pgbouncer_service import MISSING, PROGRAM, PgBouncer

from local_azure.config import load_config
from local_azure.environment import LocalAzure

ROOT = Path(__file__).parents[2]


class PooledLocalAzure(LocalAzure):
    """Local parts whose database is reached through PgBouncer once that is there."""

    pooler: PgBouncer | None = None

    @property
    def settings(self) -> dict[str, str]:
        """App settings, with the pooler's address for the database's."""
        settings = super().settings
        if self.pooler is not None:
            settings["DATABASE_URL"] = self.pooler.url(settings["DATABASE_URL"])
        return settings


@pytest.fixture
def local_azure(tmp_path: Path) -> Iterator[LocalAzure]:
    """All services, each test its own; the host is started by the test.

    ``DATABASE_THROUGH=pgbouncer`` puts PgBouncer in transaction mode before the database.
    """
    config = load_config(ROOT / "local_azure.yaml")
    config = replace(config, data_folder=tmp_path, functions=replace(config.functions, port=0))
    if os.environ.get("DATABASE_THROUGH") != "pgbouncer":
        with LocalAzure(config) as local:
            yield local
        return
    if PROGRAM is None:
        pytest.skip(MISSING)
    with PooledLocalAzure(config) as local, PgBouncer(local.postgresql.url()) as pooler:
        local.pooler = pooler
        yield local
