"""HTTP functions and the admin endpoint of a running host."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.local_azure.functions.sample_app import HostProcess, SampleApp, wait_until

OUT = {"name": "$return", "type": "http", "direction": "out"}


def http(route: str | None = None, *methods: str, level: str = "anonymous") -> dict[str, Any]:
    binding: dict[str, Any] = {
        "name": "req",
        "type": "httpTrigger",
        "direction": "in",
        "authLevel": level,
    }
    if route is not None:
        binding["route"] = route
    if methods:
        binding["methods"] = list(methods)
    return binding


ECHO = """
    import json, logging
    import azure.functions as func

    async def main(req: func.HttpRequest) -> func.HttpResponse:
        logging.getLogger("my.module").info("echoing %s", req.method)
        document = {
            "method": req.method,
            "path": dict(req.route_params),
            "query": dict(req.params),
            "header": req.headers.get("X-Given"),
            "body": req.get_body().decode(),
            "url": req.url,
        }
        response = func.HttpResponse(
            json.dumps(document), status_code=201, mimetype="application/json",
            headers={"X-Answer": "42"},
        )
        response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
        response.headers.add("Set-Cookie", "b=2; Max-Age=5")
        return response
"""
ORDER = """
    import azure.functions as func

    def main(req: func.HttpRequest) -> str:
        return "order " + req.route_params["id"]
"""
FAIL = """
    import azure.functions as func

    def main(req: func.HttpRequest) -> func.HttpResponse:
        raise KeyError("oops")
"""
NAMED = """
    import azure.functions as func

    def main(req: func.HttpRequest, answer: func.Out[func.HttpResponse]) -> None:
        if req.params.get("say"):
            answer.set(func.HttpResponse(req.params["say"], status_code=202))
"""
SLOW = """
    import time
    import azure.functions as func

    def main(req: func.HttpRequest) -> str:
        time.sleep(1)
        return "at last"
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    app = SampleApp(tmp_path_factory.mktemp("web"), {"AzureWebJobs.Sleeping.Disabled": "true"})
    app.function("Echo", ECHO, http("v1/{*path}", "get", "post"), OUT)
    app.function("Order", ORDER, http("v1/orders/{id:int}", "get"), OUT)
    app.function("Fail", FAIL, http(), OUT)
    app.function("Named", NAMED, http("named"), {**OUT, "name": "answer"})
    app.function("Sleeping", FAIL, http("sleeping"), OUT)
    with app.start() as process:
        yield process
        assert process.stop() == 0


def test_a_request_and_its_response_go_through_whole(host: HostProcess) -> None:
    answer = host.request(
        "/api/v1/a%20b/c?q=x&q2=%C3%A9", "POST", "Zoë".encode(), {"X-Given": "yes"}
    )
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-answer"] == "42"
    document = answer.json()
    assert document.pop("url").startswith(host.url.replace("localhost", "127.0.0.1")[:7])
    assert document == {
        "method": "POST",
        "path": {"path": "a b/c"},
        "query": {"q": "x", "q2": "é"},
        "header": "yes",
        "body": "Zoë",
    }
    assert "echoing POST" in host.log()


