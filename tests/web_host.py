"""The functions that answer HTTP in a host of their own, with keys: they need a database only."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local_azure.services.process import Process, python_command

ROOT = Path(__file__).parents[1]
PII_HASH_KEY = "5a" * 32
KEY = "a-key-of-the-function"
_READY_LINE = "Listening on "
_SECONDS = 60.0
_KEYS = {"master": "a-master-key", "host": {}, "functions": {"Api": {"default": KEY}}}


@dataclass(frozen=True)
class WebHost:
    """A running host."""

    url: str
    log: Path

    def get(self, path: str, key: str | None = KEY, **headers: str) -> requests.Response:
        """Return the answer to a path such as ``v1/windows``."""
        given = headers if key is None else {"x-functions-key": key, **headers}
        return requests.get(f"{self.url}/api/{path}", headers=given, timeout=_SECONDS)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the items of one page of a list."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@contextmanager
def web_host(folder: Path, database_url: str, **settings: str) -> Iterator[WebHost]:
    """Run the host in a folder of its own, on a migrated database."""
    project = folder / "project"
    project.mkdir()
    for name in ("shared_code", "rules", "host.json"):
        (project / name).symlink_to(ROOT / name)
    for name in ("Api", "Health", "Ready"):  # the host takes no script from outside
        shutil.copytree(ROOT / name, project / name)
    keys = folder / "keys.json"
    keys.write_text(json.dumps(_KEYS))
    values = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "DATABASE_URL": database_url,
        "PII_HASH_KEY": PII_HASH_KEY,
        **settings,
    }
    settings_file = folder / "local.settings.json"
    settings_file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    arguments = ["--project", str(project), "--settings", str(settings_file), "--port", "0"]
    command = python_command(
        "Functions host",
        ["local_azure.functions", *arguments, "--enforce-keys", "--keys", str(keys)],
        folder / "host.log",
        environment=values,
        folder=project,
    )
    process = Process(command)
    try:
        line = process.wait_until(lambda: process.line(_READY_LINE), _SECONDS)
        yield WebHost(line.removeprefix(_READY_LINE).strip(), folder / "host.log")
    finally:
        process.stop()
