"""What people type by mistake, and readers that stop reading, end without harm or traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.cli.main import main
from simulator.publishing.lines import event_lines

ROOT = Path(__file__).parents[4]
BANK = "id,booked,sum\n1,2026-02-01T12:00:00Z,12.50\n"
MAPPING = """\
fields:
  transaction_id: {column: id}
  event_time: {column: booked}
  amount: {column: sum}
  currency: {constant: EUR}
  payment_method: {constant: bank_transfer}
  payment_status: {constant: completed}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bank.csv").write_text(BANK, "utf-8")
    Path("bank.yaml").write_text(MAPPING, "utf-8")


@pytest.mark.parametrize(
    "written",
    [
        ["--events", "bank.csv"],
        ["--file", "./bank.csv"],
        ["--rejects", "bank.csv", "--dry-run"],
        ["--events", "bank.yaml"],
        ["--events", "out.jsonl", "--rejects", "out.jsonl"],
    ],
)
def test_a_replay_overwrites_nothing_that_it_reads_or_writes(
    written: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "bank.csv", "--map", "bank.yaml", *written]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert Path("bank.csv").read_text("utf-8") == BANK
    assert Path("bank.yaml").read_text("utf-8") == MAPPING


def test_a_run_overwrites_neither_its_configuration_nor_its_own_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.yaml").write_text("{}", "utf-8")
    assert main(["run", "--config", "mine.yaml", "--events", "mine.yaml"]) == 2
    assert main(["run", "--file", "out.json", "--ledger", "out.json"]) == 2
    assert capsys.readouterr().err.count("would overwrite") == 2
    assert Path("mine.yaml").read_text("utf-8") == "{}"


def test_several_outputs_may_go_to_nowhere() -> None:
    nowhere = ["--events", os.devnull, "--rejects", os.devnull, "--quiet"]
    assert main(["replay", "bank.csv", "--map", "bank.yaml", *nowhere]) == 0


@pytest.mark.parametrize(
    ("ledger", "reason"),
    [
        ("missing/ledger.json", "there is no folder missing"),
        (".", "no ordinary file"),
        ("pipe", "no ordinary file"),
    ],
)
def test_a_ledger_that_cannot_be_written_is_told_before_anything_is_sent(
    ledger: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("pipe")
    assert main(["run", "--payments", "20", "--events", "out.jsonl", "--ledger", ledger]) == 5
    assert reason in capsys.readouterr().err
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize("option", [["--kafka"], ["--event-hub", "payments"]])
def test_options_of_an_event_hub_do_not_go_with_a_file(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--events", "out.jsonl", *option]) == 2
    assert f"{option[0]} is about event hubs" in capsys.readouterr().err


def test_the_oldest_event_is_moved_only_to_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "bank.csv", "--map", "bank.yaml", "--shift-oldest", "--dry-run"]) == 2
    assert "--shift-to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["replay", "bank.csv", "--max-rejects", "-1"], ["score", "ledger.json", "--examples", "-1"]],
)
def test_a_number_of_things_is_not_negative(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "0 or more, found '-1'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["messages.jsonl", "messages.jsonl.gz"])
def test_messages_are_not_taken_for_events(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--payments", "20", "--quiet", "--file", name]) == 0
    assert main(["replay", name, "--dry-run"]) == 2
    assert "write it by --events" in capsys.readouterr().err


def test_a_missing_mapping_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "bank.csv", "--map", "missing.yaml"]) == 5
    assert capsys.readouterr().err == "error: cannot read missing.yaml: No such file or directory\n"


def test_what_is_nested_too_deeply_to_be_read_is_one_line_of_its_own() -> None:
    body = b'[{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}]"
    assert event_lines(body) == [body]


def test_no_frame_of_a_bar_is_written_to_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--payments", "20", "--events", "out.jsonl"]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("out.jsonl: ")


def test_the_log_for_machines_holds_errors_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--profile", "Steady", "--log", "json", "--events", "out.jsonl"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["level"], logged["event"], logged["exit_code"]) == ("error", "failed", 2)
    assert "did you mean steady?" in logged["message"]


PRINTING = [
    ["profiles"],
    ["profiles", "steady", "--full"],
    ["validate", "mine.yaml"],
    ["replay", "bank.csv", "--describe"],
]


def printed_to(output: int, arguments: list[str]) -> tuple[int, str]:
    """Run a command whose standard output is a file descriptor."""
    Path("mine.yaml").write_text("{}", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_nobody_needs_to_read_what_a_command_prints(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert printed_to(writing, arguments) == (0, "")
    finally:
        os.close(writing)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_disk_is_told_in_a_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        code, said = printed_to(full.fileno(), arguments)
    assert code == 5
    assert said == "error: cannot write to the standard output: No space left on device\n"


def test_an_interrupt_while_the_program_starts_shows_no_traceback(tmp_path: Path) -> None:
    # Stands for what takes time to import, and says when the time has come.
    package = tmp_path / "slow"
    package.mkdir()
    (package / "rich.py").write_text("import time\nprint(flush=True)\ntime.sleep(30)\n", "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", "profiles"],
        env={**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert (running.returncode, said) == (130, "")
