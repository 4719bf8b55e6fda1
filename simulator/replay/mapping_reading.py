"""Reads a mapping from YAML and tells all its mistakes at once, each with its path."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_type_hints

import msgspec
import yaml
from msgspec import inspect

from simulator.replay.errors import InvalidMapping, UnreadableData
from simulator.replay.mapping import ReplayMapping
from simulator.replay.mapping_checks import mistakes_of
from simulator.replay.suggestions import did_you_mean


class _Loader(yaml.BaseLoader):
    """Takes every scalar as the text it is, so that NO is Norway and 007 keeps its zeros."""


class _Twice(yaml.YAMLError):
    """One key stands twice in a mapping."""


def _without_twins(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        if key.value in seen if isinstance(key, yaml.ScalarNode) else False:
            msg = f"the key {key.value} stands twice, again in line {key.start_mark.line + 1}"
            raise _Twice(msg)
        seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _without_twins)


def read_mapping(path: Path) -> ReplayMapping:
    """Return the mapping of a YAML file.

    Raises:
        UnreadableData: there is no such file, or it is no text.
        InvalidMapping: it has mistakes; all of them are told.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UnreadableData(path, reason) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str = "the mapping") -> ReplayMapping:
    """Return the mapping that YAML ``text`` says.

    Args:
        text: YAML or JSON.
        name: what messages call it.

    Raises:
        InvalidMapping: it has mistakes; all of them are told.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - it makes nothing but text
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidMapping(name, [f"it is no YAML: {error}"]) from error
    mistakes = list(_mistakes(document if document is not None else {}, _WHOLE, ""))
    if mistakes:
        raise InvalidMapping(name, mistakes)
    return msgspec.convert(document or {}, ReplayMapping, strict=False)


class _Kind(NamedTuple):
    """A type, as it is annotated and as msgspec sees it."""

    hint: Any
    seen: inspect.Type

    @classmethod
    def of(cls, hint: Any) -> "_Kind":
        seen = _bare(inspect.type_info(hint))
        if isinstance(seen, inspect.UnionType):
            (seen,) = (
                bare for item in seen.types if not isinstance(bare := _bare(item), inspect.NoneType)
            )
        return cls(hint, seen)


def _bare(seen: inspect.Type) -> inspect.Type:
    return seen.type if isinstance(seen, inspect.Metadata) else seen


_WHOLE: Final = _Kind.of(ReplayMapping)


def _mistakes(value: Any, kind: _Kind, path: str) -> Iterator[str]:
    """Yield every mistake in a part of the document, whatever is wrong beside it."""
    match kind.seen:
        case inspect.StructType(cls=struct):
            yield from _mistakes_in_struct(value, struct, path)
        case inspect.VarTupleType(item_type=item) if isinstance(_bare(item), inspect.StructType):
            if not isinstance(value, list):
                yield f"{_shown(path)}: expected a list, found {_said(value)}"
                return
            for number, part in enumerate(value):
                yield from _mistakes(part, _struct_kind(item), f"{path}[{number}]")
        case inspect.DictType(value_type=item) if isinstance(_bare(item), inspect.StructType):
            if not isinstance(value, dict):
                yield f"{_shown(path)}: expected names and values, found {_said(value)}"
                return
            for name, part in value.items():
                yield from _mistakes(part, _struct_kind(item), _joined(path, str(name)))
        case inspect.LiteralType(values=values) if value not in values:
            names = [str(known) for known in values]
            close = did_you_mean(str(value), names)
            expected = ", ".join(names)
            yield f"{_shown(path)}: expected one of {expected}, found {_said(value)}{close}"
        case _:
            try:
                msgspec.convert(value, kind.hint, strict=False)
            except msgspec.ValidationError as error:
                expected = re.split(", got| - at", str(error))[0].replace(" | null", "")
                yield f"{_shown(path)}: {expected}, found {_said(value)}"


def _struct_kind(seen: inspect.Type) -> _Kind:
    struct = _bare(seen)
    assert isinstance(struct, inspect.StructType)  # noqa: S101 - for the type checker
    return _Kind(struct.cls, struct)


def _mistakes_in_struct(value: Any, struct: type[msgspec.Struct], path: str) -> Iterator[str]:
    hints = get_type_hints(struct, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    if not isinstance(value, dict):
        yield f"{_shown(path)}: expected some of {', '.join(fields)}, found {_said(value)}"
        return
    mistakes = [
        f"{_joined(path, str(key))}: unknown{did_you_mean(str(key), fields)}"
        for key in value
        if key not in fields
    ]
    mistakes += [
        f"{_joined(path, name)}: missing"
        for name, field in fields.items()
        if field.required and name not in value
    ]
    for name in fields:
        if name in value:
            mistakes += _mistakes(value[name], _Kind.of(hints[name]), _joined(path, name))
    if not mistakes:
        part = msgspec.convert(value, struct, strict=False)
        mistakes = [f"{_shown(_joined(path, at))}: {text}" for at, text in mistakes_of(part, path)]
    yield from mistakes


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _shown(path: str) -> str:
    return path or "the document"


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value or "nothing"
    return "a list" if isinstance(value, list) else "names and values"
