"""Campaigns that run themselves: audiences, quiet hours, seeds, dispositions, the calendar."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# what was there before goes on as it was: nothing shifted, the hours in which one does not write
FALSE, NOTHING, EMPTY = sa.false(), sa.text("'{}'"), sa.text("''")


def added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """New columns by table; a column belongs to one table only, so they are made anew."""
    return {
        "people": (
            sa.Column("left", sa.Boolean(), nullable=False, server_default=FALSE),
            sa.Column("zone", sa.Text()),
            sa.Column("tags", sa.Text(), nullable=False, server_default=sa.text("'[]'")),
            sa.Column("consent", sa.Text(), nullable=False, server_default=EMPTY),
        ),
        "invites": (sa.Column("expires_at", sa.BigInteger()),),
        "campaigns": (
            sa.Column("shift", sa.Text(), nullable=False, server_default=sa.text("'none'")),
            sa.Column("quiet", sa.Text(), nullable=False, server_default=sa.text("'[21,8]'")),
            sa.Column("grace", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
            sa.Column("audience", sa.Text(), nullable=False, server_default=NOTHING),
            sa.Column("messages", sa.Text(), nullable=False, server_default=NOTHING),
            sa.Column("paid", sa.Boolean(), nullable=False, server_default=FALSE),
            sa.Column("agreed", sa.Integer(), nullable=False, server_default=sa.text("0")),
        ),
        "waves": (sa.Column("seed", sa.Text(), nullable=False, server_default=EMPTY),),
    }


def upgrade() -> None:
    for table, columns in added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "dispositions",
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("wave", "disposition", name="pk_dispositions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_overrides",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_day_overrides"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visits",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_visits"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("visits")
    op.drop_table("day_overrides")
    op.drop_table("dispositions")
    for table, columns in added().items():
        for column in columns:
            op.drop_column(table, column.name)
