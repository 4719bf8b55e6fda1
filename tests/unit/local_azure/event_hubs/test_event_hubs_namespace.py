"""Data folders, disks that fail, and the command line."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_azure.event_hubs import EventHubsConfig, EventHubsError, HubConfig, serving
from local_azure.event_hubs.__main__ import main
from local_azure.event_hubs.errors import DataFolderUnusable
from local_azure.event_hubs.events import read_publication
from local_azure.event_hubs.log.partition_log import HOUR_MS, PartitionLog
from local_azure.event_hubs.namespace import Namespace
from local_azure.event_hubs.partition import Partition

MESSAGE = b"\x00\x53\x75\xa0\x04body"


def config(partitions: int = 1) -> EventHubsConfig:
    return EventHubsConfig((HubConfig("hub", partitions),))


def started(partitions: int, folder: Path) -> None:
    with serving(config(partitions), folder):
        pass


def test_a_data_folder_has_one_server(tmp_path: Path) -> None:
    with serving(config(), tmp_path), pytest.raises(DataFolderUnusable, match="is in use"):
        started(1, tmp_path)

    started(1, tmp_path)


def test_partitions_can_be_added_but_not_taken_away(tmp_path: Path) -> None:
    started(2, tmp_path)
    started(3, tmp_path)

    with pytest.raises(DataFolderUnusable, match=r"hub has 3 partitions.*says 2"):
        started(2, tmp_path)


@pytest.mark.parametrize("damage", ["{", "{}", "[]", '{"created_at": "x", "partitions": 1}'])
def test_a_damaged_description_is_reported(tmp_path: Path, damage: str) -> None:
    started(1, tmp_path)
    (tmp_path / "hub" / "hub.json").write_text(damage)

    with pytest.raises(DataFolderUnusable, match=r"hub\.json is no description"):
        started(1, tmp_path)


def test_a_damaged_log_lets_go_of_the_folder(tmp_path: Path) -> None:
    started(2, tmp_path)
    (log,) = (tmp_path / "hub" / "1").glob("*.log")
    raw = log.read_bytes()
    log.write_bytes(b"x")
    with pytest.raises(EventHubsError, match="damaged at byte 0"):
        started(2, tmp_path)

    log.write_bytes(raw)
    started(2, tmp_path)


def test_equal_keys_get_the_same_partition_and_keys_spread_evenly(tmp_path: Path) -> None:
    async def scenario() -> None:
        namespace = Namespace.open(config(4), tmp_path)
        target = namespace.find_target("HUB")
        chosen = [target.choose(str(key)).number for key in range(64)]
        assert chosen == [target.choose(str(key)).number for key in range(64)]
        assert all(8 <= chosen.count(number) <= 24 for number in range(4))
        assert [target.choose(None).number for _ in range(5)] == [1, 2, 3, 0, 1]
        assert namespace.find_target("hub/Partitions/2").choose("any").number == 2
        await namespace.close()

    asyncio.run(scenario())


def store(partition: Partition) -> asyncio.Future[str | None]:
    outcome: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    partition.submit(read_publication(MESSAGE, 0).events, outcome.set_result)
    return outcome


def failing(_: PartitionLog) -> None:
    raise OSError(28, "No space left on device")


def test_events_that_the_disk_refuses_are_not_acknowledged_and_later_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        namespace = Namespace.open(config(), tmp_path)
        (partition,) = namespace.find_hub("hub").partitions
        monkeypatch.setattr(PartitionLog, "append", lambda log, *_: failing(log))
        assert "No space left" in (await store(partition) or "")
        monkeypatch.undo()
        assert partition.end.next_sequence == 0
        assert await store(partition) is None
        assert partition.end.next_sequence == 1
        await namespace.close()

    asyncio.run(scenario())


def test_after_a_failed_sync_a_partition_takes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        namespace = Namespace.open(config(), tmp_path)
        (partition,) = namespace.find_hub("hub").partitions
        monkeypatch.setattr(PartitionLog, "sync", failing)
        assert "restart Event Hubs" in (await store(partition) or "")
        monkeypatch.undo()
        assert "restart Event Hubs" in (await store(partition) or "")
        assert partition.read(0, 10, 1000) == (0, [])
        await namespace.close()

    asyncio.run(scenario())


def test_what_arrives_while_the_disk_is_busy_shares_one_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = []
    real = PartitionLog.sync

    def counted(log: PartitionLog) -> None:
        syncs.append(log.end.next_sequence)
        real(log)

    async def scenario() -> None:
        namespace = Namespace.open(config(), tmp_path)
        (partition,) = namespace.find_hub("hub").partitions
        monkeypatch.setattr(PartitionLog, "sync", counted)
        first = [store(partition) for _ in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = [store(partition) for _ in range(10)]
        await asyncio.gather(*first, *second)
        await namespace.close()

    asyncio.run(scenario())

    assert syncs == [10, 20]


def test_pending_events_are_stored_before_the_folder_is_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        namespace = Namespace.open(config(), tmp_path)
        (partition,) = namespace.find_hub("hub").partitions
        outcome = store(partition)
        await namespace.close()
        assert outcome.result() is None

    asyncio.run(scenario())


def test_retention_is_applied_by_the_clock_and_a_failing_disk_only_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    times = [1_700_000_000_000]

    async def scenario() -> None:
        namespace = Namespace.open(config(), tmp_path, lambda: times[0])
        (partition,) = namespace.find_hub("hub").partitions
        await store(partition)
        await namespace.drop_expired()
        assert partition.log.first_sequence == 0
        times[0] += 25 * HOUR_MS
        monkeypatch.setattr(PartitionLog, "drop_expired", lambda log, _: failing(log))
        await namespace.drop_expired()
        monkeypatch.undo()
        assert "retention failed in hub/0" in caplog.text
        await namespace.drop_expired()
        assert partition.log.first_sequence == 1
        await namespace.close()

    asyncio.run(scenario())


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_taken_port_is_an_error_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with taken_port() as port:
        arguments = ["--hub", "hub", "--data", str(tmp_path), "--port", str(port)]
        assert main(arguments) == 1

    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert main(["--hub", "hub", "--data", str(tmp_path / "file" / "data")]) == 1
    assert "cannot serve" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("hubs: {a: {partitions: 0}, b: {color: 1}}", "hubs.a.partitions"),
        ("hubs: {a: {partitions: 0}, b: {color: 1}}", "hubs.b.color"),
        ("hubs: [", "cannot be read as YAML"),
        (None, "No such file"),
    ],
)
def test_a_wrong_configuration_ends_with_two_and_names_each_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, problem: str
) -> None:
    path = tmp_path / "hubs.yaml"
    if content is not None:
        path.write_text(content)

    assert main(["--config", str(path), "--data", str(tmp_path)]) == 2
    assert problem in capsys.readouterr().err


def test_a_hub_that_is_given_twice_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--hub", "a", "--hub", "A:2", "--data", str(tmp_path)]) == 2
    assert "--hub a: is there twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--hub", "a"], ["--hub", "a", "--data", "d", "--port", "70000"]],
)
def test_wrong_usage_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert raised.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_signal_stops_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hubs.yaml"
    path.write_text("hubs: {payments: {partitions: 1}}")

    def terminate_when_ready() -> None:
        while not (tmp_path / "data" / "payments" / "0").exists():
            threading.Event().wait(0.01)
        threading.Event().wait(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    killer = threading.Thread(target=terminate_when_ready)
    killer.start()
    code = main(["--config", str(path), "--data", str(tmp_path / "data")])
    killer.join()

    assert code == 0
    assert capsys.readouterr().out.startswith("Endpoint=sb://localhost:")
