"""Levels of assurance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of who is speaking. Held by the gateway; no text that a customer types sets it.

    Attributes:
        conversation_id: whose.
        level: 0 anonymous; 1 the number matches one customer.
        phone: E.164, asserted by the carrier or by a signed token; None when there is none.
        account_numbers: of the one customer that the number matches.
        verified_at: when the customer system answered for this number, whichever way; aware, None while it has not.
    """

    conversation_id: str
    level: int = 0
    phone: str | None = field(default=None, repr=False)
    account_numbers: tuple[str, ...] = field(default=(), repr=False)
    verified_at: datetime | None = None
