"""The page on Terraform's modules, out of their files."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy.infrastructure.hcl import Attribute, Block
from deploy.infrastructure.modules import Module, called_folder, read_modules

PAGE: Final = Path("docs/module-reference.md")
MODULES: Final = Path("terraform/modules")
_HEAD: Final = """\
# Module reference

What each module of `terraform/modules` takes, gives and makes. `python -m deploy module-reference`
writes this page from the modules' files; `--check` fails where it is out of date. The environments
call the module [stack](#stack) alone, and it calls the others.
"""
# Lines of a type that are elements: a comma stands between them where they become one line.
_BREAK: Final = re.compile(r"(?<![{(\[,\s])\s*\n\s*(?![})\]\s])")
_BLANKS: Final = re.compile(r"\s+")


def module_reference(root: Path) -> str:
    """Return the page, in Markdown.

    Raises:
        FileUnreadable: a file is no HCL.
    """
    modules = read_modules(root / MODULES, root)
    modules = sorted(modules, key=lambda each: (each.folder.name != "stack", each.folder))
    return "\n".join([_HEAD, *(line for module in modules for line in _section(module))])


def _section(module: Module) -> Iterator[str]:
    name = module.folder.name
    yield f"## {name}\n"
    yield f"`{module.folder.as_posix()}`\n"
    yield from _table(
        f"Inputs of {name}",
        ("Input", "Type", "Default", "Meaning"),
        (_input(each) for each in module.variables.values()),
    )
    yield from _table(
        f"Outputs of {name}",
        ("Output", "Meaning"),
        ((_code(label), _plain(each)) for label, each in module.outputs.items()),
    )
    made = [*module.of_kind("resource"), *module.of_kind("data")]
    yield from _table(
        f"Resources of {name}",
        ("Resource", "How many", "Note"),
        ((_code(_address(each)), _number(each), _escaped(each.comment)) for each in made),
    )
    yield from _table(
        f"Modules in {name}",
        ("Module", "Of", "How many", "Note"),
        (
            (_code(label), _link(module, each), _number(each), _escaped(each.comment))
            for label, each in module.calls.items()
        ),
    )


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield f"### {title}\n"
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from lines
        yield ""


def _input(variable: Block) -> Sequence[str]:
    default = variable.attribute("default")
    type_ = variable.attribute("type")
    return (
        _code(variable.labels[0]),
        _code(_one_line(type_)) if type_ else "",
        _code(_one_line(default)) if default else "required",
        _plain(variable),
    )


def _plain(block: Block) -> str:
    """Return a description without its quotes."""
    description = block.attribute("description")
    return _escaped(description.source.strip('"').replace('\\"', '"')) if description else ""


def _one_line(attribute: Attribute) -> str:
    return _BLANKS.sub(" ", _BREAK.sub(", ", attribute.source))


def _address(block: Block) -> str:
    kind = "data." if block.kind == "data" else ""
    return kind + ".".join(block.labels)


def _number(block: Block) -> str:
    """Return how many there are, as the file says it."""
    for name, said in (("count", "{}"), ("for_each", "one for each of {}")):
        attribute = block.attribute(name)
        if attribute:
            return said.format(_code(_one_line(attribute)))
    return "1"


def _link(module: Module, call: Block) -> str:
    folder = called_folder(module, call)
    return f"[{folder.name}](#{folder.name})" if folder else ""


def _code(text: str) -> str:
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
