"""Vacuum days while they are still in memory; see docs/adr/0017-storage-settings.md.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FIRST_ATTACH_DAYS = """
CREATE OR REPLACE FUNCTION attach_payment_days(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
SET timezone = 'UTC'
AS $$
DECLARE
    parent text;
    part text;
    day date;
    attached integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('attach_payment_days'));
    FOREACH parent IN ARRAY ARRAY['normalized_transactions', 'dynamic_metrics'] LOOP
        FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
            part := format('%s_p%s', parent, to_char(day, 'YYYYMMDD'));
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                ' INCLUDING INDEXES INCLUDING STORAGE)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, day::timestamptz, (day + 1)::timestamptz);
            attached := attached + 1;
        END LOOP;
    END LOOP;
    RETURN attached;
END
$$
"""

_WITHOUT = "' INCLUDING INDEXES INCLUDING STORAGE)', part, parent);"
_WITH = """' INCLUDING INDEXES INCLUDING STORAGE)'
                ' WITH (autovacuum_vacuum_insert_scale_factor = 0,'
                ' autovacuum_vacuum_insert_threshold = 5000,'
                ' autovacuum_freeze_min_age = 0)', part, parent);"""

# Takes SHARE UPDATE EXCLUSIVE on each day: neither readers nor writers wait.
_ALTER_DAYS = """
DO $do$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent IN ('normalized_transactions'::regclass, 'dynamic_metrics'::regclass)
          AND (SELECT relkind FROM pg_class WHERE oid = inhrelid) = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s {change}', part);
    END LOOP;
END
$do$
"""
_SET = (
    "SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000,"
    " autovacuum_freeze_min_age = 0)"
)
_RESET = (
    "RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold,"
    " autovacuum_freeze_min_age)"
)


def upgrade() -> None:
    op.execute(_FIRST_ATTACH_DAYS.replace(_WITHOUT, _WITH))
    op.execute(_ALTER_DAYS.format(change=_SET))


def downgrade() -> None:
    op.execute(_FIRST_ATTACH_DAYS)
    op.execute(_ALTER_DAYS.format(change=_RESET))
