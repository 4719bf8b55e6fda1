"""Shows a score to people: a table, what was missed, what was found falsely."""

from collections.abc import Iterator
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulator.score.outcome import FalseDetection, KindScore, Missed, Score
from simulator.score.wording import counts, delay, interval, share, subject, when


def print_score(console: Console, score: Score) -> None:
    """Print the whole score; a line that is a command is never wrapped."""
    if score.kinds:
        console.print(score_table(score))
        console.print(_worst(score), style="bold")
    else:
        console.print("nothing was injected, and nothing was found that should have been")
    for line in (*_found_by(score), *_alerts_and_notes(score)):
        console.print(line, markup=False, highlight=False)
    for scored in score.kinds:
        _print_examples(console, scored)


def score_table(score: Score) -> Table:
    """Return a line for each kind, by family."""
    table = Table(
        title=f"Found of what was injected, {when(score.start, score.end)} UTC",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        caption="after: median and 90th percentile; of incidents in event time from the first event"
        " to the alert, of events (~) by the clock from the hub to flag, match or alert",
        caption_justify="left",
    )
    table.add_column("kind", no_wrap=True)
    for name in ("found", "recall", "right", "precision", "F1", "after"):
        # On 80 columns long numbers may take a second line; names never do.
        table.add_column(name, justify="right", overflow="fold")
    for family, members in groupby(score.kinds, key=lambda each: each.family):
        table.add_row(f"[italic]{family}[/italic]")
        for scored in members:
            table.add_row(*_row(scored))
        table.add_section()
    return table


def _row(scored: KindScore) -> Iterator[str]:
    yield scored.kind
    yield counts(scored.recall) if scored.recall.whole else ""
    yield interval(scored.recall)
    yield counts(scored.precision) if scored.precision.whole else ""
    yield interval(scored.precision)
    yield share(scored.f1)
    known = delay(scored.known_after)
    yield delay(scored.detected_after) or (f"~{known}" if known else "")


def _worst(score: Score) -> str:
    parts = []
    if (recall := score.worst_recall) is not None:
        parts.append(f"recall {share(recall.recall.value)} ({recall.kind})")
    if (precision := score.worst_precision) is not None:
        parts.append(f"precision {share(precision.precision.value)} ({precision.kind})")
    return f"worst: {', '.join(parts)}"


def _found_by(score: Score) -> Iterator[str]:
    """Yield what found incidents that several signals tell of."""
    for scored in score.kinds:
        if scored.unit == "incident" and len(scored.found_by) > 1:
            parts = (f"{each.signal.split()[-1]} {each.found}" for each in scored.found_by)
            yield f"{scored.kind} found by {', '.join(parts)}"


def _alerts_and_notes(score: Score) -> Iterator[str]:
    number = sum(each.alerts for each in score.unexplained)
    rules = ", ".join(f"{each.rule} {each.alerts}" for each in score.unexplained)
    listed = f": {rules}" if rules else ""
    yield f"unexplained alerts: {number} of {score.alerts} belong to nothing injected{listed}"
    if score.withdrawn or score.suppressed:
        yield (
            f"not counted as detections: {score.withdrawn} withdrawn and"
            f" {score.suppressed} suppressed alerts"
        )
    yield from (f"note: {note}" for note in score.notes)


def _print_examples(console: Console, scored: KindScore) -> None:
    lines = [line for missed in scored.missed for line in _missed(missed)]
    _print_lines(console, f"{scored.kind}: missed", scored.recall.whole - scored.recall.part, lines)
    lines = [line for found in scored.false_detections for line in _false(found)]
    number = scored.precision.whole - scored.precision.part
    _print_lines(console, f"{scored.kind}: found falsely", number, lines)


def _print_lines(console: Console, title: str, number: int, lines: list[str]) -> None:
    if lines:
        console.print(f"\n[bold]{escape(title)}[/bold], {number} in all")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _missed(missed: Missed) -> Iterator[str]:
    about = subject(missed.subject) or missed.transaction_id or "no id"
    events = f", {missed.events} events" if missed.events > 1 else ""
    hint = f"; {missed.hint}" if missed.hint else ""
    yield f"{missed.incident}: {about}{events}, {when(missed.first, missed.last)}{hint}"
    if missed.explain:
        yield f"  {missed.explain}"


def _false(found: FalseDetection) -> Iterator[str]:
    time = when(found.first, found.last)
    yield f"{found.signal}: {subject(found.subject)}{', ' if time else ''}{time}"
    if found.explain:
        yield f"  {found.explain}"
