"""The span of event time in which payments are accepted."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

FUTURE_TOLERANCE: Final = timedelta(days=1)


class Horizon(NamedTuple):
    """Both ends inclusive, aware UTC; ``now`` splits late from early."""

    earliest: datetime
    now: datetime
    latest: datetime


def horizon_at(now: datetime, retention: timedelta) -> Horizon:
    """Return what is accepted at ``now``: from retention ago to one day ahead."""
    return Horizon(now - retention, now, now + FUTURE_TOLERANCE)
