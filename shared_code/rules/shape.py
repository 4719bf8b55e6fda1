"""Checks the shape of a rule document by the JSON Schema that editors use, too."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from shared_code.rules.errors import MAX_ERRORS, Path, RuleError, json_path, shown

SCHEMA_FILE: Final = FilePath(__file__).parents[2] / "rules" / "metric_derivation_rules.schema.json"

_LONGEST_SUGGESTION: Final = 300
# Among more letters than that (the category codes of merchants) looking for a like name takes long.
_MOST_LETTERS: Final = 4_000
_MOST_COMPARED: Final = 100
# Where an example says more than the description, which tells of bounds.
_OF_FORM: Final = frozenset({"pattern", "type"})
_MESSAGES: Final[Mapping[str, str]] = {
    "enum": "{found} is none of the values that are known here",
    "type": "expected {wanted}, found {found}",
    "pattern": "{found} is not of the form that is needed here",
    "minLength": "{found} has fewer than {wanted} characters",
    "maxLength": "{found} has more than {wanted} characters",
    "minItems": "{found} has fewer than {wanted} items",
    "maxItems": "{found} has more than {wanted} items",
    "uniqueItems": "{found} has an item twice",
    "minProperties": "the object has fewer than {wanted} keys",
    "maxProperties": "the object has more than {wanted} keys",
    "minimum": "{found} is below {wanted}",
    "exclusiveMinimum": "{found} is not above {wanted}",
    "maximum": "{found} is above {wanted}",
}


class ShapeError(NamedTuple):
    """A mistake with the path at which the schema was broken, for what can be judged beside it."""

    path: Path
    error: RuleError


class Shape(NamedTuple):
    """What breaks the schema, in the document's order; not all of it if it is not complete."""

    errors: Sequence[ShapeError]
    complete: bool


def check_shape(document: Any) -> Shape:
    """Return what breaks the schema; of more than ``MAX_ERRORS`` mistakes only some."""
    found = list(islice(_validator().iter_errors(document), MAX_ERRORS + 1))
    found.sort(key=lambda error: list(error.absolute_path))
    # A missing key is found once for each of its object's missing keys.
    explained = (shape for error in found for shape in islice(_explained(error), MAX_ERRORS + 1))
    errors = list(dict.fromkeys(explained))
    return Shape(errors, len(found) <= MAX_ERRORS)


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    extend: Any = validators.extend  # it has no annotations
    validator: Draft202012Validator = extend(Draft202012Validator, {"pattern": _pattern})(schema)
    return validator


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    """Check a pattern as JSON Schema means it: unlike in Python, ``$`` is the very end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{shown(instance)} is not of the form {pattern}")


def _explained(error: ValidationError) -> Iterator[ShapeError]:
    path: Path = tuple(error.absolute_path)
    keyword = str(error.validator)
    found: Any = error.instance
    wanted: Any = error.validator_value
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    properties: Mapping[str, Any] = schema.get("properties", {})
    missing: list[str] = []
    if keyword == "required":
        missing = [name for name in wanted if name not in found]
    elif keyword == "dependentRequired":
        needed = dict.fromkeys(name for key in wanted if key in found for name in wanted[key])
        missing = [name for name in needed if name not in found]
    elif keyword == "additionalProperties":
        for name in (name for name in found if name not in properties):
            message = f"the key {shown(name)} is not known here"
            at = (*path, name)
            yield ShapeError(at, RuleError(json_path(at), message, did_you_mean(name, properties)))
    else:
        template = _MESSAGES.get(keyword, "{found} is none of what is possible here")
        if wanted == {}:  # of 'not': whatever the key holds
            template = "{key} does not belong here"
        kinds = wanted if isinstance(wanted, list) else [wanted]
        key = shown(path[-1]) if path else "the document"
        listed = ", ".join(map(str, kinds))
        message = template.format(found=shown(found), wanted=listed, key=key)
        yield ShapeError(path, RuleError(json_path(path), message, _suggestion(error, schema)))
    for name in missing:
        advice = _described(properties.get(name, {})) or _described(schema)
        yield ShapeError(path, RuleError(json_path(path), f"{name!r} is missing", advice))


def _suggestion(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if error.validator == "enum":
        return did_you_mean(error.instance, schema["enum"])
    example = schema.get("examples", [[]])[0]
    if error.validator in _OF_FORM and not isinstance(example, list | dict):
        return f"For example {shown(example)}."
    return _described(schema)


def _described(schema: Mapping[str, Any]) -> str:
    return _cut(str(schema.get("description", "")))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SUGGESTION else f"{text[:_LONGEST_SUGGESTION]}..."


def did_you_mean(found: Any, known: Iterable[str]) -> str:
    """Return the known name that is most like the one found, or what is known if it is little."""
    names = list(known)
    if sum(map(len, names)) > _MOST_LETTERS:
        return f"For example {shown(names[len(names) // 2])}."
    close = difflib.get_close_matches(str(found)[:_MOST_COMPARED], names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!a}?"
    listed = ", ".join(name if name.isascii() else ascii(name) for name in names)
    return _cut(f"Known: {listed}.") if names else "None is known here."
