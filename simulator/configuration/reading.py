"""Reads configurations: files, what they extend, variables and options, and all their mistakes."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Final, NamedTuple

import msgspec

from simulator.configuration.checks import findings
from simulator.configuration.errors import MAX_MISTAKES, ConfigurationRefused, Mistake, Path
from simulator.configuration.findings import Finding, value_at
from simulator.configuration.loading import EXTENDS, Loaded, load_file, load_text
from simulator.configuration.nodes import (
    Node,
    node_at,
    place_at,
    plain,
    shown,
    shown_node,
    without,
)
from simulator.configuration.overriding import OPTION, override
from simulator.configuration.shape import check_shape
from simulator.configuration.structure import Configuration
from simulator.configuration.suggestions import did_you_mean

# Lists whose items are checked by themselves; of others a mistake spoils the whole.
_LISTS_OF_PARTS: Final = ("segments", "countries", "categories")
_OF_FILES: Final[Collection[Path]] = ((EXTENDS,), ("$schema",))


def read_configuration(
    path: FilePath,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    *,
    now: datetime | None = None,
) -> Configuration:
    """Return the configuration of a YAML file.

    Args:
        path: of the file; ``location`` finds those of profiles.
        overrides: texts such as ``time.duration=24h``, laid over the file in turn.
        environment: holds the variables that values may name.
        now: tells past from future, aware; the clock if None.

    Raises:
        ConfigurationRefused: with every mistake, in the order in which they are written.
    """
    return assemble(load_file(path, environment), overrides, environment, now=now)


def parse_configuration(
    text: str,
    name: str,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    *,
    folder: FilePath = FilePath(),
    now: datetime | None = None,
) -> Configuration:
    """Return the configuration of a YAML text.

    Args:
        text: the YAML.
        name: what messages call it.
        overrides: as for ``read_configuration``, like what follows but for ``folder``.
        environment: holds the variables that values may name.
        folder: to which the paths of extended files are relative.
        now: tells past from future, aware; the clock if None.

    Raises:
        ConfigurationRefused: with every mistake, in the order in which they are written.
    """
    return assemble(load_text(text, name, folder, environment), overrides, environment, now=now)


def assemble(
    loaded: Loaded,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    *,
    now: datetime | None = None,
) -> Configuration:
    """Return the configuration of a loaded document under options.

    Raises:
        ConfigurationRefused: with every mistake, in the order in which they are written.
    """
    mistakes = list(loaded.mistakes)
    if loaded.root is None:
        raise ConfigurationRefused(mistakes)
    root, wrong = override(loaded.root, overrides, environment)
    mistakes.extend(wrong)
    unread = [mistake.path for mistake in mistakes if mistake.path]
    misshapen = check_shape(root)
    mistakes.extend(each for each in misshapen if not _inside(each.path, unread))
    if len(misshapen) > MAX_MISTAKES:  # there are more, of which nothing is known
        raise ConfigurationRefused(_in_order(mistakes, loaded.files))
    # What has a mistake gives way to its default, so that the rest can be checked as well.
    usable = _usable(root, mistakes)
    configuration = msgspec.convert(plain(usable.root), Configuration)
    mistakes.extend(
        _placed(finding, written, configuration, root)
        for finding in findings(configuration, now or datetime.now(UTC))
        if not usable.is_spoilt(written := usable.as_written(finding))
    )
    if mistakes:
        raise ConfigurationRefused(_in_order(mistakes, loaded.files))
    return configuration


class _Usable(NamedTuple):
    """What is left of a document without its mistakes.

    ``spoilt`` are the paths of what was left out; ``positions`` tells for each list of parts
    where the items that are left stood in the document.
    """

    root: Node
    spoilt: frozenset[Path]
    positions: Mapping[str | int, Sequence[int]]

    def as_written(self, finding: Finding) -> Finding:
        """Return a finding about what is left with the paths of the document."""
        about = [self._written(path) for path in finding.about]
        return finding._replace(path=self._written(finding.path), about=about)

    def is_spoilt(self, written: Finding) -> bool:
        """Tell whether a finding may come from what was left out."""
        paths = (written.path, *written.about)
        return any(_touches(path, spoilt) for path in paths for spoilt in self.spoilt)

    def _written(self, path: Path) -> Path:
        positions = self.positions.get(path[0])
        if positions and len(path) > 1 and isinstance(path[1], int):
            return (path[0], positions[path[1]], *path[2:])
        return path


def _usable(root: Node, mistakes: Sequence[Mistake]) -> _Usable:
    spoilt = {_whole(mistake.path) for mistake in mistakes if mistake.path}
    positions: dict[str | int, Sequence[int]] = {}
    for parts in _LISTS_OF_PARTS:
        node = node_at(root, (parts,))
        if node and isinstance(node.content, tuple):
            items = range(len(node.content))
            positions[parts] = [each for each in items if (parts, each) not in spoilt]
            if not positions[parts]:
                spoilt.add((parts,))
    return _Usable(without(root, [*spoilt, *_OF_FILES]), frozenset(spoilt), positions)


def _whole(path: Path) -> Path:
    """Return the path of the smallest part that cannot be used for a mistake at a path."""
    if path[0] in _LISTS_OF_PARTS:
        return path[:2]
    length = next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))
    return path[:length]


def _inside(path: Path, others: Collection[Path]) -> bool:
    return any(path[: len(other)] == other for other in others)


def _touches(path: Path, other: Path) -> bool:
    return path[: len(other)] == other[: len(path)]


def _placed(
    finding: Finding, written: Finding, configuration: Configuration, root: Node
) -> Mistake:
    """Return the mistake that a finding is, as the document writes it."""
    nodes = [node_at(root, path) for path in written.about]
    texts = [
        shown_node(node) if node else shown(value_at(configuration, path))
        for node, path in zip(nodes, finding.about, strict=True)
    ]
    advice = written.suggestion
    if written.known and nodes[0] and nodes[0].written is None:
        advice = did_you_mean(str(nodes[0].content), written.known)
    message = written.template.format(*texts)
    return Mistake(place_at(root, written.path), written.path, message, advice)


def _in_order(mistakes: Sequence[Mistake], files: Sequence[FilePath]) -> list[Mistake]:
    """Sort by file, what extends before what is extended, by line and column; options last."""
    rank = {str(file): position for position, file in reversed([*enumerate(files)])}

    def key(mistake: Mistake) -> tuple[int, int, int]:
        source, line, column = mistake.place
        last = len(rank) if source.startswith(OPTION) else -1
        return rank.get(source, last), line, column

    return sorted(mistakes, key=key)
