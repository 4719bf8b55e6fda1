"""A report as one page of HTML that needs nothing else: no script, no font, no other file.

It is built of elements, never of text, so that whatever a payment says is shown and does nothing.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from shared_code.report.charts import Axis, Bar, bar_chart
from shared_code.report.figures import MOST_ALERTS, MOST_REVISED, Figures

_MOST_CURRENCIES: Final = 6
_STYLE: Final = """
@page { size: A4; margin: 15mm; }
:root { color-scheme: light; }
body { font: 10pt/1.4 system-ui, sans-serif; color: #111; background: #fff; max-width: 60rem;
       margin: 1rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 18pt; margin: 0; }
h2 { font-size: 13pt; margin: 1.5em 0 .4em; border-bottom: 1px solid #767676; }
h2, h3, caption { break-after: avoid; }
table { border-collapse: collapse; width: 100%; margin: .5em 0; }
td { font-size: 9pt; }
caption { text-align: left; font-weight: 600; }
th, td { padding: .2em .5em; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top; }
td:last-child { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
thead { display: table-header-group; }
tr, svg, figure { break-inside: avoid; }
code { font-family: ui-monospace, monospace; font-size: 8pt; }
figure { margin: .5em 0; }
svg { width: 100%; height: auto; }
svg text { font: 10px system-ui, sans-serif; }
svg line { stroke: #111; }
svg .whole { fill: #9bb8d3; }
svg .part { fill: #7a1f1f; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""
# Nothing is loaded and nothing runs, whatever a browser thinks of the page.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)

type Cell = str | int | Decimal | datetime | None


def report_page(figures: Figures, made_at: datetime) -> bytes:
    """Return the page in UTF-8.

    Args:
        figures: of one span.
        made_at: aware; shown, and no part of the figures or their checksum.
    """
    html = Element("html", {"lang": "en"})
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width"})
    SubElement(head, "title").text = f"Payments from {_time(figures.start)} to {_time(figures.end)}"
    SubElement(head, "style").text = _STYLE
    main = SubElement(SubElement(html, "body"), "main")
    _heading(main, figures, made_at)
    _windows(main, figures)
    _amounts(main, figures)
    _failures(main, figures)
    _alerts(main, figures)
    _quality(main, figures)
    _rules(main, figures)
    page: bytes = tostring(html, "utf-8", method="html")
    return b"<!doctype html>\n" + page + b"\n"


def _heading(main: Element, figures: Figures, made_at: datetime) -> None:
    SubElement(main, "h1").text = "Payments: compliance report"
    _say(main, f"From {_time(figures.start)} to before {_time(figures.end)}, event time in UTC.")
    _say(main, f"Made at {_time(made_at)}. SHA-256 of the figures in canonical JSON:")
    SubElement(SubElement(main, "p"), "code").text = figures.checksum()


def _windows(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Windows"
    seen = figures.windows
    _say(
        main,
        f"{figures.payments:,} payments in {seen.with_payments:,} windows of five minutes."
        f" {seen.closed:,} of them are closed, {seen.final:,} are final:"
        f" {_finality(figures)}",
    )
    if figures.periods:
        payments = [
            Bar(each.start, Decimal(each.payments), Decimal(each.failed))
            for each in figures.periods
        ]
        _plot(main, "Payments, and how many of them failed (dark)", payments, figures)
    _say(
        main,
        f"{seen.revised:,} windows have more than one revision; {seen.payments_late:,} payments"
        " came after the first revision of theirs.",
    )
    _table(
        main,
        f"The first {MOST_REVISED} windows with more than one revision",
        ("window", "revisions", "payments at first", "payments now", "rules"),
        (
            (each.window_start, each.revisions, each.first_count, each.last_count, each.version)
            for each in figures.revised
        ),
    )


def _finality(figures: Figures) -> str:
    if figures.windows.final == figures.windows.with_payments:
        return "no figure of theirs is expected to change."
    return "figures of the others may still change."


def _amounts(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Totals by currency"
    _say(main, "Amounts of different currencies are never added up.")
    _table(
        main,
        "Payments and amounts",
        ("currency", "method", "status", "payments", "amount"),
        (
            (each.currency, each.payment_method, each.payment_status, each.payments, each.amount)
            for each in figures.totals
        ),
    )
    for currency in _largest(figures):
        of_it = (each for each in figures.completed if each.currency == currency)
        amounts = [Bar(each.start, each.amount) for each in of_it]
        _plot(main, f"Completed payments in {currency}", amounts, figures)


def _plot(main: Element, caption: str, bars: Sequence[Bar], figures: Figures) -> None:
    figure = SubElement(main, "figure")
    SubElement(figure, "figcaption").text = caption
    axis = Axis(figures.start, figures.end, figures.period_seconds)
    figure.append(bar_chart(caption, bars, axis))


def _largest(figures: Figures) -> Sequence[str]:
    """Return the currencies with most completed payments that are plotted, in their order."""
    payments: dict[str, int] = {}
    for each in figures.totals:
        if each.payment_status == "completed":
            payments[each.currency] = payments.get(each.currency, 0) + each.payments
    return sorted(sorted(payments, key=lambda name: (-payments[name], name))[:_MOST_CURRENCIES])


def _failures(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Failed payments"
    _table(
        main,
        "Failed payments by currency and method",
        ("currency", "method", "payments", "failed", "ratio"),
        (
            (each.currency, each.payment_method, each.payments, each.failed, each.ratio)
            for each in figures.failure_ratios
        ),
    )


def _alerts(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Alerts"
    _table(
        main,
        "Alerts by severity",
        ("severity", "kind", "rule", "alerts", "withdrawn", "suppressed"),
        (
            (each.severity, each.kind, each.rule_id, each.alerts, each.withdrawn, each.suppressed)
            for each in figures.alert_counts
        ),
    )
    _table(
        main,
        f"The {MOST_ALERTS} most severe of those that stand, with their evidence",
        ("severity", "rule", "subject", "outcome", "first seen", "last seen"),
        (
            (
                each.severity,
                each.rule_id or each.kind,
                each.subject,
                each.outcome,
                each.first_seen,
                each.last_seen,
                json.dumps(each.evidence, ensure_ascii=False, sort_keys=True),
            )
            for each in figures.alerts
        ),
        below=True,
    )


def _quality(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Quality of data"
    _table(
        main,
        "Events refused within the span, by the clock",
        ("reason", "events"),
        figures.rejected.items(),
    )
    if figures.payments_kept < figures.payments:
        _say(
            main,
            f"Of {figures.payments:,} payments {figures.payments_kept:,} are kept still:"
            " flags are counted of these.",
        )
    _table(main, "Payments with quality flags", ("flag", "payments"), figures.quality_flags.items())


def _rules(main: Element, figures: Figures) -> None:
    SubElement(main, "h2").text = "Rules in force"
    _table(
        main,
        "Rule sets that were active within the span, by the clock",
        ("version", "since", "by", "reason", "SHA-256"),
        (
            (each.version, each.activated_at, each.activated_by, each.reason, each.sha256)
            for each in figures.rule_sets
        ),
    )
    _table(
        main,
        "Windows with payments by the rule set of their newest revision",
        ("version", "windows"),
        figures.windows_by_version.items(),
    )


def _table(
    parent: Element,
    caption: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    below: bool = False,
) -> None:
    """Add a table; nothing is said as such, so that it is not taken for something left out.

    Args:
        parent: what the table is added to.
        caption: of the table.
        names: of the columns.
        rows: one behind the other.
        below: whether the last cell of each row is long and stands below it, without a column.
    """
    listed = list(rows)
    if not listed:
        _say(parent, f"{caption}: none.")
        return
    numbers = [isinstance(cell, int | Decimal) for cell in listed[0][: len(names)]]
    table = SubElement(parent, "table")
    SubElement(table, "caption").text = caption
    head = SubElement(SubElement(table, "thead"), "tr")
    for name, number in zip(names, numbers, strict=True):
        of = {"scope": "col", **({"class": "number"} if number else {})}
        SubElement(head, "th", of).text = name
    body = SubElement(table, "tbody")
    for row in listed:
        line = SubElement(body, "tr")
        for cell, number in zip(row, numbers, strict=not below):
            SubElement(line, "td", {"class": "number"} if number else {}).text = _shown(cell)
        if below:
            long = SubElement(SubElement(body, "tr"), "td", {"colspan": str(len(names))})
            SubElement(long, "code").text = _shown(row[-1])


def _say(parent: Element, sentence: str) -> None:
    SubElement(parent, "p").text = sentence


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return _time(cell)
        case int() | Decimal():
            return f"{cell:,}"
        case _:
            return cell


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(" ", "seconds").replace("+00:00", "Z")
