"""Checks durations and the stretch of time, and how many payments they come to."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from simulator.configuration.durations import LONGEST, microseconds
from simulator.configuration.errors import Path, dotted
from simulator.configuration.findings import Finding, value_at
from simulator.configuration.structure import Configuration
from simulator.configuration.types import Total

_SECOND: Final = 1_000_000
_DAYS: Final = LONGEST // (86_400 * _SECOND)
_MOST_PAYMENTS: Final[int] = Total.__value__.__metadata__[0].le
_DEFAULT_SECONDS: Final = 1_800.0
_TOLERANCE: Final = 0.01
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_LIMITS: Final[tuple[Path, ...]] = (("time", "start"), ("time", "end"), ("time", "duration"))
_LIVE: Final[Path] = ("time", "live")
_RATE: Final[Path] = ("volume", "rate")
_PAYMENTS: Final[Path] = ("volume", "payments")
_MAY_BE_ZERO: Final[tuple[Path, ...]] = (("arrival", "delay"), ("messages", "linger"))
_PAIRS: Final[tuple[Path, ...]] = (
    ("life_cycle", "pending_delay"),
    ("life_cycle", "slow_pending_delay"),
    ("life_cycle", "refund_delay"),
    ("arrival", "late_by"),
    ("violations", "future_time", "ahead"),
)


def time_findings(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with times; ``now`` (aware) tells past from future."""
    too_long = list(_too_long(configuration))
    yield from too_long
    yield from _pairs_in_disorder(configuration)
    yield from _dates_that_do_not_exist(configuration)
    yield from _limits(configuration)
    yield from _live(configuration, now)
    if not too_long:
        yield from _volume(configuration)


def duration_paths(configuration: Configuration) -> Iterator[Path]:
    """Yield the paths of all durations that a configuration holds, pairs as their two values."""
    for path in (("time", "duration"), *_MAY_BE_ZERO):
        if value_at(configuration, path) is not None:
            yield path
    for pair in _PAIRS:
        yield from ((*pair, 0), (*pair, 1))
    violations = configuration.violations
    for name in violations.__struct_fields__:
        if hasattr(getattr(violations, name), "within"):
            yield ("violations", name, "within")


def _too_long(configuration: Configuration) -> Iterator[Finding]:
    for path in duration_paths(configuration):
        length = microseconds(value_at(configuration, path))
        if length > LONGEST:
            yield Finding(path, f"{{}} is longer than {_DAYS} days", [path], "write a shorter one")
        elif length == 0 and path not in _MAY_BE_ZERO and isinstance(path[-1], str):
            yield Finding(path, "{} is no time at all", [path], "write at least 1s")


def _pairs_in_disorder(configuration: Configuration) -> Iterator[Finding]:
    for path in _PAIRS:
        least, most = value_at(configuration, path)
        if microseconds(least) > microseconds(most):
            about = [(*path, 0), (*path, 1)]
            advice = "write the shorter duration first"
            yield Finding(path, "at least {} is more than at most {}", about, advice)


def _dates_that_do_not_exist(configuration: Configuration) -> Iterator[Finding]:
    path: Path = ("rhythm", "holidays", "dates")
    for position, text in enumerate(configuration.rhythm.holidays.dates):
        try:
            # Of a date that comes every year, a leap year decides.
            date.fromisoformat(text if len(text) > len("12-25") else f"2000-{text}")
        except ValueError:
            at = (*path, position)
            yield Finding(at, "{} is no day of the calendar", [at], "write month-day, as 12-25")
    path = ("rhythm", "pay_days", "days")
    for position, day in enumerate(configuration.rhythm.pay_days.days):
        if day == 0:
            at = (*path, position)
            advice = "days count from 1, and -1 is the last one"
            yield Finding(at, "0 is no day of a month", [at], advice)


def _limits(configuration: Configuration) -> Iterator[Finding]:
    time = configuration.time
    given = [path for path in _LIMITS if value_at(configuration, path) is not None]
    if len(given) == len(_LIMITS):
        advice = "leave one of them out, or null over what is extended"
        yield Finding(("time",), "start, end and duration are at most two", given, advice)
    advice = "write a year of four digits between them"
    for name, moment in (("start", time.start), ("end", time.end)):
        if moment and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            path = ("time", name)
            yield Finding(path, f"{{}} is not in {_FIRST_YEAR} to {_LAST_YEAR}", [path], advice)
    if time.start and time.end and time.start >= time.end:
        about = [("time", "end"), ("time", "start")]
        message = "the end, {}, is not after the start, {}"
        yield Finding(("time", "end"), message, about, "write a later end")


def _live(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    time, volume = configuration.time, configuration.volume
    if not time.live:
        return
    if time.end is not None:
        advice = "write a duration, or leave out live"
        yield Finding(_LIMITS[1], "a live simulation has no end by the clock", [_LIVE], advice)
    in_the_past = time.start is not None and time.start < now
    if time.speed_up is not None and time.speed_up > 1 and not in_the_past:
        yield Finding(
            ("time", "speed_up"),
            "at {} times its speed a live simulation overtakes the clock",
            [("time", "speed_up"), _LIVE, _LIMITS[0]],
            "let time.start lie in the past, or leave out live",
        )
    endless = time.duration is None and time.end is None and volume.payments is None
    if endless and volume.rate is None:
        yield Finding(
            _LIVE,
            "a live simulation without an end needs a rate",
            [_LIVE, _RATE, _LIMITS[2], _PAYMENTS],
            "write volume.rate, such as 20",
        )


def _volume(configuration: Configuration) -> Iterator[Finding]:
    """Yield contradictions of rate, total and length, of which two decide on the third."""
    rate, payments = configuration.volume.rate, configuration.volume.payments
    if rate is None:
        return
    length = _seconds(configuration)
    if length is not None:
        made = rate * length
        if payments is None and made > _MOST_PAYMENTS:
            message = f"{{}} in a second make more than {_MOST_PAYMENTS} payments in all"
            yield Finding(_RATE, message, [_RATE, *_LIMITS], "simulate less")
        if payments is not None and abs(made - payments) > max(1.0, payments * _TOLERANCE):
            yield Finding(
                _PAYMENTS,
                "{} payments are not what {} in a second come to in that time",
                [_PAYMENTS, _RATE, *_LIMITS],
                f"leave out one of {dotted(_PAYMENTS)}, {dotted(_RATE)} and the duration",
            )
    elif payments is not None and payments / rate > LONGEST / _SECOND:
        message = f"at {{}} in a second {{}} payments take longer than {_DAYS} days"
        yield Finding(_RATE, message, [_RATE, _PAYMENTS, *_LIMITS], "raise the rate")


def _seconds(configuration: Configuration) -> float | None:
    time = configuration.time
    if time.duration is not None:
        return microseconds(time.duration) / _SECOND
    if time.start is not None and time.end is not None:
        return (time.end - time.start).total_seconds()
    return None if time.live or configuration.volume.payments is not None else _DEFAULT_SECONDS
