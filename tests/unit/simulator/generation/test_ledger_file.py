"""A ledger is written as JSON, at once or not at all, and read back as it was."""

import json
import os
from pathlib import Path

import pytest
from unit.simulator.generation.simulation_samples import configuration, every_violation, run

from simulator.errors import ExitCode, OutputFailed
from simulator.ledger import Ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return run(configuration(1_000, violations=every_violation())).ledger


def test_a_ledger_is_read_back_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    ledger.save(path)
    assert Ledger.load(path) == ledger
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.json"]


def test_amounts_are_decimal_strings_and_times_have_an_offset(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.json"
    ledger.save(path)
    text = path.read_text("utf-8")
    assert text.endswith("}\n")
    first = json.loads(text)["sums"][0]
    assert isinstance(first["amount"], str)
    assert first["window_start"].endswith("Z")


def test_an_older_file_is_replaced(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text("of yesterday")
    ledger.save(path)
    assert Ledger.load(path) == ledger


def test_a_ledger_that_cannot_be_written_says_so_and_leaves_the_older_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    with pytest.raises(OutputFailed, match=r"cannot write the ledger to .*name another") as caught:
        ledger.save(tmp_path / "missing" / "ledger.json")
    assert caught.value.exit_code == ExitCode.OUTPUT
    path = tmp_path / "ledger.json"
    path.write_text("of yesterday")
    (tmp_path / "ledger.json.unfinished").mkdir()
    with pytest.raises(OutputFailed, match="cannot write"):
        ledger.save(path)
    assert path.read_text() == "of yesterday"


def test_a_file_that_is_missing_or_no_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match=r"cannot read the ledger .*missing.json: No such file"):
        Ledger.load(tmp_path / "missing.json")
    path = tmp_path / "other.json"
    for content in (b"{}", b"nonsense", b'{"complete": 1}', b"\xff"):
        path.write_bytes(content)
        with pytest.raises(OutputFailed, match=r"other.json is no ledger: .*write one by"):
            Ledger.load(path)


def test_what_is_no_file_is_not_replaced(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OutputFailed, match="no file that a ledger could replace"):
        ledger.save(path)
    assert path.is_fifo()
