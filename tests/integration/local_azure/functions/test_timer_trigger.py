"""Timers in a running host: schedule, what was missed, and never twice at a time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import BlobServiceClient
from integration.local_azure.functions.sample_app import SampleApp, wait_until

from local_azure.functions.project import read_project

RECORD = """
    import json, pathlib, time
    import azure.functions as func

    def main(timer: func.TimerRequest) -> None:
        file = pathlib.Path(__file__).parent / "lines"
        with file.open("a") as lines:
            lines.write(json.dumps({"past_due": timer.past_due, "status": timer.schedule_status}))
            lines.write("\\n")
"""


def binding(schedule: str, **other: object) -> dict[str, Any]:
    return {
        "name": "timer",
        "type": "timerTrigger",
        "direction": "in",
        "schedule": schedule,
        **other,
    }


def records(app: SampleApp, name: str = "Tick") -> list[dict[str, Any]]:
    return [json.loads(line) for line in app.lines(f"{name}/lines")]


def test_a_missed_firing_is_made_up_for_once_and_marked_past_due(
    app: SampleApp, storage: BlobServiceClient
) -> None:
    app.function("Tick", RECORD, binding("0 0 0 1 1 *"))
    host_id = read_project(app.root, {}).host_id
    status = storage.get_blob_client(
        "azure-webjobs-hosts", f"timers/{host_id}/Host.Functions.Tick/status"
    )
    with app.start() as host:
        wait_until(status.exists)
        assert host.stop() == 0
    assert records(app) == []
    stored = json.loads(status.download_blob().readall())
    assert datetime.fromisoformat(stored["Next"]) > datetime.now(UTC)

    long_ago = (datetime.now(UTC) - timedelta(days=800)).isoformat()
    stored |= {"Last": long_ago, "Next": long_ago, "LastUpdated": long_ago}
    status.upload_blob(json.dumps(stored), overwrite=True)
    with app.start() as host:
        wait_until(lambda: records(app))
        wait_until(lambda: json.loads(status.download_blob().readall())["Last"] != long_ago)
        assert host.stop() == 0
    assert [record["past_due"] for record in records(app)] == [True]
    assert records(app)[0]["status"]["Last"] == long_ago
    with app.start() as host:
        wait_until(lambda: host.trigger("Tick")["next"])
        assert host.stop() == 0
    assert len(records(app)) == 1


def test_timers_fire_by_their_schedule_and_at_start_and_never_overlap(app: SampleApp) -> None:
    app.settings["EverySecond"] = "* * * * * *"
    app.function("Tick", RECORD, binding("%EverySecond%"))
    app.function("AtStart", RECORD, binding("0 0 0 1 1 *", runOnStartup=True))
    slow = """
        import pathlib, time

        def main(timer) -> None:
            file = pathlib.Path(__file__).parent / "lines"
            with file.open("a") as lines:
                lines.write("begin\\n")
                lines.flush()
                time.sleep(0.7)
                lines.write("end\\n")
    """
    app.function("Slow", slow, binding("00:00:00.2000000"))
    retried = """
        import pathlib
        import azure.functions as func

        def main(timer: func.TimerRequest, context: func.Context) -> None:
            file = pathlib.Path(__file__).parent / "lines"
            with file.open("a") as lines:
                lines.write(f"{context.retry_context.retry_count}\\n")
            raise ValueError("again")
    """
    policy = {"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00.1000000"}
    app.function("Retried", retried, binding("0 0 0 1 1 *", runOnStartup=True), retry=policy)
    with app.start() as host:
        wait_until(lambda: len(records(app)) >= 2 and len(app.lines("Slow/lines")) >= 4)
        # Two more at once by the admin endpoint wait for their turn.
        host.run("Slow", wait=False)
        assert host.run("Slow").json() == {"status": "Succeeded"}
        wait_until(lambda: len(app.lines("Retried/lines")) == 3)
        assert host.stop() == 0
    assert not any(record["past_due"] for record in records(app))
    assert len(records(app, "AtStart")) == 1
    lines = app.lines("Slow/lines")
    assert lines == ["begin", "end"] * (len(lines) // 2)
    assert app.lines("Retried/lines") == ["0", "1", "2"]
