"""``python -m shared_code rules values``: what window rules measure over hours and days."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

from shared_code.cli.rules_arguments import help_texts, json_text, shown_time, table
from shared_code.cli.spans import add_span
from shared_code.domain.windows import Period, PeriodLength, Window, period_of
from shared_code.engine.metric_engine import SHIPPED_RULES
from shared_code.engine.rule_roll_ups import PeriodValue, rule_values
from shared_code.rules.compiler import canonical_content, canonical_dimensions
from shared_code.store.database import Database

_LENGTHS: Final = (PeriodLength.hour, PeriodLength.day)


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of a group."""
    parser = commands.add_parser(
        "values",
        **help_texts(
            "show what window rules measure over hours and days",
            "Show what the window rules of the active version measure over each hour or day of a"
            " span: added up from closed windows where the measure allows it, else from the"
            " payments.",
            "values failure_ratio_by_method --from 2026-01-01 --to 2026-01-02 --every 1h",
        ),
    )
    parser.add_argument("rule", nargs="?", metavar="RULE", help="only the rule with this id")
    add_span(parser)
    parser.add_argument(
        "--every",
        type=PeriodLength,
        choices=_LENGTHS,
        default=PeriodLength.day,
        help="the length of the periods (1d)",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON, for machines")
    parser.set_defaults(run=_values)


def _values(arguments: argparse.Namespace, database: Database) -> str:
    shipped = canonical_content(SHIPPED_RULES.read_bytes())
    span = Window(arguments.start, arguments.end)
    found = [
        value
        for period in _periods(span, arguments.every)
        for value in rule_values(database, period, shipped, arguments.rule)
    ]
    if arguments.json:
        return json_text([_as_json(value) for value in found])
    heading = ("from", "rule", "group", "value", "payments", "made of")
    return table([heading, *(_as_row(value) for value in found)])


def _periods(span: Window, length: PeriodLength) -> Iterator[Period]:
    period = period_of(span.start, length)
    while period.start < span.end:
        yield period
        period = Period(length, period.end)


def _as_row(value: PeriodValue) -> tuple[str, ...]:
    return (
        shown_time(value.period.start),
        value.rule_id,
        canonical_dimensions(value.dimensions),
        str(value.value),
        str(value.payment_count),
        "windows" if value.added_up else "payments",
    )


def _as_json(value: PeriodValue) -> dict[str, Any]:
    return {
        "from": value.period.start,
        "to": value.period.end,
        "rule": value.rule_id,
        "dimensions": dict(value.dimensions),
        "value": value.value,
        "payment_count": value.payment_count,
        "added_up": value.added_up,
    }
