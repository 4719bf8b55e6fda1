"""Every mistake of a project's files is found at once, with its file, binding and remedy."""

from pathlib import Path
from typing import Any

import pytest
from unit.local_azure.functions.project_files import (
    EVENT_HUBS,
    SETTINGS,
    STORAGE,
    blob,
    blob_trigger,
    events,
    findings,
    function,
    good,
    http,
    timer,
    write,
)

from local_azure.functions.bindings import (
    BlobInput,
    BlobOutput,
    Cardinality,
    DataType,
    EventHubTrigger,
    HttpTrigger,
    TimerTrigger,
)
from local_azure.functions.retry import ExponentialBackoff


def test_a_good_project_is_read_whole(tmp_path: Path) -> None:
    retry = {
        "strategy": "exponentialBackoff",
        "maxRetryCount": -1,
        "minimumInterval": "00:00:05",
        "maximumInterval": "00:15:00",
    }
    write(
        tmp_path,
        {
            "A": function(
                events(dataType="binary", consumerGroup="%Group%"),
                blob(name="i", direction="in", path="files/%HubName%.json"),
                retry=retry,
            ),
            "B": function(timer(runOnStartup=True), blob(path="files/{DateTime}"), disabled=True),
            "C": function(http(methods=["GET"], route="v1/{*path}", authLevel="anonymous")),
            "D": function(blob_trigger(), blob(path="files/done/{name}")),
        },
        settings={**SETTINGS, "Group": "metrics"},
    )
    project = good(tmp_path)
    first, second, third, fourth = project.functions
    assert first.trigger == EventHubTrigger(
        "events", "payments", "Hub", "metrics", Cardinality.MANY, DataType.BINARY
    )
    assert isinstance(first.retry, ExponentialBackoff)
    assert first.retry.max_retry_count == -1
    assert [(part.name, part.path.text) for part in first.inputs] == [("i", "files/payments.json")]
    assert isinstance(first.inputs[0], BlobInput)
    assert isinstance(second.trigger, TimerTrigger)
    assert second.disabled
    assert isinstance(second.outputs[0], BlobOutput)
    assert isinstance(third.trigger, HttpTrigger)
    assert third.trigger.methods == ("get",)
    assert [spec.name for spec in project.enabled] == ["A", "C", "D"]
    assert fourth.script_file == (tmp_path / "D" / "__init__.py").resolve()


def test_the_environment_wins_over_the_settings_file(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(events())})
    project = good(tmp_path, {"HubName": "other", "Unrelated": "1"})
    assert isinstance(project.functions[0].trigger, EventHubTrigger)
    assert project.functions[0].trigger.event_hub == "other"
    assert project.settings.own == {"Hub": EVENT_HUBS, "AzureWebJobsStorage": STORAGE}


@pytest.mark.parametrize(
    "name", ["AzureWebJobs.A.Disabled", "AzureWebJobs__A__Disabled", "AzureWebJobs_A_Disabled"]
)
def test_a_setting_disables_a_function(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"A": function(timer())})
    assert good(tmp_path, {name: "true"}).enabled == ()
    assert len(good(tmp_path, {name: "false"}).enabled) == 1


def test_a_setting_named_in_function_json_disables_a_function(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(timer(), disabled="StopA")})
    assert good(tmp_path, {"StopA": "1"}).enabled == ()
    assert len(good(tmp_path).enabled) == 1


