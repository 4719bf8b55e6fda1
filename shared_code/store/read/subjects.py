"""Whom a finding is about, as people may see it: of a card's fingerprint, the head."""

import json
from collections.abc import Mapping
from typing import Any, Final

from shared_code.rules.compiler import canonical_dimensions

_FINGERPRINT: Final = "card.fingerprint"
# Enough to see that two findings are about one card, and too little to follow it elsewhere.
_SHOWN: Final = 8


def shown_dimensions(dimensions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that make a group or a subject."""
    return {
        name: f"{value[:_SHOWN]}…" if name == _FINGERPRINT and isinstance(value, str) else value
        for name, value in dimensions.items()
    }


def shown_subject(subject: str) -> str:
    """Return an alert's subject: dimensions as JSON, or a name, which stays as it is."""
    if _FINGERPRINT not in subject:
        return subject
    try:
        dimensions = json.loads(subject)
    except ValueError:
        return subject
    if not isinstance(dimensions, dict):
        return subject
    return canonical_dimensions(shown_dimensions(dimensions))