def test_cookies_keep_their_attributes(host: HostProcess) -> None:
    with socket.create_connection(("127.0.0.1", int(host.url.rpartition(":")[2])), 10) as link:
        link.sendall(b"GET /api/v1/x HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b""
        while part := link.recv(65536):
            answer += part
    lines = answer.decode().lower().splitlines()
    assert [line for line in lines if line.startswith("set-cookie")] == [
        "set-cookie: a=1; path=/; httponly",
        "set-cookie: b=2; max-age=5",
    ]


def test_the_most_specific_route_wins_and_constraints_hold(host: HostProcess) -> None:
    assert host.request("/api/v1/orders/17").body == b"order 17"
    assert host.request("/api/v1/orders/x").json()["path"] == {"path": "orders/x"}
    assert host.request("/API/V1/Orders/17").body == b"order 17"
    assert host.request("/api/nothing").status == 404
    assert host.request("/elsewhere").status == 404
    refused = host.request("/api/v1/x", "DELETE")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, POST")


def test_a_failure_is_500_without_details_but_with_a_logged_trace(host: HostProcess) -> None:
    answer = host.request("/api/Fail")
    assert (answer.status, answer.body) == (500, b"")
    assert re.search(r"Executed 'Functions.Fail' \(Failed, Id=.*\n.*KeyError: 'oops'", host.log())


def test_a_named_output_answers_and_an_unset_one_is_no_content(host: HostProcess) -> None:
    said = host.request("/api/named?say=hello")
    assert (said.status, said.body) == (202, b"hello")
    assert host.request("/api/named").status == 204


def test_a_disabled_function_is_listed_but_does_not_answer(host: HostProcess) -> None:
    assert host.request("/api/sleeping").status == 404
    assert host.run("Sleeping").status == 409
    assert "Sleeping: httpTrigger (disabled)" in host.log()
    listed = {each["name"]: each["isDisabled"] for each in host.request("/admin/functions").json()}
    assert listed["Sleeping"]
    assert not listed["Echo"]


def test_the_admin_endpoint_tells_how_the_host_is(host: HostProcess) -> None:
    assert host.request("/admin/host/ping").status == 200
    status = host.request("/admin/host/status").json()
    assert status["state"] == "Running"
    assert status["functions"] == ["Echo", "Fail", "Named", "Order"]
    assert host.request("/admin/functions/echo").json()["invoke_url_template"] == (
        f"{host.url}/api/v1/{{*path}}"
    )
    assert host.request("/admin/other").status == 404
    assert host.request("/").status == 200


def test_the_admin_endpoint_runs_a_function_and_tells_how_it_ended(host: HostProcess) -> None:
    assert host.run("Named", "{}", wait=False).status == 202
    assert host.run("Echo", "{}").json() == {"status": "Succeeded"}
    failed = host.run("Fail")
    assert failed.status == 500
    assert failed.json()["error"] == "KeyError: 'oops'"
    assert "in main" in failed.json()["stackTrace"]
    unknown = host.run("Ehco")
    assert unknown.status == 404
    assert "Did you mean 'Echo'?" in unknown.json()["error"]
    assert host.request("/admin/functions/Echo", "POST", b"{").status == 400
    assert host.request("/admin/functions/Echo", "POST", b"[]").status == 400


def test_the_function_list_looks_like_that_of_func_start(host: HostProcess) -> None:
    head = host.log().partition("Listening on")[0]
    assert f"\tEcho: [GET,POST] {host.url}/api/v1/{{*path}}\n" in head
    assert f"\tFail: {host.url}/api/Fail\n" in head


def test_a_signal_drains_requests_and_ends_with_code_0(tmp_path: Path) -> None:
    app = SampleApp(tmp_path / "app")
    app.host["extensions"] = {"http": {"routePrefix": ""}}
    app.function("Slow", SLOW, http("slow"), OUT)
    with app.start() as host:
        assert host.run("Slow", wait=False).status == 202
        wait_until(lambda: "Executing 'Functions.Slow'" in host.log())
        assert host.stop(signal.SIGINT) == 0
        assert "Executed 'Functions.Slow' (Succeeded" in host.log()


def test_a_function_that_never_ends_is_abandoned_after_the_grace(tmp_path: Path) -> None:
    app = SampleApp(tmp_path / "app")
    app.function("Slow", SLOW.replace("sleep(1)", "sleep(60)"), http("slow"), OUT)
    with app.start("--grace", "0.2") as host:
        host.run("Slow", wait=False)
        wait_until(lambda: "Executing 'Functions.Slow'" in host.log())
        assert host.stop() == 0
        assert "abandoned" in host.log()


def test_a_function_beyond_its_time_limit_ends_the_host(tmp_path: Path) -> None:
    app = SampleApp(tmp_path / "app")
    app.host["functionTimeout"] = "00:00:01"
    app.function("Slow", SLOW.replace("sleep(1)", "sleep(60)"), http("slow"), OUT)
    with app.start() as host:
        host.run("Slow", wait=False)
        assert host.wait() == 1
        assert "Timeout value of 0:00:01 exceeded by function: Slow" in host.log()


def test_keys_are_asked_for_only_when_they_are_enforced(tmp_path: Path) -> None:
    app = SampleApp(tmp_path / "app")
    app.function("Open", ORDER.replace('req.route_params["id"]', '"1"'), http("open"), OUT)
    code = ORDER.replace('req.route_params["id"]', '"2"')
    app.function("Locked", code, http("locked", level="function"), OUT)
    app.function("Admins", code, http("admins", level="admin"), OUT)
    refused = app.run_to_end("--enforce-keys")
    assert refused.returncode == 1
    assert "local.secrets.json" in refused.stderr
    keys = {"master": "m", "host": {"default": "h"}, "functions": {"Locked": {"default": "f"}}}
    (app.root / "local.secrets.json").write_text(json.dumps(keys))
    with app.start("--enforce-keys") as host:
        assert host.request("/api/open").status == 200
        given = {None: 401, "x": 401, "f": 200, "h": 200, "m": 200}
        for key, status in given.items():
            headers = {} if key is None else {"x-functions-key": key}
            assert host.request("/api/locked", headers=headers).status == status
        assert host.request("/api/locked?code=f").status == 200
        assert host.request("/api/admins?code=h").status == 401
        assert host.request("/api/admins?code=m").status == 200
        assert host.request("/admin/host/status").status == 401
        assert host.request("/admin/host/status?code=m").status == 200
