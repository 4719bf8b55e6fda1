"""Takes an uploaded rule document through its life: checked, recorded, archived, activated."""

import json
import logging
from typing import Final, NamedTuple, Protocol

from shared_code.domain.card_numbers import mask_card_numbers
from shared_code.domain.redaction import redact
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.rules.errors import RuleDocumentRefused, RuleError
from shared_code.store.database import Database
from shared_code.store.rule_store import (
    ActivationRefused,
    activate,
    document_hash,
    kept_text,
    record_refused,
)

_log: Final = logging.getLogger(__name__)


class RuleArchive(Protocol):
    """Where uploads come from, and where accepted documents are kept for people to find."""

    def handed_in(self, name: str, content: bytes) -> tuple[str, str]:
        """Return who uploaded a document as a blob, and why; empty if that was not recorded."""

    def keep(self, version: str, content: bytes) -> None:
        """Keep a document under its version; the same again changes nothing."""


class ReloadOutcome(NamedTuple):
    """What an upload led to: the document that is active now, or a report of why it is not."""

    version: str | None
    active_document: bytes | None
    report: bytes | None


def reload_rules(
    content: bytes, name: str, *, database: Database, archive: RuleArchive
) -> ReloadOutcome:
    """Activate an uploaded document if it is valid and its version is above the active one's.

    Doing it again after an interruption ends in the same state.

    Args:
        content: the uploaded document.
        name: of the uploaded blob, for the record.
        database: the authority on which rule set is active.
        archive: knows who uploaded it and why, and keeps accepted documents by version.

    Raises:
        StoreUnavailable: a fault that time can heal; nothing has changed, or all but the blobs.
    """
    try:
        canonical = canonical_content(content)
        document = compile_document(canonical).document
    except RuleDocumentRefused as refusal:
        return _refused(database, content, name, refusal.errors)
    who, why = archive.handed_in(name, content)
    reason = why or document.description or "rules file uploaded"
    by = f"{who}, upload of {name}" if who else f"upload of {name}"
    try:
        with database.transaction() as connection:
            activate(connection, canonical, by=by, reason=reason)
    except ActivationRefused as refusal:
        # By its canonical form: the same document may be accepted later on.
        return _refused(database, canonical, name, refusal.errors)
    archive.keep(document.version, canonical)
    _log.info("rules file %s active as version %s", mask_card_numbers(name), document.version)
    return ReloadOutcome(document.version, canonical, None)


def _refused(
    database: Database, content: bytes, name: str, quoting: tuple[RuleError, ...]
) -> ReloadOutcome:
    # A mistake in the text of a document is told by quoting it.
    errors = tuple(RuleError(*map(redact, error)) for error in quoting)
    with database.transaction() as connection:
        record_refused(connection, content, errors, name)
    listed = "\n".join(map(str, errors))
    shown_name = mask_card_numbers(name)
    _log.error("rules file %s refused with %d errors:\n%s", shown_name, len(errors), listed)
    return ReloadOutcome(None, None, _report(content, name, errors))


def _report(content: bytes, name: str, errors: tuple[RuleError, ...]) -> bytes:
    report = {
        "file": name,
        "sha256": document_hash(content).hex(),
        "errors": [error._asdict() for error in errors],
        "document": kept_text(content),
    }
    return json.dumps(report, indent=2, ensure_ascii=False).encode()
