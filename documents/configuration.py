"""The page of all settings: app settings, host.json and the bindings of each function."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from documents.markdown import table
from shared_code.app_settings import APP_SETTINGS, AppSetting, WholeNumber

_HEAD: Final = """\
# Configuration

Made by `python -m documents write` from `shared_code/app_settings.py`, `host.json` and each
`function.json`. What a rule, a clustering or a simulation can be set to is in
[rules.md](rules.md), [clustering.md](clustering.md) and
[simulator/configuration.md](simulator/configuration.md); what is started on one machine in
`local_azure.yaml`; sizes and retention in Azure in `terraform/environments`.

A missing or wrong setting stops the functions at start with one sentence that names it. Secrets are
never shown; in Azure they are references to Key Vault.

## App settings
"""
_CONNECTIONS: Final = """\
## Connections

A connection is an app setting of its name with a connection string, or, with a managed identity,
these beside it:
"""
_CONNECTION_SETTINGS: Final = (
    ("`EventHubConnection__fullyQualifiedNamespace`", "`NAMESPACE.servicebus.windows.net`"),
    (
        "`RulesStorage__blobServiceUri`, `RulesStorage__queueServiceUri`",
        "endpoints of the storage account; a blob trigger keeps its work in a queue",
    ),
    (
        "`AzureWebJobsStorage__blobServiceUri`, `__queueServiceUri`, `__tableServiceUri`",
        "the same for the host's own checkpoints, locks and timers",
    ),
    (
        "`NAME__credential`, `NAME__clientId`",
        "`managedidentity` and the client id of a user-assigned identity",
    ),
)
_ENVIRONMENT_OF_TESTS: Final = (
    ("`TEST_DATABASE_URL`", "tests use this PostgreSQL (a superuser's URL) and start none"),
    (
        "`DATABASE_THROUGH=pgbouncer`",
        "end-to-end tests reach the database through PgBouncer in transaction mode",
    ),
    ("`FAULTS=full`", "every fault as often as it takes to believe; `tox run -e faults` sets it"),
    ("`DELIVERY=full`", "every rehearsal of a delivery; `tox run -e delivery` sets it"),
)
_SETTING_IN_BINDING: Final = re.compile("%([A-Z_]+)%")


def configuration(root: Path) -> str:
    """Return the page as Markdown.

    Args:
        root: of the repository.
    """
    return "\n".join(_lines(root))


def _lines(root: Path) -> Iterator[str]:
    yield _HEAD
    yield from table(
        ["setting", "meaning", "default", "allowed"],
        (
            [f"`{setting.name}`", setting.meaning, _default(setting), _allowed(setting)]
            for setting in APP_SETTINGS
        ),
    )
    yield ""
    functions = _functions(root)
    read = {
        name
        for bindings in functions.values()
        for name in _SETTING_IN_BINDING.findall(json.dumps(bindings))
    }
    of_host = ", ".join(f"`{name}`" for name in sorted(read - {s.name for s in APP_SETTINGS}))
    yield f"The host puts {of_host} into the bindings below."
    yield ""
    yield _CONNECTIONS
    yield from table(["setting", "holds"], _CONNECTION_SETTINGS)
    yield ""
    yield "## Functions"
    yield ""
    for name, function in functions.items():
        yield from _function(name, function)
    yield "## host.json"
    yield ""
    host = json.loads((root / "host.json").read_text("utf-8"))
    yield from table(["key", "value"], ([f"`{key}`", f"`{value}`"] for key, value in _flat(host)))
    yield ""
    yield "## Environment of tests"
    yield ""
    yield from table(["variable", "does"], _ENVIRONMENT_OF_TESTS)
    yield ""


def _default(setting: AppSetting) -> str:
    return f"`{setting.example}`" if setting.has_default else ""


def _allowed(setting: AppSetting) -> str:
    if isinstance(setting, WholeNumber):
        return f"{setting.least:,} to {setting.most:,}"
    return "secret" if setting.secret else f"such as `{setting.example}`"


def _functions(root: Path) -> dict[str, dict[str, Any]]:
    return {
        file.parent.name: json.loads(file.read_text("utf-8"))
        for file in sorted(root.glob("*/function.json"))
    }


def _function(name: str, function: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield from table(
        ["binding", "type", "set to"],
        (
            [
                f"`{binding['name']}`",
                f"{binding['type']}, {binding['direction']}",
                "; ".join(f"{key} `{value}`" for key, value in _flat(binding) if key not in _NAMED),
            ]
            for binding in function["bindings"]
        ),
    )
    yield ""
    if "retry" in function:
        yield "Retry: " + "; ".join(f"{k} `{v}`" for k, v in _flat(function["retry"])) + "."
        yield ""


_NAMED: Final = frozenset({"name", "type", "direction"})


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner if isinstance(inner, str) else json.dumps(inner)
