"""Hands a rule document in and waits for what becomes of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from deploy.errors import DeployError, NotAsExpected
from shared_code.engine.rule_life import await_verdict, upload_rules
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.store.database import Database
from shared_code.store.rule_archive import BlobRuleArchive
from shared_code.store.rule_history_read import refused_because
from shared_code.store.rule_store import document_hash, rule_sets_in_force

type Say = Callable[[str], None]


def check(file: Path) -> tuple[bytes, str]:
    """Return the canonical form of a document and its version.

    Raises:
        RuleDocumentRefused: it has mistakes.
        DeployError: it cannot be read.
    """
    try:
        content = canonical_content(file.read_bytes())
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}"
        raise DeployError(message) from error
    return content, compile_document(content).document.version


def hand_in(
    file: Path,
    *,
    archive: BlobRuleArchive,
    database: Database,
    by: str,
    seconds: float | None,
    say: Say,
) -> None:
    """Upload a document and, if ``seconds`` are given, wait until it is active.

    Raises:
        RuleDocumentRefused: it has mistakes.
        VersionTaken: its version is another document's.
        NotAsExpected: it was refused.
        DeployError: it was neither refused nor activated in time.
        StoreUnavailable: storage or database failed.
    """
    content, version = check(file)
    sha256 = document_hash(content)
    with database.transaction() as connection:
        active = rule_sets_in_force(connection).active
        refused_before = refused_because(connection, sha256) is not None
    if active is not None and active.sha256 == sha256:
        say(f"version {version} is active already, with just this content")
        return
    # Pipelines only read the database: ReloadRules judges.
    upload = upload_rules(content, archive=archive, database=None, by=by)
    upload = upload._replace(refused_before=refused_before)
    say(f"version {version} uploaded" if upload.is_new else f"version {version} waits already")
    if seconds is None:
        return
    verdict = await_verdict(database, upload, timedelta(seconds=seconds))
    if verdict is None:
        message = (
            f"version {version} is neither active nor refused after {seconds:g} s: is ReloadRules"
            " running, and is there an Event Grid subscription?"
        )
        raise DeployError(message)
    if verdict.errors:
        what = f"version {version} was refused"
        raise NotAsExpected(what, [str(error) for error in verdict.errors])
    say(f"version {version} active after {verdict.seconds:.1f} s")
