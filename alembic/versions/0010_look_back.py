"""Where the payments of each subject lie, window by window, for rules that look back.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UPGRADE = (
    """
    CREATE TABLE look_back_blocks (
        subject_column TEXT COLLATE "C" NOT NULL,
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        hashes BYTEA NOT NULL,
        moments BYTEA NOT NULL,
        CONSTRAINT pk_look_back_blocks PRIMARY KEY (subject_column, window_start),
        CONSTRAINT ck_look_back_blocks_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_look_back_blocks_one_moment_for_each_hash
            CHECK (octet_length(hashes) = octet_length(moments))
    )
    """,
    # Hashes do not get shorter by being compressed.
    """
    ALTER TABLE look_back_blocks
        ALTER COLUMN hashes SET STORAGE EXTERNAL, ALTER COLUMN moments SET STORAGE EXTERNAL
    """,
    "CREATE INDEX ix_look_back_blocks_window_start ON look_back_blocks (window_start)",
    "GRANT SELECT, INSERT, DELETE ON look_back_blocks TO payments_writer",
    "GRANT SELECT ON look_back_blocks TO payments_reader",
)


def upgrade() -> None:
    for statement in _UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE look_back_blocks")
