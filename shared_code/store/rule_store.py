"""Rule sets in the database: every document ever seen, and which one is active.

The database is the authority. Activations are only ever appended, one at a time.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from sqlalchemy import Connection, insert, text

from shared_code.domain.card_numbers import mask_card_numbers
from shared_code.domain.redaction import redact
from shared_code.errors import PaymentsError
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.errors import RuleError
from shared_code.store.rule_tables import rule_outcomes, rules

# Roles are a number each in the index, and a rollback is a new activation: the last one counts.
_IN_FORCE: Final = text("""
    SELECT last.role, last.rule_set, rule_sets.sha256, rule_sets.version
    FROM (
        (SELECT role, rule_set FROM rule_set_activations
         WHERE role = 'active' ORDER BY activation_id DESC LIMIT 1)
        UNION ALL
        (SELECT role, rule_set FROM (
             SELECT role, rule_set, activation_id FROM rule_set_activations
             WHERE role IN ('shadow', 'shadow_ended') ORDER BY activation_id DESC LIMIT 1
         ) AS looking_on
         WHERE NOT EXISTS (
             SELECT FROM rule_set_activations AS later
             WHERE later.role = 'active' AND later.rule_set = looking_on.rule_set
               AND later.activation_id > looking_on.activation_id
         ))
    ) AS last
    JOIN rule_sets USING (rule_set)
""")
_LAST_ACTIVATION: Final = text("SELECT max(activation_id) FROM rule_set_activations")
_DOCUMENT: Final = text("SELECT document FROM rule_sets WHERE rule_set = :rule_set")
_BY_VERSION: Final = text("""
    SELECT rule_set, sha256, version FROM rule_sets
    WHERE version = :version AND verdict = 'accepted'
""")
_EVER_ACTIVE: Final = text("""
    SELECT DISTINCT rule_sets.version
    FROM rule_set_activations
    JOIN rule_sets USING (rule_set)
    WHERE role = 'active'
""")
# A document that was refused for its version may be accepted later on; of what was refused only the
# head was kept.
_INSERT_ACCEPTED: Final = text("""
    INSERT INTO rule_sets AS known (sha256, version, verdict, errors, document, source)
    VALUES (:sha256, :version, 'accepted', '[]', :document, :source)
    ON CONFLICT (sha256) DO UPDATE SET
        version = excluded.version, verdict = excluded.verdict, errors = excluded.errors,
        document = excluded.document
    WHERE known.verdict = 'refused'
    RETURNING rule_set
""")
_INSERT_REFUSED: Final = text("""
    INSERT INTO rule_sets (sha256, verdict, errors, document, source)
    VALUES (:sha256, 'refused', CAST(:errors AS jsonb), :document, :source)
    ON CONFLICT (sha256) DO NOTHING
""")
_ACTIVATE: Final = text("""
    INSERT INTO rule_set_activations (rule_set, role, activated_by, reason)
    VALUES (:rule_set, :role, :activated_by, :reason)
