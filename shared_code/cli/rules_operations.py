"""Commands that change which rules count: ``upload``, ``rollback``, ``suppress``; ``history``."""

import argparse
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from shared_code.cli.progress import Progress
from shared_code.cli.rules_arguments import (
    Answer,
    add_by,
    add_json,
    add_parser,
    archive,
    database,
    database_if_set,
    json_text,
    moment,
    number_from,
    read_file,
    shown_time,
    table,
    text_given,
)
from shared_code.engine.rule_life import (
    Rollback,
    Upload,
    Verdict,
    await_verdict,
    roll_back,
    suppress_rule,
    upload_rules,
)
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.rules.errors import RuleDocumentRefused
from shared_code.settings import SettingsError
from shared_code.store.rule_archive import archive_of
from shared_code.store.rule_history_read import activations, refusals
from shared_code.store.rule_suppressions import suppressions_in_force

_SHOWN_REASON = 100


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of the group."""
    upload = add_parser(
        commands,
        "upload",
        _upload,
        summary="check a document and hand it in",
        description="Check a document, hold its version against the database if that is set, and"
        " put it into blob storage, where ReloadRules activates it. Of two people who upload one"
        " version, the second is told.",
        example='upload rules.yaml --wait 60 --reason "Threshold as agreed with compliance"',
    )
    upload.add_argument("file", metavar="FILE", help="the document; - for standard input")
    upload.add_argument(
        "--wait", type=number_from(0), metavar="SECONDS", help="until it is active or refused"
    )
    upload.add_argument(
        "--reason",
        type=text_given,
        metavar="TEXT",
        help="what changed and why, which is recorded (the document's description)",
    )
    add_by(upload)

    history = add_parser(
        commands,
        "history",
        _history,
        summary="who activated what, when and why; what was refused",
        description="List activations of rule sets and refused documents, newest first.",
        example="history --limit 5",
    )
    history.add_argument(
        "--limit", type=number_from(1), default=20, metavar="N", help="so many of each (20)"
    )
    add_json(history)

    rollback = add_parser(
        commands,
        "rollback",
        _rollback,
        summary="make an accepted version active again",
        description="Make a version active again that was accepted before. It counts at once: the"
        " next batch of payments is judged by it.",
        example='rollback 1.3.0 --reason "1.4.0 floods the alert desk"',
    )
    rollback.add_argument("version", metavar="VERSION", help="see 'history'")
    rollback.add_argument("--reason", type=text_given, required=True, metavar="TEXT", help="why")
    add_by(rollback)

    suppress = add_parser(
        commands,
        "suppress",
        _suppress,
        summary="keep new alerts of a rule out of sight for a while",
        description="Keep new alerts of a rule out of sight until a time: of all subjects, or of"
        " the one named. They are stored all the same.",
        example='suppress rapid_fire cus-17 --until +7d --reason "load test of the shop"',
    )
    suppress.add_argument("rule", metavar="RULE", help="id of a rule of the active rule set")
    suppress.add_argument("subject", nargs="?", metavar="SUBJECT", help="such as a customer's id")
    suppress.add_argument(
        "--until", type=moment, required=True, metavar="T", help="time, or +90m, +8h, +7d, +2w"
    )
    suppress.add_argument("--reason", type=text_given, required=True, metavar="TEXT", help="why")
    add_by(suppress)

    listed = add_parser(
        commands,
        "suppressions",
        _suppressions,
        summary="list the suppressions in force",
        description="List the suppressions in force, the next to end first.",
        example="suppressions",
    )
    add_json(listed)


def _upload(arguments: argparse.Namespace) -> Answer:
    watched = database_if_set()
    if arguments.wait is not None and watched is None:
        problem = "is missing, and --wait asks the database"
        raise SettingsError("DATABASE_URL", problem, "postgresql://user@localhost:5432/payments")
    content = canonical_content(read_file(arguments.file))
    document = compile_document(content).document
    upload = upload_rules(
        content,
        archive=archive(),
        database=watched,
        by=arguments.by,
        reason=arguments.reason or "",
    )
    warning = ""
    if upload.active_version is not None and document.based_on is None:
        warning = (
            f"warning: the document does not say by 'based_on' that it was made from version"
            f" {upload.active_version}, which is active; 'rules export' sets it"
        )
    if upload.active_version == upload.version:
        return Answer(f"version {upload.version} is active already, with just this content")
    told = f"version {upload.version} uploaded to incoming/{upload.version}.json"
    if not upload.is_new:
        told = f"version {upload.version} waits already, with just this content"
    if watched is None or arguments.wait is None:
        return Answer(f"{told}; see 'rules history' for what becomes of it", 0, warning)
    line = Progress(sys.stderr)
    line.say(told)
    verdict = await_verdict(
        watched,
        upload,
        timedelta(seconds=arguments.wait),
        lambda seconds: line.show(f"waiting for {seconds:.0f} s"),
    )
    line.clear()
    return _verdict(upload, verdict, arguments.wait, warning)


def _verdict(upload: Upload, verdict: Verdict | None, seconds: int, warning: str) -> Answer:
    if verdict is None:
        problem = (
            f"error: version {upload.version} is neither active nor refused after {seconds} s;"
            " is ReloadRules running? See 'rules history' later"
        )
        return Answer("", 1, problem)
    if verdict.errors:
        errors = RuleDocumentRefused(verdict.errors)
        took = f"version {upload.version} refused after {verdict.seconds:.1f} s"
        return Answer("", 1, f"error: {took}:\n{errors}")
    return Answer(f"version {upload.version} active after {verdict.seconds:.1f} s", 0, warning)


def _history(arguments: argparse.Namespace) -> Answer:
    with database().transaction() as connection:
        activated = activations(connection, arguments.limit)
        refused = refusals(connection, arguments.limit)
    if arguments.json:
        listed = {
            "activations": [each._asdict() for each in activated],
            "refusals": [each._asdict() for each in refused],
        }
        return Answer(json_text(listed))
    lines = [("when", "what", "version", "by", "why")]
    lines += [
        (shown_time(each.activated_at), each.role, each.version, each.by, _in_short(each.reason))
        for each in activated
    ]
    text = table(lines) if activated else "no rule set was ever activated"
    if refused:
        text += "\n\nrefused:\n" + "\n".join(
            f"{shown_time(each.received_at)}  {each.source}: {each.path}: {each.message}"
            + (f" (and {each.error_count - 1} more)" if each.error_count > 1 else "")
            for each in refused
        )
    return Answer(text)


def _in_short(reason: str) -> str:
    """Return a reason on one line; of a long one, such as a document's description, the start."""
    return textwrap.shorten(reason, _SHOWN_REASON, placeholder=" ...")


