"""Batches of events through the real SDK, the AMQP endpoint, Azurite and Microsoft's worker."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from integration.local_azure.functions.sample_app import HostProcess, SampleApp, wait_until
from integration.local_azure.functions.sample_hub import GROUP, Hub, opened

from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.serving import serving

# Each line that a function leaves: partition, what it was given, and the retry count.
RECORD = """
    import json, os, pathlib, time, typing
    import azure.functions as func

    ROOT = pathlib.Path(__file__).parent

    def record(**line):
        with (ROOT / "record.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\\n")

    def main(events: typing.List[func.EventHubEvent], context: func.Context) -> None:
        bodies = [event.get_body().decode() for event in events]
        metadata = events[0].metadata
        record(
            process=os.getpid(),
            partition=metadata["PartitionContext"]["PartitionId"],
            bodies=bodies,
            sequence=[event.sequence_number for event in events],
            retry=context.retry_context.retry_count,
            limit=context.retry_context.max_retry_count,
            error=getattr(context.retry_context.rpc_exception, "message", ""),
        )
        if (ROOT / "fail").exists() and "bad" in bodies:
            raise RuntimeError("no good")
        if (ROOT / "hang").exists():
            time.sleep(60)
"""

FOREVER = {
    "strategy": "exponentialBackoff",
    "maxRetryCount": -1,
    "minimumInterval": "00:00:00.2000000",
    "maximumInterval": "00:00:01",
}
TWICE = {"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00.1000000"}


def records(app: SampleApp, function: str = "Ingest") -> list[dict[str, Any]]:
    return [json.loads(line) for line in app.lines(f"{function}/record.jsonl")]


def bodies(app: SampleApp, function: str = "Ingest") -> list[str]:
    return [body for record in records(app, function) for body in record["bodies"]]


def checkpointed(host: HostProcess, partition: int = 0, function: str = "Ingest") -> int | None:
    state = host.trigger(function)["partitions"].get(str(partition))
    return state and state["checkpointed"]


def test_batches_of_all_partitions_arrive_whole_and_in_order(
    event_app: SampleApp, hub: Hub
) -> None:
    event_app.host["extensions"] = {"eventHubs": {"maxEventBatchSize": 10}}
    event_app.function("Ingest", RECORD, hub.binding())
    host = event_app.start()
    for partition in (0, 1):
        hub.send([f"{partition}-{number}".encode() for number in range(25)], partition)
    with host:
        wait_until(lambda: (checkpointed(host, 0), checkpointed(host, 1)) == (24, 24))
    for partition in ("0", "1"):
        mine = [record for record in records(event_app) if record["partition"] == partition]
        assert [number for record in mine for number in record["sequence"]] == list(range(25))
        assert [body for record in mine for body in record["bodies"]] == [
            f"{partition}-{number}" for number in range(25)
        ]
        assert max(len(record["bodies"]) for record in mine) == 10


def test_a_failing_batch_is_retried_while_later_ones_wait_and_other_partitions_go_on(
    event_app: SampleApp, hub: Hub
) -> None:
    event_app.host["extensions"] = {"eventHubs": {"maxEventBatchSize": 1}}
    event_app.function("Ingest", RECORD, hub.binding(), retry=FOREVER)
    (event_app.root / "Ingest" / "fail").touch()
    host = event_app.start()
    hub.send([b"good", b"bad", b"later"])
    with host:
        wait_until(lambda: bodies(event_app).count("bad") >= 3)
        hub.send([b"elsewhere"], 1)
        wait_until(lambda: checkpointed(host, 1) == 0)
        state = host.trigger("Ingest")["partitions"]["0"]
        assert state["checkpointed"] == 0
        assert state["retries"] >= 2
        assert "later" not in bodies(event_app)
        (event_app.root / "Ingest" / "fail").unlink()
        wait_until(lambda: checkpointed(host) == 2)
    attempts = [record for record in records(event_app) if record["bodies"] == ["bad"]]
    assert [record["retry"] for record in attempts] == list(range(len(attempts)))
    assert {record["limit"] for record in attempts} == {-1}
    assert bodies(event_app)[-1] == "later"


def test_a_killed_host_gets_its_events_again_from_the_last_checkpoint(
    event_app: SampleApp, hub: Hub
) -> None:
    event_app.function("Ingest", RECORD, hub.binding())
    host = event_app.start()
    hub.send([b"kept"])
    with host:
        wait_until(lambda: checkpointed(host) == 0)
        (event_app.root / "Ingest" / "hang").touch()
        hub.send([b"torn"])
        wait_until(lambda: "torn" in bodies(event_app))
        host.kill()
    (event_app.root / "Ingest" / "hang").unlink()
    with event_app.start() as host:
        # Well before the ownership of the dead host would have expired.
        wait_until(lambda: checkpointed(host) == 1, 10)
    assert bodies(event_app) == ["kept", "torn", "torn"]


def test_a_stop_lets_the_running_batch_end_and_keeps_its_checkpoint(
    event_app: SampleApp, hub: Hub
) -> None:
    event_app.function(
        "Ingest",
        RECORD.replace("time.sleep(60)", "time.sleep(0.8)"),
        hub.binding(),
    )
    (event_app.root / "Ingest" / "hang").touch()
    host = event_app.start()
    hub.send([b"slow"])
    with host:
        wait_until(lambda: bodies(event_app) == ["slow"])
        assert host.stop() == 0
        assert "Succeeded" in host.log()
    (event_app.root / "Ingest" / "hang").unlink()
    host = event_app.start()
    hub.send([b"next"])
    with host:
        wait_until(lambda: checkpointed(host) == 1)
    assert bodies(event_app) == ["slow", "next"]


def test_two_hosts_share_the_partitions(event_app: SampleApp, hub: Hub) -> None:
    event_app.function("Ingest", RECORD, hub.binding())
    with event_app.start() as first, event_app.start() as second:

        def owned(host: HostProcess) -> set[str]:
            return set(host.trigger("Ingest")["partitions"])

        wait_until(lambda: len(owned(first)) == 1 and len(owned(second)) == 1)
        assert owned(first) | owned(second) == {"0", "1"}
        hub.send([b"a"], 0)
        hub.send([b"b"], 1)
        wait_until(lambda: len(set(bodies(event_app))) == 2)
    assert len({record["process"] for record in records(event_app)}) == 2


def test_a_batch_waits_for_its_minimum_but_not_for_ever(event_app: SampleApp, hub: Hub) -> None:
    event_app.host["extensions"] = {
        "eventHubs": {"minEventBatchSize": 5, "maxWaitTime": "00:00:03"}
    }
    event_app.function("Ingest", RECORD, hub.binding())
    with event_app.start() as host:
        wait_until(lambda: len(host.trigger("Ingest")["partitions"]) == 2)
        hub.send([b"1", b"2"])
        wait_until(lambda: host.trigger("Ingest")["partitions"]["0"]["pending"] == 2)
        hub.send([b"3", b"4", b"5"])
        wait_until(lambda: checkpointed(host) == 4, 2.5)
        hub.send([b"6"])
        wait_until(lambda: checkpointed(host) == 5)
    assert [record["bodies"] for record in records(event_app)] == [["1", "2", "3", "4", "5"], ["6"]]


def test_an_outage_of_the_event_hubs_only_delays_and_never_hinders_a_stop(
    app: SampleApp, tmp_path: Path
) -> None:
    name = f"hub-{uuid.uuid4().hex[:12]}"
    config = EventHubsConfig((HubConfig(name, 1, (GROUP,)),))
    data = tmp_path / "event-hubs"
    with serving(config, data) as connection_string, opened(connection_string, name) as hub:
        app.settings |= {"EventHubConnection": connection_string, "HubName": name}
        app.function("Ingest", RECORD, hub.binding())
        host = app.start()
        hub.send([b"before"])
        host.open()
        wait_until(lambda: bodies(app) == ["before"])
    port = int(connection_string.partition("localhost:")[2].partition(";")[0])
    with serving(config, data, port=port), opened(connection_string, name) as again:
        again.send([b"after"])
        wait_until(lambda: bodies(app) == ["before", "after"], 30)
    assert host.stop() == 0


def test_a_checkpoint_beyond_the_last_event_is_reported(
    event_app: SampleApp, hub: Hub, storage: BlobServiceClient
) -> None:
    event_app.function("Ingest", RECORD, hub.binding())
    container = storage.get_container_client("azure-webjobs-eventhub")
    with suppress(ResourceExistsError):
        container.create_container()
    container.upload_blob(
        f"localhost/{hub.name}/{GROUP}/checkpoint/0",
        b"",
        metadata={"offset": "999", "sequencenumber": "7"},
    )
    with event_app.start() as host:
        wait_until(lambda: "is 7, but its last event is -1" in host.log())
        assert "Delete the blobs" in host.log()


def test_a_checkpoint_is_written_every_so_many_batches(event_app: SampleApp, hub: Hub) -> None:
    event_app.host["extensions"] = {
        "eventHubs": {"maxEventBatchSize": 1, "batchCheckpointFrequency": 3}
    }
    event_app.function("Ingest", RECORD, hub.binding())
    host = event_app.start()
    hub.send([str(number).encode() for number in range(5)])
    with host:
        wait_until(lambda: len(bodies(event_app)) == 5)
        assert checkpointed(host) == 2
        host.kill()
    with event_app.start() as host:
        wait_until(lambda: len(bodies(event_app)) == 7)
    assert bodies(event_app) == ["0", "1", "2", "3", "4", "3", "4"]


def test_from_end_skips_what_was_there_before(event_app: SampleApp, hub: Hub) -> None:
    event_app.host["extensions"] = {"eventHubs": {"initialOffsetOptions": {"type": "fromEnd"}}}
    event_app.function("Ingest", RECORD, hub.binding())
    hub.send([b"old"])
    with event_app.start() as host:
        wait_until(lambda: len(host.trigger("Ingest")["partitions"]) == 2)

        def sent() -> bool:
            hub.send([b"new"])
            return "new" in bodies(event_app)

        wait_until(sent)
    assert "old" not in bodies(event_app)


SINGLE = """
    import json, pathlib
    import azure.functions as func

    def main(event: func.EventHubEvent) -> None:
        line = [
            event.get_body().decode(),
            event.sequence_number,
            event.offset,
            event.enqueued_time.tzinfo is None,
            event.metadata["Properties"],
        ]
        with (pathlib.Path(__file__).parent / "lines").open("a") as file:
            file.write(json.dumps(line) + "\\n")
