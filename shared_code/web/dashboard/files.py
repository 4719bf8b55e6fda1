"""Serves the files of the page, with headers that let it run and reach nothing but its own."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
_PAGE: Final = "index.html"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request for a file is answered with."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    content_type: str
    etag: str


def answer(path: str, *, if_none_match: str | None, ends_with_slash: bool = False) -> Answer:
    """Answer a request for the page or one of its files.

    Args:
        path: below the page's address, without a slash in front; empty for the page itself.
        if_none_match: the request's header of that name.
        ends_with_slash: the request's path ends with a slash, from where the page's relative
            addresses would lead elsewhere.
    """
    if not path and ends_with_slash:
        return Answer(HTTPStatus.PERMANENT_REDIRECT, {**_HEADERS, "Location": "../dashboard"})
    file = _files().get(path)
    if file is None:
        headers = {**_HEADERS, "Content-Type": _TYPES[".txt"]}
        return Answer(HTTPStatus.NOT_FOUND, headers, b"There is no such file.\n")
    headers = {**_HEADERS, "Cache-Control": "no-cache", "ETag": file.etag}
    if if_none_match is not None and _names(if_none_match, file.etag):
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    return Answer(HTTPStatus.OK, {**headers, "Content-Type": file.content_type}, file.content)


def _names(if_none_match: str, etag: str) -> bool:
    given = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return bool(given & {"*", etag})


@cache
def _files() -> Mapping[str, _File]:
    """Read every file once: what is not among them cannot be asked for."""
    found = {}
    for file in sorted(_FOLDER.rglob("*")):
        if file.suffix in _TYPES:
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            name = file.relative_to(_FOLDER).as_posix()
            found["" if name == _PAGE else name] = _File(content, _TYPES[file.suffix], etag)
    return found
