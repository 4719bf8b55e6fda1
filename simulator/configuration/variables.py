"""Environment variables in values: ``${NAME}``, ``${NAME:-default}``, and ``$${`` for ``${``."""

import re
from collections.abc import Mapping
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{"
)
_LONGEST_TEXT: Final = 64 * 1024


class VariableMistake(Exception):
    """A variable that cannot be put in; the message says which, never what it holds."""

    def __init__(self, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def expanded(text: str, environment: Mapping[str, str]) -> tuple[str, bool]:
    """Put variables in the place of their names; a default stands in for an empty one, too.

    Returns:
        The text, and whether anything of it came from a variable or a default.

    Raises:
        VariableMistake: a variable is not set, not text or far too long, or ``${`` begins none.
    """
    from_variables = False
    length = 0

    def replacement(found: re.Match[str]) -> str:
        nonlocal from_variables, length
        if found[0] == "$${":
            return "${"
        from_variables = True
        value = _value(found, environment)
        length += len(value)
        if length > _LONGEST_TEXT:
            message = f"variables put more than {_LONGEST_TEXT} characters into the value"
            raise VariableMistake(message, "set shorter ones")
        return value

    return _PLACEHOLDER.sub(replacement, text), from_variables


def escaped(text: str) -> str:
    """Return text in which ``expanded`` finds no variables, and which it gives back as it was."""
    return text.replace("${", "$${")


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name = found["name"]
    if name is None:
        message = "${ begins no variable here"
        raise VariableMistake(message, "write ${NAME} or ${NAME:-default}, or $${ for ${ itself")
    value = environment.get(name)
    if found["default"] is not None and not value:
        return found["default"]
    if value is None:
        message = f"the environment variable {name} is not set"
        raise VariableMistake(message, f"set it, or give a default: ${{{name}:-...}}")
    if not value.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in value):
        message = f"the environment variable {name} is not text in UTF-8"
        raise VariableMistake(message, "set it anew")
    return value
