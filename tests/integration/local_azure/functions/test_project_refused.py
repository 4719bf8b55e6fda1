"""What someone sees whose project cannot start: every mistake, a remedy, and an exit code."""

import socket
from pathlib import Path

import pytest
from integration.local_azure.functions.sample_app import SampleApp

TIMER = {"name": "timer", "type": "timerTrigger", "direction": "in", "schedule": "0 0 * * * *"}
STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


@pytest.fixture
def lone_app(tmp_path: Path) -> SampleApp:
    return SampleApp(tmp_path / "app", dict(STORAGE))


def test_wrong_bindings_end_with_code_1_before_anything_is_loaded(lone_app: SampleApp) -> None:
    lone_app.function(
        "Tick", "raise SystemExit(9)\ndef main(timer): ...", {**TIMER, "schedule": "x"}
    )
    lone_app.function("Tock", "def main(timer): ...", {**TIMER, "direction": "inn"})
    ended = lone_app.run_to_end()
    assert ended.returncode == 1
    assert "cannot start: 2 mistakes" in ended.stderr
    assert "1. Tick/function.json, binding 'timer': 'schedule' is 'x'" in ended.stderr
    assert "2. Tock/function.json, binding 'timer': 'direction' is \"inn\"." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_code_that_does_not_fit_its_bindings_is_named_with_both_files(lone_app: SampleApp) -> None:
    lone_app.function("Tick", "def main(tmier): ...", TIMER)
    ended = lone_app.run_to_end()
    assert ended.returncode == 1
    assert "1. Tick/__init__.py: FunctionLoadError: cannot load the Tick function" in ended.stderr
    assert "{'tmier'}. Make the code and Tick/function.json agree." in ended.stderr


def test_an_error_at_import_is_told_once_with_its_place_in_the_project(
    lone_app: SampleApp,
) -> None:
    (lone_app.root / "common_settings.py").write_text('raise ValueError("KEY is missing")\n')
    for name in ("A", "B"):
        lone_app.function(name, "import common_settings\ndef main(timer): ...", TIMER)
    ended = lone_app.run_to_end()
    assert ended.returncode == 1
    assert (
        "1. A/__init__.py, B/__init__.py: ValueError: KEY is missing. "
        "It was raised while the module was imported at common_settings.py:1."
    ) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Traceback" in lone_app.run_to_end("--verbose").stderr


def test_a_taken_port_is_named_with_its_remedy(lone_app: SampleApp) -> None:
    lone_app.function("Tick", "def main(timer): ...", TIMER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = lone_app.run_to_end("--port", str(port))
    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in ended.stderr
    assert "--port" in ended.stderr


def test_the_help_teaches_and_wrong_usage_ends_with_code_2(lone_app: SampleApp) -> None:
    helped = lone_app.run_to_end("--help")
    assert helped.returncode == 0
    for word in ("--project", "--settings", "--enforce-keys", "examples:", "exit codes:"):
        assert word in helped.stdout
    assert lone_app.run_to_end("--prot", "1").returncode == 2
