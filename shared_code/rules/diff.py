"""Tells what changes in meaning from one rule document to another, in words."""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from shared_code.rules.document import Condition, Rates, Rule, RuleDocument
from shared_code.rules.normal_form import (
    NormalCondition,
    condition_in_words,
    lists_named,
    normal_rule,
    operand_in_words,
)
from shared_code.rules.rule_parts import target_currency

# What reports and dashboards are built on: a rule that changes it feeds another series.
_BREAKING: Final = ("scope", "metric", "group_by", "subject")
# What is read by people only.
_WORDS: Final = frozenset({"description", "owner", "tags"})


class Change(NamedTuple):
    """One thing that changes, in words; ``before`` or ``after`` is None where there is nothing."""

    where: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.where}: added {self.after}"
        if self.after is None:
            return f"{self.where}: removed {self.before}"
        return f"{self.where}: {self.before} -> {self.after}"


class RuleChange(NamedTuple):
    """What changes in a rule that both documents have."""

    rule_id: str
    changes: tuple[Change, ...]


class SharedChange(NamedTuple):
    """What changes in a named list, or in the rates, and the rules that use it."""

    name: str
    changes: tuple[Change, ...]
    used_by: tuple[str, ...]


class RuleSetDiff(NamedTuple):
    """What changes in meaning; of rules that only one document has, the id and the scope."""

    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    changed: tuple[RuleChange, ...]
    shared: tuple[SharedChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both documents mean the same."""
        return not any(self)

    def lines(self) -> Iterator[str]:
        """Yield the changes for people to read."""
        yield from (f"+ {rule_id} ({scope})" for rule_id, scope in self.added)
        yield from (f"- {rule_id} ({scope})" for rule_id, scope in self.removed)
        for rule_id, changes in self.changed:
            yield f"~ {rule_id}"
            yield from (f"    {change}" for change in changes)
        for name, changes, used_by in self.shared:
            yield f"~ {name}, used by {', '.join(used_by)}"
            yield from (f"    {change}" for change in changes)


class Bump(IntEnum):
    """How far a version is raised."""

    nothing = 0
    patch = 1
    minor = 2
    major = 3


def diff_documents(old: RuleDocument, new: RuleDocument) -> RuleSetDiff:
    """Return what ``new`` does that ``old`` does not, and the other way round.

    The order of rules and of the parts of a condition, defaults that are spelt out, how numbers are
    written, and lists and rates that no rule uses do not count; nor do version and description.
    """
    before = {rule.id: rule for rule in old.rules}
    after = {rule.id: rule for rule in new.rules}
    changed = [
        RuleChange(rule_id, changes)
        for rule_id in sorted(before.keys() & after.keys())
        if (changes := _rule_changes(before[rule_id], after[rule_id], old, new))
    ]
    return RuleSetDiff(
        tuple((rule_id, after[rule_id].scope) for rule_id in sorted(after.keys() - before.keys())),
        tuple((rule_id, before[rule_id].scope) for rule_id in sorted(before.keys() - after.keys())),
        tuple(changed),
        (*_list_changes(old, new), *_rate_changes(old, new)),
    )


def fitting_bump(diff: RuleSetDiff) -> Bump:
    """Return how far a version should be raised for what changes.

    Major: a rule is gone, or feeds another series (scope, metric, groups, subject). Minor: other
    payments match, or match otherwise. Patch: words only.
    """
    if diff.removed or any(
        change.where.startswith(_BREAKING) for rule in diff.changed for change in rule.changes
    ):
        return Bump.major
    if diff.added or diff.shared:
        return Bump.minor
    places = {change.where for rule in diff.changed for change in rule.changes}
    if places - _WORDS:
        return Bump.minor
    return Bump.patch if places else Bump.nothing


def version_advice(old: str, new: str, diff: RuleSetDiff) -> str | None:
    """Return what to say of a version that is raised too little or too much; None if it fits."""
    before, after = ([int(part) for part in version.split(".")] for version in (old, new))
    fitting = fitting_bump(diff)
    if after <= before:
        if diff.is_empty and old == new:
            return None
        return f"version {new} is not above {old}: raise it to {_raised(before, fitting)}"
    pairs = enumerate(zip(before, after, strict=True))
    place = next(at for at, (one, other) in pairs if one != other)
    found = Bump(Bump.major - place)
    if found == fitting:
        return None
    degree = "too little" if found < fitting else "more than needed"
    advice = f"{_raised(before, fitting)} would fit" if fitting else "nothing changes in meaning"
    return f"version {old} -> {new} is raised {degree}: {advice}"


def _raised(version: Sequence[int], bump: Bump) -> str:
    kept = Bump.major - (bump or Bump.patch)
    parts = [*version[:kept], version[kept] + 1, 0, 0]
    return ".".join(map(str, parts[:3]))


def _rule_changes(
    old: Rule, new: Rule, of_old: RuleDocument, of_new: RuleDocument
) -> tuple[Change, ...]:
    # A list that is renamed, or written out, changes nothing if its values are the same.
    if normal_rule(old, of_old.lists) == normal_rule(new, of_new.lists):
        return ()
    return tuple(_part_changes("", normal_rule(old), normal_rule(new)))


def _part_changes(where: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, NormalCondition) and isinstance(new, NormalCondition):
        yield from _condition_changes(where, old.tree, new.tree)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        names = [*old, *(name for name in new if name not in old)]
        for name in names:
            inner = f"{where}.{name}" if where else name
            yield from _part_changes(inner, old.get(name), new.get(name))
    else:
        yield Change(where, _in_words(old), _in_words(new))


def _in_words(part: Any) -> str | None:
    match part:
        case None:
            return None
        case NormalCondition():
            return condition_in_words(part.tree)
        case Mapping():
            return ", ".join(f"{name} {_in_words(inner)}" for name, inner in part.items())
        case str():
            return part
        case _:
            return operand_in_words(part)


def _condition_changes(where: str, old: Condition, new: Condition) -> Iterator[Change]:
    kinds = [_kind(condition) for condition in (old, new)]
    if "field" in old and "field" in new:
        yield from _comparison_changes(where, old, new)
    elif kinds == ["not", "not"]:
        yield from _condition_changes(f"{where}: not", old["not"], new["not"])
    elif kinds in (["all", "any"], ["any", "all"]) or not {"all", "any"}.intersection(kinds):
        yield Change(where, condition_in_words(old), condition_in_words(new))
    else:
        kind = "all" if "all" in kinds else "any"
        yield from _parts_changes(where, old.get(kind, [old]), new.get(kind, [new]))


def _parts_changes(
    where: str, old: Sequence[Condition], new: Sequence[Condition]
) -> Iterator[Change]:
    removed = [part for part in old if part not in new]
    added = [part for part in new if part not in old]
    for part in removed:
        # What is alike most is taken for the same part, changed.
        alike = [other for other in added if _likeness(part, other)]
        if not alike:
            yield Change(where, condition_in_words(part), None)
            continue
        counterpart = max(alike, key=lambda other: _likeness(part, other))
        added.remove(counterpart)
        yield from _condition_changes(where, part, counterpart)
    for part in added:
        yield Change(where, None, condition_in_words(part))


def _likeness(one: Condition, other: Condition) -> int:
    if _kind(one) != _kind(other) or one.get("field") != other.get("field"):
        return 0
    return 1 + (one.get("operator") == other.get("operator"))


def _kind(condition: Condition) -> str:
    return next((kind for kind in ("all", "any", "not") if kind in condition), "field")


def _comparison_changes(where: str, old: Condition, new: Condition) -> Iterator[Change]:
    only_value = {**old, "value": None} == {**new, "value": None}
    if not only_value or "value" not in old or "value" not in new:
        yield Change(where, condition_in_words(old), condition_in_words(new))
        return
    inner = f"{where}: {old['field']} {old['operator']}"
    before, after = old["value"], new["value"]
    if old["operator"] in {"in", "not_in"} and isinstance(before, list) and isinstance(after, list):
        yield from _member_changes(inner, before, after)
    else:
        yield Change(inner, operand_in_words(before), operand_in_words(after))


def _member_changes(where: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    added, removed = sorted({*new} - {*old}), sorted({*old} - {*new})
    if added:
        yield Change(where, None, ", ".join(map(operand_in_words, added)))
    if removed:
        yield Change(where, ", ".join(map(operand_in_words, removed)), None)


def _list_changes(old: RuleDocument, new: RuleDocument) -> Iterator[SharedChange]:
    for name in sorted(old.lists.keys() & new.lists.keys()):
        changes = tuple(_member_changes("values", old.lists[name], new.lists[name]))
        used_by = tuple(rule.id for rule in new.rules if name in lists_named(normal_rule(rule)))
        if changes and used_by:
            yield SharedChange(f"list {name}", changes, used_by)


def _rate_changes(old: RuleDocument, new: RuleDocument) -> Iterator[SharedChange]:
    used_by = tuple(rule.id for rule in new.rules if target_currency(rule) is not None)
    changes = tuple(_part_changes("", _rates(old.rates), _rates(new.rates)))
    if changes and used_by:
        yield SharedChange("rates", changes, used_by)


def _rates(rates: Rates | None) -> Mapping[str, Any]:
    if rates is None:
        return {}
    return {"base": rates.base, **rates.per_base, "as_of": rates.as_of, "source": rates.source}
