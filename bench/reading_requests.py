"""What the dashboard asks of the JSON API, as ``shared_code/web/dashboard/views`` has it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote

from shared_code.domain.windows import PeriodLength

MOST_ROWS: Final = "1000"
SPANS: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "31 days": timedelta(days=31),
}


class Asked(NamedTuple):
    """One thing that a view asks for.

    Attributes:
        name: as it is shown; the same of every span.
        path: behind the version, percent-decoded.
        query: names and values without the span.
        pages: how many pages the view reads at most, one behind the other.
        found: False where a filter fits nothing, so that all of the span is looked through.
    """

    name: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    pages: int = 1
    found: bool = True


def fitting_period(span: timedelta) -> PeriodLength:
    """Return windows, hours or days: what a chart of the span shows one by one."""
    if span <= timedelta(days=1):
        return PeriodLength.five_minutes
    return PeriodLength.hour if span <= timedelta(days=14) else PeriodLength.day


def of_span(length: timedelta, now: datetime) -> list[Asked]:
    """Return what the views ask for when a span of a length that ends now is chosen."""
    start, end = (moment.astimezone(UTC).isoformat() for moment in (now - length, now))
    span = (("from", start), ("to", end))
    most = (("limit", MOST_ROWS),)
    fitting = (("period", fitting_period(length).value),)
    five_minutes = (("period", PeriodLength.five_minutes.value),)

    def asked(
        name: str, path: str, *pairs: tuple[str, str], pages: int = 1, found: bool = True
    ) -> Asked:
        return Asked(name, path, (*span, *most, *pairs), pages, found)

    return [
        asked("payments over time", "throughput", *fitting, pages=9),
        asked("windows, fitting the span", "windows", *fitting, pages=5),
        asked("windows, five minutes", "windows", *five_minutes, pages=5),
        asked("windows of a method", "windows", *fitting, ("method", "credit_card"), pages=5),
        asked(
            "windows, no such currency",
            "windows",
            *five_minutes,
            ("currency", "JPY"),
            pages=5,
            found=False,
        ),
        asked("how often rules match", "metrics/top"),
        asked("rule values", "metrics", pages=5),
        asked("values of a rule", "metrics", ("rule", "completed_volume_by_currency"), pages=5),
        asked("values, no such rule", "metrics", ("rule", "no_such_rule"), found=False),
        asked("open alerts", "alerts"),
        asked("alerts, all states", "alerts", ("state", "all")),
        asked("alerts of a subject", "alerts", ("subject", "structuring-0-0")),
        asked("alerts, no such subject", "alerts", ("subject", "nobody"), found=False),
        asked("clusters", "clusters"),
        asked("outliers", "clusters/outliers", pages=3),
        asked("rejected by reason", "rejected/reasons"),
        asked("rejected events", "rejected"),
        asked("rejected, no such reason", "rejected", ("reason", "too_deep"), found=False),
    ]


def of_no_span(window: datetime, alert: str, versions: Sequence[str]) -> list[Asked]:
    """Return what the views ask for whatever the span is.

    Args:
        window: start of a closed window.
        alert: id of an alert whose evidence names payments.
        versions: of two rule sets, the older one first.
    """
    most = (("limit", MOST_ROWS),)
    start = window.isoformat()
    old, new = (quote(version) for version in versions)
    return [
        Asked("how the pipeline is doing", "summary"),
        Asked("revisions of a window", f"windows/{start}/revisions", most),
        Asked("payments of a window", f"windows/{start}/payments", most),
        Asked(
            "payments of a group of it",
            f"windows/{start}/payments",
            (*most, ("method", "credit_card"), ("currency", "USD"), ("status", "completed")),
        ),
        Asked("an alert", f"alerts/{alert}"),
        Asked("payments of an alert", f"alerts/{alert}/payments", most),
        Asked("versions of the rules", "rules", most),
        Asked("rules of a version", f"rules/{new}"),
        Asked("what a version changed", f"rules/{old}/diff/{new}"),
    ]
