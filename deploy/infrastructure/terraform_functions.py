"""The functions of Terraform that this project's files call."""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from deploy.infrastructure.errors import NotEvaluated


def _flatten(values: Iterable[Any]) -> list[Any]:
    return [
        inner for each in values for inner in (_flatten(each) if isinstance(each, list) else [each])
    ]


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in maps:
        merged |= dict(each or {})
    return merged


def _one(values: list[Any]) -> Any:
    if len(values) > 1:
        raise NotEvaluated("one of several values")
    return values[0] if values else None


def _regex(pattern: str, text: str) -> str:
    found = re.search(pattern.replace("[[:space:]]", r"\s").replace("[:space:]", r"\s"), text)
    if found is None:
        msg = f"{pattern} in {text}"
        raise NotEvaluated(msg)
    return found[0]


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return re.sub(old[1:-1], new, text)
    return text.replace(old, new)


def _cidrsubnet(prefix: str, bits: int, number: int) -> str:
    network = ipaddress.ip_network(prefix)
    size = network.max_prefixlen - network.prefixlen - bits
    start = int(network.network_address) + (number << size)
    return str(ipaddress.ip_network((start, network.prefixlen + bits)))


def _cidrhost(prefix: str, number: int) -> str:
    return str(ipaddress.ip_network(prefix)[number])


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _unique(values: Iterable[Any]) -> list[Any]:
    return sorted(set(values))


def _first(*values: Any) -> Any:
    for each in values:
        if each not in {None, ""}:
            return each
    raise NotEvaluated("coalesce of nothing")


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "alltrue": all,
    "anytrue": any,
    "cidrhost": _cidrhost,
    "cidrsubnet": _cidrsubnet,
    "coalesce": _first,
    "compact": lambda texts: [each for each in texts if each not in {None, ""}],
    "concat": lambda *lists: [value for each in lists for value in each],
    "contains": lambda values, value: value in values,
    "endswith": lambda text, end: text.endswith(end),
    "flatten": _flatten,
    "format": lambda pattern, *values: pattern % values,
    "index": lambda values, value: values.index(value),
    "join": lambda separator, values: separator.join(map(str, values)),
    "jsondecode": json.loads,
    "jsonencode": lambda value: json.dumps(value, default=str, separators=(",", ":")),
    "keys": sorted,
    "length": len,
    "lower": lambda text: text.lower(),
    "merge": _merge,
    "one": _one,
    "regex": _regex,
    "replace": _replace,
    "setsubtract": lambda values, others: sorted(set(values) - set(others)),
    "sort": sorted,
    "strcontains": lambda text, part: part in text,
    "tolist": list,
    "tomap": dict,
    "toset": _unique,
    "tostring": _text,
    "trimspace": lambda text: text.strip(),
    "values": lambda mapping: [mapping[key] for key in sorted(mapping)],
}
