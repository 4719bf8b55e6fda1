"""Which stretch of time a simulation covers, and how fast it passes."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from shared_code.domain.windows import window_start
from simulator.configuration import durations
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import TimeSpan, Volume

MICROSECONDS: Final = 1_000_000
CELL: Final = 15 * 60 * MICROSECONDS
"""Activity is the same all over such a stretch of time, which every time zone's hours fit."""

_MILLISECOND: Final = 1000
_DEFAULT_PAYMENTS: Final = 20_000
_DEFAULT_SECONDS: Final = 1800.0
# A live simulation without an end is planned for so long.
_ENDLESS_SECONDS: Final = 366 * 86400.0
_LINGER_SECONDS: Final = 300.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """A simulation's time, in microseconds since 1970 (UTC), half-open.

    ``payments`` is the exact number of payments, None if the rate decides; ``speed_up`` is None if
    time passes as fast as possible; ``linger`` is how long events wait for their message to fill.
    """

    start: int
    end: int
    payments: int | None
    speed_up: float | None
    linger: int


def microseconds(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """Return microseconds since 1970 as aware UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def seconds_of(duration: str) -> float:
    """Return the seconds of a checked duration such as ``90s`` or ``24h``."""
    return durations.microseconds(duration) / MICROSECONDS


def is_endless(configuration: Configuration) -> bool:
    """Tell whether a simulation goes on until it is interrupted."""
    time = configuration.time
    limits = (time.end, time.duration, configuration.volume.payments)
    return time.live and all(limit is None for limit in limits)


def span_of(configuration: Configuration, now: datetime) -> Span:
    """Return the time that a checked configuration asks for, begun at ``now`` (aware)."""
    start, end = map(microseconds, _limits(configuration, now))
    # Most event times are cut to the millisecond: none of them may lie before the start.
    start = min(-(-start // _MILLISECOND) * _MILLISECOND, end - 1)
    time = configuration.time
    speed_up = time.speed_up or (1.0 if time.live else None)
    linger = configuration.messages.linger
    if linger is not None:
        linger_seconds = seconds_of(linger)
    else:
        linger_seconds = _LINGER_SECONDS if speed_up is None else speed_up
    return Span(
        start,
        end,
        _payments(configuration),
        speed_up,
        round(linger_seconds * MICROSECONDS),
    )


def pinned(configuration: Configuration, span: Span, payments: int) -> Configuration:
    """Return a configuration that gives the very same simulation whenever it is run."""
    time = TimeSpan(start=moment(span.start), end=moment(span.end), speed_up=span.speed_up)
    volume = Volume(payments=payments)
    messages = msgspec.structs.replace(
        configuration.messages, linger=f"{span.linger / MICROSECONDS:.6f}s"
    )
    return msgspec.structs.replace(configuration, time=time, volume=volume, messages=messages)


def _payments(configuration: Configuration) -> int | None:
    volume = configuration.volume
    if volume.payments is None and volume.rate is None:
        return _DEFAULT_PAYMENTS
    return volume.payments


def _limits(configuration: Configuration, now: datetime) -> tuple[datetime, datetime]:
    time = configuration.time
    length = timedelta(seconds=_seconds(configuration))
    if time.live:
        start = time.start or now
        return start, time.end or start + length
    if time.start is not None:
        return time.start, time.end or time.start + length
    end = time.end or window_start(now)
    return end - length, end


def _seconds(configuration: Configuration) -> float:
    volume = configuration.volume
    if configuration.time.duration is not None:
        return seconds_of(configuration.time.duration)
    if volume.rate is not None and volume.payments is not None:
        return volume.payments / volume.rate
    return _ENDLESS_SECONDS if configuration.time.live else _DEFAULT_SECONDS
