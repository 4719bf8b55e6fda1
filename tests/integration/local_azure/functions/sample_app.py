"""Small projects in temporary folders, and the function host as a process on them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from textwrap import dedent
from typing import Any, Self

REPOSITORY = Path(__file__).parents[4]


@dataclass
class SampleApp:
    """A project being written: host.json, settings and functions."""

    root: Path
    settings: dict[str, str] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=lambda: {"version": "2.0"})
    started: list["HostProcess"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.write()

    def write(self) -> None:
        (self.root / "host.json").write_text(json.dumps(self.host))
        settings = {"IsEncrypted": False, "Values": self.settings}
        (self.root / "local.settings.json").write_text(json.dumps(settings))

    def function(
        self, name: str, code: str, *bindings: Mapping[str, Any], **other: Any
    ) -> "SampleApp":
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        document = {"scriptFile": "__init__.py", "bindings": list(bindings), **other}
        (folder / "function.json").write_text(json.dumps(document))
        (folder / "__init__.py").write_text(dedent(code))
        self.write()
        return self

    def lines(self, file: str) -> list[str]:
        """What functions appended to a file of the project."""
        path = self.root / file
        return path.read_text().splitlines() if path.exists() else []

    def start(self, *arguments: str) -> "HostProcess":
        """Start the host; entering it awaits that it listens, leaving it kills it."""
        process = HostProcess(self, arguments)
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test left running."""
        for process in self.started:
            process.kill()

    def run_to_end(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(self, arguments),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(),
            check=False,
        )


def command(app: SampleApp, arguments: tuple[str, ...]) -> list[str]:
    base = [sys.executable, "-m", "local_azure.functions", "--project", str(app.root)]
    return [*base, "--port", "0", "--blob-interval", "0.1", "--grace", "10", *arguments]


def environment() -> dict[str, str]:
    hidden = ("AzureWebJobs", "EventHub", "FUNCTIONS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


class HostProcess:
    """The host, as a context manager; leaves no process behind."""

    def __init__(self, app: SampleApp, arguments: tuple[str, ...]) -> None:
        self._app = app
        self._log = app.root / f"host-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command(app, arguments),
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
            )
        self.url = ""

    def open(self) -> None:
        """Await that it listens."""
        try:
            wait_until(lambda: "Listening on" in self.log() or self.ended, 30)
            match = re.search(r"Listening on (\S+)", self.log())
            assert match, self.log()
        except BaseException:
            self.kill()
            raise
        self.url = match[1]

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            self.kill()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def log(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        return self._process.wait(30)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        return self._process.wait(30)

    def request(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            self.url + path, data=body, method=method, headers=dict(headers or {})
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, response.read(), _lowered(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), _lowered(error.headers))

    def run(self, function: str, given: str = "", *, wait: bool = True) -> Answer:
        body = json.dumps({"input": given}).encode()
        query = "?wait=true" if wait else ""
        return self.request(f"/admin/functions/{function}{query}", "POST", body)

    def trigger(self, function: str) -> dict[str, Any]:
        status: dict[str, Any] = self.request("/admin/host/status").json()
        return status["triggers"][function]


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.03)