""")
# Held to the end of the transaction: of two uploads at once the second sees what the first did.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('rule_set_activations'))")

_SHIPPED_BY: Final = "deployment"
# A refused document may be anything; so much of it is kept as evidence.
_KEPT_CHARACTERS: Final = 64 * 1024
# An escape takes up to eight bytes for the one character that is kept.
_READ_BYTES: Final = 8 * _KEPT_CHARACTERS
_COMPILED_KEPT: Final = 8

type Role = Literal["active", "shadow", "shadow_ended"]


class RuleSet(NamedTuple):
    """A rule set that was accepted."""

    rule_set: int
    sha256: bytes
    version: str


class RuleSetsInForce(NamedTuple):
    """The rule set that payments are judged by, and the candidate that runs beside it, if any."""

    active: RuleSet | None
    shadow: RuleSet | None


class CompiledRuleSet(NamedTuple):
    """A rule set in the form in which it is run."""

    rule_set: int
    version: str
    rules: CompiledRules


class Judges(NamedTuple):
    """What payments are judged by: the active rule set, and a shadow that only looks on."""

    active: CompiledRuleSet
    shadow: CompiledRuleSet | None

    @property
    def rule_sets(self) -> tuple[CompiledRuleSet, ...]:
        """The active rule set, and the shadow behind it if there is one."""
        return (self.active,) if self.shadow is None else (self.active, self.shadow)


class ActivationRefused(PaymentsError):
    """A valid rule document that may not become the active one."""

    def __init__(self, path: str, problem: str, advice: str) -> None:
        super().__init__(f"{problem} {advice}")
        self.errors = (RuleError(path, problem, advice),)


def document_hash(content: bytes) -> bytes:
    """Return the SHA-256 by which a document is known."""
    return hashlib.sha256(content).digest()


def rule_sets_in_force(connection: Connection) -> RuleSetsInForce:
    """Return which rule sets are in force; no active one before the first activation.

    A shadow has ended once it was made the active rule set, also when another one is active by now.
    """
    found: dict[str, RuleSet] = {
        row.role: RuleSet(row.rule_set, bytes(row.sha256), row.version)
        for row in connection.execute(_IN_FORCE)
    }
    return RuleSetsInForce(found.get("active"), found.get("shadow"))


def last_activation(connection: Connection) -> int | None:
    """Return the number of the last change of what is in force; None before the first.

    Changes are only ever appended, one at a time: while the number stays, so do the rule sets in
    force.
    """
    last: int | None = connection.execute(_LAST_ACTIVATION).scalar_one()
    return last


def judges(connection: Connection, candidate: bytes | None, shipped: bytes) -> Judges:
    """Return the rule sets in force, compiled.

    Args:
        connection: in a transaction; the shipped document is activated in it if none ever was.
        candidate: the document that the caller holds, used if it is the active one.
        shipped: the document that came with the code, in its canonical form.
    """
    active, shadow = rule_sets_in_force(connection)
    if active is None:
        active = _activate_shipped(connection, shipped)
    given = {document_hash(document): document for document in (candidate, shipped) if document}
    return Judges(
        _compiled(connection, active, given.get(active.sha256)),
        None if shadow is None else _compiled(connection, shadow, given.get(shadow.sha256)),
    )


# By content hash, so that what is kept is always right, whichever database it came from.
_compiled_by_hash: Final[dict[bytes, CompiledRules]] = {}


def _compiled(connection: Connection, rule_set: RuleSet, document: bytes | None) -> CompiledRuleSet:
    compiled = _compiled_by_hash.get(rule_set.sha256)
    if compiled is None:
        compiled = compile_document(document or stored_document(connection, rule_set.rule_set))
        while len(_compiled_by_hash) >= _COMPILED_KEPT:
            _compiled_by_hash.pop(next(iter(_compiled_by_hash)), None)
        _compiled_by_hash[rule_set.sha256] = compiled
    return CompiledRuleSet(rule_set.rule_set, rule_set.version, compiled)


def stored_document(connection: Connection, rule_set: int) -> bytes:
    """Return the document of a rule set as it was accepted."""
    stored: str = connection.execute(_DOCUMENT, {"rule_set": rule_set}).scalar_one()
    return stored.encode()


def accepted_version(connection: Connection, version: str) -> RuleSet | None:
    """Return the rule set that was accepted under a version; None if there is none."""
    row = connection.execute(_BY_VERSION, {"version": version}).one_or_none()
    return None if row is None else RuleSet(row.rule_set, bytes(row.sha256), row.version)


def _activate_shipped(connection: Connection, shipped: bytes) -> RuleSet:
    connection.execute(_LOCK)
    active = rule_sets_in_force(connection).active
    if active is not None:
        return active
    accepted = _accept(connection, shipped, _SHIPPED_BY)
    record_activation(
        connection, accepted, "active", by=_SHIPPED_BY, reason="the rule set shipped with the code"
    )
    return accepted


def kept_text(content: bytes) -> str:
    """Return what is kept of a refused document: its head, which may be anything, as text.

    It is redacted like a refused event, and cut off afterwards, so that no number is halved into
    something that no longer looks like one.
    """
    return redact(content[:_READ_BYTES].decode("utf-8", "backslashreplace"))[:_KEPT_CHARACTERS]


def record_refused(
    connection: Connection, content: bytes, errors: Iterable[RuleError], source: str
) -> None:
    """Keep a refused document with its errors, unless it is known already."""
    parameters = {
        "sha256": document_hash(content),
        "errors": json.dumps([error._asdict() for error in errors]),
        "document": kept_text(content),
        "source": mask_card_numbers(source),
    }
    connection.execute(_INSERT_REFUSED, parameters)


def activate(connection: Connection, content: bytes, *, by: str, reason: str) -> RuleSet:
    """Make a document the active rule set and return it; if it is that already, change nothing.

    Args:
        connection: in a transaction.
        content: a rule document in its canonical form.
        by: who activates it.
        reason: why.

    Raises:
        RuleDocumentRefused: the document is invalid.
        ActivationRefused: its version is not above every one that was active, or is taken by other
            content, or it was made from another version than the active one.
    """
    document = compile_document(content).document
    connection.execute(_LOCK)
    active = rule_sets_in_force(connection).active
    if active is not None and active.sha256 == document_hash(content):
        return active
    _refuse_taken(connection, document.version, document_hash(content))
    if active is not None and document.based_on not in {None, active.version}:
        problem = f"it is based on version {document.based_on}, but {active.version} is active."
        advice = "Export the active version, make the change there, and upload that."
        raise ActivationRefused("$.based_on", problem, advice)
    for version in connection.execute(_EVER_ACTIVE).scalars().all():
        if version_key(document.version) <= version_key(version):
            problem = f"version {document.version} is not above {version}, which was active before."
            raise ActivationRefused("$.version", problem, "Raise the version.")
    accepted = _accept(connection, content, by)
    record_activation(connection, accepted, "active", by=by, reason=reason)
    return accepted


def activate_again(connection: Connection, version: str, *, by: str, reason: str) -> RuleSet:
    """Make an accepted version the active rule set once more: a rollback, which is recorded.

    Raises:
        ActivationRefused: there is no such version, or it is the active one.
    """
    connection.execute(_LOCK)
    wanted = accepted_version(connection, version)
    if wanted is None:
        problem = f"no rule set of version {version} was ever accepted."
        raise ActivationRefused("$.version", problem, "See 'rules history' for those that were.")
    if wanted == rule_sets_in_force(connection).active:
        problem = f"version {version} is active already."
        raise ActivationRefused("$.version", problem, "There is nothing to roll back.")
    record_activation(connection, wanted, "active", by=by, reason=reason)
    return wanted


def start_shadow(connection: Connection, content: bytes, *, by: str, reason: str) -> RuleSet:
    """Let a rule document run beside the active rule set, in the place of any shadow before.

    Raises:
        RuleDocumentRefused: the document is invalid.
        ActivationRefused: its version is taken by other content, or it is the active rule set.
    """
    connection.execute(_LOCK)
    active, shadow = rule_sets_in_force(connection)
    if active is not None and active.sha256 == document_hash(content):
        problem = f"version {active.version} is the active rule set."
        raise ActivationRefused("$", problem, "A shadow is compared with the active rule set.")
    if shadow is not None and shadow.sha256 == document_hash(content):
        return shadow
    accepted = _accept(connection, content, by)
    record_activation(connection, accepted, "shadow", by=by, reason=reason)
    return accepted


def end_shadow(connection: Connection, *, by: str, reason: str) -> RuleSet | None:
    """Stop the shadow that runs and return it; None if there is none."""
    connection.execute(_LOCK)
    shadow = rule_sets_in_force(connection).shadow
    if shadow is not None:
        record_activation(connection, shadow, "shadow_ended", by=by, reason=reason)
    return shadow


def record_activation(
    connection: Connection, rule_set: RuleSet, role: Role, *, by: str, reason: str
) -> None:
    """Append an activation; under the lock that serialises them.

    Anybody may have written who did it and why, into the metadata of a blob for example.
    """
    parameters = {
        "rule_set": rule_set.rule_set,
        "role": role,
        "activated_by": mask_card_numbers(by),
        "reason": mask_card_numbers(reason),
    }
    connection.execute(_ACTIVATE, parameters)


def _accept(connection: Connection, content: bytes, source: str) -> RuleSet:
    """Record a valid document, unless it is known, and return its rule set."""
    compiled = compile_document(content)
    version, sha256 = compiled.document.version, document_hash(content)
    known = _refuse_taken(connection, version, sha256)
    if known is not None:
        return known
    accepted = {
        "sha256": sha256,
        "version": version,
        "document": content.decode(),
        "source": mask_card_numbers(source),
    }
    rule_set = int(connection.execute(_INSERT_ACCEPTED, accepted).scalar_one())
    summaries = [{**rule._asdict(), "rule_set": rule_set} for rule in compiled.summaries()]
    connection.execute(insert(rules), summaries)
    outcomes = [
        {
            "rule_set": rule_set,
            "rule": rule,
            "outcome": outcome.number,
            "name": outcome.name,
            "severity": int(outcome.severity),
            "reason": outcome.reason,
        }
        for rule, outcome in compiled.outcomes()
    ]
    connection.execute(insert(rule_outcomes), outcomes)
    return RuleSet(rule_set, sha256, version)


def _refuse_taken(connection: Connection, version: str, sha256: bytes) -> RuleSet | None:
    """Return the rule set of a version if it was accepted; the same version is the same content.

    Raises:
        ActivationRefused: the version is taken by other content.
    """
    known = accepted_version(connection, version)
    if known is not None and known.sha256 != sha256:
        problem = f"version {version} is taken by another document."
        raise ActivationRefused("$.version", problem, "Raise the version.")
    return known


def version_key(version: str) -> tuple[int, ...]:
    """Return what semantic versions are ordered by."""
    return tuple(int(part) for part in version.split("."))
