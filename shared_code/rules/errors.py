"""What can be wrong with a rule document."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from shared_code.errors import PaymentsError

type Path = tuple[str | int, ...]

MAX_ERRORS: Final = 100

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}", re.ASCII)
_SHOWN: Final = 60


class RuleError(NamedTuple):
    """One mistake: where (JSON path), what, and what to do about it."""

    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        message = f"{self.path}: {self.message}"
        return f"{message.removesuffix('.')}. {self.suggestion}" if self.suggestion else message


class RuleDocumentRefused(PaymentsError):
    """A rule document with at least one mistake; it carries them all.

    Of a document with more than ``MAX_ERRORS`` mistakes it carries that many, and says so.
    """

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


def json_path(path: Iterable[str | int]) -> str:
    """Return a path as text that is short and ASCII, whatever the keys are: ``$.rules[0].id``."""
    return "$" + "".join(_step(part) for part in path)


def _step(part: str | int) -> str:
    if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
        return f".{part}"
    return f"[{shown(part)}]"


def shown(value: Any) -> str:
    """Return a value of a document as short ASCII text."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = json.dumps(value[: _SHOWN + 1] if isinstance(value, str) else value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
