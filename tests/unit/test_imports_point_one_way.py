"""Functions and command lines use the engine, which uses the store, then rules, then the domain."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each part may import of the project, besides itself.
MAY_IMPORT = {
    "shared_code/domain": {"shared_code.errors"},
    "shared_code/rules": {"shared_code.errors", "shared_code.domain"},
    "shared_code/store": {
        "shared_code.errors",
        "shared_code.domain",
        "shared_code.rules",
        "shared_code.settings",
    },
    "shared_code/engine": {
        "shared_code.errors",
        "shared_code.domain",
        "shared_code.rules",
        "shared_code.settings",
        "shared_code.store",
        "shared_code.telemetry",
    },
    "shared_code/telemetry": {"shared_code.errors", "shared_code.domain"},
    "shared_code/web": {
        "shared_code.errors",
        "shared_code.domain",
        "shared_code.rules",
        "shared_code.settings",
        "shared_code.store",
    },
    "shared_code/worker": {"shared_code.web"},
    "shared_code/report": {"shared_code.domain", "shared_code.store"},
    "shared_code/web/dashboard": set(),
    "simulator": {"shared_code.domain"},
    "simulator/score": {
        "shared_code.domain",
        "shared_code.errors",
        "shared_code.settings",
        "shared_code.store",
        "simulator",
    },
    "local_azure": set(),
    "ProcessTransaction": {"shared_code"},
    "AggregateMetrics": {"shared_code"},
    "ReloadRules": {"shared_code"},
    "Dashboard": {"shared_code.web"},
    "Api": {"shared_code"},
    "Health": {"shared_code"},
    "Ready": {"shared_code"},
}
FUNCTIONS = (
    "ProcessTransaction",
    "AggregateMetrics",
    "ReloadRules",
    "Api",
    "Health",
    "Ready",
    "Dashboard",
)
# Files that are judged by themselves and not with the folder that they lie in.
APART = {"simulator": {"simulator/score"}}
PROJECT = {"shared_code", "simulator", "local_azure", "demo", "scoring", "bench"}
NO_SQL_NO_AZURE = ("sqlalchemy", "psycopg2", "alembic", "azure")


def imports_of(part: str) -> Iterator[tuple[Path, str]]:
    apart = [ROOT / each for each in APART.get(part, ())]
    for file in sorted((ROOT / part).rglob("*.py")):
        if any(file.is_relative_to(folder) for folder in apart):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file} imports relatively, which loads modules twice"
                yield file, node.module or ""


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_lies_below_it(part: str) -> None:
    allowed = MAY_IMPORT[part] | {part.replace("/", ".")}
    for file, module in imports_of(part):
        if module.partition(".")[0] in PROJECT:
            below = any(module == name or module.startswith(f"{name}.") for name in allowed)
            assert below, f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("part", ["shared_code/domain", "shared_code/rules"])
def test_domain_and_rules_know_neither_azure_nor_sql(part: str) -> None:
    for file, module in imports_of(part):
        assert not module.startswith(NO_SQL_NO_AZURE), f"{file.relative_to(ROOT)} imports {module}"


def test_cold_start_loads_no_data_science() -> None:
    heavy = {"pandas", "sklearn", "scipy"}
    for part in ("shared_code", *FUNCTIONS):
        for file in sorted((ROOT / part).rglob("*.py")):
            for node in ast.parse(file.read_text("utf-8")).body:
                names = {alias.name for alias in getattr(node, "names", [])}
                names.add(getattr(node, "module", None) or "")
                assert not {name.partition(".")[0] for name in names} & heavy, file
