"""Whether the process lives, and whether it can work. Anybody may ask, and learns no more."""

import logging
import threading
import time
from http import HTTPStatus
from typing import Final

from shared_code.store.database import Database
from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.store.read.readiness import readiness
from shared_code.store.read.snapshot import snapshot
from shared_code.web.exchange import Answer, Request
from shared_code.web.problems import Problem
from shared_code.web.representation import JSON_TYPE, json_bytes

VERSION: Final = "0.1.0"
_UNCACHED: Final = {"Cache-Control": "no-store"}
_ASKED_EVERY_SECONDS: Final = 2.0
_RETRY: Final = {"Retry-After": "10"}

_log: Final = logging.getLogger(__name__)


def health(request: Request) -> Answer:
    """Return that the process lives, and its version; the database is not asked."""
    return _told(request, {"status": "alive", "version": VERSION})


class Probe:
    """Whether payments can be stored and shown.

    Anybody may ask, as often as he likes: the database is asked by one caller at a time and at most
    every two seconds, so that threads and connections are left for payments. Whoever comes
    meanwhile is told what was found last.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = threading.Lock()
        self._next = 0.0
        self._is_ready = False

    def ready(self, request: Request) -> Answer:
        """Return that payments can be stored and shown, or 503: why is for the log alone."""
        if time.monotonic() >= self._next and self._asking.acquire(blocking=False):
            try:
                self._is_ready = self._ask()
                self._next = time.monotonic() + _ASKED_EVERY_SECONDS
            finally:
                self._asking.release()
        return _told(request, {"status": "ready"}) if self._is_ready else _not_ready(request)

    def _ask(self) -> bool:
        try:
            with snapshot(self._database) as seen:
                found = readiness(seen.connection)
        except (StoreUnavailable, DataRefused) as error:
            _log.warning("not ready: %s", error)
            return False
        if not found.has_schema:
            _log.warning("not ready: the schema is behind this release; run its migrations")
        return found.has_schema


def _told(request: Request, content: dict[str, str]) -> Answer:
    body = b"" if request.method == "HEAD" else json_bytes(content)
    return Answer(200, body, JSON_TYPE, _UNCACHED)


def _not_ready(request: Request) -> Answer:
    problem = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not ready; ask again later", headers=_RETRY)
    answer = problem.answer("/ready")
    return answer if request.method != "HEAD" else Answer(503, b"", answer.media_type, _RETRY)
