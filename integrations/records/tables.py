"""The tables. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: it would be read back as another one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be kept")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give it back in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations can change them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's own way of declaring it


class TroubleReportRow(Base):
    """A customer's report and how far its way to the OMS has come.

    state: pending (to be sent when due), sending (somebody has it until lease_until), delivered, rejected (the OMS
    refuses it; still tried, and somebody should look).
    """

    __tablename__ = "trouble_reports"
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "service_point_id"))

    report_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    object_id: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(30))
    priority: Mapped[str] = mapped_column(String(20))
    service_point_id: Mapped[str] = mapped_column(String(60), default="")
    account_number: Mapped[str] = mapped_column(String(60), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    conversation_id: Mapped[str] = mapped_column(String(120), default="")
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    last_problem: Mapped[str] = mapped_column(String(200), default="")


class ReportEpisodeRow(Base):
    """From a first report of a kind at a place until it is over; repeats within it are the same report."""

    __tablename__ = "report_episodes"

    place: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    episode: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UpdateSubscriptionRow(Base):
    """Somebody wants to hear of changes at a service point."""

    __tablename__ = "update_subscriptions"
    __table_args__ = (UniqueConstraint("service_point_id", "phone"), Index(None, "phone"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    service_point_id: Mapped[str] = mapped_column(String(60))
    phone: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(12), default="sms")
    language: Mapped[str] = mapped_column(String(12), default="en")
    label: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    last_notice: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ContactConsentRow(Base):
    """Whether a number may be written to, by category; "all" is STOP (47 CFR 64.1200(a)(10) to (12))."""

    __tablename__ = "contact_consents"

    phone: Mapped[str] = mapped_column(String(20), primary_key=True)
    category: Mapped[str] = mapped_column(String(20), primary_key=True, default="all")
    stopped: Mapped[bool] = mapped_column(Boolean)
    source: Mapped[str] = mapped_column(String(40), default="")
    changed_at: Mapped[datetime]


class HandoffRow(Base):
    """A conversation that a person has, or should have."""

    __tablename__ = "handoffs"
    __table_args__ = (
        Index(None, "conversation_id"),
        Index(None, "closed_at"),
        Index(
            "uq_handoffs_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(String(120))
    channel: Mapped[str] = mapped_column(String(12), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(String(60), default="")
    priority: Mapped[str] = mapped_column(String(20), default="Normal")
    summary: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(60), default="")
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
