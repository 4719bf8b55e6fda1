"""A process that back-fills a span and says so after each window, to be killed at any moment."""

import sys
from datetime import datetime

from store_fixtures import store_settings

from shared_code.domain.windows import Window
from shared_code.engine.backfill import run_backfill
from shared_code.engine.metric_engine import MetricEngine


def backfill(url: str, start: str, end: str) -> None:
    """Back-fill, with a line on standard output for each step."""
    metrics = MetricEngine(store_settings(url))

    def watch(step: object) -> None:
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()

    span = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    run_backfill(metrics._aggregator, span, by="a worker", watch=watch)
    metrics.database.engine.dispose()


if __name__ == "__main__":
    backfill(*sys.argv[1:4])
