"""The deploy commands of a workflow, read from its file and run in its order.

Of a workflow that is as much understood as the release workflows use: jobs that need others, calls
of reusable workflows of this repository, variables and inputs in expressions, and steps that run
only after a failure. What is no deploy command (checking out, installing, logging in) belongs to
the runner and is left out, and so is what only Azure has. A condition that is not understood fails,
so that no step is left out unnoticed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

_COMMAND: Final = "python -m deploy "
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_CALL: Final = re.compile(r"[$.]/(\.github/workflows/.+)")
_SECONDS: Final = 900
_ON_MAIN: Final = "github.ref == 'refs/heads/main'"
_OUTCOME: Final = re.compile(r"steps\.(\w+)\.outcome != 'skipped'")
_INPUT: Final = re.compile(r"inputs\.(\w+) (==|!=) '(\w+)'")
# Where there is no Azure, there is nothing to ask of it or to tell it.
_OF_AZURE: Final = frozenset({"event-grid-subscription"})
_SERVER: Final = ' --server "$DATABASE_SERVER"'
# What takes its time in production need not here; how long is all that is changed.
_SHORTENED: Final = {
    "watch ": "watch --minutes 0.4 ",
    "smoke-test ": "smoke-test --seconds 60 ",
    " --minutes 10": "",
}


class Ran(NamedTuple):
    """A command that was run.

    Attributes:
        job: the job's name.
        command: name of the deploy command and its arguments.
        exit_code: of the step.
        said: standard output and errors.
    """

    job: str
    command: str
    exit_code: int
    said: str

    @property
    def name(self) -> str:
        """Name of the deploy command."""
        return self.command.split()[0]


@dataclass(frozen=True)
class Runner:
    """Runs the deploy commands of workflows of a checkout, as GitHub's runner would.

    Attributes:
        checkout: where the workflows lie, and where commands run.
        github_environment: of calls of reusable workflows, those for others are left out.
        variables: ``vars`` of the environment; one that is missing is empty, as it is there.
        settings: what steps find besides what the workflow gives them.
        inputs: of a workflow that somebody starts.
    """

    checkout: Path
    github_environment: str
    variables: Mapping[str, str]
    settings: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)

    def run(self, workflow: str) -> Sequence[Ran]:
        """Run a workflow up to its end or its first failure, and then what is to be done about it.

        Args:
            workflow: name of its file.
        """
        return list(self._workflow(f".github/workflows/{workflow}"))

    def _workflow(self, path: str) -> Iterator[Ran]:
        jobs = yaml.safe_load((self.checkout / path).read_text("utf-8"))["jobs"]
        failed: set[str] = set()
        for name, job in jobs.items():
            needed = job.get("needs", [])
            if failed & set([needed] if isinstance(needed, str) else needed):
                failed.add(name)
                continue
            assert job.get("if", _ON_MAIN) == _ON_MAIN, f"{path}: {name}: {job['if']}"
            for ran in self._job(name, job):
                yield ran
                if ran.exit_code:
                    failed.add(name)

    def _job(self, name: str, job: Mapping[str, Any]) -> Iterator[Ran]:
        if called := _CALL.fullmatch(job.get("uses", "")):
            if job["with"]["environment"] == self.github_environment:
                yield from self._workflow(called[1])
            return
        failed, begun = False, set[str]()
        for step in job["steps"]:
            script = step.get("run", "")
            if _COMMAND not in script or not self._runs(step.get("if", ""), failed, begun):
                continue
            begun.add(step.get("id", ""))
            if script.partition(_COMMAND)[2].split()[0] in _OF_AZURE:
                continue
            ran = self._step(name, _here(script), job.get("env", {}) | step.get("env", {}))
            failed = failed or ran.exit_code != 0
            yield ran

    def _step(self, job: str, script: str, values: Mapping[str, Any]) -> Ran:
        filled = {name: self._filled(str(value)) for name, value in values.items()}
        given = {name: value for name, value in filled.items() if value}
        environment = os.environ | self.settings | given
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        command = script.partition(_COMMAND)[2].strip()
        return Ran(job, command, done.returncode, done.stdout)

    def _filled(self, text: str) -> str:
        known = {f"vars.{name}": value for name, value in self.variables.items()}
        known |= {f"inputs.{name}": value for name, value in self.inputs.items()}
        known["github.actor"] = "rehearsal"
        return _EXPRESSION.sub(lambda found: known.get(found[1], ""), text)

    def _runs(self, condition: str, failed: bool, begun: AbstractSet[str]) -> bool:  # noqa: FBT001 - of a step
        """Tell whether a step runs; without a condition only while nothing has failed."""
        found = condition.removeprefix("${{").removesuffix("}}").strip() or "success()"
        parts = [each.strip() for each in found.split("&&")]
        if not any("()" in each for each in parts):
            parts.append("success()")
        return all(self._holds(each, failed, begun) for each in parts)

    def _holds(self, condition: str, failed: bool, begun: AbstractSet[str]) -> bool:  # noqa: FBT001 - of a step
        if outcome := _OUTCOME.fullmatch(condition):
            return outcome[1] in begun
        if given := _INPUT.fullmatch(condition):
            return (self.inputs[given[1]] == given[3]) is (given[2] == "==")
        match condition:
            case "success()":
                return not failed
            case "failure()" | "!success()":
                return failed
            case "always()" | "!cancelled()":
                return True
        message = f"a condition that the rehearsal does not know: {condition}"
        raise AssertionError(message)


def _here(script: str) -> str:
    """Return a command as it runs on this machine: sooner, and without Azure."""
    for of_production, here in {**_SHORTENED, _SERVER: ""}.items():
        script = script.replace(of_production, here)
    return script
