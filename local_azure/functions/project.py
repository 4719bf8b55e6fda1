"""Reads a project: host.json, local.settings.json and every function.json, with all mistakes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from local_azure.functions.binding_checks import HOST_STORAGE
from local_azure.functions.bindings import FunctionSpec, HttpTrigger
from local_azure.functions.checks import check_function
from local_azure.functions.connections import STORAGE_EXAMPLE, storage_connection
from local_azure.functions.errors import ProjectInvalid
from local_azure.functions.findings import Finding, did_you_mean
from local_azure.functions.host_json import HostOptions, read_host_json
from local_azure.functions.reader import Findings, read_json_object
from local_azure.functions.settings import Settings, read_settings

SETTINGS_FILE = "local.settings.json"
_NO_FUNCTIONS = frozenset({"tests", "node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Project:
    """A project that has passed every check.

    Attributes:
        root: its folder, absolute.
        host_id: names this project in the host's storage; the same at every start.
        functions: all of them, disabled ones included, by name.
    """

    root: Path
    host_id: str
    options: HostOptions
    settings: Settings
    functions: tuple[FunctionSpec, ...]

    @property
    def enabled(self) -> tuple[FunctionSpec, ...]:
        """The functions that are loaded and fired."""
        return tuple(spec for spec in self.functions if not spec.disabled)


def read_project(
    root: Path, environment: Mapping[str, str], settings_file: Path | None = None
) -> Project:
    """Read and check a project.

    Args:
        root: the folder that holds host.json.
        environment: the process environment, which wins over the settings file.
        settings_file: another settings file than ``local.settings.json`` in the project.

    Raises:
        ProjectInvalid: with every mistake that was found.
    """
    root = root.resolve()
    findings: Findings = []
    if not (root / "host.json").is_file():
        near = ", ".join(str(path.parent) for path in sorted(root.glob("*/host.json"))[:3])
        remedy = f"Did you mean the folder {near}?" if near else "Name the project with --project."
        raise ProjectInvalid(root, [Finding("host.json", None, "does not exist", remedy)])
    options = read_host_json(root, findings)
    default = root / SETTINGS_FILE
    file = settings_file or (default if default.is_file() else None)
    settings = read_settings(file, environment, findings)
    functions = _read_functions(root, options, settings, findings)
    _check_routes(functions, findings)
    _check_host_storage(functions, settings, findings)
    if findings:
        raise ProjectInvalid(root, findings)
    host_id = settings.get("AzureFunctionsWebHost__hostid") or _host_id(root)
    return Project(root, host_id, options, settings, functions)


def _read_functions(
    root: Path, options: HostOptions, settings: Settings, findings: Findings
) -> tuple[FunctionSpec, ...]:
    files = [
        path
        for path in sorted(root.glob("*/function.json"))
        if path.parent.name not in _NO_FUNCTIONS and not path.parent.name.startswith(".")
    ]
    if not files:
        findings.append(
            Finding(
                "*/function.json", None, "no function found", "Add a folder with function.json."
            )
        )
    names = {path.parent.name for path in files}
    for name in options.functions or ():
        if name not in names:
            findings.append(
                Finding("host.json", None, f"'functions' names '{name}'", did_you_mean(name, names))
            )
    specs: list[FunctionSpec] = []
    for path in files:
        if options.functions is not None and path.parent.name not in options.functions:
            continue
        raw = read_json_object(path, f"{path.parent.name}/function.json", findings)
        if raw is None:
            continue
        spec = check_function(raw, path.parent, settings, findings)
        if spec is not None:
            specs.append(spec)
    return tuple(specs)


def _check_routes(functions: tuple[FunctionSpec, ...], findings: Findings) -> None:
    http = [
        (spec, spec.trigger)
        for spec in functions
        if isinstance(spec.trigger, HttpTrigger) and not spec.disabled
    ]
    for (first, one), (second, other) in combinations(http, 2):
        same = route_text(first, one).casefold() == route_text(second, other).casefold()
        shared = not one.methods or not other.methods or set(one.methods) & set(other.methods)
        if same and shared:
            findings.append(
                Finding(
                    f"{second.name}/function.json",
                    other.name,
                    f"the route '{route_text(second, other)}' is also that of {first.name}",
                    "Give them different routes or methods.",
                )
            )


def route_text(spec: FunctionSpec, trigger: HttpTrigger) -> str:
    """The route of a function: its name when function.json gives none."""
    return trigger.route.text or spec.name


def _check_host_storage(
    functions: tuple[FunctionSpec, ...], settings: Settings, findings: Findings
) -> None:
    needy = [spec for spec in functions if not isinstance(spec.trigger, HttpTrigger)]
    if needy and storage_connection(settings, HOST_STORAGE) is None:
        findings.append(
            Finding(
                f"{needy[0].name}/function.json",
                needy[0].trigger.name,
                f"the setting '{HOST_STORAGE}' is missing, where the host keeps the state of "
                f"a {needy[0].trigger.kind}",
                f'Set it in {SETTINGS_FILE}, for example "{HOST_STORAGE}": "{STORAGE_EXAMPLE}", '
                "or in the environment.",
            )
        )


def _host_id(root: Path) -> str:
    slug = "".join(char if char.isalnum() else "-" for char in root.name.lower()).strip("-")
    return f"{slug[:20] or 'app'}-{hashlib.sha256(str(root).encode()).hexdigest()[:10]}"
