"""Loads a configuration file with all that it extends into one document, and lays options over."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path as FilePath
from typing import Final, NamedTuple

from simulator.configuration.document import MAX_BYTES, compose
from simulator.configuration.errors import Mistake, Path, Place
from simulator.configuration.nodes import Entry, Node, map_node, merged, shown_node
from simulator.configuration.profile_files import location, profile_names
from simulator.configuration.suggestions import did_you_mean

EXTENDS: Final = "extends"


class Loaded(NamedTuple):
    """A document with what it extends.

    Attributes:
        root: what all say together; None if the document itself cannot be read.
        mistakes: those of reading; the meaning of the values is not looked at.
        files: all that were read, or tried: a change of one of them may change the document.
    """

    root: Node | None
    mistakes: tuple[Mistake, ...]
    files: tuple[FilePath, ...]


def load_file(path: FilePath, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Load a file and what it extends."""
    loader = _Loader(environment)
    asked = _Asked("the file", Place(str(path)), (), "check its path")
    root = loader.file(path, asked, ())
    return Loaded(root, tuple(loader.mistakes), tuple(loader.files))


def load_text(
    text: str, name: str, folder: FilePath, environment: Mapping[str, str] = os.environ
) -> Loaded:
    """Load a text that messages call ``name``; it extends files relative to ``folder``."""
    loader = _Loader(environment)
    root = loader.content(text.encode(errors="surrogatepass"), name, folder, ())
    return Loaded(root, tuple(loader.mistakes), tuple(loader.files))


class _Asked(NamedTuple):
    """Which file is wanted, and where: in no line if nothing extends it."""

    name: str
    place: Place
    path: Path
    advice: str


class _Loader:
    """Follows what files extend, and collects what is wrong with each of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.mistakes: list[Mistake] = []
        self.files: list[FilePath] = []
        self._environment = environment

    def file(self, path: FilePath, asked: _Asked, chain: Sequence[FilePath]) -> Node | None:
        """Load one file; ``chain`` are the files that extend each other up to it."""
        self.files.append(path)
        try:
            identity = path.resolve()
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or "it is no path"
            message = f"cannot read {asked.name}: {reason}"
            self.mistakes.append(Mistake(asked.place, asked.path, message, asked.advice))
            return None
        if identity in chain:
            message = f"{asked.name} extends itself by way of other files"
            self.mistakes.append(Mistake(asked.place, asked.path, message, "break the cycle"))
            return None
        return self.content(content, str(path), path.parent, (*chain, identity))

    def content(
        self, content: bytes, name: str, folder: FilePath, chain: Sequence[FilePath]
    ) -> Node | None:
        """Load what a file holds."""
        if len(content) > MAX_BYTES:
            self._refuse(name, f"it has more than {MAX_BYTES} bytes", "write less of it")
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self._refuse(name, f"line {line} is not text in UTF-8", "save it as UTF-8")
            return None

        root, mistakes = compose(text, partial(_place, name), self._environment)
        self.mistakes.extend(mistakes)
        if root is None:
            if not mistakes:
                self._refuse(name, "it holds nothing", "write {} for the defaults")
            return None
        if not isinstance(root.content, Mapping):
            message = f"expected options such as 'seed: 7', found {shown_node(root)}"
            self.mistakes.append(Mistake(root.place, (), message, "write one option a line"))
            return None
        return self._extended(root, root.content, folder, chain)

    def _extended(
        self, root: Node, entries: Mapping[str, Entry], folder: FilePath, chain: Sequence[FilePath]
    ) -> Node:
        if EXTENDS not in entries:
            return root
        own = map_node(root.place, {key: each for key, each in entries.items() if key != EXTENDS})
        named = entries[EXTENDS].node
        if not isinstance(named.content, str) or not named.content:
            if not any(mistake.place == named.place for mistake in self.mistakes):
                message = f"expected a profile or a file, found {shown_node(named)}"
                advice = f"profiles are {', '.join(profile_names())}"
                self.mistakes.append(Mistake(named.place, (EXTENDS,), message, advice))
            return own
        advice = _known(named.content) if named.written is None else ""
        asked = _Asked(shown_node(named), named.place, (EXTENDS,), advice)
        base = self.file(location(named.content, folder), asked, chain)
        return merged(base, own) if base else own

    def _refuse(self, name: str, message: str, suggestion: str) -> None:
        self.mistakes.append(Mistake(Place(name), (), message, suggestion))


def _place(name: str, line: int, column: int) -> Place:
    return Place(name, line + 1, column + 1)


def _known(named: str) -> str:
    """Suggest a profile for what is neither a profile nor a file."""
    if "/" in named or "." in named:
        return "paths are relative to the file that names them"
    return did_you_mean(named, profile_names())