"""

type Laboratory = tuple[SampleApp, HostProcess, dict[str, Hub]]


@pytest.fixture(scope="module")
def laboratory(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """One host with functions that do not touch each other, each on a hub of its own."""
    names = {
        name: f"{name.lower()}-{uuid.uuid4().hex[:8]}" for name in ("Twice", "Lost", "One", "Text")
    }
    folder = tmp_path_factory.mktemp("laboratory")
    config = EventHubsConfig(tuple(HubConfig(name, 1, (GROUP,)) for name in names.values()))
    with ExitStack() as stack:
        connection_string = stack.enter_context(serving(config, folder / "event-hubs"))
        app = SampleApp(folder / "app", {"AzureWebJobsStorage": azurite})
        app.settings["EventHubConnection"] = connection_string
        app.host["extensions"] = {"eventHubs": {"maxEventBatchSize": 1}}
        hubs = {
            name: stack.enter_context(opened(connection_string, hub)) for name, hub in names.items()
        }
        binding = {name: hub.binding(eventHubName=hub.name) for name, hub in hubs.items()}
        text = binding["Text"]
        del text["dataType"]
        app.function("Twice", RECORD, binding["Twice"], retry=TWICE)
        app.function("Lost", RECORD, binding["Lost"])
        app.function("Text", RECORD, text)
        app.function("One", SINGLE, {**binding["One"], "name": "event", "cardinality": "one"})
        app.function("Nowhere", RECORD, hubs["One"].binding(eventHubName="no-such-hub"))
        for name in ("Twice", "Lost"):
            (app.root / name / "fail").touch()
        host = stack.enter_context(app.start())
        yield app, host, hubs
        assert host.stop() == 0


def test_exhausted_retries_move_the_checkpoint_on(laboratory: Laboratory) -> None:
    app, host, hubs = laboratory
    hubs["Twice"].send([b"bad", b"after"])
    wait_until(lambda: checkpointed(host, 0, "Twice") == 1)
    assert bodies(app, "Twice") == ["bad", "bad", "bad", "after"]
    attempts = records(app, "Twice")[:3]
    assert [(record["retry"], record["limit"]) for record in attempts] == [(0, 2), (1, 2), (2, 2)]
    assert [record["error"] for record in attempts] == ["", *["RuntimeError: no good"] * 2]


def test_without_a_retry_policy_a_failed_batch_is_lost(laboratory: Laboratory) -> None:
    app, host, hubs = laboratory
    hubs["Lost"].send([b"bad"])
    wait_until(lambda: checkpointed(host, 0, "Lost") == 0)
    assert bodies(app, "Lost") == ["bad"]


def test_one_event_at_a_time_with_its_metadata(laboratory: Laboratory) -> None:
    app, host, hubs = laboratory
    hubs["One"].send([b"first", b"second"], 0, colour="blue")
    wait_until(lambda: checkpointed(host, 0, "One") == 1)
    lines = [json.loads(line) for line in app.lines("One/lines")]
    assert [line[:2] for line in lines] == [["first", 0], ["second", 1]]
    assert all(isinstance(line[2], str) and line[3] for line in lines)
    assert lines[0][4] == {"colour": "blue"}


def test_without_binary_bodies_are_strings_and_an_empty_one_fails_its_batch(
    laboratory: Laboratory,
) -> None:
    app, host, hubs = laboratory
    hubs["Text"].send(["Zoë".encode(), b""])
    wait_until(lambda: checkpointed(host, 0, "Text") == 1)
    assert bodies(app, "Text") == ["Zoë"]
    assert "Number of bodies and metadata mismatched" in host.log()


def test_a_missing_hub_is_reported_and_leaves_the_host_running(laboratory: Laboratory) -> None:
    _, host, _ = laboratory
    wait_until(lambda: "WARNING: Nowhere: event hub 'no-such-hub'" in host.log())
    assert host.request("/admin/host/ping").status == 200


def test_the_admin_endpoint_makes_one_event_of_its_input(laboratory: Laboratory) -> None:
    app, host, _ = laboratory
    assert host.run("Lost", "by hand").status == 200
    assert bodies(app, "Lost")[-1] == "by hand"
    failed = host.run("Lost", "bad")
    assert (failed.status, failed.json()["error"]) == (500, "RuntimeError: no good")
