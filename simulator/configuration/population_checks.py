"""Checks weights, names, codes and time zones: who there is to pay and to be paid."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.base import Part
from simulator.configuration.errors import Path
from simulator.configuration.findings import Finding, value_at
from simulator.configuration.structure import Configuration

_NAMED: dict[str, str] = {"segments": "name", "countries": "code", "categories": "name"}


def population_findings(configuration: Configuration) -> Iterator[Finding]:
    """Yield what is wrong with weights, names, codes and time zones."""
    yield from _weights(configuration)
    for parts, field in _NAMED.items():
        yield from _repeated(configuration, parts, field)
    yield from _unknown_places(configuration)


def _weights(configuration: Configuration) -> Iterator[Finding]:
    for parts in _NAMED:
        positions = range(len(value_at(configuration, (parts,))))
        about: list[Path] = [(parts, position, "weight") for position in positions]
        yield from _sum(configuration, (parts,), about)
    for position in range(len(configuration.segments)):
        yield from _list_sum(configuration, ("segments", position, "hours"))
    for position in range(len(configuration.categories)):
        for field in ("methods", "channels"):
            yield from _field_sum(configuration, ("categories", position, field))
    yield from _field_sum(configuration, ("life_cycle", "outcomes"))
    yield from _list_sum(configuration, ("rhythm", "weekdays"))


def _field_sum(configuration: Configuration, path: Path) -> Iterator[Finding]:
    part: Part = value_at(configuration, path)
    yield from _sum(configuration, path, [(*path, name) for name in part.__struct_fields__])


def _list_sum(configuration: Configuration, path: Path) -> Iterator[Finding]:
    positions = range(len(value_at(configuration, path)))
    yield from _sum(configuration, path, [(*path, position) for position in positions])


def _sum(configuration: Configuration, path: Path, about: list[Path]) -> Iterator[Finding]:
    total = sum(value_at(configuration, weight) for weight in about)
    if total == 0:
        yield Finding(path, "all weights are 0", about, "give at least one of them a weight")
    elif not isfinite(total):
        yield Finding(path, "the weights are too large to be added up", about, "write smaller ones")


def _repeated(configuration: Configuration, parts: str, field: str) -> Iterator[Finding]:
    values = [getattr(part, field) for part in value_at(configuration, (parts,))]
    times = Counter(values)
    for position, value in enumerate(values):
        if times[value] > 1 and values.index(value) < position:
            at: Path = (parts, position, field)
            first: Path = (parts, values.index(value), field)
            message = f"the {field} {{}} is given to two of the {parts}"
            yield Finding(at, message, [at, first], "write another one, or leave one of them out")


def _unknown_places(configuration: Configuration) -> Iterator[Finding]:
    for position, country in enumerate(configuration.countries):
        at: Path = ("countries", position)
        if country.code not in COUNTRIES:
            path = (*at, "code")
            yield Finding(path, "{} is no country of ISO 3166-1", [path], known=tuple(COUNTRIES))
        if country.currency not in CURRENCIES:
            path = (*at, "currency")
            yield Finding(path, "{} is no currency of ISO 4217", [path], known=tuple(CURRENCIES))
        if not _is_zone(country.time_zone):
            path = (*at, "time_zone")
            message = "{} is no time zone of the IANA database"
            yield Finding(path, message, [path], known=_zones())


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
