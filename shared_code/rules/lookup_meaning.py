"""Checks lookups of a payment's own past: what they compare or count may say nothing there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared_code.rules.check_context import CheckContext
from shared_code.rules.errors import Path, RuleError, json_path

# What two events that a payment reports, of different statuses, always and never have in common.
_KNOWN_PAIRS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"transaction_id", "original.transaction_id"}): "are always the same",
    frozenset({"payment_status", "original.payment_status"}): "are never the same",
}


def lookup_errors(
    path: Path, rule: Mapping[str, Any], context: CheckContext
) -> Iterator[RuleError]:
    """Yield what makes no sense in a lookup by ``transaction_id``.

    Args:
        path: of the rule in the document.
        rule: whatever keys it has.
        context: of the document.
    """
    where = (*path, "lookup")
    if not context.has_whole(where, rule) or rule["lookup"].get("by") != "transaction_id":
        return
    lookup: Mapping[str, Any] = rule["lookup"]
    for place, names in _fields_compared((*where, "where"), lookup["where"]):
        if names in _KNOWN_PAIRS:
            one, other = sorted(names, reverse=True)
            message = f"{one} and {other} {_KNOWN_PAIRS[names]} by 'transaction_id'"
            suggestion = "What is found is the same payment, of another status. Compare others."
            yield RuleError(json_path(place), message, suggestion)
    if not context.has_whole((*path, "when"), rule) or "when" not in lookup:
        return
    status = _status_needed(rule["when"])
    if status is not None and status == _status_needed(lookup["when"]):
        message = f"nothing is ever found: it would be {status!r}, and so is the payment itself"
        suggestion = "A lookup by transaction_id looks for another status."
        yield RuleError(json_path((*where, "when")), message, suggestion)


def _fields_compared(path: Path, condition: Any) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield the comparisons of two fields in a condition, each with its path."""
    match condition:
        case {"field": str(one), "value": {"field": str(other)}}:
            yield path, frozenset({one, other})
        case {"not": part}:
            yield from _fields_compared((*path, "not"), part)
        case {"all": list(parts)} | {"any": list(parts)}:
            for at, part in enumerate(parts):
                yield from _fields_compared((*path, next(iter(condition)), at), part)


def _status_needed(condition: Any) -> str | None:
    """Return the one status that a condition needs; None if it takes several."""
    match condition:
        case {"field": "payment_status", "operator": "eq", "value": str(status)}:
            return status
        case {"field": "payment_status", "operator": "in", "value": [str(status)]}:
            return status
        case {"all": list(parts)}:
            return next(filter(None, map(_status_needed, parts)), None)
        case _:
            return None
