"""What was said in a conversation, for replays and the desk; and what happened, for the ledger.

`conv:{id}` holds words and ends with its conversation; `ledger` holds constant names, ids and numbers, and no words.
A journal that cannot be written never stops an answer.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.switchboard.metrics import failures
from bot.switchboard.models import Reply, Turn
from integrations.base.clock import Now, utc_now

log = structlog.get_logger()

CONVERSATION_LENGTH = 500
CONVERSATION_SECONDS = 72 * 3_600
LEDGER_LENGTH = 200_000


class Journal:
    """Appends to the conversation's stream and to the ledger's.

    Args:
        redis: with decoded responses.
        now: the clock.
    """

    def __init__(self, redis: Redis, now: Now = utc_now) -> None:
        self._redis = redis
        self._now = now

    async def heard(self, turn: Turn, text: str) -> None:
        """A customer's turn."""
        await self._append(turn, self._heard(turn, text))

    def heard_in(self, pipe: Any, turn: Turn, text: str) -> None:
        """The same, by commands of ``pipe``."""
        self._append_in(pipe, turn, self._heard(turn, text))

    @staticmethod
    def _heard(turn: Turn, text: str) -> dict[str, str]:
        # What a caller had heard when they spoke over us: whoever reads the conversation must not think they heard all.
        heard = {} if turn.interrupted is None else {"interrupted": turn.interrupted}
        media = json.dumps([item.url for item in turn.media]) if turn.media else ""
        return {"dir": "in", "text": text, "media": media, "at": turn.received_at.isoformat(), **heard}

    async def said(self, turn: Turn, *replies: Reply) -> None:
        """Replies to it."""
        await self._append(turn, *(self._said(reply) for reply in replies))

    def said_in(self, pipe: Any, turn: Turn, *replies: Reply) -> None:
        """The same, by commands of ``pipe``."""
        self._append_in(pipe, turn, *(self._said(reply) for reply in replies))

    def _said(self, reply: Reply) -> dict[str, str]:
        buttons = json.dumps([button.title for button in reply.buttons]) if reply.buttons else ""
        return {
            "dir": "out",
            "text": reply.text,
            "buttons": buttons,
            "image": reply.image or "",
            "source": reply.source,
            "response": reply.response,
            "at": self._now().isoformat(),
        }

    async def event(self, name: str, **fields: str | int | float) -> None:
        """Something that happened, by a constant name and without anybody's words.

        Args:
            name: like "turn.answered".
            fields: ids, codes, numbers.
        """
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                self.event_in(pipe, name, **fields)
                await pipe.execute()
        except RedisError as error:
            failures.labels("ledger").inc()
            log.error("journal.ledger_failed", error=type(error).__name__)

    def event_in(self, pipe: Any, name: str, **fields: str | int | float) -> None:
        """The same, by a command of ``pipe``."""
        values = {"event": name, "at": self._now().isoformat(), **fields}
        pipe.xadd("ledger", values, maxlen=LEDGER_LENGTH, approximate=True)

    @staticmethod
    def _append_in(pipe: Any, turn: Turn, *entries: dict[str, str]) -> None:
        key = f"conv:{turn.conversation_id}"
        for fields in entries:
            entry = {"turn": turn.turn_id, "channel": turn.channel, **fields}
            pipe.xadd(key, entry, maxlen=CONVERSATION_LENGTH, approximate=True)
        pipe.expire(key, CONVERSATION_SECONDS)

    async def _append(self, turn: Turn, *entries: dict[str, str]) -> None:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                self._append_in(pipe, turn, *entries)
                await pipe.execute()
        except RedisError as error:
            failures.labels("journal").inc()
            log.error("journal.conversation_failed", error=type(error).__name__)


def age_ms(since: datetime, now: datetime) -> int:
    """Whole milliseconds between two aware times, never below zero."""
    return max(0, int((now - since).total_seconds() * 1000))
