"""All that the pipeline said of a simulation, beside what was injected into it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from shared_code.domain.windows import Window
from simulator.ledger import EventKey, Ledger, RefusedEvent
from simulator.score.attribution import Injected, span_of
from simulator.score.detectors import Detector, Signal
from simulator.score.reading import (
    StoredAlert,
    StoredRefusal,
    alerts_of,
    flags_of,
    matches_of,
    refusals_of,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was said, and of which injected violations.

    Attributes:
        span: of the simulation: what was said of nothing injected counts inside it only.
        injected: what was injected.
        alerts: with the positions of the violations that each belongs to, oldest first.
        of_incident: alerts by the position of a violation.
        events: payment events by signal; of an alert with the time at which it was raised.
        refusals: with the positions of the violations that each belongs to.
        refused_as: reasons under which an event was refused, by hash and by transaction id.
    """

    span: Window
    injected: Injected
    alerts: Sequence[tuple[StoredAlert, Collection[int]]]
    of_incident: Mapping[int, Sequence[StoredAlert]]
    events: Mapping[Signal, Mapping[EventKey, datetime | None]]
    refusals: Sequence[tuple[StoredRefusal, Collection[int]]]
    refused_as: Mapping[str, Collection[str]]

    def inside(self, instant: datetime) -> bool:
        """Tell whether a time is one of the simulation's; a window's end counts as inside."""
        return self.span.start <= instant <= self.span.end

    def reasons(self, refused: RefusedEvent) -> set[str]:
        """Return the reasons under which an event was refused; none if it was not."""
        names = {refused.body_hash, refused.transaction_id}
        return {reason for name in names if name for reason in self.refused_as.get(name, ())}

    def signals_of(self, key: EventKey) -> list[Signal]:
        """Return what was said of a payment event, as far as it was asked for."""
        return [signal for signal, keys in self.events.items() if key in keys]


def gather(connection: Connection, ledger: Ledger, detectors: Iterable[Detector]) -> Evidence:
    """Read what was said of a simulation by all rules' alerts, and by the signals of detectors."""
    span, injected = span_of(ledger), Injected(ledger)
    signals = {signal for detector in detectors for signal in detector.signals}
    alerts = [(alert, injected.of_alert(alert)) for alert in alerts_of(connection, span)]
    of_incident: dict[int, list[StoredAlert]] = defaultdict(list)
    for alert, positions in alerts:
        for position in positions:
            of_incident[position].append(alert)
    refusals = [(each, injected.of_refusal(each)) for each in refusals_of(connection, span)]
    refused_as: dict[str, set[str]] = defaultdict(set)
    for refusal, _ in refusals:
        for name in (refusal.body_hash, refusal.transaction_id):
            if name is not None:
                refused_as[name].add(refusal.reason)
    return Evidence(
        span=Window(ledger.start, ledger.end),
        injected=injected,
        alerts=alerts,
        of_incident=of_incident,
        events=_events(connection, span, signals, [alert for alert, _ in alerts]),
        refusals=refusals,
        refused_as=refused_as,
    )


def _events(
    connection: Connection,
    span: Window,
    signals: Collection[Signal],
    alerts: Iterable[StoredAlert],
) -> Mapping[Signal, Mapping[EventKey, datetime | None]]:
    events: dict[Signal, dict[EventKey, datetime | None]] = defaultdict(dict)
    names = {
        source: {signal.name for signal in signals if signal.source == source}
        for source in ("match", "flag", "alert")
    }
    for rule, key in matches_of(connection, span, names["match"]):
        events[Signal("match", rule)][key] = None
    for flag, key in flags_of(connection, span, names["flag"]):
        events[Signal("flag", flag)][key] = None
    for alert in alerts:
        if alert.rule_id in names["alert"] and alert.about is not None:
            events[Signal("alert", alert.rule_id)][alert.about] = alert.raised_at
    return dict(events)
