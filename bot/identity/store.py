"""Identities in Redis, by conversation, ending with the session."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from bot.identity.models import Identity


class IdentityStore:
    """Reads and writes identities.

    Args:
        redis: any client; text or bytes answers both do.
        keep: seconds that an identity outlives the last turn.
    """

    def __init__(self, redis: Redis, keep: int = 3_600) -> None:
        self._redis = redis
        self._keep = keep

    @staticmethod
    def _key(conversation_id: str) -> str:
        return f"identity:{conversation_id}"

    async def get(self, conversation_id: str) -> Identity:
        """The identity of a conversation; anonymous when nothing is kept or what is kept cannot be read.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        return self.read(conversation_id, await self._redis.get(self._key(conversation_id)))

    def get_in(self, pipe: Any, conversation_id: str) -> None:
        """Ask for an identity, and keep it longer, by two commands of ``pipe``; `read` the first one's answer."""
        pipe.get(self._key(conversation_id))
        pipe.expire(self._key(conversation_id), self._keep)

    @staticmethod
    def read(conversation_id: str, stored: str | bytes | None) -> Identity:
        """The identity in what is kept; anonymous when there is nothing that can be read."""
        if not stored:
            return Identity(conversation_id)
        try:
            data = json.loads(stored)
            at = data["verified_at"]
            return Identity(
                conversation_id,
                int(data["level"]),
                data["phone"],
                tuple(str(number) for number in data["account_numbers"]),
                datetime.fromisoformat(at) if at else None,
            )
        except (ValueError, KeyError, TypeError):
            return Identity(conversation_id)

    async def put(self, identity: Identity) -> None:
        """Keep an identity in place of what was kept.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        data = {
            "level": identity.level,
            "phone": identity.phone,
            "account_numbers": identity.account_numbers,
            "verified_at": identity.verified_at.isoformat() if identity.verified_at else None,
        }
        await self._redis.set(self._key(identity.conversation_id), json.dumps(data), ex=self._keep)

    async def touch(self, conversation_id: str) -> None:
        """The conversation goes on: keep it longer."""
        await self._redis.expire(self._key(conversation_id), self._keep)
