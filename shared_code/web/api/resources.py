"""The table of everything that the JSON API answers."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, RejectReason, Severity
from shared_code.domain.windows import WINDOW_LENGTH, PeriodLength, window_start
from shared_code.store.read import alerts, clusters, metrics, payments, rejected, revisions, windows
from shared_code.store.read import rule_sets as rule_set_read
from shared_code.store.read.paging import Listing, Span
from shared_code.store.read.snapshot import Snapshot
from shared_code.store.read.summary import Summary, summary
from shared_code.web.api.rule_diff import RuleSetChanges, rule_set_changes
from shared_code.web.cursors import Big, Moment, Number, Place, Small, Word
from shared_code.web.parameters import Choice, Identifier, Instant, Parameter, Text
from shared_code.web.resources import EVER, PAGING, SPAN, Asked, Resource, listed

_METHODS: Final = Parameter(
    "method", Choice(tuple(each.name for each in PaymentMethod)), "Payment methods.", repeated=True
)
_CURRENCIES: Final = Parameter(
    "currency", Choice(tuple(CURRENCIES)), "Currencies, ISO 4217.", repeated=True
)
_STATUSES: Final = Parameter(
    "status", Choice(tuple(each.name for each in PaymentStatus)), "Statuses.", repeated=True
)
_GROUPS: Final = (_METHODS, _CURRENCIES, _STATUSES)
_PERIOD: Final = Parameter(
    "period",
    Choice(tuple(PeriodLength)),
    "Five minutes, an hour or a day.",
    default=PeriodLength.five_minutes,
)
_WINDOW_START: Final = Parameter(
    "window_start", Instant(), "Start of a five-minute window.", place="path"
)
_RULE_ID: Final = Text("[a-z][a-z0-9_]{2,63}", 64, "high_value_payment")
_CATEGORY: Final = Parameter(
    "category", Text("[a-z][a-z0-9_]{1,31}", 32, "fraud"), "Category of the rules."
)
_SCOPE: Final = Parameter(
    "scope", Choice(("transaction", "window", "velocity", "sequence", "score")), "Scope of rules."
)
_ALERT_ID: Final = Parameter("alert_id", Identifier(), "Id of the alert.", place="path")
_VERSION: Final = Text(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}", 32, "1.4.0")
_ALERT_FILTERS: Final = (
    Parameter(
        "state",
        Choice((*alerts.STATES, alerts.ALL_STATES)),
        "Open, suppressed when raised, withdrawn by its rule, or all.",
        default="open",
    ),
    Parameter(
        "severity", Choice(tuple(each.name for each in Severity)), "How urgent.", repeated=True
    ),
    Parameter("rule", _RULE_ID, "Id of the rule that found it."),
    Parameter("kind", Text("[a-z][a-z_]{0,31}", 32, "velocity"), "What raised it."),
    Parameter(
        "subject",
        Text(r"[^\x00-\x1f\x7f]{1,512}", 512, "customer-1"),
        "Whom it is about: the whole subject, or one of its values.",
    ),
)
_PAYMENT_KEY: Final = (Moment, Word, Word)


def _windows(snapshot: Snapshot, asked: Asked) -> Listing[windows.WindowGroup]:
    wanted = windows.GroupFilter(
        [PaymentMethod[name] for name in asked.values["method"]],
        [CURRENCIES[name].number for name in asked.values["currency"]],
        [PaymentStatus[name] for name in asked.values["status"]],
    )
    period = PeriodLength(asked.values["period"])
    return windows.window_groups(snapshot.connection, period, asked.whole_span, asked.page, wanted)


def _throughput(snapshot: Snapshot, asked: Asked) -> Listing[windows.Throughput]:
    period = PeriodLength(asked.values["period"])
    return windows.throughput(snapshot.connection, period, asked.whole_span, asked.page)


def _revisions(snapshot: Snapshot, asked: Asked) -> Listing[revisions.Revision]:
    start = window_start(asked.values["window_start"])
    return revisions.window_revisions(snapshot.connection, start, asked.page)


def _payments_of_window(snapshot: Snapshot, asked: Asked) -> Listing[payments.Payment]:
    start = window_start(asked.values["window_start"])
    return payments.payments_of_window(
        snapshot.connection,
        Span(start, start + WINDOW_LENGTH),
        asked.page,
        methods=asked.values["method"],
        currencies=asked.values["currency"],
        statuses=asked.values["status"],
    )


def _metrics(snapshot: Snapshot, asked: Asked) -> Listing[metrics.RuleValue]:
    return metrics.rule_values(
        snapshot.connection,
        asked.whole_span,
        asked.page,
        rules=asked.values["rule"],
        category=asked.values["category"],
        scope=asked.values["scope"],
    )


def _top_rules(snapshot: Snapshot, asked: Asked) -> Listing[metrics.TopRule]:
    category = asked.values["category"]
    return metrics.top_rules(snapshot.connection, asked.whole_span, asked.page, category=category)


def _alerts(snapshot: Snapshot, asked: Asked) -> Listing[alerts.SeenAlert]:
    return alerts.alerts(
        snapshot.connection,
        asked.whole_span,
        asked.page,
        state=asked.values["state"],
        severities=[Severity[name] for name in asked.values["severity"]],
        rule=asked.values["rule"],
        kind=asked.values["kind"],
        subject=asked.values["subject"],
    )


def _alert(snapshot: Snapshot, asked: Asked) -> alerts.SeenAlert | None:
    return alerts.alert(snapshot.connection, asked.values["alert_id"])


def _payments_of_alert(snapshot: Snapshot, asked: Asked) -> Listing[payments.Payment] | None:
    alert_id = asked.values["alert_id"]
    if alerts.alert(snapshot.connection, alert_id) is None:
        return None
    return payments.payments_of_alert(snapshot.connection, alert_id, asked.page)


def _rejected(snapshot: Snapshot, asked: Asked) -> Listing[rejected.RejectedEvent]:
    reasons: Sequence[str] = asked.values["reason"]
    return rejected.rejected_events(snapshot.connection, asked.whole_span, asked.page, reasons)


def _in_span(read: Callable[..., Listing[Any]]) -> Callable[[Snapshot, Asked], Listing[Any]]:
    """Return how a list without filters is read."""

    def listing(snapshot: Snapshot, asked: Asked) -> Listing[Any]:
        return read(snapshot.connection, asked.whole_span, asked.page)

    return listing


def _rule_sets(snapshot: Snapshot, asked: Asked) -> Listing[rule_set_read.SeenRuleSet]:
    return rule_set_read.rule_sets(snapshot.connection, asked.span, asked.page)


def _rule_document(snapshot: Snapshot, asked: Asked) -> bytes | None:
    return rule_set_read.rule_document(snapshot.connection, asked.values["version"])


def _rule_diff(snapshot: Snapshot, asked: Asked) -> RuleSetChanges | None:
    documents = [
        rule_set_read.rule_document(snapshot.connection, asked.values[name])
        for name in ("version", "other")
    ]
    old, new = documents
    return None if old is None or new is None else rule_set_changes(old, new)


def _summary(snapshot: Snapshot, _: Asked) -> Summary:
    return summary(snapshot.connection, snapshot.as_of)


RESOURCES: Final = (
    Resource("/summary", "summary", "How the pipeline is doing.", Summary, _summary),
    listed(
        "/windows",
        "windows",
        "Payments by window, hour or day, method, currency and status, newest first.",
        windows.WindowGroup,
        _windows,
        *SPAN,
        _PERIOD,
        *_GROUPS,
        key=(Moment, Small, Small, Small),
    ),
    listed(
        "/windows/{window_start}/revisions",
        "window_revisions",
        "What each closing of a window came to, the last first.",
        revisions.Revision,
        _revisions,
        _WINDOW_START,
        key=(Number,),
    ),
    listed(
        "/windows/{window_start}/payments",
        "window_payments",
        "The payments of a window, newest first.",
        payments.Payment,
        _payments_of_window,
        _WINDOW_START,
        *_GROUPS,
        key=_PAYMENT_KEY,
    ),
    listed(
        "/throughput",
        "throughput",
        "How many payments each window, hour or day had, and how many went wrong, newest first.",
        windows.Throughput,
        _throughput,
        *SPAN,
        _PERIOD,
        key=(Moment,),
    ),
    listed(
        "/metrics",
        "metrics",
        "What rules measured in windows, newest first.",
        metrics.RuleValue,
        _metrics,
        *SPAN,
        Parameter("rule", _RULE_ID, "Ids of rules.", repeated=True),
        _CATEGORY,
        _SCOPE,
        key=(Moment, Word, Word),
    ),
    listed(
        "/metrics/top",
        "top_metrics",
        "How often each rule matched, most often first.",
        metrics.TopRule,
        _top_rules,
        *SPAN,
        _CATEGORY,
        key=(Big, Word),
    ),
    listed(
        "/alerts",
        "alerts",
        "Alerts that were last seen in a span, newest first.",
        alerts.SeenAlert,
        _alerts,
        *SPAN,
        *_ALERT_FILTERS,
        key=(Moment, UUID),
    ),
    Resource("/alerts/{alert_id}", "alert", "One alert.", alerts.SeenAlert, _alert, (_ALERT_ID,)),
    Resource(
        "/alerts/{alert_id}/payments",
        "alert_payments",
        "The payments that an alert's evidence names, newest first.",
        payments.Payment,
        _payments_of_alert,
        (_ALERT_ID, *PAGING),
        _PAYMENT_KEY,
    ),
    listed(
        "/rejected",
        "rejected",
        "What was refused, newest first, bodies masked.",
        rejected.RejectedEvent,
        _rejected,
        *SPAN,
        Parameter("reason", Choice(tuple(RejectReason)), "Why it was refused.", repeated=True),
        key=(Moment, Place),
    ),
    listed(
        "/rejected/reasons",
        "reject_reasons",
        "How many events were refused for which reason, most often first.",
        rejected.RejectReasonCount,
        _in_span(rejected.reject_reasons),
        *SPAN,
        key=(Big, Word),
    ),
    listed(
        "/clusters",
        "clusters",
        "Groups of alike payments by window, newest first.",
        clusters.SeenCluster,
        _in_span(clusters.clusters),
        *SPAN,
        key=(Moment, Small),
    ),
    listed(
        "/clusters/outliers",
        "outliers",
        "Payments that stand apart, newest first.",
        clusters.SeenOutlier,
        _in_span(clusters.outliers),
        *SPAN,
        key=(Moment, Moment, Word, Small),
    ),
    listed(
        "/rules",
        "rule_sets",
        "Rule documents by when they were received, newest first.",
        rule_set_read.SeenRuleSet,
        _rule_sets,
        *EVER,
        key=(Number,),
    ),
    Resource(
        "/rules/{version}",
        "rule_document",
        "The rule document that was accepted under a version.",
        None,
        _rule_document,
        (Parameter("version", _VERSION, "Version of the rule set.", place="path"),),
    ),
    Resource(
        "/rules/{version}/diff/{other}",
        "rule_diff",
        "What changes in meaning from one version to another.",
        RuleSetChanges,
        _rule_diff,
        (
            Parameter("version", _VERSION, "The version before.", place="path"),
            Parameter("other", _VERSION, "The version after.", place="path"),
        ),
    ),
)
