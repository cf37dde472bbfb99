"""Reports, episodes, subscriptions, consents and hand-offs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integrations.records.tables import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _time(name: str, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "trouble_reports",
        _text("report_id", 120),
        _text("reference", 20),
        _text("object_id", 60),
        _text("kind", 30),
        _text("priority", 20),
        _text("service_point_id", 60),
        _text("account_number", 60),
        _text("phone", 20),
        _text("address"),
        _text("note"),
        _text("conversation_id", 120),
        _time("occurred_at"),
        _time("created_at"),
        _text("state", 12),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("due_at"),
        _time("lease_until", nullable=True),
        _time("delivered_at", nullable=True),
        _text("last_problem", 200),
        sa.PrimaryKeyConstraint("report_id", name="pk_trouble_reports"),
        sa.UniqueConstraint("reference", name="uq_trouble_reports_reference"),
    )
    op.create_index("ix_trouble_reports_state_due_at", "trouble_reports", ["state", "due_at"])
    op.create_index("ix_trouble_reports_service_point_id", "trouble_reports", ["service_point_id"])
    op.create_table(
        "report_episodes",
        _text("place", 120),
        _text("kind", 30),
        _text("episode", 60),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("place", "kind", name="pk_report_episodes"),
    )
    op.create_table(
        "update_subscriptions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        _text("service_point_id", 60),
        _text("phone", 20),
        _text("channel", 12),
        _text("language", 12),
        _text("label"),
        sa.Column("active", sa.Boolean(), nullable=False),
        _text("last_notice"),
        _time("created_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_update_subscriptions"),
        sa.UniqueConstraint("service_point_id", "phone", name="uq_update_subscriptions_service_point_id_phone"),
    )
    op.create_index("ix_update_subscriptions_phone", "update_subscriptions", ["phone"])
    op.create_table(
        "contact_consents",
        _text("phone", 20),
        _text("category", 20),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        _text("source", 40),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("phone", "category", name="pk_contact_consents"),
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        _text("conversation_id", 120),
        _text("channel", 12),
        _text("phone", 20),
        _text("reason", 60),
        _text("priority", 20),
        _text("summary"),
        _time("created_at"),
        _text("taken_by", 60),
        _time("taken_at", nullable=True),
        _time("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_handoffs"),
    )
    op.create_index("ix_handoffs_conversation_id", "handoffs", ["conversation_id"])
    op.create_index("ix_handoffs_closed_at", "handoffs", ["closed_at"])
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_handoffs_open", "handoffs", ["conversation_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )


def downgrade() -> None:
    """Take back."""
    for table in ("handoffs", "contact_consents", "update_subscriptions", "report_episodes", "trouble_reports"):
        op.drop_table(table)
