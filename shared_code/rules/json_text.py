"""Reads the JSON text of a rule document, however hostile it is."""

import json
from typing import Any

from shared_code.rules.structure import (
    NO_NUMBER,
    TOO_DEEP,
    decimal_number,
    object_of,
    readable_text,
    refused,
    well_built,
    whole_number,
)


def parse(content: bytes) -> Any:
    """Return what a JSON text holds; numbers with a point or an exponent as Decimal.

    Raises:
        RuleDocumentRefused: no JSON in UTF-8, beyond a limit, or ambiguous by repeated keys.
    """
    return well_built(_loaded(readable_text(content)))


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=decimal_number,
            parse_int=whole_number,
            parse_constant=lambda _name: NO_NUMBER,
            object_pairs_hook=object_of,
        )
    except RecursionError as error:
        raise refused(*TOO_DEEP) from error
    except json.JSONDecodeError as error:
        message = f"the document is no JSON: {error.msg} at line {error.lineno}"
        suggestion = f"Look at column {error.colno} and just before it."
        raise refused(message, suggestion) from error
