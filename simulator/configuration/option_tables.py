"""The tables of all options in the documentation, made from the schema.

``python -m simulator.configuration.option_tables`` writes them anew after a structure has changed.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from simulator.configuration.forms import form_of
from simulator.configuration.schema import configuration_schema

PAGE: Final = Path(__file__).parents[2] / "docs" / "simulator" / "configuration.md"
BEGIN: Final = "<!-- options: made by simulator/configuration/option_tables.py -->"
END: Final = "<!-- end of the options -->"

_LONGEST_DEFAULT: Final = 60
_KINDS: Final = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "`true` or `false`",
}
_VIOLATION: Final = "Violation"
_COMMON: Final = ("share", "subtlety")


def option_tables() -> str:
    """Return the tables of all options in Markdown, in the order of the structures."""
    return "\n".join(_sections()) + "\n"


def with_tables(page: str) -> str:
    """Return a page with its tables made anew, between the two comments that enclose them."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{option_tables()}\n{END}{after}"


def write_tables(path: Path = PAGE) -> None:
    """Write the tables of a page anew."""
    path.write_text(with_tables(path.read_text("utf-8")), "utf-8")


def _sections() -> Iterator[str]:
    whole = _definition("Configuration")
    yield "### At the top"
    yield ""
    yield from _table(whole["properties"])
    for name, option in whole["properties"].items():
        kind = _kind_of(option.get("items", option))
        if kind == "Violations":
            yield from _violations(name)
        elif kind:
            yield from _section(f"{name}[]" if "items" in option else name, kind)


def _section(path: str, kind: str) -> Iterator[str]:
    """Yield a part's table, and those of the parts in it."""
    definition = _definition(kind)
    yield ""
    yield f"### `{path}`"
    yield ""
    yield definition["description"]
    yield ""
    yield from _table(definition["properties"], definition["required"])
    for name, option in definition["properties"].items():
        below = _kind_of(option)
        if below:
            yield from _section(f"{path}.{name}", below)
        for alternative in option.get("discriminator", {}).get("mapping", {}).values():
            yield from _distribution(f"{path}.{name}", _name(alternative))


def _distribution(path: str, kind: str) -> Iterator[str]:
    definition = _definition(kind)
    properties = dict(definition["properties"])
    tag = properties.pop("distribution")["enum"][0]
    yield ""
    yield f"#### `{path}` with `distribution: {tag}`"
    yield ""
    yield definition["description"]
    yield ""
    yield from _table(properties, definition["required"])


def _violations(path: str) -> Iterator[str]:
    definition = _definition("Violations")
    kinds = {name: _kind_of(option) for name, option in definition["properties"].items()}
    yield ""
    yield f"### `{path}`"
    yield ""
    yield definition["description"]
    yield ""
    yield from _table(
        {name: option for name, option in definition["properties"].items() if not kinds[name]}
    )
    yield ""
    yield "Every kind has these options:"
    yield ""
    yield from _table(_definition(_VIOLATION)["properties"])
    yield ""
    yield "| kind | what is injected | options of its own |"
    yield "|---|---|---|"
    for name, kind in kinds.items():
        if kind:
            description = definition["properties"][name]["description"]
            yield _row([f"`{name}`", description, ", ".join(_own_options(kind))])
    yield ""
    yield "The options that only some kinds have:"
    yield ""
    yield "| option | of | value | default | meaning |"
    yield "|---|---|---|---|---|"
    for name, option, owners in _options_of_kinds(kinds):
        listed = ", ".join(f"`{owner}`" for owner in owners)
        cells = [f"`{name}`", listed, _value(option), _default(option), option["description"]]
        yield _row(cells)


def _own_options(kind: str) -> Iterator[str]:
    for name in _definition(kind)["properties"]:
        if name not in _COMMON:
            yield f"`{name}`"


def _options_of_kinds(
    kinds: Mapping[str, str],
) -> Iterator[tuple[str, Mapping[str, Any], Sequence[str]]]:
    """Yield the options that not every kind has, each with the kinds that have it alike."""
    owners: dict[tuple[str, str], list[str]] = {}
    for owner, kind in kinds.items():
        for name, option in _definition(kind)["properties"].items() if kind else ():
            if name not in _COMMON:
                owners.setdefault((name, json.dumps(option)), []).append(owner)
    for (name, option), names in owners.items():
        yield name, json.loads(option), names


def _table(properties: Mapping[str, Any], required: Collection[str] = ()) -> Iterator[str]:
    yield "| option | value | default | meaning |"
    yield "|---|---|---|---|"
    for name, option in properties.items():
        default = "required" if name in required else _default(option)
        yield _row([f"`{name}`", _value(option), default, option.get("description", "")])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _value(option: Mapping[str, Any]) -> str:
    """Return what may be written, with its limits."""
    if _kind_of(option) or "discriminator" in option:
        return "map"
    if "anyOf" in option:
        return f"{_value(option['anyOf'][0])}, or `null`"
    if option["type"] == "array":
        return _list(option)
    if "pattern" in option:
        return form_of(option["pattern"]).words.partition(" (")[0]
    if option.get("format") == "date-time":
        return "moment, such as `2026-10-01T08:00:00Z`"
    return _KINDS[option["type"]] + _limits(option)


def _list(option: Mapping[str, Any]) -> str:
    if "prefixItems" in option:
        return f"two values, each {_value(option['prefixItems'][0])}"
    if _kind_of(option["items"]):
        return "list of maps"
    count = option.get("minItems", "")
    return f"list of {count}{' ' if count else ''}values, each {_value(option['items'])}"


def _limits(option: Mapping[str, Any]) -> str:
    least, most = option.get("minimum"), option.get("maximum")
    if "exclusiveMinimum" in option:
        return f" above {option['exclusiveMinimum']}"
    if least is not None and most is not None:
        return f", {least} to {most}"
    return "" if least is None else f", at least {least}"


def _default(option: Mapping[str, Any]) -> str:
    default = option.get("default", "")
    text = _literal(default)
    if len(text) > _LONGEST_DEFAULT:
        return "see `profiles steady --full`"
    return "" if default in ("", {}) else f"`{text}`"


def _literal(value: Any) -> str:
    """Return a value as one writes it in YAML, in one line."""
    match value:
        case dict():
            members = (f"{name}: {_literal(each)}" for name, each in value.items())
            return f"{{{', '.join(members)}}}"
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case float() if value.is_integer():
            return str(int(value))
        case str():
            return value
        case _:
            return json.dumps(value)


def _definition(kind: str) -> Mapping[str, Any]:
    definition: Mapping[str, Any] = configuration_schema()["$defs"][kind]
    return definition


def _kind_of(option: Mapping[str, Any]) -> str:
    """Return the name of the structure that an option is; empty if it is none."""
    return _name(option["$ref"]) if "$ref" in option else ""


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


if __name__ == "__main__":
    write_tables()
