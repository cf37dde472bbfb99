"""Sends outage notices to those who asked for them, each once."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.outreach.decide import Notice, decide
from bot.outreach.wording import text_of
from bot.switchboard.journal import Journal
from bot.switchboard.metrics import failures
from integrations.base.clock import Now, utc_now
from integrations.base.tasks import told_to_stop
from integrations.base.utility import Utility
from integrations.oms.models import Outage
from integrations.records.contacts import Subscription
from integrations.twilio.errors import TwilioOptedOut, TwilioRejected, TwilioUnavailable
from integrations.twilio.sms import to_plain

log = structlog.get_logger()

STALE_AFTER = timedelta(minutes=5)
"""A board that has not heard from the OMS for this long knows no news, and not that a time was missed."""
ENDS_AFTER = timedelta(hours=24)
"""A subscription ends this long after the restoration was told; until then power may turn out to be off still."""
AT_ONCE = 8


class Board(Protocol):
    """The part of the outage board that is needed here."""

    @property
    def as_of(self) -> datetime | None:
        """When the OMS was last heard from."""
        ...

    def outage_of(self, service_point_id: str) -> Outage | None:
        """The outage of a service point, RESTORED ones included."""
        ...


class Subscriptions(Protocol):
    """Who wants to hear."""

    async def active(self) -> list[Subscription]:
        """Every active subscription."""
        ...

    async def claim_notice(self, subscription: Subscription, notice: str) -> bool:
        """Note what was told."""
        ...

    async def remove(self, phone: str, service_point_id: str | None = None) -> int:
        """End a subscription."""
        ...


class Consents(Protocol):
    """Who said STOP."""

    async def set(self, phone: str, stopped: bool, category: str = "all", source: str = "") -> bool:
        """Stop or start."""
        ...

    async def is_stopped(self, phone: str, category: str = "all") -> bool:
        """Whether nothing may be sent."""
        ...


class Messages(Protocol):
    """The part of Twilio that is needed here."""

    async def send(self, to: str, body: str, media_url: str | list[str] | None = None, *, idempotency: str) -> str:
        """Send a message once."""
        ...


class OutageNotices:
    """Looks at every subscription now and then, and tells what is new.

    Sent first and noted after: what was sent and not noted is known to the sender by its key and not sent again; what
    was noted and not sent would be lost.

    Args:
        board: what is known of outages.
        subscriptions: who wants to hear.
        consents: who must not.
        messages: sends texts.
        journal: for the ledger's events.
        facts: the utility's name and time zone.
        now: the clock.
    """

    def __init__(
        self,
        board: Board,
        subscriptions: Subscriptions,
        consents: Consents,
        messages: Messages,
        journal: Journal,
        facts: Utility,
        now: Now = utc_now,
    ) -> None:
        self._board = board
        self._subscriptions = subscriptions
        self._consents = consents
        self._messages = messages
        self._journal = journal
        self._facts = facts
        self._now = now

    async def run(self, every_seconds: float = 5.0) -> None:
        """Look again and again."""
        while not told_to_stop():
            try:
                await self.look()
            except (SQLAlchemyError, RedisError, OSError) as error:
                failures.labels("outage_notices").inc()
                log.error("notices.look_failed", error=type(error).__name__)
            await asyncio.sleep(every_seconds)

    async def look(self) -> int:
        """Tell everybody what is new to them.

        Returns:
            How many texts were sent.
        """
        now = self._now()
        heard = self._board.as_of
        if heard is None or now - heard > STALE_AFTER:
            return 0
        free = asyncio.Semaphore(AT_ONCE)

        async def one(subscription: Subscription, notice: Notice) -> bool:
            async with free:
                return await self._tell(subscription, notice, now)

        due: list[tuple[Subscription, Notice]] = []
        for subscription in await self._subscriptions.active():
            told, since = subscription.last_notice, subscription.changed_at
            if told.startswith("restored:") and now - since > ENDS_AFTER:
                await self._subscriptions.remove(subscription.phone, subscription.service_point_id)
                continue
            outage = self._board.outage_of(subscription.service_point_id)
            notice = decide(outage, told, since, now)
            if notice is not None:
                due.append((subscription, notice))
        return sum(await asyncio.gather(*(one(subscription, notice) for subscription, notice in due)))

    async def _tell(self, subscription: Subscription, notice: Notice, now: datetime) -> bool:
        if notice.kind == "known" or await self._consents.is_stopped(subscription.phone, "outage"):
            await self._subscriptions.claim_notice(subscription, notice.mark)
            return False
        body = to_plain(text_of(notice, self._facts, subscription.label, subscription.language, now))
        to = f"whatsapp:{subscription.phone}" if subscription.channel == "whatsapp" else subscription.phone
        try:
            await self._messages.send(to, body, idempotency=_key(subscription, notice))
        except TwilioUnavailable as error:
            failures.labels("notice_send").inc()
            log.warning("notices.not_sent_yet", reason=str(error))
            return False
        except TwilioOptedOut:
            await self._consents.set(subscription.phone, True, source="twilio 21610")
            await self._subscriptions.claim_notice(subscription, notice.mark)
            return False
        except TwilioRejected as error:
            failures.labels("notice_send").inc()
            log.error("notices.rejected", status=error.status, code=error.code)
            await self._subscriptions.claim_notice(subscription, notice.mark)
            return False
        noted = await self._subscriptions.claim_notice(subscription, notice.mark)
        if noted:
            await self._journal.event("notice.sent", kind=notice.kind, subscription=subscription.id)
        return noted


def _key(subscription: Subscription, notice: Notice) -> str:
    """Names the notice: the same news after the same news is the same text."""
    news = f"{subscription.id}|{subscription.last_notice}|{notice.kind}|{notice.mark}|{subscription.changed_at}"
    return "notice:" + hashlib.sha256(news.encode()).hexdigest()[:32]
