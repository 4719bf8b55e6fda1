from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.errors import OutputFailed
from simulator.ledger import Ledger
from simulator.message_file import read_messages, write_events, write_messages
from simulator.parameters import Parameters
from simulator.publisher import Sent
from simulator.simulation import Message, simulate

PARAMETERS = Parameters(
    end=datetime(2026, 3, 1, 12, 0, tzinfo=UTC), payments=600, bad_share=0.3, seed=3
)


def test_messages_survive_the_file_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    simulation = simulate(PARAMETERS)
    told: list[Sent] = []
    written = write_messages(simulation, path, told.append)
    again = list(simulation)
    assert list(read_messages(path)) == again
    assert written.events == simulation.ledger.events
    assert written.messages == len(again) == len(told)
    assert written.bytes == path.stat().st_size
    assert b"body_base64" in path.read_bytes()


def test_bodies_alone_stand_in_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    bodies = [b'{"a":1}', b"[{},{}]", b"no\r\nJSON"]
    written = write_events([Message("1", body, 1) for body in bodies], path)
    assert path.read_bytes() == b'{"a":1}\n[{},{}]\nno JSON\n'
    assert (written.messages, written.bytes) == (3, path.stat().st_size)
    with pytest.raises(OutputFailed, match="name another --events"):
        write_events([], tmp_path / "missing" / "events.jsonl")


@pytest.mark.parametrize(
    "line", [b"{", b'{"partition_key":"1","events":1,"body_base64":"?"}', b'{"body":"x"}']
)
def test_a_line_that_is_no_message_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "out.jsonl"
    write_messages([Message("1", b"{}", 1)], path)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(OutputFailed, match="line 2 is no message"):
        list(read_messages(path))


def test_a_missing_message_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="No such file"):
        list(read_messages(tmp_path / "none.jsonl"))


def test_a_ledger_survives_its_file_exactly(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    simulation = simulate(PARAMETERS)
    list(simulation)
    simulation.ledger.save(path)
    assert Ledger.load(path) == simulation.ledger
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.json"]


def test_an_unwritable_ledger_is_named(tmp_path: Path) -> None:
    simulation = simulate(PARAMETERS)
    list(simulation)
    with pytest.raises(OutputFailed, match="cannot write the ledger"):
        simulation.ledger.save(tmp_path / "missing" / "ledger.json")


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    with pytest.raises(OutputFailed, match="cannot read"):
        Ledger.load(path)
    path.write_text('{"messages": 1}')
    with pytest.raises(OutputFailed, match="is no ledger"):
        Ledger.load(path)
