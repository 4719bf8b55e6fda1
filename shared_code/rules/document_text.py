"""Rule documents as text: read from JSON or YAML, and written for people to edit."""

import re
from decimal import Decimal
from typing import Any, Final

import yaml

from shared_code.rules import json_text
from shared_code.rules import yaml_text as yaml_reader
from shared_code.rules.canonical import json_lines, plain_number
from shared_code.rules.structure import MAX_DOCUMENT_BYTES

# The order in which one reads each object; keys that are not here follow by the alphabet.
READING_ORDER: Final = (
    *("$schema", "version", "based_on"),
    *("id", "scope", "name", "rule", "points", "outcome", "reason", "description"),
    *("category", "severity", "lists", "rates", "rules", "metric", "type"),
    *("owner", "tags", "enabled", "effective_from", "effective_to"),
    *("base", "as_of", "source", "per_base", "at_least", "below", "first", "times", "then"),
    *("when", "where", "indeterminate", "all", "any", "not", "function", "field", "in_currency"),
    *("operator", "list", "value", "within_percent", "time_zone", "of", "percentile"),
    *("add", "subtract", "multiply", "divide", "subject", "by", "within_minutes", "group_by"),
    *("measure", "previous", "pattern", "lookup", "terms", "bands"),
    *("alert", "minimum_payments", "cooldown_minutes"),
)

_PLACES: Final = {key: place for place, key in enumerate(READING_ORDER)}
_JSON_BEGINS: Final = re.compile(rb"[ \t\r\n]*+[{\[]")
_WIDTH: Final = 90  # libyaml ends a line behind the word that passes it
# libyaml folds other long text so that it reads differently.
_PLAIN_WORDS: Final = re.compile(r"\S+(?: \S+)*")
_LONG: Final = 72


def parse_document(content: bytes) -> Any:
    """Return what a text holds: JSON if it begins with a brace or a bracket, else YAML.

    Numbers are int or Decimal, digit by digit, and all else is what ``json`` would make of it.

    Raises:
        RuleDocumentRefused: with line and column, or with the JSON path of each mistake.
    """
    is_json = _JSON_BEGINS.match(content, 0, MAX_DOCUMENT_BYTES)
    return json_text.parse(content) if is_json else yaml_reader.parse(content)


def json_text_for_people(document: Any) -> str:
    """Return a document as JSON, its keys in the order in which one reads them."""
    return json_lines(_in_reading_order(document)).decode()


def yaml_text(document: Any) -> str:
    """Return a document as YAML, its keys in the order in which one reads them.

    Text that any reader of YAML might take for something else stands in quotes.
    """
    return yaml.dump(
        _in_reading_order(document),
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDTH,
    )


def _in_reading_order(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (_PLACES.get(key, len(_PLACES)), key))
        return {key: _in_reading_order(value[key]) for key in keys}
    return [_in_reading_order(child) for child in value] if isinstance(value, list) else value


class _Dumper(yaml.CSafeDumper):
    """Writes what ``yaml_text.parse`` reads, without anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the name is the library's
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _represent_number(dumper: _Dumper, number: Decimal) -> yaml.ScalarNode:
    text = plain_number(number)
    kind = "float" if "." in text else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", text)


def _style(text: str) -> str | None:
    """Return how a text is written, if the writer's own choice would not do."""
    if not isinstance(yaml_reader.plain_value(text), str):
        return "'"
    if "\n" in text:
        return "|"
    return ">" if len(text) > _LONG and _PLAIN_WORDS.fullmatch(text) else None


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Decimal, _represent_number)
