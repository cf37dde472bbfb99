"""The buttons that a conversation was last offered, and which of them a customer means.

A client never sends a payload: payloads are commands that the dialogue obeys. It sends a title, a number or an
opaque id.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from bot.switchboard.models import Button

_OFFER = """
local old = redis.call('HGET', KEYS[1], 'fence')
if old and tonumber(old) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'buttons', ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
_NUMBER = re.compile(r"(?:#|no\.? ?|number |option |opci[oó]n |n[uú]mero )?(\d{1,2})[.)!]?", re.IGNORECASE)


class ChoiceBook:
    """Offered buttons by conversation.

    Args:
        redis: with decoded responses.
        keep: seconds; the length of a session.
    """

    def __init__(self, redis: Redis, keep: int = 3_600) -> None:
        self._redis = redis
        self._keep = keep

    @staticmethod
    def marked(buttons: tuple[Button, ...]) -> tuple[Button, ...]:
        """The same buttons with opaque ids."""
        return tuple(replace(button, id=secrets.token_urlsafe(6)) for button in buttons)

    async def offer(self, conversation_id: str, buttons: tuple[Button, ...], fence: int) -> None:
        """Remember what is open now, in place of what was; nothing, when a turn offered nothing.

        Args:
            conversation_id: whose.
            buttons: with their ids.
            fence: of the hold; an older holder's offer is refused.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            self.offer_in(pipe, conversation_id, buttons, fence)
            await pipe.execute()

    def offer_in(self, pipe: Any, conversation_id: str, buttons: tuple[Button, ...], fence: int) -> None:
        """The same, by a command of ``pipe``."""
        stored = json.dumps([[button.id, button.title, button.payload] for button in buttons], separators=(",", ":"))
        pipe.eval(_OFFER, 1, f"choices:{conversation_id}", str(fence), stored, str(self._keep))

    async def open(self, conversation_id: str) -> tuple[Button, ...]:
        """What is open now."""
        return self.read(await self._redis.hget(f"choices:{conversation_id}", "buttons"))

    @staticmethod
    def open_in(pipe: Any, conversation_id: str) -> None:
        """Ask what is open by a command of ``pipe``; `read` its answer."""
        pipe.hget(f"choices:{conversation_id}", "buttons")

    @staticmethod
    def read(stored: str | bytes | None) -> tuple[Button, ...]:
        """The buttons of what is kept."""
        return tuple(Button(title, payload, ident) for ident, title, payload in json.loads(stored)) if stored else ()


def meant_by_id(buttons: tuple[Button, ...], ident: str) -> Button | None:
    """The button with this id."""
    return next((button for button in buttons if button.id == ident), None)


def meant_by_text(buttons: tuple[Button, ...], text: str) -> Button | None:
    """The button whose title this is (in any case, with or without punctuation), or whose number."""
    wanted = _plain(text)
    for button in buttons:
        if wanted and _plain(button.title) == wanted:
            return button
    number = _NUMBER.fullmatch(text.strip())
    if number and 1 <= int(number[1]) <= len(buttons):
        return buttons[int(number[1]) - 1]
    return None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
