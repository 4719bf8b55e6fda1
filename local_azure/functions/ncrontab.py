"""NCRONTAB expressions: ``{second} {minute} {hour} {day} {month} {day-of-week}``.

The language is that of the NCrontab library, which the Azure host uses: ``*``, numbers, names of
months and days, ranges, lists and steps. Day of month and day of week must *both* fit, unlike in
Unix cron. An expression of five fields has no seconds and fires at second 0. Times are UTC, as in
Azure unless WEBSITE_TIME_ZONE is set.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")

# 29 February on a given weekday returns after at most 40 years (around the year 2100).
_HORIZON_YEARS = 41


class CronInvalid(ValueError):
    """An expression cannot be read; the message says which field and why."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    names_start: int = 0


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day-of-week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression; each field holds the values at which it fires, ascending."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """Find the first firing strictly after a moment, in the moment's own zone.

        Raises:
            CronInvalid: no such day exists, for example 30 February.
        """
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        midnight = start.replace(hour=0, minute=0, second=0)
        clock = start.time() if self._fires_on(start) else None
        if clock is not None:
            found = self._time_from((clock.hour, clock.minute, clock.second))
            if found is not None:
                return midnight.replace(hour=found[0], minute=found[1], second=found[2])
        day = self._day_after(midnight)
        return day.replace(hour=self.hours[0], minute=self.minutes[0], second=self.seconds[0])

    def _fires_on(self, day: datetime) -> bool:
        weekday = (day.weekday() + 1) % 7
        return day.month in self.months and day.day in self.days and weekday in self.weekdays

    def _day_after(self, midnight: datetime) -> datetime:
        day = midnight + timedelta(days=1)
        limit = midnight.year + _HORIZON_YEARS
        while day.year <= limit:
            if day.month not in self.months:
                day = day.replace(day=1) + timedelta(days=monthrange(day.year, day.month)[1])
            elif self._fires_on(day):
                return day
            else:
                day += timedelta(days=1)
        msg = f"'{self.text}' never fires: no day fits its day, month and day-of-week"
        raise CronInvalid(msg)

    def _time_from(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        for hour in (value for value in self.hours if value >= earliest[0]):
            for minute in self.minutes:
                if (hour, minute) < earliest[:2]:
                    continue
                for second in self.seconds:
                    if (hour, minute, second) >= earliest:
                        return hour, minute, second
        return None


def parse_cron(text: str) -> Cron:
    """Parse an NCRONTAB expression of six fields, or of five without seconds.

    Raises:
        CronInvalid: the number of fields is wrong, or a field cannot be read.
    """
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        order = " ".join(f"{{{field.name}}}" for field in _FIELDS)
        msg = f"it has {len(fields)} fields; an NCRONTAB expression has six: {order}"
        raise CronInvalid(msg)
    values = [_values(part, field) for part, field in zip(fields, _FIELDS, strict=True)]
    ordered = [tuple(sorted(value)) for value in values]
    return Cron(text, ordered[0], ordered[1], ordered[2], values[3], values[4], values[5])


def _values(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            msg = f"'{part}' is no value of the field '{field.name}'"
            raise CronInvalid(msg)
        found.update(_span(match, field))
    return frozenset(found)


def _span(match: re.Match[str], field: _Field) -> range:
    step = int(match["step"] or 1)
    if step < 1:
        msg = f"the step of '{match[0]}' in the field '{field.name}' must be at least 1"
        raise CronInvalid(msg)
    if match["first"] == "*":
        first, last = field.low, field.high
    else:
        first = _number(match["first"], field)
        open_end = field.high if match["step"] else first
        last = _number(match["last"], field) if match["last"] else open_end
    if last < first:
        msg = f"the range '{match[0]}' of the field '{field.name}' runs backwards"
        raise CronInvalid(msg)
    return range(first, last + 1, step)


def _number(text: str, field: _Field) -> int:
    if text.isascii() and text.isdigit():
        value = int(text)
        if field.low <= value <= field.high:
            return value
        msg = f"{value} is outside {field.low} to {field.high} in the field '{field.name}'"
        raise CronInvalid(msg)
    for position, name in enumerate(field.names):
        # NCrontab takes any text that starts with the three letters: "mon" and "monday".
        if len(text) >= 3 and text.casefold().startswith(name):
            return position + field.names_start
    msg = f"'{text}' is no value of the field '{field.name}'"
    raise CronInvalid(msg)
