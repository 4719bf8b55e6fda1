"""How modules hang together: what is declared is used, what is used is declared."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy.infrastructure.arguments import resource_body
from deploy.infrastructure.expressions import Literal, literal
from deploy.infrastructure.findings import Finding, Place, did_you_mean
from deploy.infrastructure.hcl import Block
from deploy.infrastructure.modules import Module, called_folder
from deploy.infrastructure.schema import Body, Schema

# Names that Terraform gives a meaning to, and what is not looked into here.
_GIVEN: Final = frozenset({"count", "each", "path", "self", "terraform"})
_OF_ANY_CALL: Final = frozenset(
    {"count", "depends_on", "for_each", "providers", "source", "version"}
)


def check_wiring(
    module: Module, modules: Mapping[Path, Module], schema: Schema
) -> Iterator[Finding]:
    """Yield what is wrong between a module's declarations, its uses and the modules it calls."""
    yield from _check_declarations(module)
    yield from _check_unused(module)
    for call in module.calls.values():
        yield from _check_call(module, call, modules)
    for reference, place in module.uses:
        if problem := _problem(reference.path, module, modules, schema):
            yield Finding(place, problem)


def _check_declarations(module: Module) -> Iterator[Finding]:
    wanted = {"variable": ("type", "description"), "output": ("description", "value")}
    for kind, names in wanted.items():
        seen: dict[str, Place] = {}
        for block in module.of_kind(kind):
            label = f"{kind} {block.labels[0]}"
            for name in names:
                attribute = block.attribute(name)
                found = literal(attribute.value) if attribute else None
                if attribute is None or found == Literal("string", ""):
                    yield Finding(block.place, f"{label} has no {name}")
            if label in seen:
                yield Finding(block.place, f"{label} is declared at {seen[label]}, too")
            seen[label] = block.place


def _check_unused(module: Module) -> Iterator[Finding]:
    used = {reference.path[:2] for reference, _ in module.uses}
    for name, block in module.variables.items():
        if ("var", name) not in used:
            yield Finding(block.place, f"variable {name} is used nowhere in {module.folder}")
    for name, value in module.local_values.items():
        if ("local", name) not in used:
            yield Finding(value.place, f"local {name} is used nowhere in {module.folder}")


def _check_call(module: Module, call: Block, modules: Mapping[Path, Module]) -> Iterator[Finding]:
    label = f"module {call.labels[0]}"
    folder = called_folder(module, call)
    if folder is None:
        yield Finding(call.place, f"{label} is called from elsewhere: only folders of this project")
        return
    called = modules.get(folder)
    if called is None:
        yield Finding(call.place, f"{label}: there is no module in {folder}")
        return
    for block in call.blocks:
        yield Finding(block.place, f"{label} has no block {block.kind}; variables are arguments")
    given = {each.name: each.place for each in call.attributes}
    for name, place in given.items():
        if name not in called.variables and name not in _OF_ANY_CALL:
            meant = did_you_mean(name, called.variables)
            yield Finding(place, f"{folder} has no variable {name}{meant}")
    for name, variable in called.variables.items():
        if variable.attribute("default") is None and name not in given:
            yield Finding(call.place, f"{label} lacks {name}, for which {folder} has no default")


def _problem(
    path: tuple[str, ...], module: Module, modules: Mapping[Path, Module], schema: Schema
) -> str | None:
    """Return what is wrong with a reference; None if nothing is, or if it is none."""
    known = {"var": module.variables, "local": module.local_values}
    problem = None
    match path:
        case ("var" | "local" as root, name, *_):
            problem = _unless_known(root, name, known[root])
        case ("module", name, *rest):
            problem = _problem_of_call(name, rest, module, modules)
        case ("data", type_, name, *rest):
            body = resource_body(schema, "data", type_)
            problem = _problem_of_resource((type_, name), rest, module.data_sources, body)
        case (root, name, *rest) if root not in _GIVEN and root not in _iterators(module):
            body = resource_body(schema, "resource", root)
            problem = _problem_of_resource((root, name), rest, module.resources, body)
    return problem


def _unless_known(root: str, name: str, known: Mapping[str, object]) -> str | None:
    if name in known:
        return None
    return f"{root}.{name} is not declared{did_you_mean(name, known)}"


def _problem_of_call(
    name: str, rest: list[str], module: Module, modules: Mapping[Path, Module]
) -> str | None:
    call = module.calls.get(name)
    if call is None:
        return f"module {name} is not called{did_you_mean(name, module.calls)}"
    called = modules.get(called_folder(module, call) or Path())
    if called is None or not rest or rest[0] in called.outputs:
        return None
    return f"{called.folder} has no output {rest[0]}{did_you_mean(rest[0], called.outputs)}"


def _problem_of_resource(
    key: tuple[str, str],
    rest: list[str],
    declared: Mapping[tuple[str, str], Block],
    body: Body | None,
) -> str | None:
    type_, name = key
    if key not in declared:
        names = [each for kind, each in declared if kind == type_]
        return f"{type_}.{name} is not declared{did_you_mean(name, names)}"
    if not rest or body is None:
        return None
    # Names that only the provider sets have lost where an underscore stood before a digit.
    known = {*body.arguments, *body.blocks, *body.read_only}
    if rest[0].replace("_", "") in {each.replace("_", "") for each in known}:
        return None
    return f"{type_} has no attribute {rest[0]}{did_you_mean(rest[0], known)}"


def _iterators(module: Module) -> frozenset[str]:
    """Return the names that dynamic blocks give to what they go through."""
    names = set()
    for file in module.files:
        for block in file.walk():
            if block.kind == "dynamic":
                iterator = block.attribute("iterator")
                named = str(next(iterator.value.scan_values(bool))) if iterator else None
                names.add(named or block.labels[0])
    return frozenset(names)
