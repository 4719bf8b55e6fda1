"""What hubs there are: read from a plain mapping, every mistake reported at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local_azure.event_hubs.errors import EventHubsConfigError

DEFAULT_GROUP = "$Default"
DEFAULT_PARTITIONS = 4
DEFAULT_RETENTION_HOURS = 24
# Event Hubs' own limits: 32 partitions in the standard tier, 90 days of retention in the premium.
MAX_PARTITIONS = 32
MAX_RETENTION_HOURS = 90 * 24

_HUB_KEYS = ("partitions", "consumer_groups", "retention_hours")
_HUB_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")
_GROUP_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9])?")
_EXAMPLE = (
    '{"hubs": {"payments": {"partitions": 4, "consumer_groups": ["metrics"], '
    '"retention_hours": 24}}}'
)


@dataclass(frozen=True, slots=True)
class HubConfig:
    """One event hub.

    Attributes:
        name: Its name, compared without regard to case as Azure does.
        partitions: Number of partitions, 1 to 32.
        consumer_groups: Names besides ``$Default``, which always exists.
        retention_hours: How long an event is kept at least.
    """

    name: str
    partitions: int = DEFAULT_PARTITIONS
    consumer_groups: tuple[str, ...] = ()
    retention_hours: int = DEFAULT_RETENTION_HOURS

    @property
    def all_groups(self) -> tuple[str, ...]:
        """The consumer groups with ``$Default`` first."""
        return (DEFAULT_GROUP, *self.consumer_groups)


@dataclass(frozen=True, slots=True)
class EventHubsConfig:
    """A namespace of event hubs.

    Attributes:
        hubs: At least one.
        max_message_bytes: Largest message that is taken, the standard tier's 1 MiB by default.
        segment_bytes: Size at which a log file is followed by the next.
        idle_timeout_seconds: A client that sends nothing for so long is disconnected.
    """

    hubs: tuple[HubConfig, ...]
    max_message_bytes: int = 1024 * 1024
    segment_bytes: int = 64 * 1024 * 1024
    idle_timeout_seconds: float = 240.0


def parse_config(document: object) -> EventHubsConfig:
    """Read a configuration from what a YAML or JSON file holds.

    Args:
        document: A mapping such as ``{"hubs": {"payments": {"partitions": 4, "consumer_groups":
            ["metrics"], "retention_hours": 24}}}``; every key of a hub may be left out.

    Raises:
        EventHubsConfigError: Something is wrong; every mistake is named with its path.
    """
    problems: list[str] = []
    hubs: list[HubConfig] = []
    if not isinstance(document, Mapping):
        raise EventHubsConfigError([f"the document is a mapping such as {_EXAMPLE}"])
    problems += [f"{key}: unknown key, only hubs is read" for key in document if key != "hubs"]
    described = document.get("hubs")
    if not isinstance(described, Mapping) or not described:
        problems.append(f"hubs: a mapping with at least one hub is needed, such as {_EXAMPLE}")
        raise EventHubsConfigError(problems)
    seen: set[str] = set()
    for name, settings in described.items():
        path = f"hubs.{name}"
        if not isinstance(name, str) or not _HUB_NAME.fullmatch(name):
            problems.append(
                f"{path}: a hub's name is 1 to 256 letters, digits, '.', '-' or '_', with a letter "
                "or digit at both ends"
            )
        elif name.lower() in seen:
            problems.append(f"{path}: another hub has this name; case makes no difference")
        else:
            seen.add(name.lower())
        found = list(_problems_of_hub(path, settings))
        problems += found
        if not found:
            hubs.append(_hub(str(name), settings or {}))
    if problems:
        raise EventHubsConfigError(problems)
    return EventHubsConfig(tuple(hubs))


def parse_hub_argument(text: str) -> HubConfig:
    """Read a hub from ``NAME[:PARTITIONS[:GROUP,GROUP...]]``, as the command line has it.

    Raises:
        EventHubsConfigError: Something is wrong with it.
    """
    name, _, rest = text.partition(":")
    partitions, _, groups = rest.partition(":")
    settings: dict[str, object] = {}
    if partitions:
        settings["partitions"] = int(partitions) if partitions.isdecimal() else partitions
    if groups:
        settings["consumer_groups"] = groups.split(",")
    return parse_config({"hubs": {name: settings}}).hubs[0]


def _hub(name: str, settings: Mapping[str, object]) -> HubConfig:
    groups = settings.get("consumer_groups", [])
    partitions = settings.get("partitions", DEFAULT_PARTITIONS)
    hours = settings.get("retention_hours", DEFAULT_RETENTION_HOURS)
    assert isinstance(groups, list)  # noqa: S101 - checked before, said again for the type checker
    assert isinstance(partitions, int)  # noqa: S101 - as above
    assert isinstance(hours, int)  # noqa: S101 - as above
    named = tuple(group for group in groups if group.lower() != DEFAULT_GROUP.lower())
    return HubConfig(name, partitions, named, hours)


def _problems_of_hub(path: str, settings: object) -> Iterator[str]:
    if settings is None:
        return
    if not isinstance(settings, Mapping):
        yield f"{path}: a mapping with {', '.join(_HUB_KEYS)} is needed, not {settings!r}"
        return
    for key in settings:
        if key not in _HUB_KEYS:
            yield f"{path}.{key}: unknown key; there are {', '.join(_HUB_KEYS)}"
    yield from _problems_of_number(path, settings, "partitions", MAX_PARTITIONS)
    yield from _problems_of_number(path, settings, "retention_hours", MAX_RETENTION_HOURS)
    yield from _problems_of_groups(f"{path}.consumer_groups", settings.get("consumer_groups", []))


def _problems_of_number(
    path: str, settings: Mapping[object, object], key: str, maximum: int
) -> Iterator[str]:
    value = settings.get(key, 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        yield f"{path}.{key}: a whole number from 1 to {maximum} is needed, not {value!r}"


def _problems_of_groups(path: str, groups: object) -> Iterator[str]:
    if not isinstance(groups, list):
        yield f"{path}: a list of names is needed, not {groups!r}"
        return
    seen: set[str] = set()
    for position, group in enumerate(groups):
        where = f"{path}[{position}]"
        is_default = isinstance(group, str) and group.lower() == DEFAULT_GROUP.lower()
        if not isinstance(group, str) or not (is_default or _GROUP_NAME.fullmatch(group)):
            yield (
                f"{where}: a consumer group's name is 1 to 50 letters, digits, '.', '-' or '_', "
                f"not {group!r}"
            )
        elif group.lower() in seen:
            yield f"{where}: {group!r} is there twice; case makes no difference"
        else:
            seen.add(group.lower())
