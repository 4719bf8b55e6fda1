"""The tables of the pipeline, as SQLAlchemy Core. Alembic revisions create them.

Vocabularies, currencies and countries are stored under their numbers (see
``shared_code.domain.vocabularies``), hashes as ``bytea``. Hot tables carry no foreign keys: a key
check per payment would lock the same few referenced rows from every writer.
"""

from shared_code.store.descriptions import describe
from shared_code.store.payment_tables import (
    dynamic_metrics,
    normalized_transactions,
    rejected_events,
    vocabularies,
)
from shared_code.store.rule_tables import (
    alerts,
    backfills,
    rule_history,
    rule_marks,
    rule_metrics_5m,
    rule_outcomes,
    rule_set_activations,
    rule_sets,
    rule_suppressions,
    rules,
    shadow_alerts,
)
from shared_code.store.table_parts import metadata
from shared_code.store.window_tables import (
    leases,
    look_back_blocks,
    payment_metrics_5m,
    payment_metrics_5m_final,
    payment_metrics_rolled_up,
    roll_up_marks,
    window_clusters,
    window_deltas,
    window_marks,
    window_outliers,
    window_revisions,
)

__all__ = [
    "alerts",
    "backfills",
    "dynamic_metrics",
    "leases",
    "look_back_blocks",
    "metadata",
    "normalized_transactions",
    "payment_metrics_5m",
    "payment_metrics_5m_final",
    "payment_metrics_rolled_up",
    "rejected_events",
    "roll_up_marks",
    "rule_history",
    "rule_marks",
    "rule_metrics_5m",
    "rule_outcomes",
    "rule_set_activations",
    "rule_sets",
    "rule_suppressions",
    "rules",
    "shadow_alerts",
    "vocabularies",
    "window_clusters",
    "window_deltas",
    "window_marks",
    "window_outliers",
    "window_revisions",
]

describe(metadata)
