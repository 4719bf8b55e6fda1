"""Reads and checks rule documents: their text, their shape by JSON Schema, and their meaning.

Every mistake is reported, each with its JSON path, the reason and a suggestion. What a part means
is checked wherever its own shape is right, so that one upload tells all.
"""

from itertools import islice

import msgspec

from shared_code.rules.document import RuleDocument
from shared_code.rules.document_text import parse_document
from shared_code.rules.errors import MAX_ERRORS, RuleDocumentRefused, RuleError
from shared_code.rules.meaning import meaning_errors
from shared_code.rules.no_card_numbers import card_number_errors
from shared_code.rules.shape import check_shape


def read_document(content: bytes) -> RuleDocument:
    """Return a document that has passed every check.

    Args:
        content: JSON or YAML in UTF-8, as the JSON Schema beside the shipped rules describes it.

    Raises:
        RuleDocumentRefused: with every mistake found.
    """
    document = parse_document(content)
    # First and alone: other mistakes may quote what they are about.
    if found := list(islice(card_number_errors(document), MAX_ERRORS)):
        raise RuleDocumentRefused(found)
    shape = check_shape(document)
    errors = [error for _, error in shape.errors]
    if shape.complete:
        meaning = meaning_errors(document, [path for path, _ in shape.errors])
        errors += islice(meaning, MAX_ERRORS + 1)
    if len(errors) > MAX_ERRORS or not shape.complete:
        more = RuleError("$", "there are more mistakes than these", "Correct these first.")
        raise RuleDocumentRefused([*errors[:MAX_ERRORS], more])
    if errors:
        raise RuleDocumentRefused(errors)
    return msgspec.convert(document, RuleDocument)
