"""Follows the edits of a configuration file while a simulation runs."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.loading import load_file
from simulator.configuration.reading import assemble
from simulator.configuration.structure import Configuration

SETTLED_AFTER: Final = 0.25
"""Seconds for which files have to stay as they are: whoever writes them may not be done."""
MISSED_AFTER: Final = 2.0
"""The same if one is missing: editors remove a file and put another one in its place."""


class _Stamp(NamedTuple):
    """What tells one state of a file from another without reading it."""

    modified: int
    size: int
    inode: int


type _Stamps = tuple[_Stamp | None, ...]


class WatchedConfiguration:
    """A configuration file that may be edited at any time, with all files that it extends.

    Between two calls of ``poll`` nothing happens; there is no thread.
    """

    def __init__(
        self,
        path: Path,
        overrides: Sequence[str] = (),
        environment: Mapping[str, str] = os.environ,
        *,
        on_refused: Callable[[ConfigurationRefused], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the file for the first time.

        Args:
            path: of the file.
            overrides: options that are laid over it each time.
            environment: holds the variables that values may name.
            on_refused: is told once of each edit that has mistakes; the configuration before it
                goes on.
            clock: in seconds; it never goes back.

        Raises:
            ConfigurationRefused: the file has mistakes from the start.
        """
        self._path = path
        self._overrides = tuple(overrides)
        self._environment = environment
        self._on_refused = on_refused
        self._clock = clock
        self._refused = ""
        loaded = load_file(path, environment)
        self._configuration = assemble(loaded, self._overrides, environment)
        self._files = loaded.files
        # Nothing was stamped before it was read, so the first quiet poll reads again.
        self._read: _Stamps = ()
        self._seen = _stamps(self._files)
        self._since = clock()

    @property
    def configuration(self) -> Configuration:
        """The last one without mistakes."""
        return self._configuration

    def poll(self) -> Configuration | None:
        """Return the configuration if its meaning has changed since the last one, else None.

        An edit is read once its files have stayed as they are for ``SETTLED_AFTER`` seconds.
        """
        stamps = _stamps(self._files)
        if stamps != self._seen:
            self._seen = stamps
            self._since = self._clock()
            return None
        patience = MISSED_AFTER if None in stamps else SETTLED_AFTER
        if stamps == self._read or self._clock() - self._since < patience:
            return None
        return self._reread(stamps)

    def _reread(self, stamps: _Stamps) -> Configuration | None:
        loaded = load_file(self._path, self._environment)
        if _stamps(self._files) != stamps:
            return None  # edited meanwhile: the next poll sees it
        self._read = stamps
        if loaded.files != self._files:
            self._files = loaded.files
            self._seen = _stamps(self._files)  # not those of what was read, which is read again
        try:
            configuration = assemble(loaded, self._overrides, self._environment)
        except ConfigurationRefused as refused:
            if str(refused) != self._refused:
                self._refused = str(refused)
                self._on_refused(refused)
            return None
        self._refused = ""
        if configuration == self._configuration:
            return None
        self._configuration = configuration
        return configuration


def _stamps(files: Sequence[Path]) -> _Stamps:
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> _Stamp | None:
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
