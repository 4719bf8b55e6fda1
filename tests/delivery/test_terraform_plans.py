"""Plans are made, applied as made, and shown: by the real terraform, on small environments.

``terraform_data`` is part of terraform itself: it needs neither a registry nor a cloud.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.plans.reports import comment
from deploy.plans.terraform import PLAN_FILE, SUMMARY_FILE, TEXT_FILE, Plan, read_plan

ENVIRONMENT = """
variable "size" { default = 1 }
variable "kind" { default = "small" }
resource "terraform_data" "store" {
  input            = var.size
  triggers_replace = var.kind
}
output "size" { value = var.size }
"""
# GitHub's command line, as far as it is used: keeps what it is told in a file.
GH = """#!/usr/bin/env python3
import json, pathlib, sys
file = pathlib.Path(__file__).with_name("github.json")
state = json.loads(file.read_text()) if file.exists() else {"issues": [], "comments": []}
match sys.argv[1:]:
    case ["pr", "comment", number, "--edit-last", "--create-if-none", "--body-file", "-"]:
        state["comments"] = [{"pull_request": number, "body": sys.stdin.read()}]
    case ["label", "create", "drift", "--force", *_]:
        state["label"] = True
    case ["issue", "list", "--label", "drift", "--state", "open", *_]:
        print(json.dumps([issue for issue in state["issues"] if issue["open"]]))
    case ["issue", "create", "--title", title, "--label", "drift", "--body-file", "-"]:
        number = len(state["issues"]) + 1
        issue = {"number": number, "title": title, "open": True, "body": sys.stdin.read()}
        state["issues"].append(issue)
    case ["issue", "edit", number, "--body-file", "-"]:
        state["issues"][int(number) - 1]["body"] = sys.stdin.read()
    case ["issue", "close", number, "--comment", _]:
        state["issues"][int(number) - 1]["open"] = False
    case _:
        sys.exit("unknown command")
