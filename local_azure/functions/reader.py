"""Reads one JSON object strictly: hands out typed fields and collects every mistake."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from local_azure.functions.findings import Finding, did_you_mean
from local_azure.functions.timespan import parse_timespan

type Findings = list[Finding]


class ObjectReader:
    """A cursor over one JSON object of a project file.

    A field that is missing or wrong adds a finding and reads as its default, so that one pass
    reports everything. ``close`` reports the fields that nobody asked for.
    """

    def __init__(
        self,
        raw: Mapping[str, object],
        file: str,
        findings: Findings,
        binding: str | None = None,
        prefix: str = "",
    ) -> None:
        self._raw = raw
        self._file = file
        self._findings = findings
        self._binding = binding
        self._prefix = prefix
        self._asked: set[str] = set()

    def wrong(self, found: str, remedy: str) -> None:
        """Report a mistake about this object."""
        self._findings.append(Finding(self._file, self._binding, found, remedy))

    def _take(self, key: str) -> object:
        self._asked.add(key)
        return self._raw.get(key)

    def _mistyped(self, key: str, value: object, wanted: str) -> None:
        self.wrong(f"'{self._prefix}{key}' is {_shown(value)}", f"Write {wanted}.")

    def text(self, key: str, example: str, *, required: bool = False, default: str = "") -> str:
        """Read a non-empty string."""
        value = self._take(key)
        if value is None:
            if required:
                self.wrong(
                    f"'{self._prefix}{key}' is missing",
                    f'Add it, for example "{key}": "{example}".',
                )
            return default
        if not isinstance(value, str) or not value.strip():
            self._mistyped(key, value, f'a string, for example "{example}"')
            return default
        return value

    def choice[E: StrEnum](
        self, key: str, vocabulary: type[E], default: E | None = None
    ) -> E | None:
        """Read one word of a vocabulary; required when there is no default."""
        value = self._take(key)
        if value is None:
            if default is None:
                words = ", ".join(f'"{word}"' for word in vocabulary)
                self.wrong(f"'{self._prefix}{key}' is missing", f"Add it: one of {words}.")
            return default
        if isinstance(value, str) and value in set(vocabulary):
            return vocabulary(value)
        self.wrong(
            f"'{self._prefix}{key}' is {_shown(value)}",
            did_you_mean(str(value), list(vocabulary)),
        )
        return default

    def boolean(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self._mistyped(key, value, "true or false, without quotes")
        return default

    def integer(self, key: str, default: int, minimum: int, maximum: int) -> int:
        """Read a whole number between two bounds, both included."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        self._mistyped(key, value, f"a whole number from {minimum} to {maximum}")
        return default

    def duration(self, key: str, default: timedelta | None, example: str) -> timedelta | None:
        """Read a time span ``[d.]hh:mm:ss``."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, str):
            try:
                return parse_timespan(value)
            except ValueError as error:
                self.wrong(
                    f"'{self._prefix}{key}' is {_shown(value)}: {error}",
                    f'Write a time span such as "{example}".',
                )
                return default
        self._mistyped(key, value, f'a time span such as "{example}"')
        return default

    def texts(self, key: str, example: str) -> tuple[str, ...] | None:
        """Read a list of strings; None when it is absent."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        self._mistyped(key, value, f"a list of strings, for example {example}")
        return None

    def child(self, key: str) -> "ObjectReader":
        """Read a nested object; an absent one reads as empty."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self._mistyped(key, value, "an object in braces")
        raw = value if isinstance(value, dict) else {}
        return ObjectReader(raw, self._file, self._findings, self._binding, f"{self._prefix}{key}.")

    def raw(self, key: str) -> object:
        """Read a field as it stands, for a caller that judges it itself."""
        return self._take(key)

    def keys(self) -> Iterable[str]:
        """The fields that stand in the object."""
        return self._raw.keys()

    def ignore(self, *keys: str) -> None:
        """Let these fields stand without reading them."""
        self._asked.update(keys)

    def close(self, why: Callable[[str], str] = lambda _: "") -> None:
        """Report every field that was never asked for.

        Args:
            why: more about one unknown field, or an empty string.
        """
        for key in self._raw:
            if key not in self._asked and not key.startswith("$"):
                known = did_you_mean(key, self._asked)
                self.wrong(f"'{self._prefix}{key}' is not known here", why(key) or known)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def read_json_object(path: Path, file: str, findings: Findings) -> dict[str, object] | None:
    """Read a file that must hold one JSON object.

    Returns:
        the object, or None after a finding was added.
    """
    try:
        value = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        findings.append(
            Finding(file, None, f"cannot be read ({error.strerror})", "Check that it exists.")
        )
        return None
    except UnicodeDecodeError:
        findings.append(Finding(file, None, "is not UTF-8 text", "Save it as UTF-8."))
        return None
    except json.JSONDecodeError as error:
        findings.append(
            Finding(
                file,
                None,
                f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
                "Mend it there; comments and trailing commas are not allowed.",
            )
        )
        return None
    if not isinstance(value, dict):
        findings.append(
            Finding(file, None, f"holds {_shown(value)}", "It must hold one object in braces.")
        )
        return None
    return value
