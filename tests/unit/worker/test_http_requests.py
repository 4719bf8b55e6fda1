"""Requests keep what was asked, as the worker passes it; answers keep what is said."""

import azure.functions as func

from shared_code.web.exchange import Answer, Request
from shared_code.worker.http import http_response, request_of


def given(url: str, **headers: str) -> func.HttpRequest:
    return func.HttpRequest(
        "get",
        url,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        params={"method": "b"},
        route_params={"path": "windows"},
        body=b"",
    )


def test_each_value_of_a_repeated_parameter_is_kept() -> None:
    request = request_of(given("https://host/api/v1/windows?method=a&method=b&subject=&x=%C3%A9"))
    assert request.query == (("method", "a"), ("method", "b"), ("subject", ""), ("x", "é"))
    assert (request.method, request.path) == ("GET", "windows")


def test_names_of_headers_are_in_small_letters() -> None:
    request = request_of(given("https://host/api/v1/windows", If_None_Match='"a"'))
    assert request == Request("GET", "windows", (), {"if-none-match": '"a"'})


def test_answers_bring_what_keeps_browsers_safe() -> None:
    response = http_response(Answer(200, b"{}", "application/json", {"ETag": '"a"'}))
    assert (response.status_code, response.get_body()) == (200, b"{}")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["ETag"] == '"a"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
