"""GitHub's workflows as jobs and steps that know their lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.findings import Place

# What GitHub fills in before a shell sees the text.
_EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_STEP_OF_PATH: Final = re.compile(r"\.([\w-]+)|\['([^']*)'\]|\[(\d+)\]")


class Text(NamedTuple):
    """A value of one piece; ``line`` is where its first line stands."""

    text: str
    line: int

    def for_shell(self) -> str:
        """Return it with a word for each expression that GitHub fills in, line by line as it is."""
        return _EXPRESSION.sub(lambda match: "expression" + "\n" * match[0].count("\n"), self.text)


class Entry(NamedTuple):
    """A value of a mapping, and the line of its key."""

    line: int
    value: yaml.Node


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a workflow."""

    name: str
    place: Place
    entries: Mapping[str, Entry]

    def steps(self) -> Iterator[Mapping[str, Entry]]:
        """Yield what each step says."""
        listed = self.entries.get("steps")
        if listed and isinstance(listed.value, yaml.SequenceNode):
            yield from map(entries, listed.value.value)


@dataclass(frozen=True, slots=True)
class Workflow:
    """One file; ``lines`` are its text, for the comments that YAML leaves out."""

    file: Path
    root: yaml.Node
    lines: Sequence[str]

    @property
    def entries(self) -> Mapping[str, Entry]:
        """What stands outermost."""
        return entries(self.root)

    def place(self, line: int) -> Place:
        """Return a line of this file."""
        return Place(self.file, line)

    def jobs(self) -> Iterator[Job]:
        """Yield the jobs in their order."""
        listed = self.entries.get("jobs")
        for name, (line, value) in entries(listed.value).items() if listed else ():
            yield Job(name, self.place(line), entries(value))

    def uses(self) -> Iterator[Text]:
        """Yield every action and every workflow that is used."""
        for job in self.jobs():
            for each in (job.entries, *job.steps()):
                if "uses" in each:
                    yield text(each["uses"].value)

    def scripts(self) -> Iterator[Text]:
        """Yield every script that a shell runs."""
        for job in self.jobs():
            for step in job.steps():
                if "run" in step and "shell" not in step:
                    yield text(step["run"].value)

    def inputs(self) -> Mapping[str, bool]:
        """Return what a workflow takes that others call, and whether they have to give it."""
        node = self.root
        for key in ("on", "workflow_call", "inputs"):
            if key not in entries(node):
                return {}
            node = entries(node)[key].value
        return {
            name: "required" in (said := entries(value))
            and text(said["required"].value).text == "true"
            for name, (_, value) in entries(node).items()
        }

    def line_of(self, path: str) -> int:
        """Return the line of a JSON path, such as ``$.jobs.test.steps[0]``."""
        node, line = self.root, 1
        for name, quoted, index in _STEP_OF_PATH.findall(path):
            if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
                node = node.value[int(index)]
                line = node.start_mark.line + 1
            elif (found := entries(node).get(name or quoted)) is not None:
                line, node = found
        return line


def read_workflows(root: Path) -> Sequence[Workflow]:
    """Return the workflows of a checkout, by name.

    Raises:
        FileUnreadable: a file is no YAML, or there is none: a check of nothing would pass.
    """
    folder = root / ".github" / "workflows"
    files = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    if not files:
        raise FileUnreadable(folder.relative_to(root), "holds no workflow")
    return [_read(file, root) for file in files]


def entries(node: yaml.Node) -> Mapping[str, Entry]:
    """Return what a mapping holds; nothing if the node is none."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: Entry(key.start_mark.line + 1, value) for key, value in node.value}


def text(node: yaml.Node) -> Text:
    """Return a value of one piece; that of lists and mappings is empty."""
    if not isinstance(node, yaml.ScalarNode):
        return Text("", node.start_mark.line + 1)
    first = 2 if node.style in {"|", ">"} else 1
    return Text(node.value, node.start_mark.line + first)


def _read(file: Path, root: Path) -> Workflow:
    shown = file.relative_to(root)
    try:
        content = file.read_text("utf-8")
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileUnreadable(shown, f"no YAML: {error}") from error
    if node is None:
        raise FileUnreadable(shown, "is empty")
    return Workflow(shown, node, content.splitlines())
