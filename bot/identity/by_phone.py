"""Level 1: the calling or texting number belongs to exactly one customer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

from bot.identity.models import Identity
from bot.identity.store import IdentityStore
from integrations.base.clock import Now, utc_now

log = structlog.get_logger()

BUDGET_SECONDS = 0.5


class PhoneBook(Protocol):
    """The part of the customer system that is needed here."""

    async def find_by_phone(self, e164: str) -> Sequence[Any]:
        """The premises of whoever has this number; each has `account_number` and `service_point_id`."""
        ...


class PhoneIdentity:
    """Resolves a conversation's number at its first turn, and again while the customer system did not answer.

    Args:
        store: where identities are kept.
        phone_book: the customer system.
        budget: seconds that a turn waits for it at most.
        now: the clock.
    """

    def __init__(
        self, store: IdentityStore, phone_book: PhoneBook, budget: float = BUDGET_SECONDS, now: Now = utc_now
    ) -> None:
        self._store = store
        self._phone_book = phone_book
        self._budget = budget
        self._now = now

    @property
    def store(self) -> IdentityStore:
        """Where identities are kept."""
        return self._store

    async def identify(self, conversation_id: str, phone: str | None, known: Identity | None = None) -> Identity:
        """The identity of a conversation. Never raises: who cannot be identified is anonymous.

        Args:
            conversation_id: whose.
            phone: as asserted by the carrier or by a signed token.
            known: what the store has, if it was asked (and told to keep it longer) just now.
        """
        try:
            fresh = known is not None
            known = known or await self._store.get(conversation_id)
            if not phone or (known.phone == phone and (known.level > 0 or known.verified_at is not None)):
                if known.phone and not fresh:
                    await self._store.touch(conversation_id)
                return known
            found = await self._look_up(conversation_id, phone)
            await self._store.put(found)
            return found
        except RedisError as error:
            log.error("identity.store_failed", error=type(error).__name__)
            return Identity(conversation_id, phone=phone)

    async def _look_up(self, conversation_id: str, phone: str) -> Identity:
        anonymous = Identity(conversation_id, phone=phone)
        try:
            async with asyncio.timeout(self._budget):
                premises = await self._phone_book.find_by_phone(phone)
        except Exception as error:  # whatever a customer system can do wrong: the conversation goes on without it
            log.warning("identity.phone_book_failed", error=type(error).__name__)
            return anonymous
        customers = {_customer(premise) for premise in premises}
        if len(customers) != 1:
            # Asked and answered; `verified_at` says so, and the next turn does not ask again.
            return Identity(conversation_id, 0, phone, (), self._now())
        accounts = tuple(dict.fromkeys(str(premise.account_number) for premise in premises))
        return Identity(conversation_id, 1, phone, accounts, self._now())


def _customer(premise: Any) -> str:
    """Who has a premise: their id or name, when the customer system tells; a customer may have several accounts."""
    for name in ("customer_id", "customer_name"):
        value = getattr(premise, name, None)
        if value:
            return str(value)
    return str(premise.account_number)
