"""What the checks of a document share: what its parts refer to, and which of them are whole."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared_code.domain.currencies import CURRENCIES
from shared_code.rules.contradictions import Contradictions
from shared_code.rules.errors import Path


class CheckContext:
    """One document during its checks; they leave out what has a broken shape.

    Attributes:
        lists: the document's named lists, whole or not.
        currencies: what amounts can be converted to: none without rates; None if the rates are
            broken, so that it is not known.
        uses_of_lists: the lists that are compared with fields, by name and field, as they are met.
        patterns: what is wrong with each regular expression that was met; None if nothing is.
        contradictions: looks for contradictions in conditions that are right otherwise.
    """

    def __init__(self, document: Any, broken: Iterable[Path]) -> None:
        content: Mapping[str, Any] = document if isinstance(document, dict) else {}
        self._at_or_above_fault = frozenset(
            path[:length] for path in broken for length in range(len(path) + 1)
        )
        lists: Any = content.get("lists")
        self.lists: Mapping[str, Any] = lists if isinstance(lists, dict) else {}
        self.rates: Any = content.get("rates")
        self.currencies: frozenset[str] | None = frozenset()
        if ("rates",) in self._at_or_above_fault:
            self.currencies = None
        elif self.rates is not None:
            named = {self.rates["base"], *self.rates["per_base"]}
            self.currencies = frozenset(named & CURRENCIES.keys())
        self.uses_of_lists: dict[tuple[str, str], None] = {}
        self.patterns: dict[str, str | None] = {}
        self.contradictions = Contradictions(self.lists)

    def is_whole(self, path: Path) -> bool:
        """Tell whether what is at a path has the right shape, all the way down."""
        return path not in self._at_or_above_fault

    def has_whole(self, path: Path, parent: Mapping[str, Any]) -> bool:
        """Tell whether the last key of a path is in its object and is whole."""
        return path[-1] in parent and self.is_whole(path)
