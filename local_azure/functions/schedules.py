"""When a timer fires: an NCRONTAB expression or a constant interval."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from local_azure.functions.ncrontab import Cron, parse_cron
from local_azure.functions.timespan import parse_timespan


@dataclass(frozen=True, slots=True)
class Interval:
    """``hh:mm:ss``: again so long after the last run."""

    text: str
    length: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """The firing that follows one at this moment."""
        return moment + self.length


type Schedule = Cron | Interval


def parse_schedule(text: str) -> Schedule:
    """Parse a timer's schedule.

    Raises:
        ValueError: it is neither an NCRONTAB expression nor a time span above zero.
    """
    if ":" not in text:
        return parse_cron(text)
    length = parse_timespan(text)
    if not length:
        msg = "an interval must be longer than zero"
        raise ValueError(msg)
    return Interval(text, length)


def is_monitored(schedule: Schedule, now: datetime) -> bool:
    """Tell whether firings lie at least a minute apart; closer ones are never made up for.

    The Azure host drops ``useMonitor`` for such schedules as well.
    """
    firings = [now]
    for _ in range(5):
        firings.append(schedule.next_after(firings[-1]))
    gaps = [later - earlier for earlier, later in pairwise(firings[1:])]
    return min(gaps) >= timedelta(minutes=1)
