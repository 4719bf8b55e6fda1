"""Cursors: where the next page of a list begins. Opaque to clients, and checked like any input.

A cursor holds the span of the first page, so that one that was asked for as "the last day" stays
the same day from page to page, and a digest of the query, so that it fits no other.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from shared_code.store.read.paging import Key, Span
from shared_code.web.problems import ParameterError, Problem

# What keys and spans are made of; the database is never asked for what it could not hold, and what
# is reckoned from a moment (the next day) is still one that Python can hold.
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Small = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)]
Number = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Big = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*\Z", max_length=256)]
Place = Annotated[str, msgspec.Meta(pattern=r"^\([0-9]{1,9},[0-9]{1,4}\)\Z")]

MOST_CHARACTERS: Final = 1_024
PATTERN: Final = "[A-Za-z0-9_-]+"
# These may change from page to page.
_NOT_OF_THE_QUERY: Final = frozenset({"cursor", "limit", "format", "code"})


class Cursor(NamedTuple):
    """The span that a list is of, None if it is of none, and the key behind which it goes on."""

    span: Span | None
    key: Key


def query_digest(path: str, query: Iterable[tuple[str, str]]) -> str:
    """Return what tells one list from another: path and filters, in whatever order."""
    asked = sorted(pair for pair in query if pair[0] not in _NOT_OF_THE_QUERY)
    return hashlib.sha256(msgspec.json.encode([path, asked])).hexdigest()[:16]


def write_cursor(cursor: Cursor, digest: str) -> str:
    """Return a cursor as text."""
    content = msgspec.json.encode([digest, cursor.span, cursor.key])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read_cursor(text: str, digest: str, key_types: tuple[Any, ...]) -> Cursor:
    """Return what a cursor says.

    Args:
        text: as the client gives it.
        digest: of the query that it is given with.
        key_types: what the list's keys are made of.

    Raises:
        Problem: it is none, or one of another query.
    """
    form = tuple[str, tuple[Moment, Moment] | None, tuple[key_types]]  # type: ignore[valid-type]
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found, span, key = msgspec.json.decode(content, type=form)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused("is none of a page before") from error
    if found != digest:
        raise _refused("is of another query; give it with the parameters that it came from")
    moments = [each for each in (*(span or ()), *key) if isinstance(each, datetime)]
    if not all(_EARLIEST <= each <= _LATEST for each in moments):
        raise _refused("is none of a page before")
    return Cursor(None if span is None else Span(*span), key)


def _refused(detail: str) -> Problem:
    errors = [ParameterError("cursor", detail)]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the cursor {detail}", errors)
