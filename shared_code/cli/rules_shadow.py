"""``python -m shared_code rules shadow``: a rule set that runs beside the active one."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from shared_code.cli.rules_arguments import (
    Answer,
    add_by,
    add_json,
    add_parser,
    database,
    json_text,
    number_from,
    read_file,
    shown_time,
    table,
    text_given,
)
from shared_code.engine.rule_life import report_on_shadow, run_shadow, stop_shadow
from shared_code.rules.compiler import canonical_content, canonical_dimensions, compile_document
from shared_code.store.shadow_comparison import ShadowReport

_EXAMPLES = 10


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of the group."""
    shadow = add_parser(
        commands,
        "shadow",
        _shadow,
        summary="run a document beside the active one, stop it, compare",
        description="Run a document beside the active one: it judges the same payments, and nobody"
        " is alerted. 'shadow FILE' starts it, as 'shadow start FILE' does; 'shadow stop' ends it,"
        " as 'shadow --stop' does; 'shadow report' compares what both have found in the windows"
        " that both have judged. (A file named start, stop or report is ./start and so on.)",
        example='shadow rules.yaml --reason "new thresholds for a week"'
        "\n  python -m shared_code rules shadow report --hours 24",
    )
    shadow.add_argument("what", nargs="?", metavar="FILE|start|stop|report")
    shadow.add_argument("file", nargs="?", metavar="FILE", help="the document, behind 'start'")
    shadow.add_argument("--stop", action="store_true", help="the same as 'stop'")
    shadow.add_argument(
        "--hours", type=number_from(1), metavar="N", help="report on windows so far back only"
    )
    shadow.add_argument("--reason", type=text_given, metavar="TEXT", help="why it starts or stops")
    add_by(shadow)
    add_json(shadow)
    shadow.set_defaults(usage=shadow.error)


def _shadow(arguments: argparse.Namespace) -> Answer:
    match arguments.what, arguments.file, arguments.stop:
        case ("stop", None, _) | (None, None, True):
            return _stop(arguments)
        case "report", None, False:
            return _report(arguments)
        case "start", str(file), False:
            return _start(arguments, file)
        case str(file), None, False if file != "start":
            return _start(arguments, file)
        case _:
            arguments.usage("expected a FILE, 'start FILE', 'stop' or 'report'")
            raise AssertionError  # usage() has left


def _start(arguments: argparse.Namespace, file: str) -> Answer:
    content = canonical_content(read_file(file))
    reason = arguments.reason or compile_document(content).document.description or "a trial"
    started = run_shadow(content, database=database(), by=arguments.by, reason=reason)
    return Answer(
        f"version {started.version} runs as a shadow from the next batch on;"
        " 'rules shadow report' compares it with the active rule set"
    )


def _stop(arguments: argparse.Namespace) -> Answer:
    reason = arguments.reason or "ended"
    ended = stop_shadow(database=database(), by=arguments.by, reason=reason)
    return Answer(f"the shadow {ended.version} has ended; 'rules shadow report' still compares it")


def _report(arguments: argparse.Namespace) -> Answer:
    report = report_on_shadow(database(), arguments.hours, _EXAMPLES)
    if not arguments.json:
        return Answer("\n".join(_lines(report)))
    parts = {
        name: [each._asdict() for each in getattr(report, name)]
        for name in ("matches", "values", "alerts", "differences")
    }
    return Answer(json_text({**report._asdict(), "shadow": report.shadow._asdict(), **parts}))


def _lines(report: ShadowReport) -> Iterator[str]:
    shadow = report.shadow
    ended = "" if shadow.ended_at is None else f" to {shown_time(shadow.ended_at)}"
    yield f"shadow {shadow.version} from {shown_time(shadow.started_at)}{ended}"
    if report.start is None or report.end is None:
        yield "no window was judged by it yet: windows count once they are closed"
        return
    yield f"{report.windows} windows, {shown_time(report.start)} to {shown_time(report.end)}"
    heading = ("both", "only active", "only shadow")
    if report.matches:
        unsure = ("active indeterminate", "shadow indeterminate")
        yield from _compared(("payments", *heading, *unsure, "other value"), report.matches)
    if report.values:
        yield from _compared(("values", "equal", "different", *heading[1:]), report.values)
    if report.alerts:
        yield from _compared(("alerts", *heading), report.alerts)
    if report.differences:
        yield "\nvalues that differ, newest first"
    for each in report.differences:
        values = " -> ".join(
            "none" if value is None else f"{value:f}"
            for value in (each.active_value, each.shadow_value)
        )
        where = f"{shown_time(each.window_start)} {canonical_dimensions(each.dimensions)}"
        yield f"{each.rule_id} {where}: {values}"


def _compared(heading: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield "\n" + table([heading, *(tuple(map(str, row)) for row in rows)])
