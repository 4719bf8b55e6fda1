import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from local_azure import commands
from local_azure.__main__ import main
from local_azure.commands import watch
from local_azure.config import load_config
from local_azure.environment import LocalAzure
from local_azure.services.errors import ServiceFailed

REPOSITORY = Path(__file__).parents[4]
CONFIG = """
postgresql: {database: shop}
functions: {project: app, port: 0}
settings:
  DATABASE_URL: "{postgresql}"
  AzureWebJobsStorage: "UseDevelopmentStorage=true"
"""


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without functions: the database and the host are quick to start."""
    root = tmp_path_factory.mktemp("command-line")
    (root / "app" / "Ping").mkdir(parents=True)
    (root / "app" / "host.json").write_text('{"version": "2.0"}')
    (root / "app" / "Ping" / "__init__.py").write_text(
        "import azure.functions as func\n\n\ndef main(req: func.HttpRequest) -> str:\n"
        "    return 'pong'\n"
    )
    bindings = [
        {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "anonymous"},
        {"type": "http", "direction": "out", "name": "$return"},
    ]
    (root / "app" / "Ping" / "function.json").write_text(
        json.dumps({"scriptFile": "__init__.py", "bindings": bindings})
    )
    file = root / "local_azure.yaml"
    file.write_text(CONFIG)
    return file


@contextmanager
def started(config_file: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run `start` until the block ends, waiting until it shows its addresses."""
    with subprocess.Popen(
        [sys.executable, "-m", "local_azure", "start", "--config", str(config_file), *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C stops everything" in line:
                    break
            else:
                pytest.fail("ended instead of starting:\n" + "".join(said))
            yield process
        finally:
            process.kill()


def settings(config_file: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert main(["settings", "--config", str(config_file)]) == 0
    values = json.loads(capsys.readouterr().out)["Values"]
    assert isinstance(values, dict)
    return values


def answers(url: str) -> bool:
    try:
        with closing(psycopg2.connect(url)):
            return True
    except psycopg2.OperationalError:
        return False


def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_start_runs_until_ctrl_c_and_then_ends_everything_within_seconds(
    config_file: Path, capsys: pytest.CaptureFixture[str], ending: signal.Signals
) -> None:
    with started(config_file) as process:
        url = settings(config_file, capsys)["DATABASE_URL"]
        assert answers(url)
        before = time.monotonic()
        # As a terminal does: to the whole process group.
        os.killpg(process.pid, ending)
        assert process.wait(20) == 0
        assert time.monotonic() - before < 10
        assert process.stdout is not None
        said = process.stdout.read()
        assert "/api/Ping\n" in said
        assert said.endswith("Stopping ...\n")
    assert not answers(url)
    assert main(["settings", "--config", str(config_file)]) == 1
    assert "nothing runs on" in capsys.readouterr().err


def test_a_killed_start_leaves_nothing_that_blocks_the_next_one(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(config_file, "--no-host") as process:
        first = settings(config_file, capsys)["DATABASE_URL"]
        process.kill()
        process.wait()
    # At once, while the guards of the killed one are still stopping what it started.
    with started(config_file, "--no-host"):
        second = settings(config_file, capsys)["DATABASE_URL"]
        assert answers(second)
        assert not answers(first)


def test_a_second_start_and_a_reset_are_refused_while_one_runs(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(config_file, "--no-host") as process:
        given = ["--config", str(config_file)]
        assert main(["start", "--no-host", *given]) == 1
        assert f"in use by process {process.pid}" in capsys.readouterr().err
        assert main(["reset", "--yes", *given]) == 1
        assert f"in use by process {process.pid}" in capsys.readouterr().err
        assert answers(settings(config_file, capsys)["DATABASE_URL"])


def test_flags_choose_parts_folder_and_connection_strings(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = "postgresql://elsewhere/shop"
    options = ["--data", str(tmp_path), "--no-host", "--only", "event_hubs", "--port", "0"]
    with started(config_file, *options, "--postgresql", elsewhere):
        capsys.readouterr()
        assert main(["settings", "--config", str(config_file), "--data", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["Values"]["DATABASE_URL"] == elsewhere
    assert not (tmp_path / "postgresql").exists()


def test_reset_deletes_what_was_made_after_asking_and_nothing_else(
    config_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ["--config", str(config_file), "--data", str(tmp_path)]
    (tmp_path / "postgresql" / "data").mkdir(parents=True)
    (tmp_path / "in-use.lock").touch()
    (tmp_path / "mine.txt").touch()

    def end_of_input(_: str) -> str:
        raise EOFError

    for answer in (lambda _: "n", end_of_input):
        monkeypatch.setattr("builtins.input", answer)
        assert main(["reset", *given]) == 1
        assert "Nothing was deleted" in capsys.readouterr().out
    assert (tmp_path / "postgresql" / "data").exists()
    monkeypatch.setattr("builtins.input", lambda _: "Y")
    assert main(["reset", *given]) == 0
    assert str(tmp_path / "postgresql") in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert main(["reset", *given]) == 0
    assert "Nothing to delete" in capsys.readouterr().out


def test_reset_keeps_installed_packages_unless_told_otherwise(
    config_file: Path, tmp_path: Path
) -> None:
    config = tmp_path / "local_azure.yaml"
    config.write_text(config_file.read_text() + "data_folder: data\n")
    (tmp_path / "data" / "cache").mkdir(parents=True)
    (tmp_path / "data" / "functions").mkdir()
    assert main(["reset", "--yes", "--config", str(config)]) == 0
    assert (tmp_path / "data" / "cache").exists()
    assert main(["reset", "--yes", "--cache", "--config", str(config)]) == 0
    assert not (tmp_path / "data").exists()


def test_a_wrong_file_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("postgresq: {}")
    assert main(["start", "--config", str(file)]) == 2
    assert "postgresq: this key is unknown; did you mean postgresql?" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["start"], ["settings"], ["reset"]])
def test_help_is_everywhere(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "usage: python -m local_azure" in capsys.readouterr().out


def test_an_unknown_part_is_a_usage_error_that_lists_the_parts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["start", "--only", "event_hub"])
    assert caught.value.code == 2
    assert "there are event_hubs, blob_storage, postgresql" in capsys.readouterr().err


def test_a_part_that_ends_by_itself_ends_the_watch_with_its_last_words(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_WATCH_SECONDS", 0.01)
    with LocalAzure(load_config(config_file)) as local:
        local.postgresql.kill()
        with pytest.raises(ServiceFailed, match=r"(?s)PostgreSQL: ended by itself.*LOG:"):
            watch(local, lambda _: None, host=False)
        local.postgresql.start()
        local.start_host()
        local.kill_host()
        with pytest.raises(ServiceFailed, match="Functions host: ended by itself"):
            watch(local, lambda _: None, host=True)


def test_what_a_start_would_fetch_can_be_installed_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["install", "--config", str(REPOSITORY / "local_azure.yaml")]) == 0
    installed = Path(
        capsys.readouterr().out.splitlines()[-1].removeprefix("Azurite is installed in ")
    )
    assert (installed / "node_modules" / "azurite" / "package.json").exists()
