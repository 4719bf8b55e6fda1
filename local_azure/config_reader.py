"""Reads a document of mappings, noting every mistake with its path instead of stopping at one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_HIGHEST_PORT = 65535


def suggestion(found: str, known: Iterable[str]) -> str:
    """Say which word was probably meant, and which there are."""
    words = sorted(known)
    listed = ", ".join(words)
    near = get_close_matches(found, words, n=1, cutoff=0.6)
    return f"did you mean {near[0]}? There are {listed}" if near else f"there are {listed}"


class Section:
    """One mapping of the document.

    Args:
        value: What stands at the path; a mistake is noted unless it is a mapping.
        path: Where the section stands, such as ``postgresql``; empty for the document itself.
        known: The keys that it may have.
        problems: Receives a sentence, led by its path, for each mistake.
    """

    def __init__(self, value: object, path: str, known: Iterable[str], problems: list[str]) -> None:
        self._path = path
        self._problems = problems
        self._entries: Mapping[object, object] = {}
        names = sorted(known)
        if not isinstance(value, Mapping):
            self.note("", f"a mapping is needed with some of {', '.join(names)}, not {value!r}")
            return
        self._entries = value
        for key in value:
            if key not in names:
                self.note(str(key), f"this key is unknown; {suggestion(str(key), names)}")

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def note(self, key: str, problem: str) -> None:
        """Add a mistake about the key, or about the whole section when the key is empty."""
        where = ".".join(part for part in (self._path, key) if part)
        self._problems.append(f"{where}: {problem}" if where else problem)

    def raw(self, key: str, default: object = None) -> object:
        """Return what stands there unchecked, or the default when there is nothing."""
        value = self._entries.get(key)
        return default if value is None else value

    def text(self, key: str, default: str) -> str:
        """Return a text, or the default when the key is missing."""
        return self.optional_text(key) or default

    def optional_text(self, key: str) -> str | None:
        """Return a text that is not empty, or None when the key is missing."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.note(key, f"a text is needed, not {value!r}; put it in quotes")
            return None
        return value

    def port(self, key: str, default: int = 0) -> int:
        """Return a TCP port, 0 for any free one."""
        value = self._entries.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HIGHEST_PORT:
            self.note(
                key,
                f"a port from 1 to {_HIGHEST_PORT} is needed, or 0 for any free one, not {value!r}",
            )
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one when the key is missing."""
        value = self._entries.get(key, [])
        if not isinstance(value, list):
            self.note(key, f"a list of texts is needed, not {value!r}")
            return ()
        found: list[str] = []
        for position, text in enumerate(value):
            if isinstance(text, str) and text:
                found.append(text)
            else:
                self.note(f"{key}[{position}]", f"a text is needed, not {text!r}; put it in quotes")
        return tuple(found)
