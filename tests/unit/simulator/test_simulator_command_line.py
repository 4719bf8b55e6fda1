from pathlib import Path

import pytest

from simulator.cli import main
from simulator.connection import CONNECTION_SETTING, NAMESPACE_SETTING
from simulator.ledger import Ledger
from simulator.message_file import read_messages


@pytest.fixture(autouse=True)
def _no_connection_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION_SETTING, raising=False)
    monkeypatch.delenv(NAMESPACE_SETTING, raising=False)


def test_a_run_into_a_file_leaves_messages_and_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, ledger_file = tmp_path / "out.jsonl", tmp_path / "ledger.json"
    end = "2026-03-01T12:00:00Z"
    arguments = ["run", "--payments", "200", "--end", end, "--seed", "5", "--pack", "10"]
    assert main([*arguments, "--file", str(out), "--ledger", str(ledger_file)]) == 0
    ledger = Ledger.load(ledger_file)
    assert (ledger.parameters.payments, ledger.parameters.seed) == (200, 5)
    assert sum(message.events for message in read_messages(out)) == ledger.events
    captured = capsys.readouterr()
    assert f"{ledger.events} events in {ledger.messages} messages" in captured.out
    assert str(ledger_file) in captured.out


def test_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--payments", "50", "--quiet", "--file", str(tmp_path / "o.jsonl")]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_default_end_is_a_window_that_has_begun(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    out = str(tmp_path / "o.jsonl")
    assert main(["run", "--payments", "50", "--quiet", "--file", out, "--ledger", str(path)]) == 0
    end = Ledger.load(path).parameters.end
    assert (end.minute % 5, end.second, end.microsecond) == (0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--windows", "0"], "windows must be between 1 and 100000, found 0"),
        (["--end", "2026-03-01T12:01:00Z"], "edge of a five-minute window"),
        (["--bad-share", "2"], "bad_share must be between 0 and 0.5"),
        ([], "nothing says where to send"),
        (["--connection-string", "nonsense"], "part without a value"),
    ],
)
def test_wrong_parameters_end_with_code_2_and_a_sentence(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--end", "noon"], "expected a time with offset"),
        (["--rate", "0"], "expected a number above 0"),
        (["--rate", "many"], "expected a number above 0"),
        (["--file", "x", "--rate", "5"], "--rate is for publishing"),
        (["--file", "x", "--connection-string", "y"], "not allowed with"),
        (["--payments", "some"], "invalid int value"),
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
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for part in ("examples:", "exit codes:", "EventHubConnection__fullyQualifiedNamespace"):
        assert part in text


def test_a_file_that_cannot_be_written_ends_with_code_5(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing" / "out.jsonl"
    assert main(["run", "--payments", "20", "--file", str(missing)]) == 5
    assert "name another --file" in capsys.readouterr().err
