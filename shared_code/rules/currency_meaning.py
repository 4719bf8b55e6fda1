"""Checks exchange rates, and that rules neither mix currencies nor convert without a rate."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared_code.domain.currencies import CURRENCIES
from shared_code.rules.check_context import CheckContext
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.shape import did_you_mean

OF_MONEY: Final = frozenset(
    {"sum", "average", "minimum", "maximum", "standard_deviation", "percentile"}
)
# The keys of rules that may hold 'in_currency'.
_CONVERTING: Final = ("when", "value", "measure", "previous", "pattern", "lookup")


def rates_errors(context: CheckContext) -> Iterator[RuleError]:
    """Yield what makes no sense in the rates of a document."""
    if context.rates is None or not context.is_whole(("rates",)):
        return
    base: str = context.rates["base"]
    per_base: Mapping[str, Any] = context.rates["per_base"]
    if base not in CURRENCIES:
        yield _no_currency(("rates", "base"), base)
    for code in per_base:
        if code not in CURRENCIES:
            yield _no_currency(("rates", "per_base", code), code)
    if per_base.get(base, 1) != 1:
        where = json_path(("rates", "per_base", base))
        message = f"one {base} is worth {shown(per_base[base])} {base}, and it is the base"
        yield RuleError(where, message, "Leave it out, or correct 'base'.")


def conversion_errors(path: Path, rule: Any, context: CheckContext) -> Iterator[RuleError]:
    """Yield where a rule converts to what has no rate, or to more than one currency."""
    first: tuple[Path, str] | None = None
    converting = {key: rule[key] for key in _CONVERTING if key in rule}
    for place, code in _conversions(path, converting):
        if not isinstance(code, str) or not context.is_whole(place):
            continue
        where = json_path(place)
        if code not in CURRENCIES:
            yield _no_currency(place, code)
            continue
        if context.currencies is not None and not context.currencies:
            message = f"the document has no 'rates' to convert to {code}"
            yield RuleError(where, message, "Add 'rates', or leave 'in_currency' out.")
        elif context.currencies is not None and code not in context.currencies:
            message = f"there is no rate for {code}"
            yield RuleError(where, message, did_you_mean(code, sorted(context.currencies)))
        elif first is not None and code != first[1]:
            message = f"the rule converts to {code} here, and to {first[1]} at "
            message += json_path(first[0])
            yield RuleError(where, message, "Use one currency in a rule, or make two rules.")
        first = first or (place, code)


def mixing_errors(
    path: Path, rule: Mapping[str, Any], context: CheckContext
) -> Iterator[RuleError]:
    """Yield that the measure of a rule would take amounts of different currencies together."""
    where = (*path, "measure")
    measure: Mapping[str, Any] = rule["measure"]
    function = measure["function"]
    if function not in OF_MONEY or "in_currency" in measure:
        return
    if not context.is_whole((*path, "group_by")) or not context.is_whole((*path, "when")):
        return
    when = rule.get("when", {})
    one_currency = "currency" in rule.get("group_by", ()) or any(
        part.get("field") == "currency"
        and part.get("operator") == "eq"
        and isinstance(part.get("value"), str)
        for part in (when, *when.get("all", ()))
    )
    if not one_currency:
        message = f"{function!r} would mix amounts of different currencies"
        suggestion = (
            "Add 'currency' to group_by, require one currency in 'when', or give 'in_currency'."
        )
        yield RuleError(json_path(where), message, suggestion)


def _no_currency(path: Path, code: str) -> RuleError:
    message = f"{shown(code)} is no currency of ISO 4217"
    return RuleError(json_path(path), message, did_you_mean(code, CURRENCIES))


def _conversions(path: Path, part: Any) -> Iterator[tuple[Path, Any]]:
    """Yield every ``in_currency`` of a rule, with its path."""
    if isinstance(part, dict):
        if "in_currency" in part:
            yield (*path, "in_currency"), part["in_currency"]
        for key, child in part.items():
            if isinstance(child, dict | list):
                yield from _conversions((*path, key), child)
    elif isinstance(part, list):
        for at, child in enumerate(part):
            if isinstance(child, dict | list):
                yield from _conversions((*path, at), child)
