"""Which place a customer speaks of: by who they are, or by what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.base import Conversation
from integrations.cis.client import CisUnavailable
from integrations.cis.models import Premise
from integrations.cis.numbers import account_number

_ADDRESS = re.compile(r"\b(\d{1,6}[a-z]?)\s+([a-z][a-z'’.-]*(?:\s+[a-z][a-z'’.-]*){0,4})", re.IGNORECASE)
_STREET = re.compile(
    r"\b\d{1,6}[a-z]?\s+(?:[a-z][a-z'’.-]*\s+){1,4}?"
    r"(?:street|str|st|road|rd|avenue|ave|av|lane|ln|drive|dr|court|ct|crt|way|wy|place|pl|boulevard|blvd|terrace|ter|"
    r"circle|cir|square|sq|highway|hwy|walk|row|trail|trl|path|alley)\b\.?"
    r"(?:\s*,?\s*(?:apt|apartment|unit|suite|ste|#)\.?\s*#?\s*\w{1,5}\b)?",
    re.IGNORECASE,
)
GOOD_MATCH = 80.0
"""Share of likeness, 0 to 100, from which an address that was found counts as the one that was meant."""
CLEAR_LEAD = 8.0
"""How much more like it than the second it has to be."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        premise: the one, if there is exactly one.
        candidates: those to choose from, when there are several.
        tried: whether the words held anything like an account number or address.
        down: the customer system did not answer.
        known: the customer's own, by their number (so that the address may be said).
    """

    premise: Premise | None = None
    candidates: tuple[Premise, ...] = ()
    tried: bool = False
    down: bool = False
    known: bool = False


async def own_premises(conversation: Conversation) -> Found:
    """The places of the customer that the phone number belongs to."""
    identity = await conversation.identity()
    if identity.level < 1:
        # A number that nobody could look up so far is a customer system that did not answer.
        return Found(down=bool(identity.phone) and identity.verified_at is None)
    premises: list[Premise] = []
    try:
        for account in identity.account_numbers:
            premises.extend(await conversation.services.cis.find_by_account(account))
    except CisUnavailable:
        return Found(down=True)
    unique = tuple({premise.service_point_id: premise for premise in premises}.values())
    if len(unique) == 1:
        return Found(unique[0], unique, known=True)
    return Found(None, unique, known=bool(unique))


def named(text: str, premises: tuple[Premise, ...]) -> Premise | None:
    """The one of several own places that the words name by nickname, unit, house number or street."""
    lowered = text.lower()
    words = set(re.findall(r"[a-z0-9']+", lowered))
    hits = []
    for premise in premises:
        nickname = (premise.nickname or "").lower()
        number, _, street = premise.address.lower().partition(" ")
        if (
            (nickname and nickname in lowered)
            or (number.isdigit() and number in words)
            or (street and street.split(",")[0] in lowered)
        ):
            hits.append(premise)
    return hits[0] if len(hits) == 1 else None


def address_in(text: str) -> str | None:
    """Something like a street address in the words: a house number and what follows it, up to the kind of street."""
    found = _STREET.search(text) or _ADDRESS.search(text)
    return found.group() if found else None


def is_address(text: str) -> bool:
    """Whether the words surely hold a street address and not "3 hours": a number, a name and a kind of street."""
    return bool(_STREET.search(text))


async def search(conversation: Conversation, text: str, whole: bool = False) -> Found:
    """Look for a place in what the customer said.

    Args:
        conversation: for the customer system.
        text: the words.
        whole: the words are an answer to "which address?", so all of them count even without a house number.
    """
    cis = conversation.services.cis
    account, address = account_number(text), address_in(text)
    try:
        if account:
            by_account = await cis.find_by_account(account)
            if len(by_account) == 1:
                return Found(by_account[0], tuple(by_account), tried=True)
            if by_account:
                return Found(None, tuple(by_account), tried=True)
        if address or (whole and len(text) >= 4):
            matches = await cis.find_by_address(address or text)
            return _choose(list(matches), tried=bool(account or address))
    except CisUnavailable:
        return Found(tried=bool(account or address), down=True)
    return Found(tried=bool(account))


def _choose(matches: list[tuple[Premise, float]], tried: bool) -> Found:
    good = [(premise, score) for premise, score in matches if score >= GOOD_MATCH]
    if not good:
        return Found(tried=tried)
    if len(good) == 1 or good[0][1] - good[1][1] >= CLEAR_LEAD:
        return Found(good[0][0], (good[0][0],), tried=True)
    return Found(None, tuple(premise for premise, _ in good[:4]), tried=True)


def label(premise: Premise, known: bool) -> str:
    """How to name a place to this customer: its address if it is theirs or they said it, without the town."""
    street = premise.address.split(",")[0].strip()
    if premise.nickname and known:
        return f"{premise.nickname} ({street})"
    return f"{street}, {premise.unit}" if premise.unit else street
