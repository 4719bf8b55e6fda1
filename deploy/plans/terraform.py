"""Terraform, run on one environment.

A plan is made in one job and applied in another, after somebody has approved it. Both are handed
over in a folder: the plan itself, its text, what it would do in figures, and the lock file, so that
the providers that apply it are the ones that made it. Only the standard library is needed: what
runs beside the credentials of an environment is kept small.
"""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.console import say
from deploy.errors import DeployError, ToolFailed

LOCK_FILE: Final = ".terraform.lock.hcl"
PLAN_FILE: Final = "plan.tfplan"
TEXT_FILE: Final = "plan.txt"
SUMMARY_FILE: Final = "plan.json"
# A folder with values of its own is an environment; what environments share lies beside them.
_ENVIRONMENTS: Final = Path("terraform", "environments")
# What `terraform plan -detailed-exitcode` ends with when something would change.
_CHANGES: Final = 2
# A run that finds the state locked waits for the other one to end.
_LOCK_TIMEOUT: Final = "-lock-timeout=5m"


class EnvironmentUnknown(DeployError):
    """There is no folder of an environment's name.

    Attributes:
        environment: the name.
    """

    def __init__(self, environment: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no environment {environment}; there are {', '.join(known)}")
        self.environment = environment


class PlanMissing(DeployError):
    """A folder holds no plan of an environment."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}; plan-terraform makes it")
        self.folder = folder


@dataclass(frozen=True)
class Plan:
    """What a plan would do.

    Attributes:
        environment: of which it is.
        changes: whether anything would change, outputs included.
        add: resources to create.
        change: resources to change where they are.
        destroy: resources to destroy for good.
        replace: resources to destroy and create anew; they are in no other count.
        addresses_lost: addresses of the resources to destroy or replace, in order.
    """

    environment: str
    changes: bool
    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    addresses_lost: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """One sentence for people."""
        if not self.changes:
            return f"{self.environment}: nothing to do"
        counts = {
            "to add": self.add,
            "to change": self.change,
            "to destroy": self.destroy,
            "to replace": self.replace,
        }
        found = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.environment}: {found or 'outputs alone change'}"


def make_plan(root: Path, environment: str, output: Path, *, read_only: bool) -> Plan:
    """Initialise and plan an environment, and write the plan into a folder.

    Args:
        root: the checkout.
        environment: name of a folder of ``terraform/environments``.
        output: folder for what the plan is handed over in; a folder of the environment's name is
            made in it.
        read_only: take no lock on the state, for an identity that may only read it.

    Raises:
        EnvironmentUnknown: there is no such folder.
        ToolFailed: terraform is not there, or refused.
    """
    folder = _folder(root, environment)
    made = (output / environment).absolute()
    made.mkdir(parents=True, exist_ok=True)
    _run(folder, "init", "-input=false", "-no-color")
    plan = made / PLAN_FILE
    exit_code = _run(
        folder,
        "plan",
        "-input=false",
        "-no-color",
        "-detailed-exitcode",
        "-lock=false" if read_only else _LOCK_TIMEOUT,
        f"-out={plan}",
        accepted=(0, _CHANGES),
    )
    (made / TEXT_FILE).write_text(_read(folder, "show", "-no-color", str(plan)), "utf-8")
    summary = _summary(environment, exit_code, _read(folder, "show", "-json", str(plan)))
    (made / SUMMARY_FILE).write_text(json.dumps(asdict(summary)), "utf-8")
    if (lock := folder / LOCK_FILE).exists():
        shutil.copy(lock, made / LOCK_FILE)
    return summary


def apply_plan(root: Path, environment: str, plans: Path) -> Plan:
    """Apply a plan that was made before, and nothing else; terraform refuses one that is stale.

    Args:
        root: the checkout that the plan was made of.
        environment: name of the environment.
        plans: folder that :func:`make_plan` wrote into.

    Raises:
        EnvironmentUnknown: there is no such folder.
        PlanMissing: there is no plan of this environment.
        ToolFailed: terraform is not there, or refused.
    """
    folder = _folder(root, environment)
    made = (plans / environment).absolute()
    summary = read_plan(made)
    if summary.environment != environment:
        raise PlanMissing(made, f"the plan is one of {summary.environment}")
    if not summary.changes:
        return summary
    if (lock := made / LOCK_FILE).exists():
        shutil.copy(lock, folder / LOCK_FILE)
    _run(folder, "init", "-input=false", "-no-color")
    _run(folder, "apply", "-input=false", "-no-color", _LOCK_TIMEOUT, str(made / PLAN_FILE))
    return summary


def read_plan(folder: Path) -> Plan:
    """Return what the plan in a folder would do.

    Raises:
        PlanMissing: there is none.
    """
    try:
        found = json.loads((folder / SUMMARY_FILE).read_text("utf-8"))
    except OSError as error:
        raise PlanMissing(folder, "there is no plan") from error
    return Plan(**found | {"addresses_lost": tuple(found["addresses_lost"])})


def read_plans(folder: Path) -> Sequence[tuple[Plan, str]]:
    """Return the plans of all environments in a folder, by name, and their texts.

    Raises:
        PlanMissing: there is none at all.
    """
    found = sorted(file.parent for file in folder.glob(f"*/{SUMMARY_FILE}"))
    if not found:
        raise PlanMissing(folder, "there is no plan")
    return [(read_plan(each), (each / TEXT_FILE).read_text("utf-8")) for each in found]


def _folder(root: Path, environment: str) -> Path:
    environments = root / _ENVIRONMENTS
    known = sorted(file.parent.name for file in environments.glob("*/terraform.tfvars"))
    if environment not in known:
        raise EnvironmentUnknown(environment, known)
    return environments / environment


def _summary(environment: str, exit_code: int, shown: str) -> Plan:
    resources: list[dict[str, Any]] = json.loads(shown).get("resource_changes", [])
    counts: Counter[str] = Counter()
    lost = []
    for resource in resources:
        match resource["change"]["actions"]:
            case ["create"]:
                counts["add"] += 1
            case ["update"]:
                counts["change"] += 1
            case ["delete"]:
                counts["destroy"] += 1
                lost.append(resource["address"])
            case ["delete", "create"] | ["create", "delete"]:
                counts["replace"] += 1
                lost.append(resource["address"])
    return Plan(environment, exit_code == _CHANGES, **counts, addresses_lost=tuple(sorted(lost)))


def _run(folder: Path, *arguments: str, accepted: Sequence[int] = (0,)) -> int:
    """Run terraform with its output to the log, and return its exit code."""
    command = ("terraform", *arguments)
    say(f"$ {' '.join(command[:2])} in {folder.name}")
    try:
        done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603 - own arguments
    except FileNotFoundError as error:
        raise ToolFailed(command, "terraform is not installed") from error
    if done.returncode not in accepted:
        raise ToolFailed(command, f"exit code {done.returncode}; its output stands above")
    return done.returncode


def _read(folder: Path, *arguments: str) -> str:
    command = ("terraform", *arguments)
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - own arguments
    if done.returncode:
        raise ToolFailed(command, done.stderr)
    return done.stdout
