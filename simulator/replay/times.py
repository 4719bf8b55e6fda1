"""Event times out of rows: aware UTC, cut off to the microsecond."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from shared_code.domain.vocabularies import RejectReason
from simulator.configuration.durations import microseconds
from simulator.replay.mapping import EventTime
from simulator.replay.rows import Cells, RowRefused
from simulator.replay.values import Nulls

type TimeOf = Callable[[Cells], datetime]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# RFC 3339 section 5.6, with a blank for the T and the offset left out where a zone is given.
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?) ?([Zz]|[+-]\d\d:[0-5]\d)?", re.ASCII
)
_EXACT: Final = Context(prec=120)
_MICROSECONDS_OF: Final = {
    "unix_seconds": 1_000_000,
    "unix_milliseconds": 1_000,
    "unix_microseconds": 1,
}
_LONGEST: Final = 64


def time_reader(spec: EventTime, nulls: Nulls) -> TimeOf:
    """Return what reads the event time of a row.

    It raises ``RowRefused`` for what is no time of the format, or none that the zone's clock shows.
    """
    if spec.constant is not None:
        constant = spec.constant.astimezone(UTC)
        return lambda _: constant
    zone = ZoneInfo(spec.time_zone) if spec.time_zone is not None else None
    parse = _parser(spec)
    date_text = nulls.reader(spec.column or "", spec.null_values)
    time_text = nulls.reader(spec.time_column or "", spec.null_values)
    default = spec.default.astimezone(UTC) if spec.default is not None else None

    def text(cells: Cells) -> str:
        found = date_text(cells)
        return f"{found} {time_text(cells)}" if found and spec.time_column is not None else found

    def event_time(cells: Cells) -> datetime:
        moment = _stored_moment(cells, spec)
        if moment is None:
            found = text(cells)
            if not found:
                if default is not None:
                    return default
                raise RowRefused(RejectReason.missing_field, "event_time: the cell is empty")
            try:
                moment = parse(found[:_LONGEST])
            except (ValueError, OverflowError, InvalidOperation) as error:
                detail = f"event_time: {found[:_LONGEST]} is no time as described ({spec.format})"
                raise RowRefused(RejectReason.invalid_event_time, detail) from error
        return _in_utc(moment, zone)

    return event_time


def _stored_moment(cells: Cells, spec: EventTime) -> datetime | None:
    """Return a time that the file holds as such, as Parquet does, whatever the format says."""
    found = cells.get(spec.column or "")
    if isinstance(found, datetime):
        return found
    if isinstance(found, date) and spec.time_column is not None:
        of_day = cells.get(spec.time_column)
        return datetime.combine(found, of_day) if isinstance(of_day, time) else None
    return None


def _parser(spec: EventTime) -> Callable[[str], datetime]:
    if spec.format == "rfc3339":
        return _rfc_3339
    if spec.format == "steps":
        origin = (spec.origin or EPOCH).astimezone(UTC)
        step = microseconds(spec.step)
        return lambda text: origin + _microseconds(text, step)
    if spec.format in _MICROSECONDS_OF:
        unit = _MICROSECONDS_OF[spec.format]
        return lambda text: EPOCH + _microseconds(text, unit)
    pattern = spec.format
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone comes later


def _rfc_3339(text: str) -> datetime:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        msg = f"{text} is not RFC 3339"
        raise ValueError(msg)
    return datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '').upper()}")


def _microseconds(count: str, unit: int) -> timedelta:
    """Return a count of units of so many microseconds, cut off to the microsecond."""
    number = Decimal(count)
    if not number.is_finite() or number.adjusted() > _LONGEST:
        raise ValueError(count)
    exact = _EXACT.multiply(number, Decimal(unit))
    return int(exact.to_integral_value(ROUND_FLOOR)) * _MICROSECOND


def _in_utc(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """Return a moment in UTC; of a local time that comes twice, the first."""
    if moment.tzinfo is None and zone is None:
        detail = f"event_time: {moment} has no offset; give the mapping its time_zone"
        raise RowRefused(RejectReason.invalid_event_time, detail)
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        found = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None, fold=0) != moment:
            detail = f"event_time: {moment} is no time in {zone}, whose clock was put forward"
            raise RowRefused(RejectReason.invalid_event_time, detail)
    except OverflowError as error:
        detail = f"event_time: {moment} lies outside the years 1 to 9999 in UTC"
        raise RowRefused(RejectReason.invalid_event_time, detail) from error
    return found
