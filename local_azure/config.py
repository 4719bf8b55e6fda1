"""What runs on this machine, read from ``local_azure.yaml``.

A part whose section is missing is not there at all; a part with a ``connection_string`` is not
started but taken from there. Every mistake in the file is reported at once.
"""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import yaml

from local_azure.config_reader import Section, suggestion
from local_azure.errors import LocalAzureError
from local_azure.event_hubs.config import EventHubsConfig
from local_azure.event_hubs.config import parse_config as parse_hubs
from local_azure.event_hubs.errors import EventHubsConfigError

DEFAULT_FILE = "local_azure.yaml"
_DATA_FOLDER = ".local"
_CACHE_FOLDER = "cache"
# The port of Core Tools' host.
_HOST_PORT = 7071


class Part(StrEnum):
    """What a function app needs besides its host, named as in the file."""

    EVENT_HUBS = "event_hubs"
    BLOB_STORAGE = "blob_storage"
    POSTGRESQL = "postgresql"


class ConfigInvalid(LocalAzureError):
    """The file cannot be used.

    Attributes:
        source: The file, or what stands for it.
        problems: One sentence for each mistake, led by its path (``postgresql.port``).
    """

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = "one mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{source} has {count}:\n{listed}")


@dataclass(frozen=True, slots=True)
class EventHubsPart:
    """The event hubs to serve on a port (0 for any free one), or those behind a string."""

    hubs: EventHubsConfig | None = None
    port: int = 0
    connection_string: str | None = None


@dataclass(frozen=True, slots=True)
class BlobStoragePart:
    """The storage to serve, with containers to be made in it, or the one behind a string."""

    containers: tuple[str, ...] = ()
    port: int = 0
    queue_port: int = 0
    connection_string: str | None = None


@dataclass(frozen=True, slots=True)
class PostgreSQLPart:
    """The database to serve, or the one behind a URL.

    Attributes:
        bin_folder: Another installation's ``bin`` folder than the wheel's.
    """

    database: str = "postgres"
    port: int = 0
    bin_folder: Path | None = None
    connection_string: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionsPart:
    """The function app and the port of its host."""

    project: Path
    port: int = _HOST_PORT


@dataclass(frozen=True, slots=True)
class LocalAzureConfig:
    """Everything that the file says.

    Attributes:
        data_folder: Where data and logs are kept.
        cache_folder: Where installed packages are kept, which every data folder may share.
        settings: App setting to its template, in which ``{event_hubs}``, ``{blob_storage}`` and
            ``{postgresql}`` stand for connection strings.
        prepare: Python modules with arguments, run in the project's folder before the host.
    """

    data_folder: Path
    cache_folder: Path
    event_hubs: EventHubsPart | None
    blob_storage: BlobStoragePart | None
    postgresql: PostgreSQLPart | None
    functions: FunctionsPart
    settings: Mapping[str, str]
    prepare: tuple[tuple[str, ...], ...]

    def part(self, part: Part) -> EventHubsPart | BlobStoragePart | PostgreSQLPart | None:
        """Return what is said about a part; None when it is not there."""
        match part:
            case Part.EVENT_HUBS:
                return self.event_hubs
            case Part.BLOB_STORAGE:
                return self.blob_storage
            case Part.POSTGRESQL:
                return self.postgresql

    def with_connection(self, part: Part, connection_string: str) -> "LocalAzureConfig":
        """Take a part from a connection string instead of starting it."""
        match part:
            case Part.EVENT_HUBS:
                hubs = replace(
                    self.event_hubs or EventHubsPart(), connection_string=connection_string
                )
                return replace(self, event_hubs=hubs)
            case Part.BLOB_STORAGE:
                storage = replace(
                    self.blob_storage or BlobStoragePart(), connection_string=connection_string
                )
                return replace(self, blob_storage=storage)
            case Part.POSTGRESQL:
                database = replace(
                    self.postgresql or PostgreSQLPart(), connection_string=connection_string
                )
                return replace(self, postgresql=database)


