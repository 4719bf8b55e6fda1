"""Answers requests to the JSON API."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from shared_code.settings import load_reading_settings
from shared_code.store.database import Database
from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.store.read.paging import Listing, Page
from shared_code.store.read.snapshot import snapshot
from shared_code.web.api.openapi import openapi_document
from shared_code.web.api.resources import RESOURCES
from shared_code.web.csv_text import CSV_TYPE, csv_text
from shared_code.web.cursors import Cursor, query_digest, read_cursor, write_cursor
from shared_code.web.exchange import Answer, Request
from shared_code.web.parameters import FUNCTION_KEY, read_path, read_query
from shared_code.web.problems import Problem, not_found, store_problem
from shared_code.web.representation import JSON_TYPE, conditional, etag_of, json_bytes, prefers_csv
from shared_code.web.resources import (
    LONGEST_SPAN,
    SPAN,
    Asked,
    Resource,
    checked_span,
    span_of,
)

OPENAPI_PATH: Final = "openapi.json"
_METHODS: Final = ("GET", "HEAD")
_PLACE_SECONDS: Final = 1.0

_log: Final = logging.getLogger(__name__)


class JsonApi:
    """The JSON API on a database; it only looks.

    As many requests look at once as there are connections, and no other waits for longer than a
    second: requests have the threads of the worker in common with the payments that are stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places = BoundedSemaphore(database.pool_size)
        self._openapi = json_bytes(openapi_document(RESOURCES))

    def answer(self, request: Request, now: datetime | None = None) -> Answer:
        """Return the answer to a request: what was asked for, or the problem with it.

        Args:
            request: its path is that behind the version, as ``windows``.
            now: aware UTC; the clock's time if it is left out.
        """
        try:
            answer = self._answer(request, now or datetime.now(UTC))
        except Problem as problem:
            answer = problem.answer(f"/{request.path}")
        except (StoreUnavailable, DataRefused) as error:
            _log.warning("a request could not be answered: %s", error)
            answer = store_problem(error).answer(f"/{request.path}")
        if request.method == "HEAD":
            return Answer(answer.status, b"", answer.media_type, answer.headers)
        return answer

    def _answer(self, request: Request, now: datetime) -> Answer:
        if request.method not in _METHODS:
            raise Problem(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "nothing can be changed here",
                headers={"Allow": ", ".join(_METHODS)},
            )
        segments = request.path.rstrip("/").split("/")
        if segments == [OPENAPI_PATH]:
            read_query((), request.query)
            return conditional(request, etag_of(self._openapi), JSON_TYPE, self._openapi, {})
        for resource in RESOURCES:
            found = resource.match(segments)
            if found is not None:
                return self._resource(request, resource, found, now)
        raise not_found("there is no such resource; see /openapi.json")

    def _resource(
        self, request: Request, resource: Resource, found: Mapping[str, str], now: datetime
    ) -> Answer:
        values = {
            **read_path(resource.parameters, found),
            **read_query(resource.parameters, request.query),
        }
        digest = query_digest(request.path, request.query)
        asked = _asked(resource, values, digest, now)
        with self._place(), snapshot(self._database) as seen:
            read = resource.read(seen, asked)
        if read is None:
            raise not_found("there is none of this name")
        if isinstance(read, Listing):
            page = _Page(read, digest, seen.as_of)
            return _list_answer(request, resource, asked, page)
        body = read if isinstance(read, bytes) else json_bytes(read)
        return conditional(request, etag_of(body), JSON_TYPE, body, {})

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Keep one of the places of those who look.

        Raises:
            StoreUnavailable: none became free in time.
        """
        if not self._places.acquire(timeout=_PLACE_SECONDS):
            raise StoreUnavailable("as many requests as there are connections look already")
        try:
            yield
        finally:
            self._places.release()


class _Page(NamedTuple):
    """What was read, the digest of the query that it is of, and when."""

    read: Listing[Any]
    digest: str
    as_of: datetime


@lru_cache(maxsize=1)
def api_of_process() -> JsonApi:
    """Return the API of this process, on the database of its settings.

    Raises:
        SettingsError: an app setting is missing or wrong.
    """
    return JsonApi(Database(load_reading_settings()))


def _asked(resource: Resource, values: Mapping[str, Any], digest: str, now: datetime) -> Asked:
    """Return what is asked, of the span and behind the key that a cursor has."""
    span = span_of(values, resource.parameters, now)
    if resource.key_types is None:
        return Asked(values, span)
    if values["cursor"] is None:
        return Asked(values, span, Page(values["limit"]))
    cursor = read_cursor(values["cursor"], digest, resource.key_types)
    if span is not None and cursor.span is not None:
        longest = LONGEST_SPAN if SPAN[0] in resource.parameters else None
        span = checked_span(cursor.span, longest)
    return Asked(values, span, Page(values["limit"], cursor.key))


def _list_answer(request: Request, resource: Resource, asked: Asked, page: _Page) -> Answer:
    """Return a page; its tag is of the items, whenever and from whichever instant they are told."""
    as_csv = asked.values["format"] == "csv" or (
        asked.values["format"] is None and prefers_csv(request)
    )
    headers: dict[str, str] = {}
    cursor = None
    if page.read.next_key is not None:
        cursor = write_cursor(Cursor(asked.span, page.read.next_key), page.digest)
        headers["Link"] = f'<?{_next_query(request.query, cursor)}>; rel="next"'
    items = json_bytes(page.read.items)
    tag = etag_of(b"csv" if as_csv else b"json", items, json_bytes(page.read.next_key))
    if as_csv and resource.item is not None:
        headers["Content-Disposition"] = f'attachment; filename="{resource.name}.csv"'
        return conditional(
            request, tag, CSV_TYPE, csv_text(resource.item, page.read.items), headers
        )
    end = json_bytes({"next_cursor": cursor, "as_of": page.as_of})
    body = b'{"items":' + items + b"," + end[1:]
    return conditional(request, tag, JSON_TYPE, body, headers)


def _next_query(query: Sequence[tuple[str, str]], cursor: str) -> str:
    kept = [pair for pair in query if pair[0] not in {"cursor", FUNCTION_KEY}]
    return urlencode([*kept, ("cursor", cursor)])
