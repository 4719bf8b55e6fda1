"""``simulator run``: what it writes, says and returns."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from simulator.cli.main import main
from simulator.ledger import Ledger
from simulator.publishing.connection import CONNECTION_SETTING, NAMESPACE_SETTING
from simulator.publishing.files import read_messages

ROOT = Path(__file__).parents[4]
END = "2026-03-01T12:00:00Z"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION_SETTING, raising=False)
    monkeypatch.delenv(NAMESPACE_SETTING, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_run_into_a_file_leaves_messages_and_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, ledger_file = tmp_path / "out.jsonl", tmp_path / "ledger.json"
    arguments = ["run", "--payments", "400", "--end", END, "--seed", "5", "--pack", "10"]
    assert main([*arguments, "--file", str(out), "--ledger", str(ledger_file)]) == 0
    ledger = Ledger.load(ledger_file)
    assert (ledger.payments, ledger.configuration.seed, ledger.complete) == (400, 5, True)
    assert sum(message.events for message in read_messages(out)) == ledger.events
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{ledger.events} events in {ledger.messages} messages" in said.err
    assert str(ledger_file) in said.err


def test_the_ledgers_configuration_gives_the_same_messages_again(tmp_path: Path) -> None:
    first, again, file = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "again.yaml"
    ledger = tmp_path / "ledger.json"
    run = ["run", "--payments", "300", "--quiet"]
    assert main([*run, "--file", str(first), "--ledger", str(ledger)]) == 0
    # YAML reads JSON.
    file.write_text(json.dumps(json.loads(ledger.read_text("utf-8"))["configuration"]), "utf-8")
    assert main(["run", "--config", str(file), "--quiet", "--file", str(again)]) == 0
    assert first.read_bytes() == again.read_bytes()


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--payments", "50", "--quiet", "--file", "o.jsonl"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_default_end_is_a_window_that_has_begun() -> None:
    arguments = ["--payments", "50", "--quiet", "--file", "o.jsonl", "--ledger", "ledger.json"]
    assert main(["run", *arguments]) == 0
    end = Ledger.load(Path("ledger.json")).end
    assert (end.minute % 5, end.second, end.microsecond) == (0, 0, 0)


def test_options_are_laid_over_the_profile() -> None:
    options = ["--profile", "chaos", "--set", "arrival.late_share=0", "--duration", "15m"]
    out = ["--payments", "200", "--quiet", "--file", "o.jsonl", "--ledger", "ledger.json"]
    assert main(["run", *options, *out]) == 0
    ledger = Ledger.load(Path("ledger.json"))
    assert (ledger.end - ledger.start).total_seconds() == 900
    assert ledger.late == 0
    assert sum(ledger.rejected.values()) > 10


def test_the_log_for_machines_has_a_json_object_on_each_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--payments", "60", "--log", "json", "--file", "o.jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["began", "ended"]
    assert lines[0]["total"] == 60
    assert (lines[1]["payments"], lines[1]["complete"]) == (60, True)
    assert {line["command"] for line in lines} == {"run"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--duration", "soon"], "time.duration"),
        (["--set", "arival.late_share=0"], "did you mean arrival"),
        (["--profile", "stedy"], "did you mean steady"),
        (["--config", "missing.yaml"], "missing.yaml"),
        ([], "nothing says where to send"),
        (["--connection-string", "nonsense"], "part without a value"),
        (["--events", "o.parquet"], "--events writes lines of JSON"),
    ],
)
def test_what_cannot_be_run_ends_with_a_sentence_and_no_output(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", *arguments])
    assert code == (5 if "--events" in arguments else 2)
    said = capsys.readouterr()
    assert said.out == ""
    assert expected in said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--end", "noon"], "expected a time with offset"),
        (["--start", "2026-03-01T12:00:00"], "expected a time with offset"),
        (["--rate", "0"], "expected a number above 0"),
        (["--speed-up", "many"], "expected a number above 0"),
        (["--file", "x", "--connection-string", "y"], "not allowed with"),
        (["--payments", "some"], "expected a whole number above 0"),
        (["--workers", "0"], "expected a whole number above 0"),
    ],
)
def test_wrong_arguments_end_with_code_2_and_a_sentence(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *arguments])
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_help_teaches_by_examples_and_names_the_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments, parts in (
        (["--help"], ("where to begin:", "exit codes:", "130")),
        (["run", "--help"], ("examples:", "EventHubConnection__fullyQualifiedNamespace")),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert all(part in text for part in parts)


def test_a_file_that_cannot_be_written_ends_with_code_5(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--payments", "20", "--file", "missing/out.jsonl"]) == 5
    assert "name another --file" in capsys.readouterr().err


@contextmanager
def command(*arguments: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def logged(running: "subprocess.Popen[str]", text: str) -> bool:
    """Read the log up to a line with a text."""
    assert running.stderr is not None
    return any(text in line for line in running.stderr)


def test_a_pipe_that_is_closed_early_is_no_error(tmp_path: Path) -> None:
    with command("run", "--profile", "clean", "--stdout", "--quiet", folder=tmp_path) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["transaction_id"].startswith("pay_")
        running.stdout.close()
        assert (running.wait(60), running.stderr.read()) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_a_ledger_of_what_was_sent(
    tmp_path: Path, number: signal.Signals
) -> None:
    out, ledger_file = tmp_path / "out.jsonl", tmp_path / "ledger.json"
    endless = ["--live", "--set", "volume.rate=200"]
    kept = ["--file", str(out), "--ledger", str(ledger_file)]
    with command("run", *endless, *kept, folder=tmp_path) as running:
        began = time.monotonic()
        while not (out.exists() and out.stat().st_size) and time.monotonic() - began < 60:
            time.sleep(0.1)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 130
        assert "ending after this block of payments" in said
        ledger = Ledger.load(ledger_file)
        assert not ledger.complete
        assert sum(message.events for message in read_messages(out)) == ledger.events > 0


def test_an_edited_configuration_takes_effect_while_it_runs(tmp_path: Path) -> None:
    file, ledger_file = tmp_path / "mine.yaml", tmp_path / "ledger.json"
    text = "time: {{live: true}}\nvolume: {{rate: {rate}}}\nmessages: {{pack: {pack}}}\n"
    file.write_text(text.format(rate=200, pack=5), "utf-8")
    kept = ["--file", str(tmp_path / "out.jsonl"), "--ledger", str(ledger_file)]
    with command("run", "--config", str(file), *kept, "--log", "json", folder=tmp_path) as running:
        assert logged(running, "events to")
        file.write_text(text.format(rate="-1", pack=5), "utf-8")
        assert logged(running, "the old one goes on")
        file.write_text(text.format(rate=300, pack=7), "utf-8")
        assert logged(running, "takes effect")
        time.sleep(3)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        ledger = Ledger.load(ledger_file)
        assert ledger.configuration.messages.pack == 7
        largest = max(message.events for message in read_messages(tmp_path / "out.jsonl"))
        assert 5 < largest <= 7


def test_an_interrupt_while_workers_start_ends_in_order(tmp_path: Path) -> None:
    # A terminal sends Ctrl-C to all processes: so does this, again and again at other moments.
    out, ledger_file = tmp_path / "out.jsonl", tmp_path / "ledger.json"
    long = ["run", "--payments", "3000000", "--workers", "3"]
    arguments = [*long, "--file", str(out), "--ledger", str(ledger_file), "--log", "json"]
    for seconds in (0.05, 0.15, 0.3):
        with subprocess.Popen(
            [sys.executable, "-m", "simulator", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as running:
            assert logged(running, "events to")
            time.sleep(seconds)
            os.killpg(running.pid, signal.SIGINT)
            try:
                _, said = running.communicate(timeout=60)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
            assert (running.returncode, "Traceback" in said) == (130, False)
            assert not Ledger.load(ledger_file).complete


def test_a_failure_says_how_to_run_the_same_simulation_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nobody = "Endpoint=sb://localhost:9;SharedAccessKeyName=n;SharedAccessKey=k;"
    nobody += "UseDevelopmentEmulator=true"
    assert main(["run", "--connection-string", nobody, "--quiet", "--payments", "50"]) == 3
    assert re.search(r"again: add --end 20\d\d-[0-9T:+-]+$", capsys.readouterr().err.strip())