def load_config(file: Path) -> LocalAzureConfig:
    """Read the file; paths in it are relative to its folder.

    Raises:
        ConfigInvalid: It is missing, no YAML, or says something wrong.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"it cannot be read ({error.strerror}); name another file with --config"
        raise ConfigInvalid(str(file), [reason]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigInvalid(str(file), [f"it is not YAML: {error}"]) from error
    return parse_config(document, file.absolute().parent, str(file))


def parse_config(document: object, root: Path, source: str = DEFAULT_FILE) -> LocalAzureConfig:
    """Read what the file holds.

    Args:
        document: What YAML makes of the file.
        root: Folder that relative paths start from.
        source: Name of the file, for errors.

    Raises:
        ConfigInvalid: Something is wrong; every mistake is named with its path and a remedy.
    """
    problems: list[str] = []
    known = ("data_folder", "cache_folder", *Part, "functions", "settings", "prepare")
    top = Section({} if document is None else document, "", known, problems)
    functions = Section(top.raw("functions", {}), "functions", ("project", "port"), problems)
    parts = {part for part in Part if part in top}
    data_folder = root / top.text("data_folder", _DATA_FOLDER)
    cache_folder = top.optional_text("cache_folder")
    config = LocalAzureConfig(
        data_folder=data_folder,
        cache_folder=root / cache_folder if cache_folder else data_folder / _CACHE_FOLDER,
        event_hubs=_event_hubs(top, problems),
        blob_storage=_blob_storage(top, problems),
        postgresql=_postgresql(top, root, problems),
        functions=FunctionsPart(
            root / functions.text("project", "."), functions.port("port", _HOST_PORT)
        ),
        settings=_settings(top, parts),
        prepare=_prepare(top),
    )
    if problems:
        raise ConfigInvalid(source, problems)
    return config


def fill(template: str, connections: Mapping[Part, str]) -> str | None:
    """Put connection strings into a setting's template.

    Returns:
        The setting; None when it needs a part that has no connection string.
    """
    try:
        return template.format_map({str(part): text for part, text in connections.items()})
    except KeyError:
        return None


def _event_hubs(top: Section, problems: list[str]) -> EventHubsPart | None:
    if Part.EVENT_HUBS not in top:
        return None
    section = Section(
        top.raw(Part.EVENT_HUBS), Part.EVENT_HUBS, ("hubs", "port", "connection_string"), problems
    )
    connection_string = section.optional_text("connection_string")
    hubs: EventHubsConfig | None = None
    if "hubs" in section or "connection_string" not in section:
        try:
            hubs = parse_hubs({"hubs": section.raw("hubs")})
        except EventHubsConfigError as error:
            for problem in error.problems:
                path, _, rest = problem.partition(": ")
                section.note(path, rest)
    return EventHubsPart(hubs, section.port("port"), connection_string)


def _blob_storage(top: Section, problems: list[str]) -> BlobStoragePart | None:
    if Part.BLOB_STORAGE not in top:
        return None
    known = ("containers", "port", "queue_port", "connection_string")
    section = Section(top.raw(Part.BLOB_STORAGE), Part.BLOB_STORAGE, known, problems)
    return BlobStoragePart(
        containers=section.texts("containers"),
        port=section.port("port"),
        queue_port=section.port("queue_port"),
        connection_string=section.optional_text("connection_string"),
    )


def _postgresql(top: Section, root: Path, problems: list[str]) -> PostgreSQLPart | None:
    if Part.POSTGRESQL not in top:
        return None
    known = ("database", "port", "bin_folder", "connection_string")
    section = Section(top.raw(Part.POSTGRESQL), Part.POSTGRESQL, known, problems)
    bin_folder = section.optional_text("bin_folder")
    if bin_folder and not (root / bin_folder / "postgres").exists():
        section.note(
            "bin_folder",
            f"there is no program postgres in {root / bin_folder}; leave the key out to use the "
            "wheel's",
        )
    return PostgreSQLPart(
        database=section.text("database", "postgres"),
        port=section.port("port"),
        bin_folder=root / bin_folder if bin_folder else None,
        connection_string=section.optional_text("connection_string"),
    )


def _settings(top: Section, parts: set[Part]) -> dict[str, str]:
    found = top.raw("settings", {})
    if not isinstance(found, Mapping):
        top.note("settings", f"a mapping of setting to text is needed, not {found!r}")
        return {}
    settings: dict[str, str] = {}
    for name, template in found.items():
        path = f"settings.{name}"
        if not isinstance(template, str):
            top.note(path, f"app settings are texts, not {template!r}; put it in quotes")
            continue
        settings[str(name)] = template
        try:
            fields = [field for _, field, _, _ in string.Formatter().parse(template)]
        except ValueError as error:
            top.note(path, f"{error}; write {{{{ and }}}} for braces that stay")
            continue
        for field in fields:
            if field is not None and field not in parts:
                top.note(
                    path,
                    f"{{{field}}} stands for nothing in this file; {suggestion(field, parts)}"
                    if parts
                    else f"{{{field}}} stands for nothing, since the file has none of "
                    f"{', '.join(Part)}",
                )
    return settings


def _prepare(top: Section) -> tuple[tuple[str, ...], ...]:
    found = top.raw("prepare", [])
    if not isinstance(found, list):
        top.note("prepare", f"a list of commands is needed, not {found!r}")
        return ()
    commands: list[tuple[str, ...]] = []
    for position, command in enumerate(found):
        if (
            isinstance(command, list)
            and command
            and all(isinstance(word, str) and word for word in command)
        ):
            commands.append(tuple(command))
        else:
            top.note(
                f"prepare[{position}]",
                "a list of texts is needed, a Python module and its arguments such as "
                f"[alembic, upgrade, head], not {command!r}",
            )
    return tuple(commands)
