"""Telemetry goes where OpenTelemetry's variables say, once, and nowhere without them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[3]
# A process of its own, as the worker is: a provider can be set but once.
TELL = """
import logging, os, sys
from types import SimpleNamespace
logging.basicConfig(level=logging.INFO)
{before}
from shared_code.telemetry.exporting import export_telemetry
from shared_code.telemetry.measurements import record_waiting
from shared_code.telemetry.spans import function_span
sent = export_telemetry(os.environ)
with function_span("Told", SimpleNamespace(trace_parent="", trace_state="")):
    record_waiting(3)
    logging.getLogger("shared_code.told").info("one sentence")
print("sent" if sent else "silent", "opentelemetry.sdk" in sys.modules, file=sys.stderr)
"""


def tell(before: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}
    return subprocess.run(
        [sys.executable, "-c", TELL.format(before=before)],
        env=environment | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.fixture
def collector() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address that takes OTLP, and what came there by path."""
    came: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came[self.path] = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
        {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0"},
    ],
)
def test_nothing_is_sent_and_no_sdk_is_loaded_unless_it_is_wanted(
    variables: dict[str, str],
) -> None:
    done = tell(**variables)
    assert done.stderr.splitlines()[-1] == "silent False"
    assert done.stdout == ""


def test_the_console_shows_what_is_wanted() -> None:
    done = tell(OTEL_TRACES_EXPORTER="console")
    span = json.loads(done.stdout)
    assert span["name"] == "Told"
    assert span["resource"]["attributes"]["service.name"] == "payments"


def test_a_collector_gets_spans_measurements_and_logs(
    collector: tuple[str, dict[str, bytes]],
) -> None:
    address, came = collector
    tell(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SERVICE_NAME="payments-test")
    assert b"Told" in came["/v1/traces"]
    assert b"payments.windows.waiting" in came["/v1/metrics"]
    assert b"one sentence" in came["/v1/logs"]
    assert all(b"payments-test" in body for body in came.values())


def test_a_signal_that_is_turned_off_is_not_sent(collector: tuple[str, dict[str, bytes]]) -> None:
    address, came = collector
    tell(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_LOGS_EXPORTER="none")
    assert set(came) == {"/v1/traces", "/v1/metrics"}


def test_what_the_worker_has_set_up_is_left_alone() -> None:
    worker = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "trace.set_tracer_provider(TracerProvider())"
    )
    done = tell(worker, OTEL_TRACES_EXPORTER="console")
    assert done.stderr.splitlines()[-1] == "silent True"
    assert done.stdout == ""


def test_without_the_libraries_it_says_what_to_install() -> None:
    done = tell("sys.modules['opentelemetry.distro'] = None", OTEL_TRACES_EXPORTER="console")
    assert "OTEL_TRACES_EXPORTER is set, but no telemetry is sent: install" in done.stderr
    assert done.stderr.splitlines()[-1] == "silent False"
