"""Blob paths with binding expressions: ``rules/{name}.json``, ``{rand-guid}``, ``{DateTime}``.

The same text is read in two ways. A blob trigger *matches* paths against it and learns the values
of its names; a blob input or output *renders* it from the values that the trigger offers.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from local_azure.functions.errors import ExpressionUnresolved

_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SYSTEM = frozenset({"rand-guid", "datetime"})

# .NET custom date formats that mean something in a blob path, with their Python spelling.
_DATE_PARTS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
}
_DATE_PART = re.compile("|".join(_DATE_PARTS))
_ISO_SECONDS = "yyyy-MM-ddTHH-mm-ssZ"


@dataclass(frozen=True)
class PathTemplate:
    """``container/path`` with expressions in braces; settings are already filled in.

    Attributes:
        text: as it stands in function.json after ``%Setting%`` was resolved.
    """

    text: str

    @property
    def container(self) -> str:
        """The part before the first slash."""
        return self.text.partition("/")[0]

    @property
    def blob(self) -> str:
        """The part behind the first slash."""
        return self.text.partition("/")[2]

    @property
    def expressions(self) -> tuple[str, ...]:
        """The texts inside braces, in order."""
        return tuple(_EXPRESSION.findall(self.text))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The expressions that need a value from the trigger."""
        return tuple(name for name in self.expressions if not is_system_expression(name))

    @property
    def listing_prefix(self) -> str:
        """The longest prefix of blob names that is free of expressions."""
        return self.blob.partition("{")[0]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts: list[str] = []
        position = 0
        for number, match in enumerate(_EXPRESSION.finditer(self.blob)):
            parts.append(re.escape(self.blob[position : match.start()]))
            # As in Azure, a name may span folders, and all but the last are as short as they can.
            parts.append(f"(?P<p{number}>.+?)")
            position = match.end()
        parts.append(re.escape(self.blob[position:]))
        return re.compile("".join(parts), re.DOTALL)

    def match(self, blob: str) -> Mapping[str, str] | None:
        """Compare a blob's name in the container.

        Returns:
            the values of the names in braces, or None when the name does not fit.
        """
        found = self._pattern.fullmatch(blob)
        if found is None:
            return None
        names = _EXPRESSION.findall(self.blob)
        return {name: found[f"p{number}"] for number, name in enumerate(names)}

    def render(self, values: Mapping[str, str], now: datetime) -> tuple[str, str]:
        """Fill in the expressions.

        Args:
            values: what the trigger offers; names compare without regard to case, as in Azure.
            now: the time that ``{DateTime}`` stands for.

        Returns:
            container and blob name.

        Raises:
            ExpressionUnresolved: a name has no value.
        """
        folded = {name.casefold(): value for name, value in values.items()}

        def fill(match: re.Match[str]) -> str:
            expression = match[1]
            system = _system_value(expression, now)
            if system is not None:
                return system
            if expression.casefold() not in folded:
                raise ExpressionUnresolved(expression, self.text, list(values))
            return folded[expression.casefold()]

        container, _, blob = _EXPRESSION.sub(fill, self.text).partition("/")
        return container, blob


def is_system_expression(expression: str) -> bool:
    """Tell whether the host itself gives the value: ``rand-guid`` or ``DateTime[:format]``."""
    return expression.partition(":")[0].casefold() in _SYSTEM


def _system_value(expression: str, now: datetime) -> str | None:
    name, _, style = expression.partition(":")
    match name.casefold():
        case "rand-guid":
            number = uuid.uuid4()
            return number.hex if style.upper() == "N" else str(number)
        case "datetime":
            return format_date(now, style or _ISO_SECONDS)
        case _:
            return None


def format_date(moment: datetime, style: str) -> str:
    """Format a time in a .NET custom format, in UTC.

    Known parts are yyyy, yy, MM, dd, HH, hh, mm and ss; anything else stands for itself.
    """
    instant = moment.astimezone(UTC)
    return _DATE_PART.sub(lambda part: instant.strftime(_DATE_PARTS[part[0]]), style)


def path_mistake(text: str, *, trigger: bool) -> str | None:
    """Say what is wrong with a path, if anything.

    Args:
        text: the path, its settings resolved.
        trigger: it is a trigger's pattern, which may not hold system expressions.
    """
    container, slash, blob = text.partition("/")
    if not slash or not blob or not container:
        return "it needs a container and a blob name with a slash between"
    if "{" in container or "}" in container:
        return "the container's name cannot hold an expression"
    if not re.fullmatch(r"\$web|\$root|[a-z0-9](-?[a-z0-9]){2,62}", container):
        return f"'{container}' is no container name (3 to 63 of a-z, 0-9 and single hyphens)"
    if blob.count("{") != blob.count("}") or re.search(r"[{}]", _EXPRESSION.sub("", blob)):
        return "its braces do not match"
    return _expression_mistake(blob, trigger=trigger)


def _expression_mistake(blob: str, *, trigger: bool) -> str | None:
    expressions = _EXPRESSION.findall(blob)
    for expression in expressions:
        system = is_system_expression(expression)
        if system and trigger:
            return f"'{{{expression}}}' has no place in a trigger's path, only names as {{name}}"
        if not system and not _PARAMETER.fullmatch(expression):
            return f"'{{{expression}}}' is no binding expression"
    if trigger and len(set(expressions)) != len(expressions):
        return "a name stands in it twice"
    if trigger and "}{" in blob:
        return "two names stand side by side, so that they cannot be told apart"
    return None
