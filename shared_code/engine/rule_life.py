"""The life of a rule set: checked, uploaded, followed, rolled back, exported, run as a shadow."""

import difflib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from shared_code.errors import PaymentsError
from shared_code.rules.compiler import compile_document
from shared_code.rules.diff import RuleSetDiff, diff_documents
from shared_code.rules.document import RuleDocument
from shared_code.rules.document_text import parse_document
from shared_code.rules.errors import RuleError
from shared_code.store.database import Database
from shared_code.store.rule_archive import BlobRuleArchive, publish_active
from shared_code.store.rule_history_read import (
    refused_because,
    was_activated,
)
from shared_code.store.rule_store import (
    RuleSet,
    accepted_version,
    activate,
    activate_again,
    document_hash,
    end_shadow,
    rule_sets_in_force,
    start_shadow,
    stored_document,
)
from shared_code.store.rule_suppressions import insert_suppression, rule_ids_of
from shared_code.store.shadow_comparison import ShadowReport, compare_shadow, last_shadow

ACTIVE: Final = "active"
LONGEST_SUPPRESSION: Final = timedelta(days=365)

_POLL_SECONDS: Final = 0.5


class NoSuchRuleSet(PaymentsError):
    """The database has no rule set of that name."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")


class SuppressionRefused(PaymentsError):
    """A suppression that would do nothing, or for too long."""


class Upload(NamedTuple):
    """A document on its way: what there is to follow it by.

    Attributes:
        version: of the document.
        sha256: of its canonical form.
        is_new: whether it was put there just now; else just this document waits or is active.
        active_version: of the rule set that was active before; None if unknown.
        refused_before: whether just this document was refused before.
    """

    version: str
    sha256: bytes
    is_new: bool
    active_version: str | None
    refused_before: bool


class Verdict(NamedTuple):
    """What became of an upload: active if there are no errors; ``seconds`` is how long it took."""

    errors: tuple[RuleError, ...]
    seconds: float


class Rollback(NamedTuple):
    """A version is active again; ``published`` tells whether blob storage has it, too."""

    version: str
    replaced: str | None
    diff: RuleSetDiff | None
    published: bool


def upload_rules(
    content: bytes,
    *,
    archive: BlobRuleArchive,
    database: Database | None,
    by: str,
    reason: str = "",
) -> Upload:
    """Put a document where ReloadRules finds it, unless it is bound to be refused.

    Args:
        content: a document in its canonical form.
        archive: takes it.
        database: with one, the version is held against those that were active.
        by: who uploads it.
        reason: why, which its activation records; empty leaves it to the document's description.

    Raises:
        RuleDocumentRefused: the document is invalid.
        ActivationRefused: it may not become the active rule set.
        VersionTaken: another document of its version was uploaded before.
        StoreUnavailable: storage or database failed.
    """
    version = compile_document(content).document.version
    sha256 = document_hash(content)
    if database is None:
        is_new = archive.offer(version, content, by, reason)
        return Upload(version, sha256, is_new, None, refused_before=False)
    with database.transaction() as connection:
        active = rule_sets_in_force(connection).active
        refused_before = refused_because(connection, sha256) is not None
        # What would be refused is told now; what would be accepted is taken back.
        attempt = connection.begin_nested()
        try:
            activate(connection, content, by=by, reason="a trial")
        finally:
            attempt.rollback()
    is_active = active is not None and active.sha256 == sha256
    is_new = not is_active and archive.offer(version, content, by, reason)
    known = None if active is None else active.version
    return Upload(version, sha256, is_new, known, refused_before)


def await_verdict(
    database: Database,
    upload: Upload,
    patience: timedelta,
    waiting: Callable[[float], None] = lambda _seconds: None,
) -> Verdict | None:
    """Wait until an upload is active or refused; None if it is neither in time.

    Args:
        database: the authority.
        upload: what to wait for.
        patience: for how long.
        waiting: told now and then how many seconds have passed.

    Raises:
        StoreUnavailable: the database failed.
    """
    started = time.monotonic()
    while True:
        with database.transaction() as connection:
            # Another one may have followed it by now; what was active before is never uploaded.
            done = was_activated(connection, upload.sha256)
            errors = None
            if not done and not upload.refused_before:
                errors = refused_because(connection, upload.sha256)
        seconds = time.monotonic() - started
        if done or errors is not None:
            return Verdict(errors or (), seconds)
        if seconds >= patience.total_seconds():
            return None
        waiting(seconds)
        time.sleep(_POLL_SECONDS)


def roll_back(
    version: str, *, database: Database, archive: BlobRuleArchive | None, by: str, reason: str
) -> Rollback:
    """Make an accepted version active again, in the database and then in blob storage.

    Raises:
        ActivationRefused: there is no such version, or it is the active one.
        StoreUnavailable: the database failed, or storage did; the database counts then.
    """
    with database.transaction() as connection:
        replaced = rule_sets_in_force(connection).active
        wanted = activate_again(connection, version, by=by, reason=reason)
        after = compile_document(stored_document(connection, wanted.rule_set)).document
        diff = None
        if replaced is not None:
            before = compile_document(stored_document(connection, replaced.rule_set)).document
            diff = diff_documents(before, after)
    published = archive is not None and publish_active(archive, database) is not None
    return Rollback(version, None if replaced is None else replaced.version, diff, published)


def stored_rules(database: Database, version: str = ACTIVE) -> bytes:
    """Return the document of the active rule set, or of another version that was accepted.

    Raises:
        NoSuchRuleSet: there is none.
        StoreUnavailable: the database failed.
    """
    with database.transaction() as connection:
        if version == ACTIVE:
            found = rule_sets_in_force(connection).active
            what = "no rule set is active yet"
            advice = "the first payments activate rules/metric_derivation_rules.json"
        else:
            found = accepted_version(connection, version)
            what = f"no rule set of version {version} was ever accepted"
            advice = "see 'rules history' for those that were"
        if found is None:
            raise NoSuchRuleSet(what, advice)
        return stored_document(connection, found.rule_set)


def export_rules(database: Database, version: str = ACTIVE) -> Any:
    """Return a document to edit, which says by ``based_on`` which version is active now.

    Raises:
        NoSuchRuleSet: there is none.
        StoreUnavailable: the database failed.
    """
    active: RuleDocument = compile_document(stored_rules(database)).document
    return {**parse_document(stored_rules(database, version)), "based_on": active.version}


def run_shadow(content: bytes, *, database: Database, by: str, reason: str) -> RuleSet:
    """Let a document, in its canonical form, run beside the active rule set.

    Raises:
        RuleDocumentRefused: the document is invalid.
        ActivationRefused: its version is taken by other content, or it is the active rule set.
        StoreUnavailable: the database failed.
    """
    with database.transaction() as connection:
        return start_shadow(connection, content, by=by, reason=reason)


def stop_shadow(*, database: Database, by: str, reason: str) -> RuleSet:
    """Stop the shadow that runs.

    Raises:
        NoSuchRuleSet: none runs.
        StoreUnavailable: the database failed.
    """
    with database.transaction() as connection:
        ended = end_shadow(connection, by=by, reason=reason)
    if ended is None:
        raise NoSuchRuleSet("no shadow runs", "start one with 'rules shadow start FILE'")
    return ended


def report_on_shadow(database: Database, hours: int | None, examples: int) -> ShadowReport:
    """Compare the shadow that runs, or ran last, with the active rule set.

    Args:
        database: where both have left what they found.
        hours: how far back windows count; None for all that the shadow has judged.
        examples: how many values that differ are listed.

    Raises:
        NoSuchRuleSet: no shadow ever ran.
        StoreUnavailable: the database failed.
    """
    since = datetime.min.replace(tzinfo=UTC)
    if hours is not None:
        since = datetime.now(UTC) - timedelta(hours=hours)
    with database.transaction("REPEATABLE READ") as connection:
        shadow = last_shadow(connection)
        if shadow is None:
            raise NoSuchRuleSet("no shadow ever ran", "start one with 'rules shadow start FILE'")
        return compare_shadow(connection, shadow, since, examples)


def suppress_rule(
    rule_id: str, subject: str | None, until: datetime, *, database: Database, by: str, reason: str
) -> int:
    """Keep new alerts of an active rule out of sight until a time; return the suppression's number.

    Raises:
        NoSuchRuleSet: no rule set is active.
        SuppressionRefused: the active rule set has no such rule, or the time is past or too far.
        StoreUnavailable: the database failed.
    """
    now = datetime.now(UTC)
    if not now < until <= now + LONGEST_SUPPRESSION:
        message = (
            f"a suppression ends within {LONGEST_SUPPRESSION.days} days from now,"
            f" found {until:%Y-%m-%d %H:%M:%S} UTC; choose another --until, such as +7d"
        )
        raise SuppressionRefused(message)
    with database.transaction() as connection:
        active = rule_sets_in_force(connection).active
        if active is None:
            raise NoSuchRuleSet("no rule set is active yet", "there is nothing to suppress")
        known = rule_ids_of(connection, active.rule_set)
        if rule_id not in known:
            problem = f"the active rule set {active.version} has no rule {rule_id!r}"
            message = f"{problem}; {_nearest(rule_id, known)}"
            raise SuppressionRefused(message)
        return insert_suppression(connection, rule_id, subject, until, by=by, reason=reason)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known))}"
