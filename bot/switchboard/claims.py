"""Which turns were seen: a turn is answered once, and one whose process died is taken up again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from enum import Enum
from typing import Any

from redis.asyncio import Redis

from bot.switchboard.models import Button, Reply

LEASE_SECONDS = 15.0
"""How long a turn stays with a process that gives no sign of life."""
SEEN_SECONDS = 86_400
"""How long a turn id is remembered. Twilio repeats a webhook within minutes."""
REPLIES_SECONDS = 3_600
"""How long the replies of an answered turn can be recalled."""

_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Claim(Enum):
    """What was found when a turn came in."""

    NEW = "new"
    ANSWERED = "answered"
    RUNNING = "running"


class TurnClaims:
    """Claims on turns, kept in Redis.

    Args:
        redis: with decoded responses.
        lease: seconds; see `LEASE_SECONDS`.
    """

    def __init__(self, redis: Redis, lease: float = LEASE_SECONDS) -> None:
        self._redis = redis
        self._lease_ms = int(lease * 1000)
        self._me = f"running:{secrets.token_hex(8)}"

    @staticmethod
    def _key(conversation_id: str, turn_id: str) -> str:
        return f"turn:{{{conversation_id}}}:{turn_id}"

    async def take(self, conversation_id: str, turn_id: str) -> Claim:
        """Claim a turn.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        key = self._key(conversation_id, turn_id)
        if await self._redis.set(key, self._me, nx=True, px=self._lease_ms):
            return Claim.NEW
        state = await self._redis.get(key)
        if state is None:  # the lease ended between the two calls
            taken = await self._redis.set(key, self._me, nx=True, px=self._lease_ms)
            return Claim.NEW if taken else Claim.RUNNING
        return Claim.ANSWERED if state == "answered" else Claim.RUNNING

    async def renew(self, conversation_id: str, turn_id: str) -> None:
        """Say that the work goes on."""
        await self._redis.eval(_RENEW, 1, self._key(conversation_id, turn_id), self._me, str(self._lease_ms))

    async def finish(
        self,
        conversation_id: str,
        turn_id: str,
        replies: list[Reply],
        along: Callable[[Any], None] | None = None,
    ) -> None:
        """The turn was answered, by these; ``along`` adds commands to the same journey to Redis."""
        key = self._key(conversation_id, turn_id)
        said = json.dumps([_to_dict(reply) for reply in replies], separators=(",", ":"))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(f"{key}:said", said, ex=REPLIES_SECONDS)
            pipe.set(key, "answered", ex=SEEN_SECONDS)
            if along is not None:
                along(pipe)
            await pipe.execute()

    async def release(self, conversation_id: str, turn_id: str) -> None:
        """The turn was not answered; whoever sees it next may take it."""
        await self._redis.eval(_RELEASE, 1, self._key(conversation_id, turn_id), self._me)

    async def said(self, conversation_id: str, turn_id: str) -> tuple[Reply, ...]:
        """The replies of a turn that was answered; empty when it was not, or too long ago."""
        stored = await self._redis.get(f"{self._key(conversation_id, turn_id)}:said")
        return tuple(_from_dict(item) for item in json.loads(stored)) if stored else ()


def _to_dict(reply: Reply) -> dict[str, object]:
    return {
        "text": reply.text,
        # Titles are enough to render them again; what they stand for is in the book of choices.
        "buttons": [[button.title, button.id] for button in reply.buttons],
        "image": reply.image,
        "final": reply.final,
        "source": reply.source,
        "response": reply.response,
        "asking": reply.asking,
    }


def _from_dict(item: dict[str, object]) -> Reply:
    buttons = item.pop("buttons")
    assert isinstance(buttons, list)
    return Reply(**item, buttons=tuple(Button(title, "", ident) for title, ident in buttons))  # type: ignore[arg-type]
