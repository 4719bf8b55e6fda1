"""Parameters, described once: the same description checks them and stands in the OpenAPI document.

What a description alone can tell is wrong is answered with 400. What only makes no sense beside
other parameters, or now, is answered with 422: see ``shared_code.web.lists``.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal, Protocol

from shared_code.domain.event_time import parse_event_time
from shared_code.web.problems import ParameterError, Problem

# Azure Functions takes its key in the query, too; it is no parameter of ours, and never read.
FUNCTION_KEY: Final = "code"
_SHOWN: Final = 60
# Addresses of requests have some thousand characters at most, here and in Azure.
MOST_VALUES: Final = 50


class Kind(Protocol):
    """What values of a parameter look like."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""

    def read(self, text: str) -> Any:
        """Return what a text means.

        Raises:
            ValueError: it is none of these values; the message says what is expected.
        """


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names."""

    names: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        return {"type": "string", "enum": list(self.names)}

    def read(self, text: str) -> str:
        """Return the name; see ``Kind``."""
        if text not in self.names:
            msg = f"expected one of {', '.join(self.names)}"
            raise ValueError(msg)
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, both bounds included."""

    least: int
    most: int

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, text: str) -> int:
        """Return the number; see ``Kind``."""
        digits = len(str(self.most))
        if re.fullmatch(rf"[0-9]{{1,{digits}}}", text) and self.least <= int(text) <= self.most:
            return int(text)
        msg = f"expected a whole number from {self.least} to {self.most}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, RFC 3339 with offset."""

    # No leap second, which no clock here shows, and no year that PostgreSQL or Python cannot hold.
    pattern: str = (
        r"^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
        r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
    )

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        return {"type": "string", "format": "date-time", "pattern": self.pattern}

    def read(self, text: str) -> datetime:
        """Return the instant in UTC; see ``Kind``."""
        if not re.search(self.pattern, text, re.ASCII) or text.endswith("\n"):
            raise ValueError(
                "expected an RFC 3339 time with offset from 1970 to 2999, such as"
                " 2026-01-31T23:55:00Z; a + is written %2B"
            )
        return parse_event_time(text)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that fits a pattern as a whole."""

    pattern: str
    most: int
    example: str

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        return {"type": "string", "pattern": f"^{self.pattern}$", "maxLength": self.most}

    def read(self, text: str) -> str:
        """Return the text; see ``Kind``."""
        if len(text) > self.most or not re.fullmatch(self.pattern, text):
            msg = f"expected {self.pattern}, at most {self.most} characters, as {self.example}"
            raise ValueError(msg)
        return text


@dataclass(frozen=True, slots=True)
class Identifier:
    """A UUID."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        return {"type": "string", "format": "uuid"}

    def read(self, text: str) -> uuid.UUID:
        """Return the UUID; see ``Kind``."""
        if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
            raise ValueError("expected a UUID, such as 6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51")
        return uuid.UUID(text)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a resource.

    Attributes:
        name: as it stands in the query, or in braces in the path.
        kind: what its values look like.
        meaning: a sentence for people.
        repeated: whether it may be given several times, any of which then fits.
        default: what stands for one that is left out, as text; None leaves it out.
        place: where it is given.
    """

    name: str
    kind: Kind
    meaning: str
    repeated: bool = False
    default: str | None = None
    place: Literal["query", "path"] = "query"


def read_query(parameters: Sequence[Parameter], query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the values of a query by name: a list where a parameter may be repeated.

    Raises:
        Problem: something is unknown, wrong or given twice; every error is told.
    """
    known = {each.name: each for each in parameters if each.place == "query"}
    given: dict[str, list[str]] = {}
    errors: list[ParameterError] = []
    for name, text in query:
        if name in known:
            given.setdefault(name, []).append(text)
        elif name != FUNCTION_KEY:
            detail = f"is not known here; known are {', '.join(known)}" if known else "is not known"
            errors.append(ParameterError(name[:_SHOWN], detail))
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        texts = given.get(name) or ([] if parameter.default is None else [parameter.default])
        if len(texts) > (MOST_VALUES if parameter.repeated else 1):
            errors.append(ParameterError(name, "is given too often"))
            continue
        read = [_read(parameter, text, errors) for text in texts]
        values[name] = read if parameter.repeated else next(iter(read), None)
    _refuse(errors)
    return values


def read_path(parameters: Sequence[Parameter], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a path's parameters by name.

    Raises:
        Problem: one is wrong.
    """
    errors: list[ParameterError] = []
    read = {
        each.name: _read(each, values[each.name], errors)
        for each in parameters
        if each.place == "path"
    }
    _refuse(errors)
    return read


def _read(parameter: Parameter, text: str, errors: list[ParameterError]) -> Any:
    try:
        return parameter.kind.read(text)
    except ValueError as error:
        errors.append(ParameterError(parameter.name, f"{error}; found {text[:_SHOWN]!r}"))
        return None


def _refuse(errors: Sequence[ParameterError]) -> None:
    if errors:
        named = ", ".join(dict.fromkeys(error.parameter for error in errors))
        raise Problem(HTTPStatus.BAD_REQUEST, f"wrong parameters: {named}", errors)
