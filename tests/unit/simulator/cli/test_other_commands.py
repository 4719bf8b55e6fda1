"""``simulator replay``, ``validate`` and ``profiles``; and that all options are documented."""

import argparse
import csv
import json
import re
from pathlib import Path

import pytest

from simulator.cli import (
    profiles_command,
    replay_command,
    run_command,
    score_command,
    validate_command,
)
from simulator.cli.main import main

ROOT = Path(__file__).parents[4]
MAPPING = """\
fields:
  transaction_id: {column: id, template: "bank_{id}"}
  event_time: {column: booked, format: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin}
  amount: {column: sum, decimal: ","}
  currency: {column: currency}
  payment_method: {constant: bank_transfer}
  payment_status: {constant: completed}
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bank_file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("id", "booked", "sum", "currency"))
        writer.writerow(("1", "01.02.2026 13:05", "12,50", "EUR"))
        writer.writerow(("2", "yesterday", "1,00", "EUR"))
        writer.writerow(("3", "01.02.2026 13:10", "0,99", "EUR"))
    return path


@pytest.fixture
def mapping_file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.yaml"
    path.write_text(MAPPING.replace("column: id, ", ""), "utf-8")
    return path


def test_a_foreign_file_is_replayed_and_its_bad_rows_are_kept(
    bank_file: Path, mapping_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--events", "events.jsonl", "--rejects", "rejects.jsonl"]
    assert main(["replay", str(bank_file), "--map", str(mapping_file), *where]) == 0
    events = [json.loads(line) for line in Path("events.jsonl").read_text("utf-8").splitlines()]
    assert [(each["transaction_id"], each["amount"]) for each in events] == [
        ("bank_1", "12.50"),
        ("bank_3", "0.99"),
    ]
    assert [each["event_time"][:16] for each in events] == ["2026-02-01T12:05", "2026-02-01T12:10"]
    [reject] = Path("rejects.jsonl").read_text("utf-8").splitlines()
    assert json.loads(reject)["line"] == 3
    assert "2 events in" in capsys.readouterr().err


def test_times_are_shifted_as_a_whole(bank_file: Path, mapping_file: Path) -> None:
    moved = ["--shift-to", "2026-03-01T00:00:00Z", "--events", "events.jsonl", "--quiet"]
    assert main(["replay", str(bank_file), "--map", str(mapping_file), *moved]) == 0
    events = [json.loads(line) for line in Path("events.jsonl").read_text("utf-8").splitlines()]
    assert [each["event_time"][:16] for each in events] == ["2026-02-28T23:55", "2026-03-01T00:00"]


def test_too_many_bad_rows_end_with_a_code_of_their_own(
    bank_file: Path, mapping_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--max-rejects", "0", "--dry-run"]
    assert main(["replay", str(bank_file), "--map", str(mapping_file), *arguments]) == 6
    assert "bad row" in capsys.readouterr().err


def test_a_dry_run_counts_and_sends_nothing(
    bank_file: Path, mapping_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(bank_file), "--map", str(mapping_file), "--dry-run"]) == 0
    said = capsys.readouterr().err
    assert "2 events in" in said
    assert "1 bad rows" in said


def test_a_proposed_mapping_is_valid(bank_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(bank_file), "--describe"]) == 0
    Path("proposal.yaml").write_text(capsys.readouterr().out, "utf-8")
    assert main(["validate", "--map", "proposal.yaml"]) == 0


def test_a_foreign_file_needs_a_mapping(
    bank_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(bank_file), "--dry-run"]) == 2
    assert "--describe proposes one" in capsys.readouterr().err


def test_events_of_a_run_are_replayed_as_they_are() -> None:
    run = ["run", "--profile", "clean", "--payments", "100", "--quiet", "--events", "one.jsonl"]
    assert main(run) == 0
    assert main(["replay", "one.jsonl", "--events", "two.jsonl", "--quiet"]) == 0

    def lines(name: str) -> list[str]:
        return sorted(Path(name).read_text("utf-8").splitlines())

    events = [event for line in lines("two.jsonl") for event in _listed(json.loads(line))]
    sent = [event for line in lines("one.jsonl") for event in _listed(json.loads(line))]
    assert sorted(map(json.dumps, events)) == sorted(map(json.dumps, sent))
    assert len(events) == 100


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def test_all_mistakes_of_all_files_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.yaml").write_text("seed: 3\n", "utf-8")
    Path("bad.yaml").write_text("sed: 3\nvolume: {payments: -1}\n", "utf-8")
    assert main(["validate", "good.yaml", "bad.yaml"]) == 2
    said = capsys.readouterr().out
    assert "good.yaml: nothing is wrong" in said
    assert "bad.yaml:1:1 sed" in said
    assert "bad.yaml:2" in said


def test_profiles_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles"]) == 0
    listed = capsys.readouterr().out
    for name in ("steady", "clean", "mixed", "black-friday", "fraud-wave", "month-end", "chaos"):
        assert name in listed
    assert main(["profiles", "clean"]) == 0
    assert "late_share: 0" in capsys.readouterr().out
    assert main(["profiles", "clean", "--full"]) == 0
    Path("mine.yaml").write_text(capsys.readouterr().out, "utf-8")
    assert main(["validate", "mine.yaml"]) == 0


@pytest.mark.parametrize(
    "command",
    [run_command, replay_command, score_command, validate_command, profiles_command],
    ids=lambda command: command.__name__.rpartition(".")[2],
)
def test_every_option_is_in_the_user_guide(command: object) -> None:
    guide = (ROOT / "docs" / "simulator" / "README.md").read_text("utf-8")
    parser = argparse.ArgumentParser()
    command.add_to(parser.add_subparsers())  # type: ignore[attr-defined]
    [commands] = [each.choices for each in parser._actions if each.choices]
    [subparser] = commands.values()  # type: ignore[attr-defined]
    options = {text for action in subparser._actions for text in action.option_strings} - {"-h"}
    assert options - {"--help"} <= set(re.findall(r"--[a-z-]+", guide))
