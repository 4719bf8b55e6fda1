"""Names and tags come from one place: the module ``naming``."""

from collections.abc import Iterator
from typing import Final

from deploy.infrastructure.arguments import resource_body
from deploy.infrastructure.expressions import path, references
from deploy.infrastructure.findings import Finding
from deploy.infrastructure.hcl import Block
from deploy.infrastructure.modules import Module
from deploy.infrastructure.schema import Schema

# The module that makes them, what hands them on, and what they are called there.
_TAGS: Final = frozenset({("module", "naming", "tags"), ("local", "tags"), ("var", "tags")})
# Its name is the subject of a mail that says what is wrong.
_READ_BY_PEOPLE: Final = frozenset({"azurerm_monitor_scheduled_query_rules_alert_v2"})
_GIVEN: Final = frozenset({"var", "local", "module", "each"})


def check_conventions(module: Module, schema: Schema) -> Iterator[Finding]:
    """Yield resources that go without the common tags, or that make up a name or a region."""
    for block in module.of_kind("resource"):
        body = resource_body(schema, "resource", block.labels[0])
        takes = body.arguments if body else {}
        label = ".".join(block.labels)
        if "tags" in takes:
            yield from _check_tags(block, label)
        # What has a region stands by itself; what has none is named within something that does.
        if "location" in takes:
            yield from _check_given(block, "location", label)
            if block.labels[0] not in _READ_BY_PEOPLE:
                yield from _check_given(block, "name", label)
    for call in module.calls.values():
        if call.attribute("tags"):
            yield from _check_tags(call, f"module {call.labels[0]}")
    common = module.local_values.get("tags")
    if common and "naming" in module.calls and path(common.value) not in _TAGS:
        yield Finding(common.place, "local tags has to be module.naming.tags")


def _check_tags(block: Block, label: str) -> Iterator[Finding]:
    tags = block.attribute("tags")
    if tags is None:
        yield Finding(block.place, f"{label} has no tags: write tags = var.tags")
    elif path(tags.value) not in _TAGS:
        yield Finding(tags.place, f"{label} has tags of its own: write tags = var.tags")


def _check_given(block: Block, name: str, label: str) -> Iterator[Finding]:
    attribute = block.attribute(name)
    if attribute is None:
        return
    roots = {reference.path[0] for reference in references(attribute.value)}
    if not roots & _GIVEN:
        yield Finding(attribute.place, f"{label} has a {name} of its own: take a variable")
