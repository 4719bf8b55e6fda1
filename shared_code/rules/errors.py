"""What can be wrong with a rule document."""

from collections.abc import Sequence
from typing import NamedTuple

from shared_code.errors import PaymentsError


class RuleError(NamedTuple):
    """One mistake: where (JSON path), what, and what to do about it."""

    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" {self.suggestion}" if self.suggestion else "")


class RuleDocumentRefused(PaymentsError):
    """A rule document with at least one mistake; it carries them all."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