def _rollback(arguments: argparse.Namespace) -> Answer:
    done = roll_back(
        arguments.version,
        database=database(),
        archive=archive_of(),
        by=arguments.by,
        reason=arguments.reason,
    )
    return Answer("\n".join(_rollback_lines(done)))


def _rollback_lines(done: Rollback) -> Iterator[str]:
    instead = "" if done.replaced is None else f" instead of {done.replaced}"
    blob = "and in blob storage" if done.published else "blob storage follows with the next tick"
    yield f"version {done.version} is active{instead}, in the database; {blob}"
    if done.diff is not None:
        yield from done.diff.lines()


def _suppress(arguments: argparse.Namespace) -> Answer:
    number = suppress_rule(
        arguments.rule,
        arguments.subject,
        arguments.until,
        database=database(),
        by=arguments.by,
        reason=arguments.reason,
    )
    whom = arguments.subject or "every subject"
    until = shown_time(arguments.until)
    return Answer(f"suppression {number}: new alerts of {arguments.rule} for {whom} until {until}")


def _suppressions(arguments: argparse.Namespace) -> Answer:
    with database().transaction() as connection:
        listed = suppressions_in_force(connection)
    if arguments.json:
        return Answer(json_text([each._asdict() for each in listed]))
    if not listed:
        return Answer("no suppression is in force")
    rows = [
        (
            each.rule_id,
            each.subject or "every subject",
            shown_time(each.until),
            each.by,
            each.reason,
        )
        for each in listed
    ]
    return Answer(table([("rule", "subject", "until", "by", "why"), *rows]))
