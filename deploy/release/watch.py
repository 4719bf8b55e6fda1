"""Watches production after a release: does it go on as well as before?"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text

from deploy.errors import NotAsExpected
from deploy.release.hub import Progress, progress
from deploy.targets.target import Outcomes, Target
from shared_code.store.database import Database

# Few payments are stored long after they took place; the bound keeps other days from being read.
_TAKEN: Final = text("""
    SELECT (SELECT count(*) FROM normalized_transactions
            WHERE stored_at >= :since AND stored_at < :until
              AND event_time >= :since - interval '1 hour'),
           (SELECT count(*) FROM rejected_events
            WHERE rejected_at >= :since AND rejected_at < :until)
""")
_MOST_PAUSE_SECONDS: Final = 15
# So many readings are taken at least, however short the watch.
_READINGS: Final = 6
# A share of less than this is chance.
_LEAST_COUNT: Final = 20

type Say = Callable[[str], None]


class Limits(NamedTuple):
    """What is still as well as before.

    Attributes:
        lag: messages that may wait at the end, if they did not wait at the start.
        failed_share: of invocations.
        more_rejected: by how much the share of rejected events may be above that of before.
    """

    lag: int = 5000
    failed_share: float = 0.05
    more_rejected: float = 0.05


class Taken(NamedTuple):
    """Payment events that were stored, and that were rejected, within a time."""

    stored: int
    rejected: int

    @property
    def rejected_share(self) -> float:
        """Share of the rejected among all."""
        return self.rejected / max(1, self.stored + self.rejected)


class Reading(NamedTuple):
    """What was seen at a moment.

    Attributes:
        partitions: how far each has come.
        taken: since the watch began.
        outcomes: of invocations since the watch began.
    """

    partitions: Mapping[str, Progress]
    taken: Taken
    outcomes: Outcomes

    @property
    def lag(self) -> int:
        """How many messages wait."""
        return sum(each.waiting for each in self.partitions.values())


def watch(
    target: Target,
    database: Database,
    values: Mapping[str, str],
    *,
    span: timedelta,
    limits: Limits,
    say: Say,
) -> Reading:
    """Watch production for a span of time; return what was seen last.

    What is worse at two readings in a row ends it early.

    Raises:
        NotAsExpected: production is worse than before.
        SettingsError: hub, storage or database is not named.
        DeployError: something cannot be asked.
    """
    began = datetime.now(UTC)
    before = _taken(database, began - span, began)
    pause = min(_MOST_PAUSE_SECONDS, span.total_seconds() / _READINGS)
    readings: list[Reading] = []
    complaints: Sequence[str] = []
    while True:
        now = datetime.now(UTC)
        taken = _taken(database, began, now)
        readings.append(Reading(progress(values), taken, target.outcomes(began)))
        say(_shown(readings[-1]))
        last = now >= began + span
        earlier, complaints = complaints, list(judge(readings, before, limits))
        if complaints and (earlier or last):
            raise NotAsExpected("production is worse than before", complaints)
        if last:
            return readings[-1]
        time.sleep(pause)


def judge(readings: Sequence[Reading], before: Taken, limits: Limits) -> Iterator[str]:
    """Yield what is worse than before.

    Args:
        readings: the oldest first.
        before: what was taken in as long a time before the watch.
        limits: how much worse is still as well.
    """
    first, now = readings[0], readings[-1]
    if now.lag > max(limits.lag, first.lag):
        yield f"{now.lag:,} messages wait, {first.lag:,} at the start; see 'lag' in the runbook"
    yield from _stuck(readings)
    ended, failed = now.outcomes
    if ended >= _LEAST_COUNT and failed > limits.failed_share * ended:
        yield f"{failed:,} of {ended:,} invocations failed; at most {limits.failed_share:.0%} may"
    share, most = now.taken.rejected_share, before.rejected_share + limits.more_rejected
    if sum(now.taken) >= _LEAST_COUNT and share > most:
        yield (
            f"{share:.1%} of payment events are rejected, {before.rejected_share:.1%} were before;"
            " see reasons in rejected_events"
        )


def _stuck(readings: Sequence[Reading]) -> Iterator[str]:
    """Yield partitions in which nothing moved for half of the readings, though messages waited.

    A batch that fails is tried again without end, and holds its partition up meanwhile.
    """
    if len(readings) < _READINGS // 2:
        return
    earlier, now = readings[-(_READINGS // 2)], readings[-1]
    for partition, progressed in sorted(now.partitions.items()):
        then = earlier.partitions.get(partition)
        if then is not None and then.waiting and then.done == progressed.done:
            yield f"partition {partition} stands still while {progressed.waiting:,} messages wait"


def _taken(database: Database, since: datetime, until: datetime) -> Taken:
    with database.transaction() as connection:
        stored, rejected = connection.execute(_TAKEN, {"since": since, "until": until}).one()
    return Taken(stored, rejected)


def _shown(reading: Reading) -> str:
    return (
        f"{reading.lag:,} wait, {reading.taken.stored:,} stored, {reading.taken.rejected:,}"
        f" rejected, {reading.outcomes.failed:,} of {reading.outcomes.ended:,} invocations failed"
    )