file.write_text(json.dumps(state))
"""

type Deploy = Callable[..., str]

pytestmark = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not installed"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one environment, beside what environments share."""
    environments = tmp_path / "checkout" / "terraform" / "environments"
    for name in ("common", "dev"):
        (environments / name).mkdir(parents=True)
        (environments / name / "main.tf").write_text(ENVIRONMENT, "utf-8")
    (environments / "dev" / "terraform.tfvars").write_text('kind = "small"', "utf-8")
    return tmp_path / "checkout"


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    return tmp_path / "plans"


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Any]]:
    """Put a stand-in of ``gh`` on the path and give what it was told."""
    folder = tmp_path / "github"
    folder.mkdir()
    program = folder / "gh"
    program.write_text(GH, "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda: json.loads((folder / "github.json").read_text("utf-8"))


@pytest.fixture
def deploy(root: Path, plans: Path, capfd: pytest.CaptureFixture[str]) -> Deploy:
    """Run a command of the pipelines, and give what it said."""

    def run(command: str, *arguments: str, environment: str = "dev", exit_code: int = 0) -> str:
        given: Sequence[str] = {
            "plan-terraform": (environment, "--root", str(root), "--output", str(plans)),
            "apply-terraform": (environment, "--root", str(root), "--plans", str(plans)),
        }.get(command, ("--plans", str(plans)))
        assert main([command, *given, *arguments]) == exit_code
        said = capfd.readouterr()
        return said.out + said.err

    return run


def edit(root: Path, before: str, after: str) -> None:
    for file in (root / "terraform" / "environments" / "dev").glob("*.tf*"):
        if file.suffix in {".tf", ".tfvars"}:
            file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")


def test_what_was_planned_is_applied_and_nothing_is_left_to_do(deploy: Deploy, plans: Path) -> None:
    assert "dev: 1 to add" in deploy("plan-terraform")
    assert "terraform_data.store will be created" in (plans / "dev" / TEXT_FILE).read_text("utf-8")
    assert read_plan(plans / "dev") == Plan("dev", changes=True, add=1)
    assert "would apply" in deploy("apply-terraform", "--dry-run")
    assert "applied, dev: 1 to add" in deploy("apply-terraform")
    assert "dev: nothing to do" in deploy("plan-terraform", "--read-only")
    assert "applied, dev: nothing to do" in deploy("apply-terraform")


def test_changes_are_counted_by_what_becomes_of_resources(deploy: Deploy, root: Path) -> None:
    deploy("plan-terraform")
    deploy("apply-terraform")
    edit(root, "default = 1 ", "default = 2 ")
    assert "dev: 1 to change" in deploy("plan-terraform")
    edit(root, "small", "large")
    assert "dev: 1 to replace" in deploy("plan-terraform")
    edit(root, '"store"', '"other"')
    assert "dev: 1 to add, 1 to destroy" in deploy("plan-terraform")


def test_a_plan_that_was_overtaken_is_refused(deploy: Deploy, root: Path, plans: Path) -> None:
    deploy("plan-terraform")
    overtaken = (plans / "dev" / PLAN_FILE).read_bytes()
    edit(root, "default = 1 ", "default = 2 ")
    deploy("plan-terraform")
    deploy("apply-terraform")
    (plans / "dev" / PLAN_FILE).write_bytes(overtaken)
    assert "stale" in deploy("apply-terraform", exit_code=1).lower()


def test_a_mistake_in_the_code_fails_the_plan(deploy: Deploy, root: Path, plans: Path) -> None:
    edit(root, "var.size", "var.sise")
    assert "terraform plan" in deploy("plan-terraform", exit_code=1)
    assert not (plans / "dev" / SUMMARY_FILE).exists()


def test_an_unknown_environment_and_a_missing_plan_are_told(
    deploy: Deploy,
) -> None:
    told = deploy("plan-terraform", environment="common", exit_code=1)
    assert "there is no environment common; there are dev" in told
    assert "there is no plan" in deploy("apply-terraform", exit_code=1)
    assert "there is no plan" in deploy("comment-plans", "--pull-request", "7", exit_code=1)


def test_who_approves_reads_what_would_be_lost(
    deploy: Deploy, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy("plan-terraform")
    deploy("apply-terraform")
    edit(root, "small", "large")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    deploy("plan-terraform")
    assert (tmp_path / "output").read_text("utf-8") == "changes=true\n"
    told = (tmp_path / "summary.md").read_text("utf-8")
    assert "dev: 1 to replace" in told
    assert "- `terraform_data.store`" in told


def test_all_plans_are_one_comment_that_the_next_run_replaces(
    deploy: Deploy, plans: Path, github: Callable[[], dict[str, Any]]
) -> None:
    deploy("plan-terraform")
    shutil.copytree(plans / "dev", plans / "staging")
    summary = plans / "staging" / SUMMARY_FILE
    summary.write_text(summary.read_text("utf-8").replace("dev", "staging"), "utf-8")
    assert "### Terraform plan" in deploy("comment-plans", "--pull-request", "7", "--dry-run")
    for _ in range(2):
        deploy("comment-plans", "--pull-request", "7")
    [written] = github()["comments"]
    assert written["pull_request"] == "7"
    assert "- dev: 1 to add\n- staging: 1 to add" in written["body"]


def test_drift_is_one_issue_until_nothing_differs(
    deploy: Deploy, root: Path, github: Callable[[], dict[str, Any]]
) -> None:
    deploy("plan-terraform")
    assert "1 to add" in deploy("report-drift", "--dry-run")
    deploy("report-drift")
    edit(root, '"store"', '"shop"')
    deploy("plan-terraform")
    deploy("report-drift")
    [issue] = github()["issues"]
    assert (issue["title"], issue["open"]) == ("Drift in dev", True)
    assert "terraform_data.shop" in issue["body"]
    deploy("apply-terraform")
    deploy("plan-terraform")
    deploy("report-drift")
    assert [issue["open"] for issue in github()["issues"]] == [False]


def test_a_long_plan_is_cut_to_what_a_comment_holds() -> None:
    plans = [(Plan(name, changes=True, add=1), "+ line\n" * 20_000) for name in ("dev", "staging")]
    body = comment(plans)
    assert len(body) < 65_536
    assert body.count("... cut here") == 2


def test_no_plan_ends_the_block_that_it_is_shown_in() -> None:
    body = comment([(Plan("dev", changes=True, add=1), "+ motd = <<-EOT\n```\n@everyone\n````\n")])
    assert body.count("`````") == 2
