"""App settings: ``Values`` of local.settings.json, over which the process environment wins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_azure.functions.findings import Finding, nearest
from local_azure.functions.reader import Findings, ObjectReader, read_json_object

_PLACEHOLDER = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class Settings:
    """The app settings that the functions see.

    Attributes:
        values: name to value, the environment's already merged in.
        own: the entries that come from the settings file, which the host must put into the
            environment before the worker loads.
        http_port: ``Host.LocalHttpPort`` of the file, if it stands there.
    """

    values: Mapping[str, str]
    own: Mapping[str, str] = field(default_factory=dict)
    http_port: int | None = None

    def get(self, name: str) -> str | None:
        """The value of a setting; an empty one counts as missing, as in Azure."""
        return self.values.get(name) or None

    def flag(self, name: str) -> bool:
        """Tell whether a setting says true."""
        return (self.get(name) or "").strip().casefold() in {"true", "1"}

    def resolve(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Fill in ``%Name%``.

        Returns:
            the text, and the names of settings that are missing.
        """
        missing: list[str] = []

        def fill(match: re.Match[str]) -> str:
            value = self.get(match[1])
            if value is None:
                missing.append(match[1])
                return match[0]
            return value

        return _PLACEHOLDER.sub(fill, text), tuple(missing)

    def is_disabled(self, function: str) -> bool:
        """Tell whether ``AzureWebJobs.<Function>.Disabled`` is true.

        Environment variables with dots are impossible in some shells, so that the spellings with
        underscores count as well.
        """
        spellings = (
            f"AzureWebJobs.{function}.Disabled",
            f"AzureWebJobs__{function}__Disabled",
            f"AzureWebJobs_{function}_Disabled",
        )
        return any(self.flag(name) for name in spellings)


def read_settings(
    file: Path | None, environment: Mapping[str, str], findings: Findings
) -> Settings:
    """Read the settings file, if there is one, below the environment.

    Args:
        file: local.settings.json; None when the project has none.
        environment: the process environment.
        findings: takes every mistake.
    """
    if file is None:
        return Settings(dict(environment))
    raw = read_json_object(file, file.name, findings)
    if raw is None:
        return Settings(dict(environment))
    reader = ObjectReader(raw, file.name, findings)
    if reader.boolean("IsEncrypted", default=False):
        reader.wrong(
            "'IsEncrypted' is true", "Decrypt it with `func settings decrypt`, or set it to false."
        )
    host = reader.child("Host")
    port = host.integer("LocalHttpPort", 0, 1, 65535) or None
    reader.ignore("ConnectionStrings", "Values")
    reader.close()
    own = _values(raw.get("Values"), file.name, findings)
    fresh = {name: value for name, value in own.items() if name not in environment}
    settings = Settings({**own, **environment}, fresh, port)
    runtime = settings.get("FUNCTIONS_WORKER_RUNTIME")
    if runtime not in {None, "python"}:
        findings.append(
            Finding(
                file.name,
                None,
                f"'FUNCTIONS_WORKER_RUNTIME' is '{runtime}'",
                "This host runs Python functions: write 'python'.",
            )
        )
    return settings


def _values(raw: object, file: str, findings: Findings) -> dict[str, str]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        findings.append(
            Finding(file, None, "'Values' is no object", 'Write {"Values": {"Name": "value"}}.')
        )
        return {}
    values: dict[str, str] = {}
    for name, value in raw.items():
        if isinstance(value, str):
            values[name] = value
        else:
            findings.append(
                Finding(
                    file,
                    None,
                    f"the setting '{name}' is {type(value).__name__}, not a string",
                    "Settings become environment variables: put its value in quotes.",
                )
            )
    return values


def suggest_setting(name: str, settings: Settings) -> str:
    """Name the setting that was probably meant, or nothing."""
    # The environment holds many names that have nothing to do with it: only a slip counts.
    near = nearest(name, settings.values, likeness=0.8)
    return f"Did you mean '{near}'? " if near else ""
