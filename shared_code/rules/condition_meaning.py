"""Checks condition trees of a rule document: each comparison, then whether they contradict."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from shared_code.rules.check_context import CheckContext
from shared_code.rules.comparison_meaning import comparison_errors
from shared_code.rules.errors import Path, RuleError
from shared_code.rules.fields import Field


def condition_errors(
    path: Path,
    condition: Any,
    fields: Mapping[str, Field],
    context: CheckContext,
    longest_gap: int | None = None,
) -> Iterator[RuleError]:
    """Yield what makes no sense in a condition, wherever its shape is right.

    Args:
        path: of the condition in the document.
        condition: whatever stands there.
        fields: those that are known in it.
        context: of the document.
        longest_gap: how many minutes ``gap_minutes`` can be; None where there is no gap.
    """
    makes_sense = yield from _comparison_errors(path, condition, fields, context)
    if makes_sense and context.is_whole(path) and context.is_whole(("lists",)):
        yield from context.contradictions.errors(path, condition, longest_gap)


def _comparison_errors(
    path: Path, condition: Any, fields: Mapping[str, Field], context: CheckContext
) -> Generator[RuleError, None, bool]:
    """Yield the errors of all comparisons; return whether there was none."""
    if not isinstance(condition, dict):
        return False
    makes_sense = True
    for place, part in _parts(condition):
        of_part = yield from _comparison_errors((*path, *place), part, fields, context)
        makes_sense = makes_sense and of_part
    if "field" in condition and context.is_whole(path):
        for error in comparison_errors(path, condition, fields, context):
            makes_sense = False
            yield error
    return makes_sense


def _parts(condition: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for name in ("all", "any"):
        parts = condition.get(name)
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            yield (name, at), part
    if "not" in condition:
        yield ("not",), condition["not"]
