"""``python -m shared_code rules backtest``: what a candidate document finds in stored payments."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from shared_code.cli.progress import Progress
from shared_code.cli.rules_arguments import help_texts, number_from, read_rules
from shared_code.cli.spans import add_span
from shared_code.engine import backtest
from shared_code.engine.backtest import Backtest, RuleComparison, run_backtest
from shared_code.engine.rule_tallies import RuleTally
from shared_code.engine.spans import whole_windows
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.store.alerts import Alert
from shared_code.store.database import Database

EXIT_INTERRUPTED: Final = 130

_HEAD: Final = ("rule", "scope", "matched", "indeterminate", "window values", "alerts")


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of a group."""
    parser = commands.add_parser(
        "backtest",
        **help_texts(
            "run a candidate rule document over stored payments",
            "Run a candidate rule document over the stored payments of a span and show what it"
            " finds, beside what stands. Nothing is written.",
            "backtest rules.yaml --from 2026-01-27 --to 2026-01-28",
        ),
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="the candidate: a file (- for stdin), 'active' or a version",
    )
    add_span(parser)
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--examples",
        type=number_from(0),
        default=3,
        metavar="N",
        help="alerts to show of each rule (3)",
    )
    parser.set_defaults(run=_backtest)


def _backtest(arguments: argparse.Namespace, database: Database) -> str:
    rules = compile_document(canonical_content(read_rules(arguments.file)))
    span = whole_windows(arguments.start, arguments.end, datetime.now(UTC))
    progress = Progress(sys.stderr)
    try:
        found = run_backtest(
            database,
            rules,
            span,
            examples=arguments.examples,
            watch=lambda done: progress.show(_line(done)),
        )
    except KeyboardInterrupt:
        progress.say("interrupted; nothing was written")
        raise SystemExit(EXIT_INTERRUPTED) from None
    progress.clear()
    return json.dumps(_as_json(found), indent=2) if arguments.json else "\n".join(_as_text(found))


def _line(done: backtest.Progress) -> str:
    seconds = max(done.elapsed, timedelta(microseconds=1)).total_seconds()
    left = seconds / max(done.payments_done, 1) * (done.payments - done.payments_done)
    return (
        f"{done.windows_done} of {done.windows} windows,"
        f" {done.payments_done / seconds:,.0f} payments/s, {left:.0f} s left"
    )


def _as_json(found: Backtest) -> dict[str, Any]:
    return {
        "version": found.version,
        "from": found.span.start.isoformat(),
        "to": found.span.end.isoformat(),
        "windows": found.windows,
        "payments": found.payments,
        "seconds": round(found.elapsed.total_seconds(), 3),
        "rules": [_rule_as_json(each) for each in found.rules],
    }


def _rule_as_json(compared: RuleComparison) -> dict[str, Any]:
    return {
        "id": compared.rule.id,
        "scope": compared.rule.scope,
        "enabled": compared.rule.enabled,
        "candidate": _tally_as_json(compared.candidate),
        "stored": _tally_as_json(compared.stored),
        "examples": [_example(alert) for alert in compared.examples],
    }


def _tally_as_json(tally: RuleTally | None) -> dict[str, Any] | None:
    if tally is None:
        return None
    return {
        "matched": tally.matched,
        "indeterminate": tally.indeterminate,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "window_values": tally.values,
        "sums": {currency: str(total) for currency, total in sorted(tally.sums.items())},
        "alerts": tally.alerts,
    }


def _example(alert: Alert) -> dict[str, Any]:
    return {
        "subject": json.loads(alert.subject),
        "severity": alert.severity.name,
        "outcome": alert.outcome,
        "first_seen": alert.first_seen.astimezone(UTC).isoformat(),
        "last_seen": alert.last_seen.astimezone(UTC).isoformat(),
        "value": alert.evidence["value"],
        "evidence": json.loads(json.dumps(alert.evidence, default=str)),
    }


def _as_text(found: Backtest) -> Iterator[str]:
    """Yield the lines of a report; each figure is the candidate's, then the stored one."""
    span = f"{found.span.start:%Y-%m-%d %H:%M} to {found.span.end:%Y-%m-%d %H:%M} UTC"
    yield f"version {found.version} over {found.payments:,} payments in {found.windows} windows"
    yield f"{span}, in {found.elapsed.total_seconds():.1f} s; candidate | stored"
    differ = [each.rule.id for each in found.rules if _differs(each)]
    yield (
        f"{len(differ)} of {len(found.rules)} rules differ"
        + (": " if differ else "")
        + ", ".join(differ)
    )
    yield ""
    rows = [_HEAD, *(_figures(each) for each in found.rules)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, compared in zip(rows, (None, *found.rules), strict=True):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        if compared is not None:
            yield from _details(compared)


def _differs(compared: RuleComparison) -> bool:
    return (compared.candidate or RuleTally()) != (compared.stored or RuleTally())


def _figures(compared: RuleComparison) -> tuple[str, ...]:
    names = ("matched", "indeterminate", "values", "alerts")
    state = "" if compared.rule.enabled else " (disabled)"
    if compared.candidate is None:
        state = " (not in the candidate)"
    return (
        compared.rule.id + state,
        compared.rule.scope,
        *(
            " | ".join(
                "-" if tally is None else f"{getattr(tally, name):,}"
                for tally in (compared.candidate, compared.stored)
            )
            for name in names
        ),
    )


def _details(compared: RuleComparison) -> Iterator[str]:
    """Yield outcomes that are more than a match, sums, and examples of alerts."""
    tallies = (compared.candidate or RuleTally(), compared.stored or RuleTally())
    for name in sorted({name for tally in tallies for name in tally.outcomes} - {"matched"}):
        yield f"    outcome {name}: " + " | ".join(f"{tally.outcomes[name]:,}" for tally in tallies)
    for currency in sorted({currency for tally in tallies for currency in tally.sums}):
        sums = (tally.sums.get(currency, Decimal(0)) for tally in tallies)
        yield f"    sum in {currency}: " + " | ".join(f"{total:,f}" for total in sums)
    for alert in compared.examples:
        seen = alert.first_seen.astimezone(UTC)
        subject = ", ".join(
            f"{name} {'(none)' if value is None else value}"
            for name, value in json.loads(alert.subject).items()
        )
        yield (
            f"    alert {alert.severity.name} at {seen:%Y-%m-%d %H:%M:%S}:"
            f" {alert.evidence['value']} for {subject or 'all payments'}"
        )
