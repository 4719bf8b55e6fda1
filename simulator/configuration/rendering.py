"""Writes a whole configuration as YAML, with what each option means as a comment beside it."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from simulator.configuration.base import Part
from simulator.configuration.durations import microseconds
from simulator.configuration.nodes import LARGEST_EXACT
from simulator.configuration.schema import configuration_schema
from simulator.configuration.structure import Configuration
from simulator.configuration.variables import escaped

_WIDTH: Final = 100
_INDENT: Final = "  "
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:/[A-Za-z0-9_]+)*")
# What some readers of YAML take for something else than text.
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def render(configuration: Configuration) -> str:
    """Return a checked configuration as a file in which every option is written out.

    ``parse_configuration`` makes an equal configuration of it.
    """
    writer = _Writer()
    return "\n".join(_without_blank_start(writer.options(configuration, ""))) + "\n"


class _Writer:
    """Writes options line by line, and tells the meaning of each at its first appearance."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def options(self, part: Part, indent: str) -> Iterator[str]:
        """Yield the lines of a part's options; at the top, a blank line before each."""
        config = part.__struct_config__
        properties = _properties(type(part).__name__)
        if config.tag_field:
            yield f"{indent}{config.tag_field}: {config.tag}"
        for name in part.__struct_fields__:
            if not indent:
                yield ""
            yield from self._comment(name, properties[name], indent)
            yield from self._option(name, getattr(part, name), indent)

    def _option(self, name: str, value: Any, indent: str) -> Iterator[str]:
        match value:
            case Part():
                yield f"{indent}{name}:"
                yield from self.options(value, indent + _INDENT)
            case tuple() if any(isinstance(item, Part) for item in value):
                yield f"{indent}{name}:"
                for item in value:
                    yield from self._item(item, indent + _INDENT)
            case tuple():
                yield from _flow_list(f"{indent}{name}: ", value)
            case _:
                yield f"{indent}{name}: {_scalar(value)}"

    def _item(self, part: Part, indent: str) -> Iterator[str]:
        """Yield a part as an item of a list, the dash before its first option."""
        dash = f"{indent}- "
        for line in self.options(part, indent + _INDENT):
            is_option = not line.lstrip().startswith("#")
            yield dash + line[len(dash) :] if dash and is_option else line
            dash = "" if is_option else dash

    def _comment(self, name: str, option: Mapping[str, Any], indent: str) -> Iterator[str]:
        description = option.get("description", "")
        if (name, description) not in self._told:
            self._told.add((name, description))
            prefix = f"{indent}# "
            yield from textwrap.wrap(
                description, _WIDTH, initial_indent=prefix, subsequent_indent=prefix
            )


def _properties(kind: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = configuration_schema()["$defs"][kind]["properties"]
    return properties


def _without_blank_start(lines: Iterator[str]) -> Iterator[str]:
    next(lines)
    yield from lines


def _flow_list(begin: str, values: Sequence[Any]) -> Iterator[str]:
    """Yield a list in brackets, folded where the line ends."""
    text = begin + "["
    for position, value in enumerate(values):
        word = _scalar(value) + ("," if position + 1 < len(values) else "")
        if len(text) + len(word) >= _WIDTH:
            yield text.rstrip()
            text = " " * len(begin) + " "
        text += word + " "
    yield text.rstrip() + "]"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return _text(value)
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT:
            return str(int(value))
        case _:
            return repr(value)


def _text(text: str) -> str:
    if (_PLAIN.fullmatch(text) and text.lower() not in _WORDS) or _is_duration(text):
        return text
    quoted = yaml.dump(
        escaped(text), Dumper=yaml.CSafeDumper, default_style='"', allow_unicode=True, width=2**30
    )
    return str(quoted).rstrip("\n")


def _is_duration(text: str) -> bool:
    try:
        microseconds(text)
    except ValueError:
        return False
    return True
