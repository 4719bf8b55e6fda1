"""Every check of the workflows and of the shell scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.infrastructure.findings import Finding
from deploy.infrastructure.workflow_files import read_workflows
from deploy.infrastructure.workflow_rules import calls, check_reuse, check_rules
from deploy.infrastructure.workflow_tools import (
    check_schema,
    check_security,
    check_shell,
    shell_scripts,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and in how much."""

    findings: Sequence[Finding]
    workflows: int
    jobs: int
    actions: int
    scripts: int
    commands: int

    def __str__(self) -> str:
        return (
            f"{self.workflows} workflows, {self.jobs} jobs, {self.actions} uses of actions,"
            f" {self.scripts} scripts, {self.commands} calls of deploy:"
            f" {len(self.findings)} findings"
        )


def check_workflows(root: Path) -> Verdict:
    """Check every workflow and shell script of a checkout.

    Raises:
        FileUnreadable: a workflow is no YAML, or there is none.
        ToolFailed: a program that judges them cannot be run.
    """
    workflows = read_workflows(root)
    scripts = shell_scripts(root)
    blocks = [(each, script) for each in workflows for script in each.scripts()]
    findings = list(check_schema(workflows, root))
    # zizmor leaves out what is no workflow, and may then have nothing to read.
    if not findings:
        findings += check_security(root)
    findings += check_shell(scripts, blocks, root)
    by_file = {each.file: each for each in workflows}
    for each in workflows:
        findings += check_rules(each)
        findings += check_reuse(each, by_file)
    return Verdict(
        findings=sorted(set(findings)),
        workflows=len(workflows),
        jobs=sum(1 for each in workflows for _ in each.jobs()),
        actions=sum(1 for each in workflows for _ in each.uses()),
        scripts=len(scripts) + len(blocks),
        commands=sum(1 for _, script in blocks for _ in calls(script)),
    )
