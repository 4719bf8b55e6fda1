"""Commands on rule documents that change nothing: ``validate``, ``diff``, ``test``, ``export``."""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shared_code.cli.progress import Progress
from shared_code.cli.rules_arguments import (
    Answer,
    add_json,
    add_parser,
    database,
    json_text,
    number_from,
    read_file,
    read_rules,
    table,
)
from shared_code.engine.rule_life import ACTIVE, export_rules
from shared_code.engine.rule_trial import RuleTrial, Trial, event_bodies, try_rules
from shared_code.errors import PaymentsError
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.rules.diff import diff_documents, version_advice
from shared_code.rules.document_text import json_text_for_people, yaml_text
from shared_code.rules.errors import RuleDocumentRefused, RuleError, shown
from shared_code.store.rule_store import document_hash

_DIFFERENT = 1
_TROUBLE = 2
_SHOWN_REJECTED = 20
_RULE_PLACE = re.compile(r"\$\.rules\[([0-9]+)\]")


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of the group."""
    validate = add_parser(
        commands,
        "validate",
        _validate,
        summary="say everything that is wrong with a document",
        description="Check a rule document, JSON or YAML: every mistake with its place, the reason"
        " and what to write instead. Exit code 0 if it is right, 1 if not.",
        example="validate rules/metric_derivation_rules.json",
    )
    validate.add_argument("file", metavar="FILE", help="the document; - for standard input")
    add_json(validate)

    diff = add_parser(
        commands,
        "diff",
        _diff,
        summary="say what changes in meaning between two documents",
        description="Say what changes in meaning, not in text: the order of rules and of the parts"
        " of conditions, defaults and the spelling of numbers do not count. Each of the two is a"
        " file, 'active', or a version that the database has accepted. Exit code 0 if both mean"
        " the same, 1 if not, 2 in trouble.",
        example="diff active rules.yaml",
    )
    diff.add_argument("old", metavar="A", help="file, 'active' or a version such as 1.4.0")
    diff.add_argument("new", metavar="B", help="likewise")
    add_json(diff)

    test = add_parser(
        commands,
        "test",
        _test,
        summary="try a document on payment events, storing nothing",
        description="Run the rules over payment events as they are sent: a JSON array, or lines of"
        " JSON objects or arrays; event times may be any. Nothing is stored; velocity and sequence"
        " rules see these events only.",
        example="test rules.yaml --events events.jsonl --examples 3",
    )
    test.add_argument("file", metavar="FILE", help="the document, 'active' or a version")
    test.add_argument("--events", required=True, metavar="FILE", help="the events; - for stdin")
    test.add_argument(
        "--examples", type=number_from(0), default=0, metavar="N", help="so many of each rule"
    )
    add_json(test)

    export = add_parser(
        commands,
        "export",
        _export,
        summary="write the active document for editing",
        description="Write the active document, or another accepted version, with 'based_on' set"
        " to the version that is active now. Raise its 'version' before you upload it.",
        example="export -o rules.yaml",
    )
    export.add_argument(
        "--version", default=ACTIVE, metavar="V", help="another than the active one"
    )
    export.add_argument("--format", choices=["yaml", "json"], help="yaml, unless -o ends in .json")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there")


def _validate(arguments: argparse.Namespace) -> Answer:
    content = b"{}"
    try:
        content = canonical_content(read_file(arguments.file))
        document = compile_document(content).document
    except RuleDocumentRefused as refusal:
        listed = [error._asdict() for error in refusal.errors]
        if arguments.json:
            return Answer(json_text({"valid": False, "errors": listed}), 1)
        count = f"{len(listed)} {'mistake' if len(listed) == 1 else 'mistakes'}"
        ids = _rule_ids(content)
        lines = [_told_with_rule(error, ids) for error in refusal.errors]
        return Answer("", 1, "\n".join([*lines, f"{count} in {arguments.file}"]))
    scopes = Counter(rule.scope for rule in document.rules)
    sha256 = document_hash(content).hex()
    if arguments.json:
        found = {"valid": True, "version": document.version, "rules": scopes, "sha256": sha256}
        return Answer(json_text(found))
    counted = ", ".join(f"{number} {scope}" for scope, number in scopes.items())
    total = f"{len(document.rules)} rules ({counted})"
    return Answer(f"version {document.version} is right: {total}\nsha256 {sha256}")


def _rule_ids(content: bytes) -> list[Any]:
    document = json.loads(content)
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list):
        return []
    return [rule.get("id") if isinstance(rule, dict) else None for rule in rules]


def _told_with_rule(error: RuleError, ids: Sequence[Any]) -> str:
    """Return a mistake behind the id of its rule, which is found faster than its number."""
    place = _RULE_PLACE.match(error.path)
    rule_id = ids[int(place[1])] if place and int(place[1]) < len(ids) else None
    return f"{shown(rule_id)} {error}" if isinstance(rule_id, str) else str(error)


def _diff(arguments: argparse.Namespace) -> Answer:
    documents = []
    for name in (arguments.old, arguments.new):
        try:
            documents.append(compile_document(canonical_content(read_rules(name))).document)
        except RuleDocumentRefused as refusal:
            return Answer("", _TROUBLE, f"error: {name} is no right document:\n{refusal}")
        except PaymentsError as error:
            return Answer("", _TROUBLE, f"error: {error}")
    old, new = documents
    found = diff_documents(old, new)
    advice = version_advice(old.version, new.version, found)
    exit_code = 0 if found.is_empty else _DIFFERENT
    if arguments.json:
        versions = {"old_version": old.version, "new_version": new.version, "advice": advice}
        return Answer(json_text({**versions, **_diff_in_json(found)}), exit_code)
    lines = list(found.lines()) or ["both mean the same"]
    lines += [] if advice is None else [f"note: {advice}"]
    return Answer("\n".join(lines), exit_code)


def _diff_in_json(found: Any) -> dict[str, Any]:
    return {
        "added": [{"rule_id": rule_id, "scope": scope} for rule_id, scope in found.added],
        "removed": [{"rule_id": rule_id, "scope": scope} for rule_id, scope in found.removed],
        "changed": [
            {"rule_id": rule.rule_id, "changes": [change._asdict() for change in rule.changes]}
            for rule in found.changed
        ],
        "shared": [
            {
                "name": shared.name,
                "changes": [change._asdict() for change in shared.changes],
                "used_by": shared.used_by,
            }
            for shared in found.shared
        ],
    }


def _test(arguments: argparse.Namespace) -> Answer:
    rules = compile_document(canonical_content(read_rules(arguments.file)))
    bodies = event_bodies(read_file(arguments.events))
    line = Progress(sys.stderr)
    trial = try_rules(
        rules,
        bodies,
        arguments.examples,
        lambda done: line.show(f"{done:,} of {len(bodies):,} read"),
    )
    line.clear()
    text = json_text(trial) if arguments.json else "\n".join(_trial_lines(trial))
    if not trial.payments:
        problem = f"error: {arguments.events} holds no payment that is not rejected"
        return Answer(text, 1, problem)
    return Answer(text)


def _trial_lines(trial: Trial) -> Iterator[str]:
    yield (
        f"{trial.payments} payments, {trial.repeated} repeated, {len(trial.rejected)} rejected;"
        " nothing was stored"
    )
    for rejected in trial.rejected[:_SHOWN_REJECTED]:
        yield f"  rejected at {rejected.place}: {rejected.reason}: {rejected.detail}"
    if len(trial.rejected) > _SHOWN_REJECTED:
        yield f"  and {len(trial.rejected) - _SHOWN_REJECTED} more"
    if not trial.payments:
        return
    yield ""
    yield table([("rule", "scope", "found", "alerts"), *map(_trial_row, trial.rules)])
    for rule in trial.rules:
        for found in rule.examples:
            subject = ", ".join(f"{name} {value}" for name, value in found.subject.items())
            yield f"{rule.rule_id}: {subject or 'all'}: value {found.value}, {found.outcome}"


def _trial_row(rule: RuleTrial) -> tuple[str, ...]:
    found = ", ".join(f"{number} {outcome}" for outcome, number in rule.outcomes.items())
    return rule.rule_id, rule.scope, found or "nothing", str(rule.alerts)


def _export(arguments: argparse.Namespace) -> Answer:
    document = export_rules(database(), arguments.version)
    output: Path | None = arguments.output
    by_name = "json" if output is not None and output.suffix == ".json" else "yaml"
    write = json_text_for_people if (arguments.format or by_name) == "json" else yaml_text
    advice = (
        f"version {document['version']}, based on {document['based_on']}, which is active;"
        " raise 'version' before you upload it"
    )
    if output is None:
        return Answer(write(document).rstrip("\n"), 0, advice)
    try:
        output.write_text(write(document), "utf-8")
    except OSError as error:
        raise OutputFailed(output, error) from error
    return Answer(f"{output}: {advice}")


class OutputFailed(PaymentsError):
    """A file cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror}; name another --output")
