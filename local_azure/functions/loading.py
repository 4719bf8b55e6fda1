"""Loads every function into the worker and reports all that it refuses, each cause once."""

import re
from pathlib import Path

from local_azure.functions.bindings import FunctionSpec
from local_azure.functions.errors import FunctionLoadFailed, ProjectInvalid
from local_azure.functions.findings import Finding
from local_azure.functions.project import Project
from local_azure.functions.worker import Worker

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


def load_functions(project: Project, worker: Worker, *, verbose: bool) -> None:
    """Load every enabled function.

    Args:
        project: the project, checked.
        worker: started with the same project.
        verbose: show whole stack traces rather than the place in the project.

    Raises:
        ProjectInvalid: the worker refused some.
    """
    failures: dict[tuple[str, str], list[FunctionSpec]] = {}
    for spec in project.enabled:
        try:
            worker.load(spec)
        except FunctionLoadFailed as error:
            trace = error.stack_trace if verbose else _place(error.stack_trace, project.root)
            # Settings that are read at import fail in every function: that is one mistake.
            failures.setdefault((error.worker_message, trace), []).append(spec)
    if failures:
        findings = [
            _finding(message, trace, specs, project.root)
            for (message, trace), specs in failures.items()
        ]
        raise ProjectInvalid(project.root, findings)


def _finding(message: str, trace: str, specs: list[FunctionSpec], root: Path) -> Finding:
    files = ", ".join(spec.script_file.relative_to(root).as_posix() for spec in specs)
    text = message.strip().rstrip(".")
    if message.startswith("FunctionLoadError"):
        folders = " and ".join(f"{spec.name}/function.json" for spec in specs)
        return Finding(files, None, text, f"Make the code and {folders} agree.")
    if not trace:
        return Finding(files, None, text, "Mend one of the two.")
    where = f":\n{trace}" if "\n" in trace else f" at {trace}."
    return Finding(files, None, text, f"It was raised while the module was imported{where}")


def _place(trace: str, root: Path) -> str:
    """The innermost frame in the project, or in anything when the project is not in the trace."""
    frames = _FRAME.findall(trace)
    own = [frame for frame in frames if Path(frame[0]).is_relative_to(root)]
    if not frames:
        return ""
    path, line = (own or frames)[-1]
    shown = Path(path).relative_to(root).as_posix() if own else path
    return f"{shown}:{line}"
