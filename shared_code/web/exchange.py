"""A request and its answer, as values: what comes in over HTTP and what goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

# Nothing that is answered is ever a page of its own, but for the dashboard, which says so itself.
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_LOGGED: Final = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    Attributes:
        method: in capitals.
        path: behind the function's route, percent-decoded, without a slash in front.
        query: names and values in the order in which they came, percent-decoded.
        headers: names in small letters.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def logged_path(self) -> str:
        """The path in one line of a log, whatever was written into it; the query is no one's."""
        return quote(self.path)[:_LOGGED]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; ``headers`` come on top of those that keep browsers safe."""

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """Every header that is sent."""
        named = {} if self.media_type is None else {"Content-Type": self.media_type}
        return {**_SAFE, **named, **self.headers}
