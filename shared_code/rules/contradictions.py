"""Finds conditions that can never hold, conditions that always do, and parts that say the same.

Only what is sure is reported: what any payment meets is never called contradictory.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from shared_code.rules.errors import Path, RuleError, json_path
from shared_code.rules.literals import Form, Literal, joined, literal_of, negated
from shared_code.rules.requirements import (
    Algebra,
    Aspect,
    Requirement,
    Values,
    met,
    possible,
    requirements_of,
)

_FIXED: Final = "Correct the value, or leave the comparison out."


class Contradictions:
    """Looks for contradictions in the conditions of one document.

    Args:
        lists: the document's named lists of values.
    """

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        self._values_of = cache(lambda name: frozenset(lists[name]))
        self._algebra = Algebra(cache(frozenset.intersection), cache(frozenset.difference))

    def errors(
        self, path: Path, condition: Any, longest_gap: int | None = None
    ) -> Iterator[RuleError]:
        """Yield what can never matter in a condition.

        Args:
            path: of the condition in the document.
            condition: one whose shape and comparisons are right.
            longest_gap: how many minutes ``gap_minutes`` can be; None where there is no gap.
        """
        return self._visit(path, condition, longest_gap)

    def _visit(
        self, path: Path, condition: Any, longest_gap: int | None
    ) -> Generator[RuleError, None, Form]:
        for name in ("all", "any"):
            if name in condition:
                parts = _Parts((*path, name), longest_gap, self._algebra, every=name == "all")
                for at, part in enumerate(condition[name]):
                    of_part = yield from self._visit((*path, name, at), part, longest_gap)
                    yield from parts.errors_of_adding(of_part)
                return joined(parts.forms, every=name == "all")
        if "not" in condition:
            form = negated((yield from self._visit((*path, "not"), condition["not"], longest_gap)))
            if isinstance(form, Literal):
                yield from self._alone(path, form, longest_gap)
            return form
        literal = literal_of(condition, self._values_of)
        if literal.operator == "in" and not literal.operand:
            yield _of_empty_list(path, condition)
        else:
            yield from self._alone(path, literal, longest_gap)
        return literal

    def _alone(self, path: Path, literal: Literal, longest_gap: int | None) -> Iterator[RuleError]:
        """Yield that a comparison can never hold, whatever stands beside it."""
        for aspect, values in requirements_of(literal):
            limit = possible(aspect, longest_gap)
            if limit is not None and met(limit, values, self._algebra).is_empty:
                message = f"this can never hold: {_limit(aspect, longest_gap)}"
                yield RuleError(json_path(path), message, _FIXED)
                return


class _Required(NamedTuple):
    """A requirement and the number of the part that has it; None for what is always so."""

    part: int | None
    values: Values


class _Parts:
    """The parts of an ``all`` or ``any``, one after the other.

    Parts of an ``any`` are looked at by their negations: if those exclude each other, the parts
    leave nothing between them.
    """

    def __init__(
        self, path: Path, longest_gap: int | None, algebra: Algebra, *, every: bool
    ) -> None:
        self.forms: list[Form] = []
        self._path = path
        self._every = every
        self._longest_gap = longest_gap
        self._algebra = algebra
        self._places: dict[Form, int] = {}
        self._required: dict[Aspect, list[_Required]] = {}
        self._left: dict[Aspect, Values] = {}

    def errors_of_adding(self, form: Form) -> Iterator[RuleError]:
        """Yield the error of the next part, if it has one."""
        part = len(self.forms)
        self.forms.append(form)
        required = form if self._every else negated(form)
        if required in self._places:
            message = f"this says the same as {self._place(self._places[required])}"
            yield RuleError(self._place(part), message, "Leave one of the two out.")
            return
        opposite = self._places.get(negated(required))
        self._places[required] = part
        if opposite is not None:
            yield self._clash(part, opposite, "one is the negation of the other")
            return
        for literal in _literals(required):
            for requirement in requirements_of(literal):
                other = self._require(part, requirement)
                if other is not None:
                    yield self._clash(part, other, _reason(requirement.aspect, every=self._every))
                    return

    def _require(self, part: int, requirement: Requirement) -> int | None:
        """Add a requirement; return the part that it excludes, and leave it out then.

        A part that excludes itself, or what is always so, has been told of where it stands.
        """
        aspect, values = requirement
        if values.is_empty:
            return None
        others = self._required.setdefault(aspect, [])
        if not others and (limit := possible(aspect, self._longest_gap)) is not None:
            others.append(_Required(None, limit))
            self._left[aspect] = limit
        left = met(self._left[aspect], values, self._algebra) if others else values
        if not left.is_empty:
            others.append(_Required(part, values))
            self._left[aspect] = left
            return None
        excluded = (
            other.part for other in others if met(other.values, values, self._algebra).is_empty
        )
        other = next(excluded, others[-1].part)
        return None if other == part else other

    def _clash(self, part: int, other: int, reason: str) -> RuleError:
        beside = self._place(other)
        if self._every:
            message = f"this can never hold together with {beside}: {reason}"
            suggestion = "Correct one of them, or use 'any' if one is enough."
        else:
            message = f"this or {beside} always holds where both are known: {reason}"
            suggestion = "Correct one of them, or use 'all' if both are needed."
        return RuleError(self._place(part), message, suggestion)

    def _place(self, part: int) -> str:
        return json_path((*self._path, part))


def _literals(form: Form) -> Iterable[Literal]:
    """Return the comparisons that all have to hold for a form to do so."""
    if isinstance(form, Literal):
        return (form,)
    return [part for part in form.parts if isinstance(part, Literal)] if form.every else ()


def _of_empty_list(path: Path, condition: Mapping[str, Any]) -> RuleError:
    name = condition["value"]["list"]
    always = "always holds where it is known" if condition["operator"] == "not_in" else None
    message = f"this {always or 'can never hold'}: the list {name!r} is empty"
    return RuleError(json_path(path), message, "Fill the list, or leave the comparison out.")


def _limit(aspect: Aspect, longest_gap: int | None) -> str:
    if aspect.of == "presence":
        return f"every payment has {aspect.field}"
    if aspect.of == "values":
        return f"no value of {aspect.field} is left"
    if longest_gap is not None and aspect.field == "gap_minutes":
        return f"gap_minutes is at most {longest_gap}, by 'within_minutes'"
    return f"{aspect.field} is never below zero"


def _reason(aspect: Aspect, *, every: bool) -> str:
    if aspect.of == "presence":
        return f"one needs {aspect.field}, the other its absence"
    if aspect.of == "flag":
        return f"one needs the flag {aspect.detail}, the other its absence"
    what = "hour of the week" if aspect.of == "hours" else f"value of {aspect.field}"
    return f"no {what} meets them all" if every else f"every {what} meets one of them"
