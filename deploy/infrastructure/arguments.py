"""Resources and data sources against the provider's schema."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from deploy.infrastructure.expressions import Literal, literal
from deploy.infrastructure.findings import Finding, did_you_mean
from deploy.infrastructure.hcl import Attribute, Block
from deploy.infrastructure.modules import Module
from deploy.infrastructure.schema import HOW_TO_EXTRACT, Body, Schema

_CONDITION: Final = Body(arguments={"condition": "bool!", "error_message": "string!"})
_LIFECYCLE: Final = Body(
    arguments={
        "create_before_destroy": "bool",
        "prevent_destroy": "bool",
        "ignore_changes": "object",
        "replace_triggered_by": "list",
    },
    blocks={"precondition": _CONDITION, "postcondition": _CONDITION},
    count="?",
)
_META: Final = Body(
    arguments={"count": "number", "for_each": "object", "provider": "object", "depends_on": "list"},
    blocks={"lifecycle": _LIFECYCLE},
)
_DYNAMIC: Final = Body(
    arguments={"for_each": "object!", "iterator": "object", "labels": "list"},
)
# Terraform's own, which no provider's schema holds.
_BUILT_IN: Final = {
    "terraform_data": Body(
        arguments={"input": "object", "triggers_replace": "object"}, read_only=("id", "output")
    )
}
_ONE: Final = frozenset({"1", "?"})
_NEEDED: Final = frozenset({"1", "+"})


def check_arguments(module: Module, schema: Schema) -> Iterator[Finding]:
    """Yield what the provider would refuse of a module's resources and data sources."""
    for kind, known in (
        ("resource", {**schema.resources, **_BUILT_IN}),
        ("data", schema.data_sources),
    ):
        for block in module.of_kind(kind):
            yield from _check_typed(block, known, schema)
    for block in module.of_kind("provider"):
        if block.labels == (schema.provider,):
            own = Body(arguments={"alias": "string"})
            yield from _check_block(block, schema.configuration, own, schema.provider)


def resource_body(schema: Schema, kind: str, type_: str) -> Body | None:
    """Return what is known of a type; ``kind`` is ``resource`` or ``data``."""
    known = schema.data_sources if kind == "data" else {**schema.resources, **_BUILT_IN}
    return known.get(type_)


def _check_typed(block: Block, known: Mapping[str, Body], schema: Schema) -> Iterator[Finding]:
    type_ = block.labels[0]
    body = known.get(type_)
    if body is None:
        yield Finding(
            block.place,
            f"the extract of {schema.provider} {schema.version} has no {block.kind}"
            f" {type_}{did_you_mean(type_, known)}; if it is right, extract the schema anew:"
            f" {HOW_TO_EXTRACT}",
        )
    else:
        yield from _check_block(block, body, _META, type_)


def _check_block(block: Block, body: Body, meta: Body, name: str) -> Iterator[Finding]:
    """Check a block; ``meta`` holds what Terraform itself takes there."""
    yield from _check_attributes(block, body, meta, name)
    counted: Counter[str] = Counter()
    for nested in block.blocks:
        kind, content, place = nested.kind, nested, nested.place
        if kind == "dynamic":
            yield from _check_attributes(nested, _DYNAMIC, Body(), f"{name}.dynamic")
            kind = nested.labels[0]
            content = next(nested.of_kind("content"), nested)
            if content is nested:
                yield Finding(place, f"dynamic {kind} of {name} lacks its block content")
                continue
        counted[kind] += 1
        inner = body.blocks.get(kind) or meta.blocks.get(kind)
        if inner is None:
            yield Finding(place, _no_such_block(kind, body, meta, name))
            continue
        if counted[kind] == 2 and inner.count in _ONE:
            yield Finding(place, f"{name} takes no second block {kind}")
        yield from _check_block(content, inner, Body(), f"{name}.{kind}")
    for kind, inner in body.blocks.items():
        if inner.count in _NEEDED and not counted[kind] and not block.attribute(kind):
            yield Finding(block.place, f"{name} lacks the required block {kind}")


def _check_attributes(block: Block, body: Body, meta: Body, name: str) -> Iterator[Finding]:
    kinds = {**meta.arguments, **body.arguments}
    kinds |= {kind: "list" for kind, inner in body.blocks.items() if inner.attribute}
    for each in block.attributes:
        if each.name not in kinds:
            yield Finding(each.place, _no_such_argument(each.name, body, kinds, name))
        elif wrong := _wrong_kind(each, kinds[each.name].rstrip("!")):
            yield Finding(each.place, f"{each.name} of {name} {wrong}")
    counted = Counter(each.name for each in block.attributes)
    for twice in (each for each in block.attributes if counted[each.name] > 1):
        yield Finding(twice.place, f"{name} has the argument {twice.name} more than once")
    for argument, kind in kinds.items():
        if kind.endswith("!") and argument not in counted:
            yield Finding(block.place, f"{name} lacks the required argument {argument}")


def _no_such_argument(found: str, body: Body, kinds: Mapping[str, str], name: str) -> str:
    if found in body.blocks:
        return f"{found} of {name} is a block, not an argument: write {found} {{ ... }}"
    if found in body.read_only:
        return f"{found} of {name} is set by the provider alone"
    return f"{name} has no argument {found}{did_you_mean(found, kinds)}"


def _no_such_block(found: str, body: Body, meta: Body, name: str) -> str:
    if found in body.arguments:
        return f"{found} of {name} is an argument, not a block: write {found} = ..."
    return f"{name} has no block {found}{did_you_mean(found, {**body.blocks, **meta.blocks})}"


def _wrong_kind(attribute: Attribute, expected: str) -> str | None:
    """Return what is wrong with a value that is plain to see; Terraform converts some."""
    found = literal(attribute.value)
    if found is None or found.kind in {expected, "null"} or expected == "object":
        return None
    scalars = {"string", "number", "bool"}
    if expected in scalars and found.kind in scalars and _converts(found, expected):
        return None
    return f"takes a {expected}, not a {found.kind}"


def _converts(found: Literal, expected: str) -> bool:
    if expected == "string" or found.text is None:
        return True
    if expected == "bool":
        return found.text in {"true", "false"}
    return found.kind == "string" and found.text.lstrip("-").replace(".", "", 1).isdigit()
