"""Keys of HTTP functions, for ``--enforce-keys``; Core Tools asks a developer for none."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_azure.functions.bindings import AuthLevel
from local_azure.functions.errors import KeysMissing
from local_azure.functions.reader import Findings, read_json_object

KEYS_FILE = "local.secrets.json"
_EXAMPLE = (
    '{"master": "m...", "host": {"default": "h..."}, "functions": {"Api": {"default": "f..."}}}'
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that open functions.

    Attributes:
        master: opens everything, the admin endpoint included.
        host: named keys that open every function of level ``function``.
        functions: named keys of single functions.
    """

    master: str
    host: Mapping[str, str]
    functions: Mapping[str, Mapping[str, str]]

    def opens(self, level: AuthLevel, function: str, given: str | None) -> bool:
        """Tell whether a key suffices for a function."""
        if level is AuthLevel.ANONYMOUS:
            return True
        fitting = [self.master]
        if level is AuthLevel.FUNCTION:
            fitting += [*self.host.values(), *self.functions.get(function, {}).values()]
        key = (given or "").encode()
        return any(hmac.compare_digest(key, each.encode()) for each in fitting)


def read_keys(file: Path) -> Keys:
    """Read a file of keys.

    Raises:
        KeysMissing: it is absent or wrong; the message shows an example.
    """
    findings: Findings = []
    raw = read_json_object(file, file.name, findings)
    if raw is None:
        msg = f"--enforce-keys needs keys. {findings[0]} Example: {_EXAMPLE}"
        raise KeysMissing(msg)
    master = raw.get("master")
    host = raw.get("host", {})
    functions = raw.get("functions", {})
    good = (
        isinstance(master, str)
        and bool(master)
        and _is_keys(host)
        and isinstance(functions, dict)
        and all(_is_keys(keys) for keys in functions.values())
    )
    if not good:
        msg = f"{file.name} does not hold keys of the right shape. Example: {_EXAMPLE}"
        raise KeysMissing(msg)
    named = functions if isinstance(functions, dict) else {}
    return Keys(str(master), _strings(host), {name: _strings(each) for name, each in named.items()})


def _is_keys(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) and key for key in value.values())


def _strings(value: object) -> dict[str, str]:
    return dict(value) if isinstance(value, dict) else {}
