"""A workflow that is unsafe, or will not run, is found here and not at its first run."""

import subprocess
from pathlib import Path

import pytest
from delivery_report import Counted

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.workflow_files import Workflow, read_workflows
from deploy.infrastructure.workflow_rules import check_reuse, check_rules
from deploy.infrastructure.workflow_tools import (
    check_schema,
    check_security,
    check_shell,
    shell_scripts,
)
from deploy.infrastructure.workflows import check_workflows

ROOT = Path(__file__).parents[2]
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
GOOD = f"""\
name: release
on:
  push:
permissions:
  contents: read
jobs:
  publish:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - uses: {CHECKOUT} # v5.0.0
        with:
          persist-credentials: false
      - run: |
          echo "checking"
          python -m deploy extract-terraform-schema \\
            --wheel "$WHEEL" && echo --done
"""
REUSED = """\
name: reused
on:
  workflow_call:
    inputs:
      environment:
        type: string
        required: true
permissions: {}
jobs: {}
"""
CALLING = """\
name: calling
on:
  push:
permissions: {}
jobs:
  terraform:
    uses: ./.github/workflows/reused.yml
    with:
      environment: dev
"""


def workflows(root: Path, **texts: str) -> list[Workflow]:
    folder = root / ".github/workflows"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text, "utf-8")
    return list(read_workflows(root))


def rules(root: Path, text: str) -> list[str]:
    return [str(each) for each in check_rules(workflows(root, release=text)[0])]


def test_workflows_of_this_repository_pass(counted: Counted) -> None:
    verdict = check_workflows(ROOT)
    assert [str(each) for each in verdict.findings] == []
    assert verdict.workflows >= 1
    assert verdict.actions >= 4
    counted("workflows", verdict.workflows)
    counted("deploy commands in workflows", verdict.commands)


def test_workflow_that_keeps_to_the_rules_passes(tmp_path: Path) -> None:
    assert rules(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            CHECKOUT,
            "actions/checkout@v5",
            11,
            "actions/checkout@v5 is not pinned to the 40 digits of a commit",
            id="action by a tag",
        ),
        pytest.param(
            " # v5.0.0", "", 11, f"{CHECKOUT} has no comment with its version", id="no version"
        ),
        pytest.param(
            "permissions:\n  contents: read\n", "", 1, "no permissions: the token", id="defaults"
        ),
        pytest.param(
            "permissions:\n  contents: read\n",
            "permissions: write-all\n",
            4,
            "the workflow has permissions write-all: name each that is needed",
            id="every right",
        ),
        pytest.param(
            "contents: read",
            "contents: write",
            5,
            "every job may write contents: give it to the job that needs it",
            id="right for every job",
        ),
        pytest.param(
            "    timeout-minutes: 10\n", "", 7, "job publish has no timeout-minutes", id="no end"
        ),
        pytest.param(
            "extract-terraform-schema",
            "extract-terraform-schem",
            16,
            "python -m deploy has no command extract-terraform-schem (did you mean",
            id="no such command",
        ),
        pytest.param(
            "--wheel",
            "--wheels",
            16,
            "deploy extract-terraform-schema has no option --wheels (did you mean --wheel?)",
            id="no such option",
        ),
        pytest.param(
            '--wheel "$WHEEL"',
            "--root .",
            16,
            "deploy extract-terraform-schema lacks --wheel",
            id="option missing",
        ),
    ],
)
def test_workflow_that_breaks_a_rule_is_found(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    found = rules(tmp_path, GOOD.replace(old, new))
    assert found[0].startswith(f".github/workflows/release.yml:{line}: {message}")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "      environment: dev",
            "      enviroment: dev",
            9,
            ".github/workflows/reused.yml has no input enviroment (did you mean environment?)",
            id="no such input",
        ),
        pytest.param(
            "    with:\n      environment: dev\n",
            "",
            6,
            "job terraform lacks the input environment of .github/workflows/reused.yml",
            id="input missing",
        ),
        pytest.param(
            "reused.yml",
            "resued.yml",
            6,
            "job terraform calls ./.github/workflows/resued.yml, which is not there",
            id="no such workflow",
        ),
    ],
)
def test_wrong_call_of_a_reusable_workflow_is_found(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    files = workflows(tmp_path, calling=CALLING.replace(old, new), reused=REUSED)
    found = [str(each) for each in check_reuse(files[0], {each.file: each for each in files})]
    assert f".github/workflows/calling.yml:{line}: {message}" in found


def test_right_call_of_a_reusable_workflow_passes(tmp_path: Path) -> None:
    files = workflows(tmp_path, calling=CALLING, reused=REUSED)
    assert not list(check_reuse(files[0], {each.file: each for each in files}))


def test_key_that_github_does_not_know_is_found_with_its_line(tmp_path: Path) -> None:
    bad = GOOD.replace("    runs-on:", "    run-on:")
    (found,) = check_schema(workflows(tmp_path, release=bad), tmp_path)
    assert str(found).startswith(".github/workflows/release.yml:7: $.jobs.publish: ")


def test_text_of_a_stranger_in_a_script_is_found(tmp_path: Path) -> None:
    bad = GOOD.replace('"checking"', '"${{ github.event.issue.title }}"')
    workflows(tmp_path, release=bad)
    (found,) = check_security(tmp_path)
    assert str(found).startswith(".github/workflows/release.yml:15: template-injection: ")


def test_fault_of_a_script_is_found_where_it_stands(tmp_path: Path) -> None:
    bad = GOOD.replace('"checking"', "$CHECKING")
    (workflow,) = workflows(tmp_path, release=bad)
    (tmp_path / "install.sh").write_text('#!/bin/sh\necho fine\ncd "$2"\n')
    scripts = [(workflow, each) for each in workflow.scripts()]
    found = [str(each) for each in check_shell([Path("install.sh")], scripts, tmp_path)]
    assert found[0].startswith(".github/workflows/release.yml:15: SC2086: Double quote to prevent")
    assert found[1].startswith("install.sh:3: SC2164: Use 'cd ... || exit'")


def test_shell_scripts_are_told_by_their_name_or_first_line(tmp_path: Path) -> None:
    for name, text in (
        ("a.sh", "echo"),
        ("run", "#!/usr/bin/env bash\n"),
        ("tool", "#!/usr/bin/env python\n"),
        ("note.txt", "#!/bin"),
    ):
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    assert shell_scripts(tmp_path) == [Path("a.sh"), Path("run")]


def test_checkout_without_workflows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"\.github/workflows: holds no workflow"):
        check_workflows(tmp_path)
