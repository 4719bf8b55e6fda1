"""Checks what a rule document means: each rule by itself, and what they say of each other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared_code.rules.check_context import CheckContext
from shared_code.rules.comparison_meaning import list_errors
from shared_code.rules.currency_meaning import rates_errors
from shared_code.rules.errors import Path, RuleError, json_path
from shared_code.rules.fields import ALL_FIELDS, Kind
from shared_code.rules.rule_meaning import rule_errors
from shared_code.rules.score_meaning import Scores

type _RulesById = Mapping[str, tuple[Path, Mapping[str, Any]]]


def meaning_errors(document: Any, broken: Iterable[Path]) -> Iterator[RuleError]:
    """Yield what makes no sense in the parts of a document whose shape is right.

    Args:
        document: what its text holds.
        broken: the paths at which it breaks the schema.
    """
    context = CheckContext(document, broken)
    yield from rates_errors(context)
    rules: Any = document.get("rules") if isinstance(document, dict) else None
    numbered = enumerate(rules if isinstance(rules, list) else ())
    placed: list[tuple[Path, Mapping[str, Any]]] = [
        (("rules", number), rule) for number, rule in numbered if isinstance(rule, dict)
    ]
    by_id: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for path, rule in placed:
        if context.has_whole((*path, "id"), rule):
            by_id.setdefault(rule["id"], (path, rule))
    scores = Scores(by_id, context)
    metrics: dict[str, tuple[Path, str]] = {}
    for path, rule in placed:
        if context.has_whole((*path, "id"), rule):
            yield from _repeated_id(path, rule["id"], by_id)
        if context.has_whole((*path, "metric"), rule):
            yield from _metric_errors((*path, "metric"), rule["metric"], metrics)
        yield from rule_errors(path, rule, context)
        if context.has_whole((*path, "terms"), rule):
            yield from scores.errors((*path, "terms"), rule["terms"])
    yield from _list_errors(context)


def _repeated_id(path: Path, rule_id: str, rules: _RulesById) -> Iterator[RuleError]:
    first, _ = rules[rule_id]
    if path != first:
        message = f"the id {rule_id!r} is taken by {json_path(first)}"
        yield RuleError(json_path((*path, "id")), message, "Choose another id.")


def _metric_errors(
    path: Path, metric: Mapping[str, str], metrics: dict[str, tuple[Path, str]]
) -> Iterator[RuleError]:
    """Yield that a metric has values of another type in an earlier rule."""
    name, own = metric["name"], metric["type"]
    first, earlier = metrics.setdefault(name, (path, own))
    if own != earlier:
        message = f"the metric {name!r} has values of type {own!r} here, and of type {earlier!r}"
        message += f" at {json_path(first)}"
        suggestion = "Choose one type, or another name."
        yield RuleError(json_path((*path, "type")), message, suggestion)


def _list_errors(context: CheckContext) -> Iterator[RuleError]:
    """Check each list against the fields that are compared with it, once for all its uses."""
    judged: set[tuple[str, str]] = set()
    for name, field_name in context.uses_of_lists:
        field = ALL_FIELDS[field_name]
        use = (name, field.domain)
        if field.kind is Kind.text or use in judged or not context.is_whole(("lists", name)):
            continue
        judged.add(use)
        yield from list_errors(name, context.lists[name], field)
