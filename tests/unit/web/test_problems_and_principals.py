"""Errors are told as problem details, and nobody is believed to be whom he says he is."""

import json
import tomllib
from pathlib import Path

import pytest

from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.web.exchange import Request
from shared_code.web.health import VERSION
from shared_code.web.principals import NOBODY, principal_of
from shared_code.web.problems import not_found, store_problem

ROOT = Path(__file__).parents[3]
SIGNED_IN = {"WEBSITE_AUTH_ENABLED": "True"}
ID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (StoreUnavailable("password of host db-7 is wrong", "28P01"), 503, True),
        (StoreUnavailable("connection refused: 10.0.0.4"), 503, True),
        (StoreUnavailable("canceling statement due to statement timeout", "57014"), 504, True),
        (DataRefused("value out of range", "22003"), 422, False),
    ],
)
def test_faults_of_the_database_are_told_without_its_words(
    error: StoreUnavailable | DataRefused, status: int, *, retry: bool
) -> None:
    answer = store_problem(error).answer("/windows")
    content = json.loads(answer.body)
    assert (answer.status, content["status"]) == (status, status)
    assert ("Retry-After" in answer.headers) is retry
    assert answer.headers["Cache-Control"] == "no-store"
    assert error.what not in answer.body.decode()


def test_a_problem_has_what_rfc_9457_names() -> None:
    answer = not_found("there is no such alert").answer("/alerts/1")
    assert answer.media_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "title": "Not Found",
        "status": 404,
        "detail": "there is no such alert",
        "instance": "/alerts/1",
    }


def test_no_path_forges_a_line_of_the_log() -> None:
    logged = Request("GET", "windows/x\nGET alerts: 200\x1b[2J/é").logged_path
    assert logged == "windows/x%0AGET%20alerts%3A%20200%1B%5B2J/%C3%A9"
    assert len(Request("GET", "x" * 9_000).logged_path) == 200


def test_the_version_that_is_told_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_who_signed_in_is_known_by_an_id() -> None:
    request = Request("GET", "", (), {"x-ms-client-principal-id": ID})
    assert principal_of(request, SIGNED_IN) == ID


@pytest.mark.parametrize("environment", [{}, {"WEBSITE_AUTH_ENABLED": "False"}])
def test_without_the_platforms_sign_in_anybody_could_write_the_header(
    environment: dict[str, str],
) -> None:
    request = Request("GET", "", (), {"x-ms-client-principal-id": ID})
    assert principal_of(request, environment) == NOBODY


@pytest.mark.parametrize("given", ["", "ada@example.com", f"{ID}\nforged line", "x" * 65])
def test_what_is_no_id_is_not_written_down(given: str) -> None:
    request = Request("GET", "", (), {"x-ms-client-principal-id": given})
    assert principal_of(request, SIGNED_IN) == NOBODY
