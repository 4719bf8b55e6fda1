"""Checks a document by the JSON Schema, and says in plain words what breaks it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from simulator.configuration.errors import MAX_MISTAKES, Mistake, Path, dotted
from simulator.configuration.forms import form_of, likely_number, likely_truth
from simulator.configuration.nodes import (
    Node,
    key_place,
    node_at,
    place_at,
    plain,
    shown,
    shown_node,
)
from simulator.configuration.schema import configuration_schema
from simulator.configuration.suggestions import did_you_mean, nearest
from simulator.configuration.types import Moment

_KINDS: Final[Mapping[str, str]] = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
_BOUNDS: Final[Mapping[str, str]] = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
}
_LENGTHS: Final[Mapping[str, str]] = {
    "minItems": "at least {} values",
    "maxItems": "at most {} values",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
}


def check_shape(root: Node) -> list[Mistake]:
    """Return what breaks the schema; of more than ``MAX_MISTAKES`` mistakes one more than that."""
    found = _validator().iter_errors(plain(root))
    explained = (mistake for error in found for mistake in _explained(root, error))
    return list(islice(explained, MAX_MISTAKES + 1))


@cache
def _validator() -> Draft202012Validator:
    checker = FormatChecker(formats=())
    checker.checks("date-time")(_is_moment)
    extend: Any = validators.extend  # it has no annotations
    kind = extend(Draft202012Validator, {"pattern": _pattern, "anyOf": _any_of})
    validator: Draft202012Validator = kind(configuration_schema(), format_checker=checker)
    return validator


def _is_moment(value: object) -> bool:
    try:
        msgspec.convert(value, Moment)
    except msgspec.ValidationError:
        return not isinstance(value, str)
    return True


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    """Check a pattern as JSON Schema means it: unlike in Python, ``$`` is the very end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("not of the form")


def _any_of(validator: Any, choices: Sequence[Any], instance: Any, schema: Any) -> Iterator[Any]:
    """Check a value by the one choice that it is meant to be, which mistakes are told of."""
    by_tag = schema.get("discriminator")
    if by_tag is None:
        if instance is not None:
            yield from validator.descend(instance, choices[0], schema_path=0)
        return
    tag, kinds = by_tag["propertyName"], by_tag["mapping"]
    if not isinstance(instance, dict):
        yield from validator.descend(instance, {"type": "object"})
    elif tag not in instance:
        yield ValidationError(f"{tag} is missing", validator="missing", validator_value=list(kinds))
    elif not isinstance(instance[tag], str) or instance[tag] not in kinds:
        yield from validator.descend(instance[tag], {"enum": list(kinds)}, path=tag)
    else:
        yield from validator.descend(instance, {"$ref": kinds[instance[tag]]})


def _explained(root: Node, error: ValidationError) -> Iterator[Mistake]:
    path: Path = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    found: Any = error.instance
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    place = place_at(root, path)
    match str(error.validator):
        case "additionalProperties":
            known = schema["properties"]
            for key in (key for key in found if key not in known):
                at = (*path, key)
                message = f"the option {shown(key)} is not known here"
                yield Mistake(key_place(root, at), at, message, _known_option(key, known))
        case "required":
            for key in (key for key in wanted if key not in found):
                described = schema["properties"][key].get("description", "")
                yield Mistake(place, path, f"{key} is missing", described)
        case "missing":
            yield Mistake(place, path, error.message, f"known are {', '.join(wanted)}")
        case "items":
            pass  # of a pair with a third value, which maxItems has told
        case keyword:
            message, suggestion = _wrong_value(keyword, wanted, schema, node_at(root, path))
            yield Mistake(place, path, message, suggestion)


def _wrong_value(
    keyword: str, wanted: Any, schema: Mapping[str, Any], node: Node | None
) -> tuple[str, str]:
    """Return what is wrong with a value, and what to write; nothing of what variables hold."""
    value = plain(node) if node and node.written is None else None
    found = shown_node(node) if node else "nothing"
    if node and node.content is None:
        found = "nothing"
    text = value if isinstance(value, str) else ""
    if keyword == "type":
        expected = form_of(schema["pattern"]).words if "pattern" in schema else _KINDS[wanted]
        return f"expected {expected}, found {found}", _of_type(wanted, schema, value, node)
    if keyword == "pattern":
        form = form_of(wanted)
        return f"expected {form.words}, found {found}", form.suggest(text)
    if keyword == "format":
        advice = f"did you mean {text}Z?" if _is_moment(f"{text}Z") and text else ""
        example = "2026-10-01T08:00:00Z"
        return f"expected a moment with its offset, such as {example}, found {found}", advice
    if keyword == "enum":
        advice = did_you_mean(text, wanted) if text else f"known are {', '.join(wanted)}"
        return f"{found} is not known here", advice
    if keyword in _BOUNDS:
        return f"expected {_BOUNDS[keyword]} {wanted}, found {found}", _as_share(value, schema)
    length = _LENGTHS[keyword].format(wanted)
    if schema.get("minItems") == schema.get("maxItems") and keyword.endswith("Items"):
        length = f"{wanted} values"
    return f"expected {length}, found {found}", ""


def _of_type(wanted: str, schema: Mapping[str, Any], value: Any, node: Node | None) -> str:
    if node and node.content is None:
        return "give it a value, or leave the option out"
    if node and node.written is not None:
        return "set the variable to such a value, and write it without quotes"
    advice = ""
    match wanted:
        case "number" | "integer" if isinstance(value, str):
            advice = likely_number(value)
        case "boolean" if isinstance(value, str | int):
            advice = likely_truth(str(value))
        case "string" if isinstance(value, int | float) and not isinstance(value, bool):
            advice = form_of(schema.get("pattern", "")).of_number(str(value))
        case "array":
            advice = "write the whole list, each value after a dash or all in [brackets]"
        case _:
            pass
    return advice


def _as_share(value: Any, schema: Mapping[str, Any]) -> str:
    """Suggest a part of one in the place of percent."""
    if not isinstance(value, int | float) or not 1 <= value <= 100 or schema.get("maximum", 2) > 1:
        return ""
    return f"shares are parts of one: did you mean {value / 100:g}?"


def _known_option(key: str, known: Mapping[str, Any]) -> str:
    close = nearest(key, list(known))
    if close:
        return f"did you mean {close}?"
    elsewhere = _places_of_options().get(key)
    if elsewhere:
        return f"did you mean {elsewhere}?"
    return did_you_mean(key, known)


@cache
def _places_of_options() -> dict[str, str]:
    """Return where each option stands that stands in one place only, lists left out."""
    definitions = configuration_schema()["$defs"]
    places: dict[str, list[str]] = {}

    def walk(definition: Mapping[str, Any], path: Path) -> None:
        for name, option in definition["properties"].items():
            places.setdefault(name, []).append(dotted((*path, name)))
            if "$ref" in option:
                walk(definitions[option["$ref"].rpartition("/")[2]], (*path, name))

    walk(definitions["Configuration"], ())
    return {name: paths[0] for name, paths in places.items() if len(paths) == 1}
