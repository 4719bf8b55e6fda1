"""Any valid configuration, for properties that all of them have."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.amount_settings import (
    Bimodal,
    Exponential,
    LogNormal,
    Normal,
    Pareto,
    Uniform,
)
from simulator.configuration.population_settings import (
    Category,
    Channels,
    Country,
    Methods,
    Population,
    Segment,
)
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import (
    Arrival,
    Holidays,
    LifeCycle,
    Messages,
    Outcomes,
    PayDays,
    Rhythm,
    TimeSpan,
    Volume,
    Writing,
)
from simulator.configuration.violation_settings import (
    FutureTime,
    LargeAmount,
    OrphanRefund,
    Spread,
    Structuring,
    Violation,
    Violations,
)

# Whatever can be written in a file: half characters cannot.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["", "NO", "on", "12:30", "1e3", "~", "${HOME}", "$${X}", "$$${", "a: b # c", "- x", "007"]
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True) | st.sampled_from(
    ["no", "yes", "null", "true", "off"]
)
SHARES = st.floats(0, 1)
SMALL_SHARES = st.floats(0, 0.5)
TINY_SHARES = st.floats(0, 0.01)
WEIGHTS = st.floats(0.001, 1e6) | st.integers(1, 100)
POSITIVE = st.floats(1e-6, 1e6)
DURATIONS = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(1, 3000) | st.decimals("0.5", "3000", places=2),
    st.sampled_from(["ms", "s", "m", "h", "d"]),
)
MOMENTS = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2198, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
PAIRS = st.tuples(st.integers(1, 600), st.integers(0, 600)).map(
    lambda pair: (f"{pair[0]}s", f"{pair[0] + pair[1]}s")
)


def below(*lower_fields: str) -> Any:
    """Return fields of amounts that ascend to a maximum."""
    numbers = st.lists(
        st.floats(0.01, 4000), min_size=len(lower_fields), max_size=len(lower_fields), unique=True
    )
    return numbers.map(lambda found: dict(zip(lower_fields, sorted(found), strict=True)))


AMOUNTS = st.one_of(
    below("median").flatmap(
        lambda fields: st.builds(LogNormal, **_just(fields), sigma=st.floats(0.01, 5))
    ),
    below("mean").flatmap(
        lambda fields: st.builds(Normal, **_just(fields), deviation=st.floats(0.01, 5000))
    ),
    below("minimum", "maximum").flatmap(lambda fields: st.builds(Uniform, **_just(fields))),
    below("mean").flatmap(lambda fields: st.builds(Exponential, **_just(fields))),
    below("median", "upper_median").flatmap(
        lambda fields: st.builds(Bimodal, **_just(fields), upper_share=SHARES)
    ),
    below("minimum").flatmap(
        lambda fields: st.builds(Pareto, **_just(fields), alpha=st.floats(0.5, 5))
    ),
)


def _just(fields: dict[str, float]) -> dict[str, Any]:
    return {name: st.just(value) for name, value in fields.items()}


def violation(kind: type[Violation], **fields: Any) -> Any:
    return st.builds(kind, share=TINY_SHARES, subtlety=st.none() | SHARES, **fields)


KINDS: dict[type, Any] = {
    Violation: violation(Violation),
    Spread: violation(Spread, within=DURATIONS),
    Structuring: violation(Structuring, within=DURATIONS, threshold=POSITIVE),
    LargeAmount: violation(LargeAmount, threshold=POSITIVE),
    FutureTime: violation(FutureTime, ahead=PAIRS),
    OrphanRefund: violation(OrphanRefund, minimum=POSITIVE),
}

VIOLATIONS = st.builds(
    Violations,
    subtlety=SHARES,
    lookalike_share=TINY_SHARES,
    structuring=KINDS[Structuring],
    large_amount=KINDS[LargeAmount],
    rapid_fire=KINDS[Violation],
    fan_in=KINDS[Spread],
    cycle=KINDS[Spread],
    malformed_json=KINDS[Violation],
    future_time=KINDS[FutureTime],
    orphan_refund=KINDS[OrphanRefund],
)

TIMES = st.one_of(
    st.builds(TimeSpan, start=MOMENTS, duration=st.none() | DURATIONS),
    st.builds(TimeSpan, end=MOMENTS, speed_up=st.none() | POSITIVE),
    st.builds(TimeSpan, duration=DURATIONS, live=st.booleans()),
)

CONFIGURATIONS = st.builds(
    Configuration,
    description=TEXTS,
    seed=st.integers(0, 2**53),
    time=TIMES,
    volume=st.builds(Volume, payments=st.none() | st.integers(1, 10**9))
    | st.builds(Volume, rate=st.floats(1e-3, 3)),
    rhythm=st.builds(
        Rhythm,
        weekdays=st.tuples(*[WEIGHTS] * 7),
        holidays=st.builds(
            Holidays,
            dates=st.lists(st.sampled_from(["01-01", "02-29", "2026-11-27"])).map(tuple),
            factor=POSITIVE,
        ),
        pay_days=st.builds(
            PayDays, days=st.lists(st.sampled_from([-1, 1, 31])).map(tuple), factor=POSITIVE
        ),
        flat=st.booleans(),
    ),
    population=st.builds(
        Population, customers=st.integers(10, 5_000_000), customer_exponent=st.floats(0, 3)
    ),
    segments=st.lists(
        st.builds(
            Segment,
            name=NAMES,
            weight=WEIGHTS,
            spending=st.floats(0.1, 5),
            hours=st.tuples(*[WEIGHTS] * 24),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda segment: segment.name,
    ).map(tuple),
    countries=st.lists(
        st.builds(
            Country,
            code=st.sampled_from(sorted(COUNTRIES)),
            currency=st.sampled_from(sorted(CURRENCIES)),
            per_dollar=st.floats(0.01, 1e5),
            weight=WEIGHTS,
            time_zone=st.sampled_from(["UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda country: country.code,
    ).map(tuple),
    categories=st.lists(
        st.builds(
            Category,
            name=NAMES,
            mcc=st.from_regex(r"[0-9]{4}", fullmatch=True),
            amounts=AMOUNTS,
            methods=st.builds(Methods, credit_card=WEIGHTS, cash_equivalent=WEIGHTS),
            channels=st.builds(Channels, web=WEIGHTS, api=WEIGHTS),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda category: category.name,
    ).map(tuple),
    life_cycle=st.builds(
        LifeCycle,
        outcomes=st.builds(Outcomes, completed=WEIGHTS, failed=WEIGHTS),
        pending_delay=PAIRS,
        refund_share=SHARES,
    ),
    arrival=st.builds(Arrival, delay=DURATIONS, late_share=SMALL_SHARES, late_by=PAIRS),
    writing=st.builds(Writing, offset_share=SHARES),
    messages=st.builds(Messages, pack=st.integers(1, 5000), linger=st.none() | DURATIONS),
    violations=VIOLATIONS,
)
