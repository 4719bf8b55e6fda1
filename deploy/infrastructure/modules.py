"""A folder of Terraform's files as what it declares."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.expressions import Reference, literal, references
from deploy.infrastructure.findings import Place
from deploy.infrastructure.hcl import Attribute, Block, read_file

_NO_REFERENCES: Final = frozenset({"ignore_changes", "provider", "providers", "type"})


@dataclass(frozen=True)
class Module:
    """The ``.tf`` files of one folder, which Terraform reads as one.

    Attributes:
        folder: relative to the folder of the project.
        files: by their path.
    """

    folder: Path
    files: tuple[Block, ...]

    @cached_property
    def variables(self) -> Mapping[str, Block]:
        """Blocks ``variable`` by name."""
        return {each.labels[0]: each for each in self.of_kind("variable")}

    @cached_property
    def outputs(self) -> Mapping[str, Block]:
        """Blocks ``output`` by name."""
        return {each.labels[0]: each for each in self.of_kind("output")}

    @cached_property
    def calls(self) -> Mapping[str, Block]:
        """Blocks ``module`` by name."""
        return {each.labels[0]: each for each in self.of_kind("module")}

    @cached_property
    def resources(self) -> Mapping[tuple[str, str], Block]:
        """Blocks ``resource`` by type and name."""
        return {each.labels[:2]: each for each in self.of_kind("resource")}  # type: ignore[misc]

    @cached_property
    def data_sources(self) -> Mapping[tuple[str, str], Block]:
        """Blocks ``data`` by type and name."""
        return {each.labels[:2]: each for each in self.of_kind("data")}  # type: ignore[misc]

    @cached_property
    def local_values(self) -> Mapping[str, Attribute]:
        """What the blocks ``locals`` hold, by name."""
        return {value.name: value for each in self.of_kind("locals") for value in each.attributes}

    @cached_property
    def uses(self) -> Sequence[tuple[Reference, Place]]:
        """Every reference in the module, with where it stands."""
        return [
            (reference, Place(attribute.place.file, reference.line))
            for file in self.files
            for block in file.walk()
            for attribute in block.attributes
            if attribute.name not in _NO_REFERENCES or block.kind == "locals"
            for reference in references(attribute.value)
        ]

    def of_kind(self, kind: str) -> Iterator[Block]:
        """Yield the outermost blocks of a kind."""
        for file in self.files:
            yield from file.of_kind(kind)


def read_modules(folder: Path, root: Path) -> Sequence[Module]:
    """Return every module in a folder and below, by its path; paths are relative to ``root``.

    Raises:
        FileUnreadable: a file is no HCL, or there is none: a check of nothing would pass.
    """
    files: dict[Path, list[Block]] = {}
    for file in sorted(folder.rglob("*.tf")):
        if ".terraform" not in file.parts:
            files.setdefault(file.parent.relative_to(root), []).append(read_file(file, root))
    if not files:
        raise FileUnreadable(folder.relative_to(root), "holds no .tf file")
    return [Module(each, tuple(blocks)) for each, blocks in files.items()]


def called_folder(caller: Module, call: Block) -> Path | None:
    """Return the folder that a module call names; None if it is none of this project."""
    attribute = call.attribute("source")
    source = literal(attribute.value) if attribute else None
    if source is None or source.text is None or not source.text.startswith("."):
        return None
    parts: list[str] = []
    for part in (*caller.folder.parts, *Path(source.text).parts):
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return Path(*parts)
