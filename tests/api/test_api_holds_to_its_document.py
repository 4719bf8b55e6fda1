"""Whatever is asked of the API, it answers as its OpenAPI document says: asked by schemathesis.

``API=full`` (set by ``tox run -e api``) runs it, which takes minutes; the default run asks less,
by hand, in ``tests/integration/web`` and ``tests/end_to_end/test_api.py``.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event, varied_events
from rule_documents import rapid_fire, use_rules
from store_fixtures import NewStore, Store
from web_host import KEY, WebHost, web_host

FULL = os.environ.get("API") == "full"
pytestmark = pytest.mark.skipif(not FULL, reason="takes minutes; tox run -e api runs it")
# 422 is for what no description of single parameters can tell: a span that ends before it begins,
# or a cursor that no page gave.
CHECKS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "422"]
"""
# What there is, for whoever guesses would never find it.
KNOWN = """
[[operations]]
include-path-regex = "{path}"
parameters = {{ {values} }}
"""


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    with new_store() as store:
        for version, times in (("1.0.0", 3), ("1.1.0", 2)):
            use_rules(store, rapid_fire(times=times), version=version)
        events = [
            payment_event(f"fast-{at}", event_time=WINDOW_START + timedelta(seconds=at))
            for at in range(4)
        ]
        store.metrics.process_batch(messages(*events, *varied_events(40), b"no json"), now=NOW)
        store.metrics.aggregate(NOW)
        yield store


@pytest.fixture(scope="module")
def host(stored: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHost]:
    folder = tmp_path_factory.mktemp("web-host")
    settings = {"READER_DATABASE_URL": stored.reader_url}
    with web_host(folder, stored.writer_url, **settings) as running:
        yield running


def ask(host: WebHost, folder: Path, configuration: str, arguments: Sequence[str]) -> None:
    """Let schemathesis ask, and fail with what it found."""
    file = folder / "schemathesis.toml"
    file.write_text(configuration, "utf-8")
    program = Path(sys.executable).with_name("schemathesis")
    address = f"{host.url}/api/v1"
    command = [program, "--config-file", file, "run", f"{address}/openapi.json", "--url", address]
    done = subprocess.run(
        [*command, "-H", f"x-functions-key: {KEY}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


def test_whatever_is_asked_is_answered_as_described(host: WebHost, tmp_path: Path) -> None:
    ask(host, tmp_path, CHECKS, ["--max-examples", "25"])


def test_what_is_there_is_answered_as_described(
    host: WebHost, stored: Store, tmp_path: Path
) -> None:
    alert_id = stored.value("SELECT alert_id FROM alerts WHERE rule_id = 'rapid_fire' LIMIT 1")
    known = {
        "^/rules/.version.": {"path.version": "1.0.0", "path.other": "1.1.0"},
        "^/alerts/.alert_id.": {"path.alert_id": alert_id},
        "^/windows/.window_start.": {"path.window_start": f"{WINDOW_START:%Y-%m-%dT%H:%M:%SZ}"},
    }
    operations = "".join(
        KNOWN.format(path=path, values=", ".join(f'"{k}" = "{v}"' for k, v in values.items()))
        for path, values in known.items()
    )
    paths = [word for path in known for word in ("--include-path-regex", path)]
    ask(
        host, tmp_path, CHECKS + operations, ["--phases", "fuzzing", "--max-examples", "25", *paths]
    )
