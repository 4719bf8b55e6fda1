"""The provider's schema out of its Python package.

The package carries a jsii assembly: a description of every class that was generated from the
provider's schema. ``SubnetConfig`` has a property for each argument and block of a subnet, optional
or not; a block of which there is at most one has a structure for its type, others have a list.
Terraform's own name of a property stands in its documentation.
"""

import re
import tarfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.schema import Body, Schema

_ASSEMBLY: Final = re.compile(r".*/_jsii/provider-(\w+)@[0-9.]+\.jsii\.tgz")
_RESOURCE: Final = re.compile(
    r"Represents a \{@link https://\S+/(?P<version>[0-9.]+)/docs(?:/(?P<kind>[a-z-]+)/\S+)?"
    r" (?P<type>\w+)\}\."
)
_BLOCK: Final = re.compile(r"\w+ block\.")
_NAME: Final = re.compile(r"/docs\S*#(\w+) ")
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")
# What every class has that stands for a resource, but no resource.
_OF_CLASS: Final = frozenset({"tf_resource_type", "timeouts"})
_PRIMITIVES: Final = {"boolean": "bool", "number": "number", "string": "string", "any": "object"}
_COLLECTIONS: Final = {"array": "list", "map": "map"}


class _Docs(msgspec.Struct):
    summary: str = ""
    remarks: str = ""


class _Property(msgspec.Struct):
    name: str
    type: dict[str, Any]
    docs: _Docs = msgspec.field(default_factory=_Docs)
    optional: bool = False


class _Type(msgspec.Struct):
    docs: _Docs = msgspec.field(default_factory=_Docs)
    properties: list[_Property] = []


class _Assembly(msgspec.Struct):
    types: dict[str, _Type]


class UnknownType(FileUnreadable):
    """The provider has no resource or data source of a type."""


def extract(wheel: Path, resources: Collection[str], data_sources: Collection[str]) -> Schema:
    """Return the schema of some resources and data sources; types of other providers are left out.

    Raises:
        FileUnreadable: the file is not the provider's package.
        UnknownType: the provider has no such resource or data source.
    """
    provider, types = _read(wheel)
    found = dict(_classes(types))
    version = {each["version"] for each, _ in found.values()}.pop()

    def bodies(kind: str, wanted: Collection[str]) -> dict[str, Body]:
        own = {each for each in wanted if each.startswith(f"{provider}_")}
        missing = sorted(each for each in own if (kind, each) not in found)
        if missing:
            raise UnknownType(wheel, f"the provider has no {kind} {', '.join(missing)}")
        return {each: _resource(types, found[kind, each][1]) for each in own}

    return Schema(
        provider=provider,
        version=version,
        package=wheel.name.removesuffix("-py3-none-any.whl"),
        configuration=_resource(types, found["provider", provider][1]),
        resources=bodies("resource", resources),
        data_sources=bodies("data source", data_sources),
    )


def _read(wheel: Path) -> tuple[str, Mapping[str, _Type]]:
    try:
        with zipfile.ZipFile(wheel) as files:
            names = [each for each in map(_ASSEMBLY.fullmatch, files.namelist()) if each]
            if not names:
                raise FileUnreadable(wheel, "holds no assembly of jsii")
            with files.open(names[0].group()) as packed, tarfile.open(fileobj=packed) as package:
                assembly = package.extractfile("package/.jsii")
                if assembly is None:
                    raise FileUnreadable(wheel, "its assembly of jsii is no file")
                text = assembly.read()
        return names[0].group(1), msgspec.json.decode(text, type=_Assembly).types
    except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError, msgspec.DecodeError) as error:
        raise FileUnreadable(wheel, f"is no package of a provider: {error}") from error


def _classes(types: Mapping[str, _Type]) -> Iterator[tuple[tuple[str, str], tuple[Any, str]]]:
    """Yield (kind, Terraform's type), and its documentation and the name of its class."""
    kinds = {"resources": "resource", "data-sources": "data source", None: "provider"}
    for name, each in types.items():
        match = _RESOURCE.fullmatch(each.docs.summary)
        if match and match["kind"] in kinds:
            yield (kinds[match["kind"]], match["type"]), (match, name)


def _resource(types: Mapping[str, _Type], name: str) -> Body:
    body = _body(types, f"{name}Config", "*")
    taken = {_key(each) for each in (*body.arguments, *body.blocks)}
    read_only = {
        snake
        for each in types[name].properties
        if (snake := _CAPITAL.sub("_", each.name).lower()) not in _OF_CLASS
        and not snake.endswith("_input")
        and _key(snake) not in taken
    }
    return msgspec.structs.replace(body, read_only=tuple(sorted(read_only)))


def _key(name: str) -> str:
    """Return a name without underscores: the classes have lost where they stood before digits."""
    return name.replace("_", "")


def _body(types: Mapping[str, _Type], name: str, count: str, *, attribute: bool = False) -> Body:
    arguments = {}
    blocks = {}
    for each in types[name].properties:
        own_name = _NAME.search(f"{each.docs.summary} {each.docs.remarks}")
        if own_name is None:
            continue
        kind, structure = _kind(each.type)
        if structure is None:
            arguments[own_name[1]] = kind if each.optional else f"{kind}!"
        else:
            several = kind == "list"
            times = {(True, True): "*", (True, False): "+", (False, True): "?", (False, False): "1"}
            blocks[own_name[1]] = _body(
                types,
                structure,
                times[several, each.optional],
                attribute=not _BLOCK.fullmatch(each.docs.summary),
            )
    return Body(arguments=arguments, blocks=blocks, count=count, attribute=attribute)


def _kind(declared: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the kind of value that a property takes, and its structure if it has one."""
    if "union" in declared:
        return _kind(next(each for each in declared["union"]["types"] if not _deferred(each)))
    if "primitive" in declared:
        return _PRIMITIVES[declared["primitive"]], None
    if "collection" in declared:
        element = declared["collection"]["elementtype"]
        return _COLLECTIONS[declared["collection"]["kind"]], _kind(element)[1]
    return "object", declared["fqn"]


def _deferred(declared: Mapping[str, Any]) -> bool:
    """Tell whether a type is that of values which are known later, which any argument takes."""
    return bool(declared.get("fqn") == "cdktf.IResolvable")
