"""Checks the terms of score rules: they weigh outcomes that other rules really have."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared_code.rules.check_context import CheckContext
from shared_code.rules.errors import Path, RuleError, json_path
from shared_code.rules.outcomes import INDETERMINATE_NAME, MATCHED_NAME
from shared_code.rules.shape import did_you_mean

_WEIGHED: Final = frozenset({"transaction", "velocity", "sequence"})


class Scores:
    """Checks the terms of one document's score rules against its other rules.

    Args:
        rules: the rules by id, whole or not, each with its path.
        context: of the document.
    """

    def __init__(
        self, rules: Mapping[str, tuple[Path, Mapping[str, Any]]], context: CheckContext
    ) -> None:
        self._rules = rules
        self._context = context
        self._known = sorted(
            name for name, (_, rule) in rules.items() if rule.get("scope") in list(_WEIGHED)
        )

    def errors(self, path: Path, terms: Any) -> Iterator[RuleError]:
        """Yield what makes no sense in terms of the right shape.

        Args:
            path: of the terms in the document.
            terms: the list of them.
        """
        places: dict[tuple[str, str | None], int] = {}
        for at, term in enumerate(terms):
            where = (*path, at)
            first = places.setdefault((term["rule"], term.get("outcome")), at)
            if first != at:
                message = f"the same outcome has points at {json_path((*path, first))}"
                yield RuleError(json_path(where), message, "Add the points up in one term.")
            elif term["rule"] not in self._rules:
                message = f"there is no rule {term['rule']!r} in the document"
                suggestion = did_you_mean(term["rule"], self._known)
                yield RuleError(json_path((*where, "rule")), message, suggestion)
            else:
                yield from self._term_errors(where, term)

    def _term_errors(self, path: Path, term: Mapping[str, Any]) -> Iterator[RuleError]:
        weighed, rule = self._rules[term["rule"]]
        where, name = json_path((*path, "rule")), term["rule"]
        if not self._context.has_whole((*weighed, "scope"), rule):
            return
        if rule["scope"] not in _WEIGHED:
            message = f"{name!r} is a rule of scope {rule['scope']!r}, which gives no points"
            suggestion = "Weigh rules of scope transaction, velocity or sequence."
            yield RuleError(where, message, suggestion)
            return
        if rule.get("enabled") is False:
            suggestion = "Enable it, or leave the term out."
            yield RuleError(where, f"the rule {name!r} is not enabled", suggestion)
        if rule["scope"] == "velocity" and "alert" not in rule:
            message = f"the velocity rule {name!r} has no alert, so that it never counts"
            yield RuleError(where, message, f"Add an alert at {json_path(weighed)}.")
        if "outcome" in term and self._context.is_whole((*weighed, "bands")):
            of_bands = (item["outcome"] for item in rule.get("bands", ()))
            outcomes = [MATCHED_NAME, INDETERMINATE_NAME, *of_bands]
            if term["outcome"] not in outcomes:
                message = f"the rule {name!r} has no outcome {term['outcome']!r}"
                suggestion = did_you_mean(term["outcome"], outcomes)
                yield RuleError(json_path((*path, "outcome")), message, suggestion)
