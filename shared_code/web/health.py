"""Whether the process lives, and whether it can work. Anybody may ask, and learns no more."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from shared_code.settings import READING_TIMEOUT, DatabaseSettings, load_database_settings
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
# Not that of the API: engines are shared by equal settings, and this one is the probe's alone.
_PATIENCE: Final = timedelta(seconds=2)

_log: Final = logging.getLogger(__name__)


def health(request: Request) -> Answer:
    """Return that the process lives, and its version; the database is not asked."""
    return _told(request, {"status": "alive", "version": VERSION})


def probe_settings(values: Mapping[str, str] = os.environ) -> DatabaseSettings:
    """Return how the probe reaches the database: as what stores does, by a connection of its own.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    own = load_database_settings(values)
    return replace(own, pool_size=1, statement_timeout=READING_TIMEOUT, patience=_PATIENCE)


class Probe:
    """Whether payments can be stored: those who are shown them may all be waiting meanwhile.

    Anybody may ask, as often as he likes: the database is asked by one caller at a time and at most
    every two seconds, so that threads and connections are left for payments. Whoever comes
    meanwhile is told what was found last, and waits only for what is found first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = threading.Lock()
        self._next = 0.0
        self._is_ready: bool | None = None

    def ready(self, request: Request) -> Answer:
        """Return that payments can be stored, or 503: why is for the log alone."""
        if self._is_due() and self._asking.acquire(blocking=self._is_ready is None):
            try:
                if self._is_due():  # and was not answered while this caller waited
                    self._is_ready = self._ask()
                    self._next = time.monotonic() + _ASKED_EVERY_SECONDS
            finally:
                self._asking.release()
        return _told(request, {"status": "ready"}) if self._is_ready else _not_ready(request)

    def _is_due(self) -> bool:
        return time.monotonic() >= self._next

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
