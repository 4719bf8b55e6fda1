"""``python -m shared_code report``: what happened within a span, as a page that prints well."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared_code.cli.progress import Progress
from shared_code.cli.spans import add_span
from shared_code.engine.spans import whole_windows
from shared_code.errors import PaymentsError
from shared_code.report.figures import figures_of
from shared_code.report.page import report_page
from shared_code.settings import load_database_settings
from shared_code.store.database import Database

DESCRIPTION: Final = (
    "Write what happened within the whole windows that overlap a span as one page of HTML that"
    " needs nothing else: totals by currency, failures, alerts with their evidence, quality of the"
    " data, rules in force, and a checksum of the figures. Any role that may read can do it."
)


class ReportNotWritten(PaymentsError):
    """A file of a report cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror}; name another file")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_span(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the page, such as report.html"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="also write the figures as canonical JSON, whose SHA-256 the page shows",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write a report on the whole windows that overlap a span.

    Raises:
        SettingsError: an app setting is missing or wrong.
        SpanNotEnded: the span is empty or has not ended.
        StoreUnavailable: the database failed.
        ReportNotWritten: a file cannot be written.
    """
    now = datetime.now(UTC)
    span = whole_windows(arguments.start, arguments.end, now)
    progress = Progress(sys.stderr)
    figures = figures_of(
        Database(load_database_settings()),
        span,
        lambda done, pieces: progress.show(f"{done} of {pieces} hours read"),
    )
    progress.clear()
    _write(arguments.out, report_page(figures, now))
    if arguments.json is not None:
        _write(arguments.json, figures.canonical())
    print(f"{figures.checksum()}  {figures.payments} payments in {arguments.out}")  # noqa: T201 - its output


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReportNotWritten(path, error) from None
