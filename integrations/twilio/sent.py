"""Which messages were sent, by idempotency key: Twilio's Messages resource has no such key of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, Protocol

from redis.asyncio import Redis

from integrations.base.clock import Monotonic

CLAIM_SECONDS = 90.0
"""Longer than sending can take with all its retries; a claim that is older was left by somebody who died."""
_KEPT_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of a key.

    Attributes:
        state: fresh: send it. sent: it has `sid`. busy: somebody is sending. unsure: somebody began and never told.
        sid: of the message that was sent.
    """

    state: Literal["fresh", "sent", "busy", "unsure"]
    sid: str = ""


class SentLog(Protocol):
    """Remembers what was sent."""

    async def claim(self, key: str) -> Claim:
        """Say that a message is about to be sent."""

    async def done(self, key: str, sid: str) -> None:
        """It was sent."""

    async def release(self, key: str) -> None:
        """It was surely not sent; anybody may try again."""

    async def doubt(self, key: str) -> None:
        """Nobody knows whether it was sent; whoever tries next has to look first."""


class MemorySentLog:
    """For one process: tests and tools."""

    def __init__(self, clock: Monotonic = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}

    async def claim(self, key: str) -> Claim:
        """See `SentLog`."""
        sid, since = self._kept.get(key, ("", -1.0))
        if sid:
            return Claim("sent", sid)
        if since >= 0 and self._clock() - since < CLAIM_SECONDS:
            return Claim("busy")
        state: Literal["fresh", "unsure"] = "fresh" if key not in self._kept else "unsure"
        self._kept[key] = ("", self._clock())
        return Claim(state)

    async def done(self, key: str, sid: str) -> None:
        """See `SentLog`."""
        self._kept[key] = (sid, 0.0)

    async def release(self, key: str) -> None:
        """See `SentLog`."""
        self._kept.pop(key, None)

    async def doubt(self, key: str) -> None:
        """See `SentLog`."""
        self._kept[key] = ("", -1.0)


# One step, so that of two processes with an old claim only one takes it over.
_CLAIM = """
local kept = redis.call('GET', KEYS[1])
if not kept then
  redis.call('SET', KEYS[1], 'claimed ' .. ARGV[1], 'EX', ARGV[3])
  return 'fresh'
end
if string.sub(kept, 1, 8) ~= 'claimed ' then return 'sent ' .. kept end
if tonumber(ARGV[1]) - tonumber(string.sub(kept, 9)) < tonumber(ARGV[2]) then return 'busy' end
redis.call('SET', KEYS[1], 'claimed ' .. ARGV[1], 'EX', ARGV[3])
return 'unsure'
"""


class RedisSentLog:
    """Shared by all processes; remembers for a week."""

    def __init__(self, redis: Redis, prefix: str = "twilio:sent:") -> None:
        self._redis = redis
        self._prefix = prefix

    async def claim(self, key: str) -> Claim:
        """See `SentLog`.

        Raises:
            redis.RedisError: nothing is known.
        """
        # The servers' clocks need to agree only to the minute.
        answer = await self._redis.eval(
            _CLAIM, 1, self._prefix + key, str(int(time.time())), str(int(CLAIM_SECONDS)), str(_KEPT_SECONDS)
        )
        state, _, sid = (answer.decode() if isinstance(answer, bytes) else str(answer)).partition(" ")
        if state == "sent":
            return Claim("sent", sid)
        return Claim("busy" if state == "busy" else "unsure" if state == "unsure" else "fresh")

    async def done(self, key: str, sid: str) -> None:
        """See `SentLog`."""
        await self._redis.set(self._prefix + key, sid, ex=_KEPT_SECONDS)

    async def release(self, key: str) -> None:
        """See `SentLog`."""
        await self._redis.delete(self._prefix + key)

    async def doubt(self, key: str) -> None:
        """See `SentLog`."""
        await self._redis.set(self._prefix + key, "claimed 0", ex=_KEPT_SECONDS)
