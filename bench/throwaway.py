"""A migrated database for one benchmark run, with the benchmarks' own rules active."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic.config import Config

from alembic import command
from bench import workload
from local_azure.services.postgresql import PostgreSQL
from shared_code.engine.metric_engine import MetricEngine
from shared_code.settings import load_settings
from shared_code.store.rule_store import activate

ROOT: Final = Path(__file__).parents[1]
KEY: Final = "00" * 32


@contextmanager
def database_url(bin_folder: Path | None = None) -> Iterator[str]:
    """Give the URL of an empty database: BENCH_DATABASE_URL's, or one of a throwaway server."""
    if given := os.environ.get("BENCH_DATABASE_URL"):
        yield given
        return
    with PostgreSQL(bin_folder=bin_folder) as server:
        yield server.ensure_database("bench")


def engine_on(url: str) -> MetricEngine:
    """Return an engine on a database that is migrated first."""
    os.environ["DATABASE_URL"] = url
    configuration = Config(ROOT / "alembic.ini")
    configuration.attributes["quiet"] = True
    command.upgrade(configuration, "head")
    engine = further_engine(url)
    with engine.database.transaction() as connection:
        activate(connection, workload.rules_document(), by="bench", reason="benchmark")
    return engine


def further_engine(url: str) -> MetricEngine:
    """Return an engine on a database that is ready, as another instance has it."""
    return MetricEngine(load_settings({**os.environ, "DATABASE_URL": url, "PII_HASH_KEY": KEY}))
