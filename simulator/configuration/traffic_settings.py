"""When, how many and how: time, volume, rhythm, life cycles, arrival, writing, messages."""

from typing import Annotated

from msgspec import Meta

from simulator.configuration.base import Part
from simulator.configuration.types import (
    Duration,
    Moment,
    NotNegative,
    Positive,
    Share,
    SmallShare,
    Total,
    Weight,
)


class TimeSpan(Part, frozen=True):
    """Which stretch of time is simulated, half-open, and how fast it passes.

    At most two of ``start``, ``end`` and ``duration``; with neither start nor end it ends at the
    beginning of the current five-minute window, so that all its windows have ended.
    """

    start: Annotated[Moment | None, Meta(description="First moment, RFC 3339 with offset.")] = None
    end: Annotated[
        Moment | None,
        Meta(description="Event times lie before this moment, RFC 3339 with offset."),
    ] = None
    duration: Annotated[
        Duration | None,
        Meta(
            description="How long, such as 30m, 24h or 7d. Default: as long as volume's rate and"
            " total make it, else 30m."
        ),
    ] = None
    live: Annotated[
        bool,
        Meta(
            description="Begin now and pass as fast as the clock, times speed_up; with no"
            " duration and no total it goes on until it is interrupted."
        ),
    ] = False
    speed_up: Annotated[
        Positive | None,
        Meta(
            description="Simulated seconds in a second. Default: 1 if live, else as fast as"
            " possible. Above 1 it overtakes the clock unless it starts in the past."
        ),
    ] = None


class Volume(Part, frozen=True):
    """How many payments there are."""

    payments: Annotated[
        Total | None,
        Meta(
            description="Distinct valid payment events, exactly; one that is pending and then"
            " completed counts as two. Refused events, duplicates and conflicts come on top."
            " Default: what the rate gives, else 20000.",
        ),
    ] = None
    rate: Annotated[
        Positive | None,
        Meta(description="Payment events in a second of simulated time, averaged over a week."),
    ] = None


class Holidays(Part, frozen=True):
    """Days on which less, or more, is bought."""

    dates: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$")], ...],
        Meta(description="Dates such as 12-25, every year, or 2026-11-27, once."),
    ] = ("01-01", "12-25", "12-26")
    factor: Annotated[
        NotNegative, Meta(description="Activity on such a day, relative to an ordinary one.")
    ] = 0.6


class PayDays(Part, frozen=True):
    """Days of the month on which people have money."""

    days: Annotated[
        tuple[Annotated[int, Meta(ge=-1, le=31)], ...],
        Meta(description="Days of the month; -1 is the last one."),
    ] = (1, 15, -1)
    factor: Annotated[
        NotNegative, Meta(description="Activity on such a day, relative to an ordinary one.")
    ] = 1.25


class Rhythm(Part, frozen=True):
    """How activity changes from day to day, by the clock of the customer's country."""

    weekdays: Annotated[
        tuple[Weight, ...],
        Meta(min_length=7, max_length=7, description="Activity from Monday to Sunday."),
    ] = (0.95, 0.95, 0.98, 1.0, 1.15, 1.12, 0.85)
    holidays: Annotated[Holidays, Meta(description="Holidays of all countries.")] = Holidays()
    pay_days: Annotated[PayDays, Meta(description="Pay days of all countries.")] = PayDays()
    flat: Annotated[
        bool, Meta(description="No rhythm at all: the same rate in every second of the week.")
    ] = False


class Outcomes(Part, frozen=True):
    """How payments end, as weights."""

    completed: Weight = 92.0
    failed: Weight = 6.0
    cancelled: Weight = 2.0


class LifeCycle(Part, frozen=True):
    """Through which statuses payments pass."""

    outcomes: Annotated[Outcomes, Meta(description="How payments end, as weights.")] = Outcomes()
    pending_share: Annotated[
        Share, Meta(description="Payments at once that are reported as pending first.")
    ] = 0.08
    pending_delay: Annotated[
        tuple[Duration, Duration],
        Meta(description="How long such a payment is pending: at least, at most."),
    ] = ("2s", "2m")
    slow_pending_share: Annotated[
        Share, Meta(description="The same for bank transfers and cryptocurrency.")
    ] = 0.55
    slow_pending_delay: Annotated[
        tuple[Duration, Duration],
        Meta(description="How long those are pending: at least, at most."),
    ] = ("30s", "15m")
    refund_share: Annotated[
        Share, Meta(description="Completed payments that are given back, by a payment of its own.")
    ] = 0.03
    partial_refund_share: Annotated[
        Share, Meta(description="Refunds that give back only half.")
    ] = 0.33
    refund_delay: Annotated[
        tuple[Duration, Duration],
        Meta(description="How long after the payment it is given back: at least, at most."),
    ] = ("1m", "20m")


class Arrival(Part, frozen=True):
    """When events arrive, and what arrives besides."""

    delay: Annotated[
        Duration,
        Meta(
            description="Mean of the exponential delay between event time and arrival, which"
            " puts neighbours out of order; cut at seven times as much."
        ),
    ] = "400ms"
    late_share: Annotated[
        SmallShare, Meta(description="Payments that arrive far later than their neighbours.")
    ] = 0.02
    late_by: Annotated[
        tuple[Duration, Duration],
        Meta(description="How late those are: at least, at most."),
    ] = ("13m", "20m")
    duplicate_share: Annotated[
        SmallShare,
        Meta(
            description="Events that arrive again, as a share of the payments: a third beside"
            " their original, a third later, a third as whole repeated messages."
        ),
    ] = 0.01
    conflict_share: Annotated[
        SmallShare,
        Meta(description="Events with the identity of an earlier one and another amount."),
    ] = 0.001


class Writing(Part, frozen=True):
    """In which of the ways that the contract permits values are written."""

    offset_share: Annotated[
        Share, Meta(description="Event times with an offset from UTC other than Z.")
    ] = 0.25
    nanosecond_share: Annotated[
        Share, Meta(description="Event times with nine decimals, which are to be cut off.")
    ] = 0.05
    number_share: Annotated[
        Share, Meta(description="Amounts that are JSON numbers rather than strings.")
    ] = 0.03
    edge_share: Annotated[
        Share,
        Meta(description="Payments at the first or last microsecond of a five-minute window."),
    ] = 0.004


class Messages(Part, frozen=True):
    """How events are packed into Event Hubs messages."""

    pack: Annotated[int, Meta(ge=1, le=5000, description="Most events in one message.")] = 50
    linger: Annotated[
        Duration | None,
        Meta(
            description="How long an event waits for its message to fill, in simulated time."
            " Default: one second of the clock, or 5m if time passes as fast as possible."
        ),
    ] = None
