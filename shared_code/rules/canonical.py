"""The one form in which a rule document is stored, hashed and served, however it was written."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from shared_code.rules.structure import MAX_DOCUMENT_BYTES, refused

_SORTED: Final = msgspec.json.Encoder(order="sorted")
_AS_GIVEN: Final = msgspec.json.Encoder()


def canonical_text(document: Any) -> bytes:
    """Return the canonical form: JSON in UTF-8 for people to read, equal for equal documents.

    Keys are sorted, lists keep their order, numbers are plain decimals without needless zeros, and
    the key ``$schema`` of the whole, which is for editors, is left out.

    Args:
        document: what ``parse_document`` returned.

    Raises:
        RuleDocumentRefused: the form is larger than what can be read again.
    """
    if isinstance(document, dict):
        document = {key: value for key, value in document.items() if key != "$schema"}
    content = json_lines(document, _SORTED)
    if len(content) > MAX_DOCUMENT_BYTES:
        message = (
            f"the document has {len(content)} bytes once it is laid out in lines, "
            f"at most {MAX_DOCUMENT_BYTES} are kept"
        )
        raise refused(message, "Split it, or shorten its lists.")
    return content


def json_lines(document: Any, encoder: msgspec.json.Encoder = _AS_GIVEN) -> bytes:
    """Return a document as JSON, indented by two spaces, its keys in the order they have."""
    return msgspec.json.format(encoder.encode(_written(document)), indent=2) + b"\n"


def plain_number(number: Decimal) -> str:
    """Return a finite number without exponent and without needless zeros."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def _written(value: Any) -> Any:
    """Spell the decimals of a document, whose depth is limited."""
    if isinstance(value, dict):
        return {key: _written(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_written(child) for child in value]
    return msgspec.Raw(plain_number(value).encode()) if isinstance(value, Decimal) else value
