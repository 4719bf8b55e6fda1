"""Show refused events without what their bodies hold, and tell readers the schema's revision.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MASKED_EVENT_BODY = """
CREATE FUNCTION masked_event_body(body text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM body::json;
    RETURN (
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN regexp_replace(part[2], '[0-9]', '9', 'g')
                 WHEN part[1] ~ ':$' THEN regexp_replace(part[1], '[0-9]', '9', 'g')
                 ELSE '"…"' END,
            '' ORDER BY place)
        FROM regexp_matches(body, '("(?:[^"\\\\]|\\\\.)*"(?:[ \\t\\r\\n]*:)?)|([^"]+)', 'g')
             WITH ORDINALITY AS found (part, place)
    );
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN
        RETURN regexp_replace(body COLLATE "C", '[^] \\t\\r\\n!-/:-@[^_`{-~-]', 'x', 'g');
END
$$
"""
_MASKED_REJECTED_EVENTS = """
CREATE VIEW masked_rejected_events AS
SELECT rejected.ctid AS row_place,
       rejected.rejected_at,
       rejected.reason,
       rejected.detail,
       rejected.eventhub_namespace,
       rejected.event_hub,
       rejected.partition_id,
       rejected.sequence_number,
       rejected.event_index,
       masked_event_body(rejected.body) AS masked_body
FROM rejected_events AS rejected
"""
_UP = (
    _MASKED_EVENT_BODY,
    _MASKED_REJECTED_EVENTS,
    """
    COMMENT ON VIEW masked_rejected_events
        IS 'What was refused and why; of bodies only the shape is shown.'
    """,
    "REVOKE EXECUTE ON FUNCTION masked_event_body(text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION masked_event_body(text) TO payments_writer",
    "GRANT EXECUTE ON FUNCTION masked_event_body(text) TO payments_reader",
    "GRANT SELECT ON masked_rejected_events TO payments_writer",
    "GRANT SELECT ON masked_rejected_events TO payments_reader",
    "GRANT SELECT ON alembic_version TO payments_writer",
    "GRANT SELECT ON alembic_version TO payments_reader",
)
_DOWN = (
    "REVOKE SELECT ON alembic_version FROM payments_reader",
    "REVOKE SELECT ON alembic_version FROM payments_writer",
    "DROP VIEW masked_rejected_events",
    "DROP FUNCTION masked_event_body(text)",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
