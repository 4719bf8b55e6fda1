"""What every workflow here keeps to, beyond what GitHub asks for."""

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Final

import yaml

from deploy.__main__ import COMMANDS, command_line
from deploy.infrastructure.findings import Finding, did_you_mean
from deploy.infrastructure.workflow_files import Text, Workflow, entries, text

# By the folder of the job, or by the commit of the workflow itself.
OF_THIS_REPOSITORY: Final = ("./", "$/")
_PINNED: Final = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
_VERSION: Final = re.compile(r"#\s*v?\d+(\.\d+)*\b")
_CALL: Final = re.compile(r"python -m deploy\b((?:\\\n|[^\n])*)")
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# In a line of usage, what need not be given, and choices between several.
_NOT_NEEDED: Final = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_END_OF_COMMAND: Final = frozenset("();<>|&")


def check_rules(workflow: Workflow) -> Iterator[Finding]:
    """Yield where a workflow leaves an action unpinned, a right too wide or a job without end."""
    yield from _check_pins(workflow)
    yield from _check_rights(workflow)
    for job in workflow.jobs():
        # GitHub takes no time limit where a job is another workflow, whose own jobs have theirs.
        if "uses" not in job.entries and "timeout-minutes" not in job.entries:
            yield Finding(job.place, f"job {job.name} has no timeout-minutes")
    for script in workflow.scripts():
        yield from _check_calls(workflow, script)


def check_reuse(workflow: Workflow, workflows: Mapping[Path, Workflow]) -> Iterator[Finding]:
    """Yield where a workflow calls one of these that is not there, or gives it the wrong inputs."""
    for job in workflow.jobs():
        used = text(job.entries["uses"].value).text if "uses" in job.entries else ""
        if not used.startswith(OF_THIS_REPOSITORY):
            continue
        called = workflows.get(Path(used[len("./") :]))
        if called is None:
            yield Finding(job.place, f"job {job.name} calls {used}, which is not there")
            continue
        given = entries(job.entries["with"].value) if "with" in job.entries else {}
        inputs = called.inputs()
        for name, (line, _) in given.items():
            if name not in inputs:
                meant = did_you_mean(name, inputs)
                yield Finding(workflow.place(line), f"{called.file} has no input {name}{meant}")
        for name, needed in inputs.items():
            if needed and name not in given:
                yield Finding(job.place, f"job {job.name} lacks the input {name} of {called.file}")


def calls(script: Text) -> Iterator[tuple[int, list[str]]]:
    """Yield line and arguments of each ``python -m deploy`` in a script."""
    whole = script.for_shell()
    for match in _CALL.finditer(whole):
        words = shlex.shlex(match[1].replace("\\\n", " "), posix=True, punctuation_chars=True)
        words.whitespace_split = True
        arguments: list[str] = []
        for word in words:
            if set(word) <= _END_OF_COMMAND:
                break
            arguments.append(word)
        yield script.line + whole[: match.start()].count("\n"), arguments


def _check_pins(workflow: Workflow) -> Iterator[Finding]:
    for used, line in workflow.uses():
        place = workflow.place(line)
        if used.startswith(OF_THIS_REPOSITORY):
            continue
        if not _PINNED.fullmatch(used):
            yield Finding(place, f"{used} is not pinned to the 40 digits of a commit")
        elif not _VERSION.search(workflow.lines[line - 1]):
            yield Finding(place, f"{used} has no comment with its version: uses: ... # v1.2.3")


def _check_rights(workflow: Workflow) -> Iterator[Finding]:
    rights = workflow.entries.get("permissions")
    if rights is None:
        yield Finding(workflow.place(1), "no permissions: the token may do what the defaults allow")
    for owner, given in (
        ("the workflow", rights),
        *((f"job {job.name}", job.entries.get("permissions")) for job in workflow.jobs()),
    ):
        if given is None:
            continue
        if isinstance(given.value, yaml.ScalarNode):
            found = f"{owner} has permissions {given.value.value}: name each that is needed"
            yield Finding(workflow.place(given.line), found)
        for right, (line, value) in entries(given.value).items():
            if text(value).text == "write" and given is rights:
                found = f"every job may write {right}: give it to the job that needs it"
                yield Finding(workflow.place(line), found)


def _check_calls(workflow: Workflow, script: Text) -> Iterator[Finding]:
    for line, arguments in calls(script):
        name, *rest = arguments or [""]
        if name not in COMMANDS:
            found = f"python -m deploy has no command {name}{did_you_mean(name, COMMANDS)}"
            yield Finding(workflow.place(line), found)
            continue
        usage, _, explained = _help(name).partition("\n\n")
        known = set(_OPTION.findall(usage + explained))
        given = {each.partition("=")[0] for each in rest if each.startswith("--")}
        for option in sorted(given - known):
            found = f"deploy {name} has no option {option}{did_you_mean(option, known)}"
            yield Finding(workflow.place(line), found)
        for option in sorted(set(_OPTION.findall(_needed(usage))) - given):
            yield Finding(workflow.place(line), f"deploy {name} lacks {option}")


@cache
def _help(name: str) -> str:
    shown = StringIO()
    try:
        with redirect_stdout(shown):
            command_line(name).parse_args([name, "--help"])
    except SystemExit:  # the way of argparse to end a help
        pass
    return shown.getvalue()


def _needed(usage: str) -> str:
    """Return a line of usage without what need not be given."""
    shorter = _NOT_NEEDED.sub("", usage)
    return shorter if shorter == usage else _needed(shorter)
