"""What Terraform would make of a module with given values, as far as that is known before.

``terraform plan`` needs the provider, and so a registry. This needs neither: what only Azure knows
is left unknown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.infrastructure.evaluation import Lazy, Scope, Unknown, Value, evaluate, within
from deploy.infrastructure.hcl import Block, read_file
from deploy.infrastructure.modules import Module, called_folder, read_modules
from deploy.infrastructure.terraform_types import converted

_ROOTS: Final = ("var", "local", "module", "data")


class Made(Mapping[str, Value]):
    """A resource or a block of one: what its file sets, and unknown values for everything else."""

    def __init__(self, address: str, block: Block, scope: Scope) -> None:
        self.address = address
        self.block = block
        self._scope = scope

    def __getitem__(self, name: str) -> Value:
        attribute = self.block.attribute(name)
        if attribute:
            return evaluate(attribute.value, self._scope)
        return list(self._blocks(name)) or Unknown(f"{self.address}.{name}")

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        yield from (each.name for each in self.block.attributes)
        yield from {_kind(each): None for each in self.block.blocks}

    def __len__(self) -> int:
        return len(set(self))

    @property
    def type(self) -> str:
        """The type of resource."""
        return self.block.labels[0]

    def _blocks(self, kind: str) -> "Iterator[Made]":
        blocks = [each for each in self.block.blocks if _kind(each) == kind]
        for block in blocks:
            for content, scope in _rounds(block, self._scope):
                yield Made(f"{self.address}.{kind}", content, scope)


class Run:
    """A module with the values of its variables."""

    def __init__(
        self,
        module: Module,
        modules: Mapping[Path, Module],
        given: Mapping[str, Value],
        address: str = "",
    ) -> None:
        self._module = module
        self._modules = modules
        self._address = address
        resources: dict[str, list[str]] = {}
        for type_, name in module.resources:
            resources.setdefault(type_, []).append(name)
        self._runs = Lazy(module.calls, self._called)
        self._made = Lazy(
            resources,
            lambda type_: Lazy(resources[type_], lambda name: self._resource(type_, name)),
        )
        self._roots: Mapping[str, Callable[[], Value]] = {
            "var": lambda: Lazy(module.variables, lambda name: self._variable(name, given)),
            "local": lambda: Lazy(
                module.local_values,
                lambda name: evaluate(module.local_values[name].value, self._scope),
            ),
            "module": lambda: Lazy(module.calls, lambda name: _each(self._runs[name], _outputs)),
            "data": lambda: Unknown(f"{address}data"),
        }
        self._scope: Scope = Lazy(
            [*_ROOTS, *resources],
            lambda name: self._roots[name]() if name in self._roots else self._made[name],
        )

    @property
    def outputs(self) -> Mapping[str, Value]:
        """Values of the outputs."""
        return Lazy(
            self._module.outputs,
            lambda name: self._value(self._module.outputs[name], "value"),
        )

    def instances(self) -> Iterator[Made]:
        """Yield every resource of the module and of those that it calls."""
        for type_, name in self._module.resources:
            yield from _several(self._made[type_][name])
        for name in self._module.calls:
            for run in _several(self._runs[name]):
                yield from run.instances()

    def refusals(self) -> Iterator[str]:
        """Yield what the variables' validations say against the values."""
        for name, variable in self._module.variables.items():
            for each in variable.of_kind("validation"):
                if self._value(each, "condition") is False:
                    yield f"{self._address}var.{name}: {self._value(each, 'error_message')}"
        for name in self._module.calls:
            for run in _several(self._runs[name]):
                yield from run.refusals()

    def _value(self, block: Block, name: str) -> Value:
        attribute = block.attribute(name)
        return evaluate(attribute.value, self._scope) if attribute else None

    def _variable(self, name: str, given: Mapping[str, Value]) -> Value:
        variable = self._module.variables[name]
        value = given[name] if name in given else self._value(variable, "default")
        type_ = variable.attribute("type")
        return converted(value, type_.value) if type_ else value

    def _resource(self, type_: str, name: str) -> Value:
        block = self._module.resources[type_, name]
        address = f"{self._address}{type_}.{name}"
        return _repeated(block, address, self._scope, lambda *made: Made(made[0], block, made[1]))

    def _called(self, name: str) -> Value:
        call = self._module.calls[name]
        folder = called_folder(self._module, call)
        module = self._modules[folder or Path()]

        def run(address: str, scope: Scope) -> "Run":
            given = {
                each.name: each.value for each in call.attributes if each.name in module.variables
            }
            values = Lazy(given, lambda each: evaluate(given[each], scope))
            return Run(module, self._modules, values, f"{address}.")

        return _repeated(call, f"{self._address}module.{name}", self._scope, run)


def plan(folder: Path, root: Path, **instead: Value) -> Run:
    """Return what Terraform would make in an environment with the values of its folder.

    ``instead`` holds values of variables that stand for those of ``terraform.tfvars``.

    Raises:
        FileUnreadable: a file is no HCL.
        NotEvaluated: an expression is more than can be told here.
    """
    modules = {each.folder: each for each in read_modules(root / "terraform", root)}
    values = read_file(folder / "terraform.tfvars", root)
    given = {each.name: evaluate(each.value, {}) for each in values.attributes}
    return Run(modules[folder.relative_to(root)], modules, {**given, **instead})


def _kind(block: Block) -> str:
    return block.labels[0] if block.kind == "dynamic" else block.kind


def _rounds(block: Block, scope: Scope) -> Iterator[tuple[Block, Scope]]:
    """Yield what a block stands for: itself, or the content of a dynamic one, again and again."""
    if block.kind != "dynamic":
        yield block, scope
        return
    content = next(block.of_kind("content"))
    for_each, iterator = block.attribute("for_each"), block.attribute("iterator")
    elements = evaluate(for_each.value, scope) if for_each else []
    name = iterator.source if iterator else block.labels[0]
    for key, value in _pairs(elements):
        yield content, within(scope, {name: {"key": key, "value": value}})


def _pairs(elements: Value) -> Sequence[tuple[Value, Value]]:
    if isinstance(elements, Mapping):
        return [(key, elements[key]) for key in elements]
    return [(each, each) for each in elements]


def _repeated[T](
    block: Block, address: str, scope: Scope, make: Callable[[str, Scope], T]
) -> T | list[T] | Mapping[str, T]:
    """Return one thing, a list by ``count``, or a mapping by ``for_each``."""
    count, for_each = block.attribute("count"), block.attribute("for_each")
    if count:
        return [
            make(f"{address}[{index}]", within(scope, {"count": {"index": index}}))
            for index in range(int(evaluate(count.value, scope)))
        ]
    if for_each:
        return {
            key: make(f'{address}["{key}"]', within(scope, {"each": {"key": key, "value": value}}))
            for key, value in _pairs(evaluate(for_each.value, scope))
        }
    return make(address, scope)


def _several(found: Value) -> Sequence[Value]:
    """Return what ``_repeated`` made as a list."""
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, Made | Run) else list(found.values())


def _each(found: Value, of: Callable[[Run], Value]) -> Value:
    if isinstance(found, list):
        return [of(each) for each in found]
    return of(found) if isinstance(found, Run) else {key: of(each) for key, each in found.items()}


def _outputs(run: Run) -> Mapping[str, Value]:
    return run.outputs
