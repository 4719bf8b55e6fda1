"""Rule sets that were ever seen, when each was in force, and their documents."""

from collections import defaultdict
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Listing, Page, Span, listing
from shared_code.store.rule_store import accepted_version, rule_sets_in_force, stored_document

_RULE_SETS: Final = text("""
    SELECT rule_set, version, verdict, source, received_at, encode(sha256, 'hex') AS sha256
    FROM rule_sets
    WHERE (CAST(:start AS timestamptz) IS NULL OR received_at >= :start)
      AND (CAST(:end AS timestamptz) IS NULL OR received_at < :end)
      AND (CAST(:after_rule_set AS integer) IS NULL OR rule_set < :after_rule_set)
    ORDER BY rule_set DESC
    LIMIT :more
""")
_ACTIVATIONS: Final = text("""
    SELECT rule_set, role, activated_at, activated_by, reason
    FROM (
        SELECT *, row_number() OVER (PARTITION BY rule_set ORDER BY activation_id DESC) AS place
        FROM rule_set_activations
        WHERE rule_set = ANY(CAST(:rule_sets AS integer[]))
    ) AS numbered
    WHERE place <= :most
    ORDER BY activation_id DESC
""")
MOST_ACTIVATIONS: Final = 100


class SeenActivation(msgspec.Struct, frozen=True):
    """A rule set came into force, as the active one or as a shadow, or a shadow ended."""

    role: str
    activated_at: datetime
    activated_by: str
    reason: str


class SeenRuleSet(msgspec.Struct, frozen=True):
    """A rule document that was received; refused ones have no version."""

    version: str | None
    verdict: str
    source: str
    received_at: datetime
    sha256: str
    activations: list[SeenActivation]
    is_active: bool
    is_shadow: bool


def rule_sets(connection: Connection, span: Span | None, page: Page) -> Listing[SeenRuleSet]:
    """Return the rule documents received in a span, or ever, newest first.

    Of the activations of each, the last hundred are told.
    """
    bounds = span.parameters() if span else {"start": None, "end": None}
    rows = connection.execute(_RULE_SETS, {**bounds, **page.parameters("rule_set")}).all()
    in_force = rule_sets_in_force(connection)
    active, shadow = (each.rule_set if each else None for each in in_force)
    activations: dict[int, list[SeenActivation]] = defaultdict(list)
    asked = {"rule_sets": [row.rule_set for row in rows], "most": MOST_ACTIVATIONS}
    for rule_set, *activation in connection.execute(_ACTIVATIONS, asked):
        activations[rule_set].append(SeenActivation(*activation))

    def seen(row: Any) -> SeenRuleSet:
        values = row._asdict()
        number = values.pop("rule_set")
        return SeenRuleSet(
            **values,
            activations=activations[number],
            is_active=number == active,
            is_shadow=number == shadow,
        )

    return listing(rows, page, lambda row: (row.rule_set,), seen)


def rule_document(connection: Connection, version: str) -> bytes | None:
    """Return the document that was accepted under a version, as it was; None if none was."""
    known = accepted_version(connection, version)
    return None if known is None else stored_document(connection, known.rule_set)
