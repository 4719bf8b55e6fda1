"""A release rehearsed: a checkout that is changed, the services of this machine, and payments.

Payments flow from the simulator while a workflow runs. Afterwards every table is held to the
simulator's ledger and to the oracle, as after a fault.
"""

import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from deploy_checkouts import FEW_LIBRARIES, ROOT, git, write
from deploy_stage import Stage
from fault_load import Load, Pipeline, settle
from fault_report import FaultCount
from rehearsal_workflow import Ran, Runner

from deploy.targets.target import Place

# A machine that builds and starts hosts meanwhile has little left.
_RATE: Final = 60.0


@dataclass(frozen=True)
class ReleasedParts:
    """The parts of a pipeline whose functions run as the target's production."""

    stage: Stage

    @property
    def settings(self) -> dict[str, str]:
        """App settings of production."""
        return self.stage.local.settings

    @property
    def folder(self) -> Path:
        """Where data and logs are kept."""
        return self.stage.local.folder

    @property
    def host(self) -> SimpleNamespace:
        """The host of what is production now."""
        return SimpleNamespace(url=self.stage.target.url(Place.PRODUCTION))


class Rehearsal:
    """Releases of one checkout to one target, and every payment that was sent meanwhile."""

    def __init__(self, stage: Stage, checkout: Path, variables: Mapping[str, str]) -> None:
        self.stage = stage
        self.checkout = checkout
        self.counts: list[FaultCount] = []
        settings = {**stage.environment, "DEPLOY_LIBRARIES": sysconfig.get_path("purelib")}
        self._runner = Runner(checkout, "production", variables, settings)
        self._pipeline = Pipeline(ReleasedParts(stage))

    def without_slot(self) -> "Rehearsal":
        """Return the same rehearsal on a plan that has no slots: what is published is live."""
        other = copy(self)
        variables = {"DEPLOY_TARGET": f"local-flex:{self.stage.folder}"}
        other._runner = replace(self._runner, variables=variables)
        return other

    def run(self, workflow: str) -> Sequence[Ran]:
        """Run a workflow's commands, without traffic."""
        return self._runner.run(workflow)

    def run_under_traffic(
        self, workflow: str, what: str, inputs: Mapping[str, str] | None = None
    ) -> Sequence[Ran]:
        """Run a workflow's commands while payments flow, then hold every table to the truth.

        Args:
            workflow: name of its file.
            what: is rehearsed, in a few words.
            inputs: of who starts it.
        """
        with Load(self._pipeline, rate=_RATE):
            ran = replace(self._runner, inputs=inputs or {}).run(workflow)
            ended = datetime.now(UTC)
        settle(self._pipeline, self._judge, what, [ended])
        return ran

    @contextmanager
    def changed(self, change: Callable[[Path], None]) -> Iterator[None]:
        """Commit a change to the checkout, and take it back afterwards."""
        change(self.checkout)
        commit(self.checkout)
        try:
            yield
        finally:
            git(self.checkout, "reset", "--quiet", "--hard", "HEAD^")

    def _judge(self, count: FaultCount) -> None:
        self.counts.append(count)
        assert count.lost == 0, f"{count.lost} events were lost"
        assert count.doubled == 0, f"{count.doubled} events were counted twice"
        assert count.stored + count.rejected == count.sent, count


def checkout_of_tree(folder: Path) -> Path:
    """Copy the tracked files as they are into a repository of their own, with one commit.

    Its packages hold few libraries: the hosts of this machine have the real ones.
    """
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            write(folder / name, (ROOT / name).read_bytes())
    write(folder / "requirements.txt", FEW_LIBRARIES.encode())
    git(folder, "init", "--quiet")
    # What the workflows leave behind belongs to no release.
    write(folder / ".git" / "info" / "exclude", b"/package/\n/restore-point.json\n")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commit everything that has changed."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a release")
