"""What each table, view and column holds, each in a sentence.

They are comments in the database, and the data dictionary of the documentation. Columns that mean
the same everywhere are described once.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import MetaData

_EVERYWHERE: Final = {
    "amount_avg": "Arithmetic mean of the amounts.",
    "amount_max": "Greatest amount.",
    "amount_min": "Least amount.",
    "amount_p50": "Median amount: nearest rank, so an amount that was paid.",
    "amount_p95": "95th percentile of amounts, nearest rank.",
    "amount_p99": "99th percentile of amounts, nearest rank.",
    "amount_sum": "Sum of amounts, in the group's currency.",
    "currency": "ISO 4217 numeric code.",
    "distinct_customers": "How many customers.",
    "distinct_merchants": "How many merchants.",
    "event_time": "When the payment took place, by its event; cut off to microseconds.",
    "mark_id": "Number of the mark.",
    "payment_count": "How many payments.",
    "payment_method": "Vocabulary payment_method.",
    "payment_status": "Vocabulary payment_status.",
    "period_length": "1h or 1d.",
    "period_start": "First instant of the hour or day, UTC.",
    "revision": "Which closing of the window, from 1; the highest stands.",
    "rule": "Number of the rule within its rule set.",
    "rule_set": "Number of the rule set: rule_sets.",
    "transaction_id": "The payment's id, as its producer gave it.",
    "window_start": "First instant of the five-minute window, UTC.",
}

_ALERT: Final = {
    "alert_id": "Made of kind, rule, subject and window or episode: found again, it is the same.",
    "evidence": "What was found: values, thresholds, ids of payments.",
    "first_seen": "Event time of the first payment that belongs to it.",
    "kind": "What raised it: a scope of rules, or a check of the pipeline's own.",
    "last_seen": "Event time of the last payment that belongs to it.",
    "outcome": "Name of the outcome that the rule came to; NULL for checks of the pipeline.",
    "raised_at": "When it was first raised.",
    "rule_id": "The rule's id; NULL for checks of the pipeline.",
    "rule_set": "Rule set under which it was found last; NULL for checks of the pipeline.",
    "severity": "Vocabulary severity, 1 to 5.",
    "subject": "Who or what it is about: a customer, card, merchant, group or window.",
    "window_start": "Window in which it was found last; NULL where it is about none.",
    "withdrawn_at": "When its rule no longer found it; NULL while it stands.",
}

TABLES: Final[Mapping[str, str]] = {
    "alerts": "What to look at: findings of rules and of the pipeline's own checks.",
    "backfills": "Back-fills of history under another rule set, and how far each has come.",
    "dynamic_metrics": "One row per payment and rule that matched it or could not judge it.",
    "leases": "Who may close windows until when.",
    "look_back_blocks": "Where payments of each subject lie, for rules that look back.",
    "normalized_transactions": "One row per payment event; a partition per day.",
    "payment_metrics_5m": "Streamed counters: only ever added to; deltas come on top.",
    "payment_metrics_5m_final": "Exact figures of closed windows, revision by revision.",
    "payment_metrics_rolled_up": "Exact figures of hours and days.",
    "rejected_events": "What was refused, where it came from and why.",
    "roll_up_marks": "Hours and days that have to be rolled up again.",
    "rule_history": "How often each rule matched in each window; what the guard compares with.",
    "rule_marks": "Closed windows whose rules have to be judged again.",
    "rule_metrics_5m": "What window, velocity, sequence and score rules found in each window.",
    "rule_outcomes": "The outcomes that each rule can come to.",
    "rule_set_activations": "Which rule set was active, or shadow, from when: only ever added to.",
    "rule_sets": "Every rule document ever seen, with its verdict.",
    "rule_suppressions": "Alerts that nobody wants to see for a time, with the reason.",
    "rules": "The rules of accepted rule sets.",
    "shadow_alerts": "What a shadow rule set would have raised; nobody is to act on it.",
    "vocabularies": "Names of the numbers that other tables hold; numbers never change.",
    "window_clusters": "Groups of alike payments in a window.",
    "window_deltas": "What batches add to the counters, not folded in yet.",
    "window_marks": "Windows that have payments which no closing has seen.",
    "window_outliers": "Payments that fit none of their window's groups.",
    "window_revisions": "Every closing of a window.",
}

VIEWS: Final[Mapping[str, str]] = {
    "masked_rejected_events": "What was refused and why; of bodies only the shape is shown.",
    "open_alerts": "Alerts that stand and are not suppressed.",
    "payment_days": "Days by group: counts of now, exact figures once rolled up.",
    "payment_hours": "Hours by group, like payment_days.",
    "payment_outcomes": "What rules said of each payment, what could not be judged included.",
    "payment_windows": "Windows by group: counts of now, exact figures once closed.",
    "payments": "Payments with names instead of numbers.",
    "rule_matches": "Which payment matched which rule, without shadows.",
    "rule_values": "What rules found in each window, of its latest revision.",
}

_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "alerts": _ALERT | {"suppression_id": "Suppression that hides it; NULL while none does."},
    "backfills": {
        "backfill_id": "Number of the back-fill.",
        "end_window": "First window that is not back-filled any more.",
        "finished_at": "When the last window was done; NULL until then.",
        "first_window": "First window that is back-filled.",
        "next_window": "First window that is not done yet.",
        "started_at": "When it was started.",
        "started_by": "Who started it.",
    },
    "dynamic_metrics": {
        "outcome": "Number of the outcome: rule_outcomes.",
        "rate": "Rate by which the value was converted; NULL if it was not.",
        "shadow": "Whether the rule set was a shadow, whose findings count for nothing.",
        "value": "The rule's value for the payment; NULL if it has none.",
    },
    "leases": {
        "name": "What is leased.",
        "owner": "Who has it.",
        "token": "Fencing token: grows with every new owner, checked in every transaction.",
        "until": "When it lapses.",
    },
    "look_back_blocks": {
        "hashes": "32 bits of each subject, one after the other, in the order of moments.",
        "moments": "Event time of each payment within the window, one after the other.",
        "subject_column": "Column of normalized_transactions that names the subject.",
    },
    "normalized_transactions": {
        "amount": "Exact amount at its currency's scale; zero or more.",
        "card_bin": "First six to eight digits of the card number (ISO/IEC 7812).",
        "card_brand": "Brand of the card.",
        "card_fingerprint": "What stands for the card: given, or keyed hash of its number.",
        "card_last4": "Last four digits of the card number.",
        "channel": "Vocabulary channel; NULL if unknown.",
        "content_hash": "16 bytes, equal for equal content; tells a redelivery from a conflict.",
        "counterparty_country": "ISO 3166-1 numeric code of the other account's country.",
        "counterparty_id": "The other account of a transfer.",
        "customer_country": "ISO 3166-1 numeric code of the customer's country.",
        "customer_email_domain": "Domain of the customer's e-mail address.",
        "customer_email_hash": "Keyed hash of the customer's e-mail address.",
        "customer_id": "Who pays, as the producer names them.",
        "device_type": "Vocabulary device_type; NULL if unknown.",
        "enqueued_at": "When Event Hubs took the earliest message of the batch.",
        "merchant_category": "What the merchant sells, as the producer says.",
        "merchant_country": "ISO 3166-1 numeric code of the merchant's country.",
        "merchant_id": "Who is paid, as the producer names them.",
        "merchant_mcc": "Merchant category code (ISO 18245).",
        "merchant_name": "Name of the merchant.",
        "metadata": "What the producer sent beside, free of card numbers.",
        "original_transaction_id": "The payment that a refund gives back.",
        "quality_flags": "Bits of the vocabulary quality_flag.",
        "rule_set": "Rule set that judged it when it was stored.",
        "stored_at": "When the transaction that stored it began.",
    },
    "payment_metrics_rolled_up": {
        "amount_p50": "Median amount; NULL if payments were dropped before it was measured.",
        "amount_p95": "95th percentile of amounts; NULL like amount_p50.",
        "amount_p99": "99th percentile of amounts; NULL like amount_p50.",
        "distinct_customers": "How many customers; NULL like amount_p50.",
        "distinct_merchants": "How many merchants; NULL like amount_p50.",
        "final_at": "End of the period plus the longest lateness its windows were closed with.",
        "windows_closed": "How many windows of the period had been closed.",
    },
    "rejected_events": {
        "body": "The event without card numbers and e-mail addresses, cut at 16 Ki characters.",
        "body_hash": "16 bytes of the event as it came.",
        "detail": "What is wrong with it.",
        "event_hub": "Event hub that it came from.",
        "event_index": "Its place in its message, from 0.",
        "eventhub_namespace": "Event Hubs namespace that it came from.",
        "partition_id": "Partition that it came from.",
        "reason": "Reason code.",
        "rejected_at": "When it was refused.",
        "sequence_number": "Its message's sequence number in the partition.",
    },
    "rule_history": {
        "indeterminate_count": "How many payments the rule could not judge.",
        "match_count": "How many payments the rule matched.",
        "payment_count": "How many payments the rule looked at.",
    },
    "rule_metrics_5m": {
        "dimensions": "Group or subject that the value is of.",
        "evidence": "What the value rests on.",
        "exceeded": "Whether the rule's threshold was exceeded.",
        "outcome": "Number of the outcome: rule_outcomes.",
        "value": "What the rule measured.",
    },
    "rule_outcomes": {
        "name": "Name of the outcome, such as a band's.",
        "outcome": "Number of the outcome within its rule.",
        "reason": "What the rule's author wrote about it.",
        "severity": "Vocabulary severity, 1 to 5.",
    },
    "rule_set_activations": {
        "activated_at": "From when it holds.",
        "activated_by": "Who or what activated it.",
        "activation_id": "Number of the activation; the highest of a role stands.",
        "reason": "Why.",
        "role": "active, shadow or shadow_ended.",
    },
    "rule_sets": {
        "document": "The document as it came.",
        "errors": "What is wrong with it; empty if it was accepted.",
        "received_at": "When it was seen first.",
        "sha256": "SHA-256 of the document.",
        "source": "Where it came from.",
        "verdict": "accepted or refused.",
        "version": "Its semantic version; NULL if it could not be read.",
    },
    "rule_suppressions": {
        "created_at": "When it was made.",
        "created_by": "Who made it.",
        "reason": "Why nobody has to see these alerts.",
        "rule_id": "Rule whose alerts are suppressed.",
        "subject": "Subject whose alerts are suppressed; NULL for all.",
        "suppression_id": "Number of the suppression.",
        "until": "When it ends.",
    },
    "rules": {
        "category": "What the rule is about.",
        "metric_name": "Name of what the rule measures.",
        "metric_type": "amount, count, ratio and so on.",
        "owner": "Who answers for the rule.",
        "rule_id": "The rule's id, the same in every version.",
        "scope": "transaction, window, velocity, sequence or score.",
        "severity": "Vocabulary severity, 1 to 5, where no outcome has its own.",
        "tags": "Words by which rules are found.",
    },
    "shadow_alerts": _ALERT,
    "vocabularies": {
        "name": "What people read.",
        "number": "What other tables hold.",
        "vocabulary": "Which list of names.",
    },
    "window_clusters": {
        "algorithm": "k_means, dbscan or agglomerative.",
        "centroid": "Middle of the group in real units.",
        "cluster": "Number of the group, from 0 for the largest; -1 for noise.",
        "outlier_score": "Highest outlier score in the group.",
        "outlier_score_mean": "Mean outlier score in the group.",
        "payment_count": "How many payments of the sample are in the group.",
        "sample_size": "How many payments of the window were drawn.",
        "sample_transaction_ids": "Payments nearest to the middle.",
        "share": "Share of the sample, 0 to 1.",
        "silhouette": "Mean silhouette of the clustering, -1 to 1; NULL for fewer than two groups.",
    },
    "window_deltas": {"delta_id": "Number of the delta."},
    "window_outliers": {
        "cluster": "Group that the payment was put into.",
        "score": "How far out, in mean distances of its group; 1 is as far as payments are.",
    },
    "window_revisions": {
        "computed_at": "When the window was closed this time.",
        "final_at": "From when no later payment is expected.",
        "payment_count": "How many payments the figures are of.",
        "rule_set": "Rule set by which the window's rules were judged.",
    },
}


def describe(metadata: MetaData) -> None:
    """Give every table and column its sentence.

    Raises:
        KeyError: one has none.
    """
    for table in metadata.sorted_tables:
        table.comment = TABLES[table.name]
        own = _COLUMNS.get(table.name, {})
        for column in table.columns:
            column.comment = own[column.name] if column.name in own else _EVERYWHERE[column.name]
