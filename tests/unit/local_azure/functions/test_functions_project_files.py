"""Mistakes of host.json, local.settings.json and of the project as a whole."""

import json
from pathlib import Path

import pytest
from unit.local_azure.functions.project_files import (
    SETTINGS,
    events,
    findings,
    function,
    good,
    http,
    timer,
    write,
)

from local_azure.functions.errors import ProjectInvalid
from local_azure.functions.project import read_project
from local_azure.functions.retry import FixedDelay


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
