"""Every mistake of a project's files is found at once, with its file, binding and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_azure.functions.bindings import (
    BlobInput,
    BlobOutput,
    Cardinality,
    DataType,
    EventHubTrigger,
    HttpTrigger,
    TimerTrigger,
)
from local_azure.functions.errors import ProjectInvalid
from local_azure.functions.project import Project, read_project
from local_azure.functions.retry import ExponentialBackoff, FixedDelay

EVENT_HUBS = "Endpoint=sb://localhost;SharedAccessKeyName=k;SharedAccessKey=s"
STORAGE = "AccountName=a;AccountKey=aGk=;BlobEndpoint=http://127.0.0.1:1/a"
SETTINGS = {"Hub": EVENT_HUBS, "AzureWebJobsStorage": STORAGE, "HubName": "payments"}


def write(
    root: Path,
    functions: dict[str, Any],
    host: object = None,
    settings: dict[str, Any] | None = None,
    code: str = "def main(**_): ...",
) -> None:
    (root / "host.json").write_text(json.dumps(host or {"version": "2.0"}))
    values = {"Values": SETTINGS if settings is None else settings}
    (root / "local.settings.json").write_text(json.dumps(values))
    for name, document in functions.items():
        (root / name).mkdir()
        (root / name / "__init__.py").write_text(code)
        (root / name / "function.json").write_text(json.dumps(document))


def events(**other: Any) -> dict[str, Any]:
    return {
        "name": "events",
        "type": "eventHubTrigger",
        "direction": "in",
        "eventHubName": "%HubName%",
        "connection": "Hub",
        **other,
    }


def timer(**other: Any) -> dict[str, Any]:
    standard = {"name": "t", "type": "timerTrigger", "direction": "in", "schedule": "0 * * * * *"}
    return {**standard, **other}


def blob_trigger(**other: Any) -> dict[str, Any]:
    return {"name": "b", "type": "blobTrigger", "direction": "in", "path": "files/{name}", **other}


def blob(**other: Any) -> dict[str, Any]:
    return {"name": "o", "type": "blob", "direction": "out", "path": "files/x", **other}


def http(**other: Any) -> dict[str, Any]:
    return {"name": "req", "type": "httpTrigger", "direction": "in", **other}


def function(*bindings: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"bindings": list(bindings), **other}


def findings(root: Path, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ProjectInvalid) as caught:
        read_project(root, environment or {})
    return [str(finding) for finding in caught.value.findings]


def good(root: Path, environment: dict[str, str] | None = None) -> Project:
    return read_project(root, environment or {})


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


def test_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"A": function(events(dataType="x")), "B": function(timer(schedule="x"))},
        host={"version": "2.0", "functionTimeOut": "00:05:00"},
        settings={**SETTINGS, "Number": 5},
    )
    (tmp_path / "C").mkdir()
    (tmp_path / "C" / "function.json").write_text('{"bindings": [],}')
    files = [line.split(":")[0].split(",")[0] for line in findings(tmp_path)]
    assert files == [
        "host.json",
        "local.settings.json",
        "A/function.json",
        "B/function.json",
        "C/function.json",
    ]


HOSTS: dict[str, tuple[object, str]] = {
    "old version": ({"version": "1.0"}, "'version' is not '2.0'"),
    "no version": ({}, "'version' is missing"),
    "misspelt option": (
        {"version": "2.0", "extensions": {"eventHubs": {"maxBatchSize": 1}}},
        "'extensions.eventHubs.maxBatchSize' is not known here. Did you mean 'maxEventBatchSize'?",
    ),
    "too small": (
        {"version": "2.0", "extensions": {"eventHubs": {"prefetchCount": 0}}},
        "'extensions.eventHubs.prefetchCount' is 0. Write a whole number from 1",
    ),
    "minimum above maximum": (
        {
            "version": "2.0",
            "extensions": {"eventHubs": {"maxEventBatchSize": 5, "minEventBatchSize": 6}},
        },
        "'minEventBatchSize' (6) is above 'maxEventBatchSize' (5)",
    ),
    "wrong start": (
        {
            "version": "2.0",
            "extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromstart"}}},
        },
        "Did you mean 'fromStart'?",
    ),
    "start without a time": (
        {
            "version": "2.0",
            "extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromEnqueuedTime"}}},
        },
        "'enqueuedTimeUtc' is ''",
    ),
    "wrong level": (
        {"version": "2.0", "logging": {"logLevel": {"default": "Info"}}},
        "'logging.logLevel.default' is \"Info\"",
    ),
    "wrong prefix": (
        {"version": "2.0", "extensions": {"http": {"routePrefix": 1}}},
        "'extensions.http.routePrefix' is no string",
    ),
    "an extension that is no object": (
        {"version": "2.0", "extensions": []},
        "'extensions' is []. Write an object in braces.",
    ),
    "a function that is not there": (
        {"version": "2.0", "functions": ["a"]},
        "'functions' names 'a'. Did you mean 'A'?",
    ),
}


@pytest.mark.parametrize("case", list(HOSTS))
def test_a_wrong_host_json_says(tmp_path: Path, case: str) -> None:
    host, expected = HOSTS[case]
    write(tmp_path, {"A": function(timer())}, host or {"version": None})
    (line,) = findings(tmp_path)
    assert line.startswith("host.json: ")
    assert expected in line


def test_a_missing_host_json_names_the_folder_that_has_one(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    write(tmp_path / "app", {"A": function(timer())})
    (line,) = findings(tmp_path)
    assert f"Did you mean the folder {tmp_path / 'app'}?" in line
    (line,) = findings(tmp_path / "app" / "A")
    assert "--project" in line


def test_a_project_without_functions_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {})
    (line,) = findings(tmp_path)
    assert "no function found" in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"Values": {"A": 1}}', "the setting 'A' is int, not a string"),
        ('{"Values": []}', "'Values' is no object"),
        ('{"IsEncrypted": true}', "'IsEncrypted' is true"),
        ('{"Valus": {}}', "'Valus' is not known here. Did you mean 'Values'?"),
        ('{"Values": {"FUNCTIONS_WORKER_RUNTIME": "node"}}', "write 'python'"),
        ("[]", "holds []. It must hold one object"),
        ("{", "is not JSON: "),
    ],
)
def test_a_wrong_settings_file_says(tmp_path: Path, content: str, expected: str) -> None:
    write(tmp_path, {"A": function(http())})
    (tmp_path / "local.settings.json").write_text(content)
    (line,) = findings(tmp_path)
    assert line.startswith("local.settings.json: ")
    assert expected in line


def test_a_settings_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(http())})
    (tmp_path / "local.settings.json").write_bytes(b'{"Values": {"A": "\xff"}}')
    assert "is not UTF-8" in findings(tmp_path)[0]


def test_the_settings_file_may_give_the_port(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(http())})
    (tmp_path / "local.settings.json").write_text('{"Host": {"LocalHttpPort": 7171, "CORS": "*"}}')
    assert "'Host.CORS' is not known" not in str(good(tmp_path).settings)
    assert good(tmp_path).settings.http_port == 7171


def test_a_project_of_http_functions_needs_no_storage_but_a_timer_does(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(http())}, settings={})
    assert len(good(tmp_path).functions) == 1
    (tmp_path / "A" / "function.json").write_text(json.dumps(function(timer())))
    (line,) = findings(tmp_path)
    assert "the setting 'AzureWebJobsStorage' is missing" in line
    assert "UseDevelopmentStorage=true" in line


def test_two_functions_on_one_route_are_refused_unless_their_methods_differ(
    tmp_path: Path,
) -> None:
    both = {
        "A": function(http(route="x", methods=["get"])),
        "B": function(http(route="X", methods=["post"])),
    }
    write(tmp_path, both)
    assert len(good(tmp_path).functions) == 2
    (tmp_path / "B" / "function.json").write_text(json.dumps(function(http(route="X"))))
    (line,) = findings(tmp_path)
    assert "B/function.json, binding 'req': the route 'X' is also that of A" in line


def test_only_the_listed_functions_are_read(tmp_path: Path) -> None:
    functions = {"A": function(timer()), "B": function(timer(schedule="wrong"))}
    write(tmp_path, functions, host={"version": "2.0", "functions": ["A"]})
    assert [spec.name for spec in good(tmp_path).functions] == ["A"]


def test_code_that_is_no_python_is_found_before_it_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(timer())}, code="def main(timer:\n")
    (line,) = findings(tmp_path)
    assert "__init__.py is not Python" in line


@pytest.mark.parametrize(
    "code", ["from x import main", "main = print", "from x import *", "import x as main"]
)
def test_an_entry_point_may_be_bound_in_any_way(tmp_path: Path, code: str) -> None:
    write(tmp_path, {"A": function(timer())}, code=code)
    assert len(good(tmp_path).functions) == 1


def test_fixed_delays_are_read(tmp_path: Path) -> None:
    retry = {"strategy": "fixedDelay", "maxRetryCount": 3, "delayInterval": "00:00:10"}
    write(tmp_path, {"A": function(timer(), retry=retry)})
    policy = good(tmp_path).functions[0].retry
    assert isinstance(policy, FixedDelay)
    assert (policy.max_retry_count, policy.delay.total_seconds()) == (3, 10)


def test_the_message_numbers_the_mistakes(tmp_path: Path) -> None:
    write(tmp_path, {"A": function(timer(schedule="x"))})
    with pytest.raises(ProjectInvalid, match=r"cannot start: 1 mistake\.\n  1\. A/function\.json"):
        read_project(tmp_path, {})
