"""Keeps what payments and documents hold from steering the terminal that it is shown on."""

import re
from typing import Final

# C0 but for tab and new line, DEL, and C1: what terminals take for commands.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    r"""Return ``text`` with control characters written as JSON writes them, such as ``\u001b``.

    Tabs and new lines are left as they are, and so is JSON.
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
