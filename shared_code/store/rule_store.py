"""Rule sets in the database: every document ever seen, and which one is active.

The database is the authority. Activations are only ever appended, one at a time.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.errors import PaymentsError
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.errors import RuleError

_ACTIVE: Final = text("""
    SELECT activation.rule_set, rule_sets.sha256, rule_sets.version
    FROM rule_set_activations AS activation
    JOIN rule_sets USING (rule_set)
    WHERE activation.role = 'active'
    ORDER BY activation.activation_id DESC
    LIMIT 1
""")
_DOCUMENT: Final = text("SELECT document FROM rule_sets WHERE rule_set = :rule_set")
_BY_HASH: Final = text("""
    SELECT rule_set FROM rule_sets WHERE sha256 = :sha256 AND verdict = 'accepted'
""")
_BY_VERSION: Final = text(
    "SELECT sha256 FROM rule_sets WHERE version = :version AND verdict = 'accepted'"
)
# A document that was refused for its version may be accepted later on.
_INSERT_ACCEPTED: Final = text("""
    INSERT INTO rule_sets AS known (sha256, version, verdict, errors, document, source)
    VALUES (:sha256, :version, 'accepted', '[]', :document, :source)
    ON CONFLICT (sha256) DO UPDATE SET
        version = excluded.version, verdict = excluded.verdict, errors = excluded.errors
    WHERE known.verdict = 'refused'
    RETURNING rule_set
""")
_INSERT_REFUSED: Final = text("""
    INSERT INTO rule_sets (sha256, verdict, errors, document, source)
    VALUES (:sha256, 'refused', CAST(:errors AS jsonb), :document, :source)
    ON CONFLICT (sha256) DO NOTHING
""")
_INSERT_RULE: Final = text("""
    INSERT INTO rules
        (rule_set, rule, rule_id, scope, metric_name, metric_type, category, severity)
    VALUES
        (:rule_set, :rule, :rule_id, :scope, :metric_name, :metric_type, :category, :severity)
""")
_ACTIVATE: Final = text("""
    INSERT INTO rule_set_activations (rule_set, role, activated_by, reason)
    VALUES (:rule_set, 'active', :activated_by, :reason)
""")
# Held to the end of the transaction: of two uploads at once the second sees what the first did.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('rule_set_activations'))")

_SHIPPED_BY: Final = "deployment"


class ActiveRuleSet(NamedTuple):
    """The rule set that payments are judged by."""

    rule_set: int
    sha256: bytes
    version: str


class ActivationRefused(PaymentsError):
    """A valid rule document that may not become the active one."""

    def __init__(self, path: str, problem: str, advice: str) -> None:
        super().__init__(f"{problem} {advice}")
        self.errors = (RuleError(path, problem, advice),)


def document_hash(content: bytes) -> bytes:
    """Return the SHA-256 by which a document is known."""
    return hashlib.sha256(content).digest()


def active_rule_set(connection: Connection) -> ActiveRuleSet | None:
    """Return the active rule set; None before the first activation."""
    row = connection.execute(_ACTIVE).one_or_none()
    return None if row is None else ActiveRuleSet(row.rule_set, bytes(row.sha256), row.version)


def active_rules(
    connection: Connection, candidate: bytes | None, shipped: bytes
) -> tuple[ActiveRuleSet, CompiledRules]:
    """Return the active rule set, compiled.

    Args:
        connection: in a transaction; the shipped document is activated in it if none ever was.
        candidate: the document that the caller holds, used if it is the active one.
        shipped: the document that came with the code.
    """
    active = active_rule_set(connection) or _activate_shipped(connection, shipped)
    for document in (candidate, shipped):
        if document is not None and document_hash(document) == active.sha256:
            return active, compile_document(document)
    stored: str = connection.execute(_DOCUMENT, {"rule_set": active.rule_set}).scalar_one()
    return active, compile_document(stored.encode())


def _activate_shipped(connection: Connection, shipped: bytes) -> ActiveRuleSet:
    connection.execute(_LOCK)
    active = active_rule_set(connection)
    if active is not None:
        return active
    return _activate(connection, shipped, _SHIPPED_BY, "the rule set shipped with the code")


def record_refused(
    connection: Connection, content: bytes, errors: Iterable[RuleError], source: str
) -> None:
    """Keep a refused document with its errors, unless it is known already."""
    parameters = {
        "sha256": document_hash(content),
        "errors": json.dumps([error._asdict() for error in errors]),
        # A refused document may be anything; what a text column cannot hold is shown as escapes.
        "document": content.decode("utf-8", "backslashreplace").replace("\0", "\\x00"),
        "source": source,
    }
    connection.execute(_INSERT_REFUSED, parameters)


def activate(connection: Connection, content: bytes, *, by: str, reason: str) -> ActiveRuleSet:
    """Make a document the active rule set and return it; if it is that already, change nothing.

    Raises:
        RuleDocumentRefused: the document is invalid.
        ActivationRefused: its version is not above the active one's, or is taken by other content.
    """
    version = compile_document(content).document.version
    connection.execute(_LOCK)
    active = active_rule_set(connection)
    if active is not None and active.sha256 == document_hash(content):
        return active
    taken = connection.execute(_BY_VERSION, {"version": version}).scalar_one_or_none()
    if taken is not None and bytes(taken) != document_hash(content):
        problem = f"version {version} is taken by another document."
        raise ActivationRefused("$.version", problem, "Raise the version.")
    if active is not None and _version_key(version) <= _version_key(active.version):
        problem = f"version {version} is not above the active version {active.version}."
        raise ActivationRefused("$.version", problem, "Raise the version.")
    return _activate(connection, content, by, reason)


def _activate(connection: Connection, content: bytes, by: str, reason: str) -> ActiveRuleSet:
    compiled = compile_document(content)
    version = compiled.document.version
    sha256 = document_hash(content)
    accepted = {"sha256": sha256, "version": version, "document": content.decode(), "source": by}
    rule_set: int | None = connection.execute(_INSERT_ACCEPTED, accepted).scalar_one_or_none()
    if rule_set is None:
        rule_set = int(connection.execute(_BY_HASH, {"sha256": sha256}).scalar_one())
    else:
        rows = [{"rule_set": rule_set, **rule._asdict()} for rule in compiled.summaries()]
        connection.execute(_INSERT_RULE, rows)
    connection.execute(_ACTIVATE, {"rule_set": rule_set, "activated_by": by, "reason": reason})
    return ActiveRuleSet(rule_set, sha256, version)


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
