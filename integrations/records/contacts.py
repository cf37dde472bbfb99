"""Who wants to hear from us, who must not, and whom a person has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from integrations.base.clock import Now, utc_now
from integrations.records.database import Database
from integrations.records.tables import ContactConsentRow, HandoffRow, UpdateSubscriptionRow

_SUBSCRIPTIONS = UpdateSubscriptionRow.__table__
_CONSENTS = ContactConsentRow.__table__
_HANDOFFS = HandoffRow.__table__


@dataclass(frozen=True, slots=True)
class Subscription:
    """A row of update_subscriptions. `last_notice` is what was told last, so that it is not told twice."""

    id: int
    service_point_id: str
    phone: str
    channel: str
    language: str
    label: str
    active: bool
    last_notice: str
    created_at: datetime
    changed_at: datetime


class UpdateSubscriptions:
    """Who wants to hear of changes at a service point. Phones are E.164."""

    def __init__(self, database: Database, now: Now = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(
        self, service_point_id: str, phone: str, channel: str = "sms", language: str = "en", label: str = ""
    ) -> bool:
        """Subscribe; again does no harm.

        Args:
            service_point_id: where.
            phone: whom, E.164.
            channel: how.
            language: of the notices.
            label: how the customer calls the place, for the notices.

        Returns:
            False when it was active already.
        """
        now = self._now()
        statement = self._database.insert(UpdateSubscriptionRow).values(
            service_point_id=service_point_id, phone=phone, channel=channel, language=language, label=label,
            active=True, last_notice="", created_at=now, changed_at=now,
        )  # fmt: skip
        statement = statement.on_conflict_do_update(
            index_elements=["service_point_id", "phone"],
            set_={"active": True, "channel": channel, "language": language, "last_notice": "", "changed_at": now},
            where=_SUBSCRIPTIONS.c.active.is_(False),
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def remove(self, phone: str, service_point_id: str | None = None) -> int:
        """Unsubscribe a phone from one service point, or from all.

        Returns:
            How many subscriptions ended.
        """
        statement = update(UpdateSubscriptionRow).where(
            _SUBSCRIPTIONS.c.phone == phone, _SUBSCRIPTIONS.c.active.is_(True)
        )
        if service_point_id is not None:
            statement = statement.where(_SUBSCRIPTIONS.c.service_point_id == service_point_id)
        async with self._database.begin() as connection:
            return (await connection.execute(statement.values(active=False, changed_at=self._now()))).rowcount

    async def of_phone(self, phone: str) -> list[Subscription]:
        """The active subscriptions of a phone."""
        return await self._list(_SUBSCRIPTIONS.c.phone == phone)

    async def of_service_points(self, service_point_ids: list[str]) -> list[Subscription]:
        """The active subscriptions at service points."""
        return await self._list(_SUBSCRIPTIONS.c.service_point_id.in_(service_point_ids))

    async def active(self) -> list[Subscription]:
        """Every active subscription."""
        return await self._list(_SUBSCRIPTIONS.c.active.is_(True))

    async def claim_notice(self, subscription: Subscription, notice: str) -> bool:
        """Record that a notice is being sent.

        Args:
            subscription: as it was read.
            notice: what identifies the notice.

        Returns:
            False when somebody else was quicker or the subscription ended: do not send it then.
        """
        statement = (
            update(UpdateSubscriptionRow)
            .where(
                _SUBSCRIPTIONS.c.id == subscription.id,
                _SUBSCRIPTIONS.c.active.is_(True),
                _SUBSCRIPTIONS.c.last_notice == subscription.last_notice,
            )
            .values(last_notice=notice, changed_at=self._now())
        )
        if notice == subscription.last_notice:
            return False
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def _list(self, condition: Any) -> list[Subscription]:
        statement = select(_SUBSCRIPTIONS).where(condition, _SUBSCRIPTIONS.c.active.is_(True))
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(_SUBSCRIPTIONS.c.id))
            return [Subscription(**row._mapping) for row in rows]


class ContactConsents:
    """Who said STOP, by category; "all" stands for every category. Nobody is stopped until they say so."""

    def __init__(self, database: Database, now: Now = utc_now) -> None:
        self._database = database
        self._now = now

    async def set(self, phone: str, stopped: bool, category: str = "all", source: str = "") -> bool:
        """Stop or start.

        Args:
            phone: whose, E.164.
            stopped: True for STOP.
            category: what of; "all" for everything.
            source: how it was said, for the record, such as "sms keyword".

        Returns:
            Whether this changed anything.
        """
        statement = self._database.insert(ContactConsentRow).values(
            phone=phone, category=category, stopped=stopped, source=source, changed_at=self._now()
        )
        statement = statement.on_conflict_do_update(
            index_elements=["phone", "category"],
            set_={"stopped": stopped, "source": source, "changed_at": self._now()},
            where=_CONSENTS.c.stopped.is_not(stopped),
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def is_stopped(self, phone: str, category: str = "all") -> bool:
        """Whether nothing may be sent: everything was stopped, or this category."""
        statement = select(_CONSENTS.c.phone).where(
            _CONSENTS.c.phone == phone, _CONSENTS.c.category.in_(("all", category)), _CONSENTS.c.stopped.is_(True)
        )
        async with self._database.read() as connection:
            return (await connection.execute(statement.limit(1))).first() is not None


@dataclass(frozen=True, slots=True)
class Handoff:
    """A row of handoffs."""

    id: int
    conversation_id: str
    channel: str
    phone: str
    reason: str
    priority: str
    summary: str
    created_at: datetime
    taken_by: str
    taken_at: datetime | None
    closed_at: datetime | None


class Handoffs:
    """Conversations that a person has or should have; at most one open at a time for a conversation."""

    def __init__(self, database: Database, now: Now = utc_now) -> None:
        self._database = database
        self._now = now

    async def open(
        self,
        conversation_id: str,
        reason: str,
        *,
        channel: str = "",
        phone: str = "",
        priority: str = "Normal",
        summary: str = "",
    ) -> Handoff:
        """Ask for a person; the open request is given back when there is one."""
        statement = self._database.insert(HandoffRow).values(
            conversation_id=conversation_id, channel=channel, phone=phone, reason=reason, priority=priority,
            summary=summary, created_at=self._now(), taken_by="",
        )  # fmt: skip
        async with self._database.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_nothing(
                    index_elements=["conversation_id"], index_where=_HANDOFFS.c.closed_at.is_(None)
                )
            )
            found = (await connection.execute(self._open_ones(conversation_id))).one()
        return Handoff(**found._mapping)

    async def current(self, conversation_id: str) -> Handoff | None:
        """The open request of a conversation."""
        async with self._database.read() as connection:
            row = (await connection.execute(self._open_ones(conversation_id))).first()
        return Handoff(**row._mapping) if row else None

    async def waiting(self, limit: int = 200) -> list[Handoff]:
        """Open requests, oldest first."""
        statement = select(_HANDOFFS).where(_HANDOFFS.c.closed_at.is_(None)).order_by(_HANDOFFS.c.id).limit(limit)
        async with self._database.read() as connection:
            return [Handoff(**row._mapping) for row in await connection.execute(statement)]

    async def take(self, handoff_id: int, agent: str) -> bool:
        """Give it to a person; False when another has it or it is closed."""
        statement = (
            update(HandoffRow)
            .where(_HANDOFFS.c.id == handoff_id, _HANDOFFS.c.taken_at.is_(None), _HANDOFFS.c.closed_at.is_(None))
            .values(taken_by=agent, taken_at=self._now())
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def close(self, conversation_id: str) -> bool:
        """The conversation is the bot's again, or over; False when no request was open."""
        statement = (
            update(HandoffRow)
            .where(_HANDOFFS.c.conversation_id == conversation_id, _HANDOFFS.c.closed_at.is_(None))
            .values(closed_at=self._now())
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    @staticmethod
    def _open_ones(conversation_id: str) -> Any:
        return (
            select(_HANDOFFS)
            .where(_HANDOFFS.c.conversation_id == conversation_id, _HANDOFFS.c.closed_at.is_(None))
            .order_by(_HANDOFFS.c.id)
            .limit(1)
        )