# What stands in the project: bindings of function A, its other fields; and what is said.
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "misspelt data type": (
        function(events(dataType="binray")),
        ["A/function.json, binding 'events': 'dataType' is \"binray\". Did you mean 'binary'?"],
    ),
    "misspelt direction": (
        function(events(direction="inn")),
        ["'direction' is \"inn\". Did you mean 'in'?"],
    ),
    "wrong direction": (
        function(timer(direction="out")),
        ["'direction' is 'out'. This binding goes 'in' only."],
    ),
    "misspelt cardinality": (
        function(events(cardinality="Many")),
        ["'cardinality' is \"Many\". Did you mean 'many'?"],
    ),
    "misspelt field": (
        function(events(consumergroup="x")),
        ["'consumergroup' is not known here. Did you mean 'consumerGroup'?"],
    ),
    "misspelt type": (
        function(timer(type="timertrigger")),
        ["the binding type 'timertrigger' is not supported here. Did you mean 'timerTrigger'?"],
    ),
    "unsupported type": (
        function(timer(), {"name": "q", "type": "queue", "direction": "out"}),
        ["binding 'q': the binding type 'queue' is not supported here. Known: 'blob'"],
    ),
    "missing hub name and connection": (
        function({"name": "e", "type": "eventHubTrigger", "direction": "in"}),
        [
            '\'eventHubName\' is missing. Add it, for example "eventHubName": "payments".',
            "'connection' is missing",
        ],
    ),
    "missing setting": (
        function(events(eventHubName="%HubNam%")),
        [
            (
                "'eventHubName' is '%HubNam%', but the setting 'HubNam' is missing. Did you mean "
                "'HubName'? Set it in local.settings.json, "
                'for example "HubNam": "payments", or in the environment.'
            ),
        ],
    ),
    "missing setting inside a path": (
        function(blob_trigger(path="%Container%/in/{name}")),
        ['for example "Container": "some-container"'],
    ),
    "missing connection": (
        function(events(connection="Hubb")),
        ["'connection' is 'Hubb', but that setting is missing. Did you mean 'Hub'?"],
    ),
    "a connection that is none": (
        function(events(connection="HubName")),
        ["is no connection string: it has no Endpoint and no SharedAccessKeyName"],
    ),
    "stream events": (
        function(events(dataType="stream")),
        ["'dataType' is 'stream'. Events are 'binary' or 'string'."],
    ),
    "wrong schedule": (
        function(timer(schedule="0 */5 * * 13 *")),
        ["'schedule' is '0 */5 * * 13 *': 13 is outside 1 to 12 in the field 'month'."],
    ),
    "schedule that never fires": (
        function(timer(schedule="0 0 0 31 2 *")),
        ["never fires"],
    ),
    "wrong flag": (
        function(timer(runOnStartup="yes")),
        ["'runOnStartup' is \"yes\". Write true or false, without quotes."],
    ),
    "wrong path": (
        function(blob_trigger(path="{name}")),
        ["'path' is '{name}': it needs a container and a blob name"],
    ),
    "wrong source": (
        function(blob_trigger(source="EventGird")),
        ["'source' is 'EventGird'. Did you mean 'EventGrid'?"],
    ),
    "unknown expression": (
        function(blob_trigger(), blob(path="files/{nam}")),
        ["'path' holds '{nam}', which the blobTrigger does not offer. It offers {name};"],
    ),
    "expression without a source": (
        function(timer(), blob(path="files/{name}")),
        ["'path' holds '{name}', which the timerTrigger does not offer. It offers no names;"],
    ),
    "wrong route": (
        function(http(route="/orders")),
        ["'route' is '/orders': it starts with a slash"],
    ),
    "reserved route": (
        function(http(route="admin/x")),
        ["'route' is 'admin/x', which the host keeps for itself"],
    ),
    "wrong method": (
        function(http(methods=["GETT"])),
        ["'methods' holds 'gett'. Did you mean 'get'?"],
    ),
    "methods that are no list": (
        function(http(methods="get")),
        ["'methods' is \"get\". Write a list of strings, for example"],
    ),
    "wrong auth level": (
        function(http(authLevel="anonymus")),
        ["'authLevel' is \"anonymus\". Did you mean 'anonymous'?"],
    ),
    "no trigger": (
        function(blob()),
        ["a function needs exactly one trigger, and has 0 (none)"],
    ),
    "two triggers": (
        function(timer(), http()),
        ["a function needs exactly one trigger, and has 2 (t, req)"],
    ),
    "the same name twice": (
        function(timer(), blob(name="t")),
        ["binding 't': the name stands 2 times"],
    ),
    "a name that is no identifier": (
        function(timer(name="my-timer")),
        ["'name' is 'my-timer'. It names a Python parameter"],
    ),
    "no name": (
        function({"type": "timerTrigger", "direction": "in", "schedule": "00:05:00"}),
        ["binding 'bindings[0]': 'name' is missing"],
    ),
    "no bindings": (
        {"bindings": []},
        ["'bindings' is no list of bindings", "a function needs exactly one trigger"],
    ),
    "a binding that is no object": (
        {"bindings": ["x", timer()]},
        ["bindings[0] is no object"],
    ),
    "wrong retry strategy": (
        function(events(), retry={"strategy": "exponential", "maxRetryCount": 1}),
        ["'retry.strategy' is \"exponential\". Did you mean 'exponentialBackoff'?"],
    ),
    "retry without its interval": (
        function(events(), retry={"strategy": "fixedDelay", "maxRetryCount": 1}),
        ["'retry.delayInterval' is missing. Add \"delayInterval\""],
    ),
    "backoff without intervals": (
        function(events(), retry={"strategy": "exponentialBackoff", "maxRetryCount": 1}),
        ["'retry.minimumInterval' is missing", "'retry.maximumInterval' is missing"],
    ),
    "backoff the wrong way round": (
        function(
            events(),
            retry={
                "strategy": "exponentialBackoff",
                "maxRetryCount": 1,
                "minimumInterval": "00:01:00",
                "maximumInterval": "00:00:01",
            },
        ),
        ["'retry.minimumInterval' is above 'retry.maximumInterval'"],
    ),
    "wrong count and interval": (
        function(
            timer(),
            retry={"strategy": "fixedDelay", "maxRetryCount": "5", "delayInterval": "5s"},
        ),
        ["'retry.maxRetryCount' is '5'", "'retry.delayInterval' is \"5s\": it does not have"],
    ),
    "retry beside a blob": (
        function(blob_trigger(), retry={"strategy": "fixedDelay", "maxRetryCount": 1}),
        ["'retry' stands beside a blobTrigger. Remove it"],
    ),
    "missing script": (
        function(timer(), scriptFile="main.py"),
        ["'scriptFile' is 'main.py', which is no file. Create A/main.py."],
    ),
    "script of another language": (
        function(timer(), scriptFile="function.json"),
        ["The Python worker loads .py files only."],
    ),
    "missing entry point": (
        function(timer(), entryPoint="mian"),
        ["'entryPoint' is 'mian', which __init__.py does not define. Did you mean 'main'?"],
    ),
    "entry point that is no name": (
        function(timer(), entryPoint="a b"),
        ["'entryPoint' is 'a b'. Write the name of a Python function."],
    ),
    "disabled by a number": (
        function(timer(), disabled=1),
        ["'disabled' is neither true, false nor the name of a setting"],
    ),
    "unknown field of the function": (
        function(timer(), entrypoint="main"),
        ["'entrypoint' is not known here. Did you mean 'entryPoint'?"],
    ),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_function_json_says(tmp_path: Path, case: str) -> None:
    document, expected = WRONG[case]
    write(tmp_path, {"A": document})
    found = findings(tmp_path)
    assert len(found) == len(expected), found
    for line, part in zip(found, expected, strict=True):
        assert part in line
        assert line.startswith("A/function.json")
