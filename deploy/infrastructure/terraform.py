"""Every check of the Terraform, over every module."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.infrastructure.arguments import check_arguments
from deploy.infrastructure.conventions import check_conventions
from deploy.infrastructure.findings import Finding
from deploy.infrastructure.modules import Module, read_modules
from deploy.infrastructure.schema import Schema
from deploy.infrastructure.wiring import check_wiring


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and in how much: a check of nothing finds nothing, too."""

    findings: Sequence[Finding]
    modules: int
    resources: int
    data_sources: int
    calls: int
    arguments: int

    def __str__(self) -> str:
        return (
            f"{self.modules} modules, {self.resources} resources, {self.data_sources} data sources,"
            f" {self.calls} module calls, {self.arguments} arguments: {len(self.findings)} findings"
        )


def check_terraform(folder: Path, root: Path, schema: Schema) -> Verdict:
    """Check every module in a folder; places are relative to ``root``.

    Raises:
        FileUnreadable: a file is no HCL.
    """
    modules = read_modules(folder, root)
    by_folder = {each.folder: each for each in modules}
    findings = {
        finding
        for module in modules
        for check in (
            check_arguments(module, schema),
            check_wiring(module, by_folder, schema),
            check_conventions(module, schema),
        )
        for finding in check
    }
    return Verdict(
        findings=sorted(findings),
        modules=len(modules),
        resources=sum(len(each.resources) for each in modules),
        data_sources=sum(len(each.data_sources) for each in modules),
        calls=sum(len(each.calls) for each in modules),
        arguments=sum(map(_arguments, modules)),
    )


def _arguments(module: Module) -> int:
    return sum(
        len(block.attributes)
        for kind in ("resource", "data", "module", "provider")
        for outer in module.of_kind(kind)
        for block in outer.walk()
    )
