"""Text messages on their way: accepted once, in order, on a stream that no dead process empties."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from bot.switchboard.models import Channel, Media, Turn
from bot.switchboard.order import RESERVED_SECONDS, order_keys

TEXTS = "turns:text"
GROUP = "texters"
DEAD = "turns:text:dead"
DELIVERIES = "sms:deliveries"
_SEEN_SECONDS = 86_400
_KEPT_DELIVERIES = 100_000

# KEYS: seen mark, texts, line, alive, count. ARGV: entry, seen for s, reserved for ms, keep the line for s.
# Seen, queued and in line, or none of the three. Returns the place, 0 for a message that was seen.
_ACCEPT = """
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[2]) then return 0 end
local t = redis.call('TIME')
local place = redis.call('INCR', KEYS[5])
redis.call('ZADD', KEYS[3], place, tostring(place))
redis.call('HSET', KEYS[4], tostring(place), string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]))
for i = 3, 5 do redis.call('EXPIRE', KEYS[i], ARGV[4]) end
redis.call('XADD', KEYS[2], '*', 'turn', ARGV[1], 'place', place)
return place
"""


@dataclass(frozen=True, slots=True)
class Text:
    """A text message that came in. Phones are E.164, without a channel's prefix."""

    sid: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    channel: Channel
    received_at: datetime
    media: tuple[Media, ...] = ()


class TextQueue:
    """Accepts texts.

    Args:
        redis: with decoded responses.
        secret: keys the hash that names a thread; numbers are few, so a plain hash would give them away.
        session_seconds: silence after which a thread begins anew.
    """

    def __init__(self, redis: Redis, secret: str, session_seconds: int) -> None:
        self._redis = redis
        self._secret = secret.encode()
        self._session_seconds = session_seconds

    async def accept(self, text: Text) -> bool:
        """Take a text in, once.

        Returns:
            False when its id was seen.

        Raises:
            redis.exceptions.RedisError: Redis does not answer; nothing was taken in.
        """
        conversation_id = await self._conversation(text)
        line, alive, count, _, _ = order_keys(conversation_id)
        turn = Turn(
            conversation_id,
            text.sid,
            text.channel,
            text.body,
            text.received_at,
            phone=text.sender,
            media=text.media,
        )
        entry = json.dumps({"turn": turn_to_dict(turn), "to": text.sender, "from": text.recipient})
        place = await self._redis.eval(
            _ACCEPT,
            5,
            *(f"sms:seen:{text.sid}", TEXTS, line, alive, count),
            *(entry, str(_SEEN_SECONDS), str(int(RESERVED_SECONDS * 1000)), str(_SEEN_SECONDS)),
        )
        return int(place) > 0

    async def delivered(self, sid: str, state: str, code: str) -> None:
        """Keep what Twilio says about a message that we sent.

        Args:
            sid: the message's.
            state: queued, sent, delivered, undelivered, failed.
            code: Twilio's error code, or "".

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        values = {"sid": sid, "state": state, "code": code}
        await self._redis.xadd(DELIVERIES, values, maxlen=_KEPT_DELIVERIES, approximate=True)  # type: ignore[arg-type]

    async def _conversation(self, text: Text) -> str:
        """The thread's conversation: the two numbers and the session."""
        numbers = f"{text.channel}|{text.sender}|{text.recipient}".encode()
        digest = hmac.new(self._secret, numbers, hashlib.sha256).digest()[:12]
        thread = base64.b32encode(digest).decode().lower().rstrip("=")
        key = f"sms:session:{thread}"
        await self._redis.set(key, f"{int(time.time()):x}", nx=True, ex=self._session_seconds)
        began: Any = await self._redis.getex(key, ex=self._session_seconds)
        return f"{text.channel}-{thread}-{began or '0'}"


def turn_to_dict(turn: Turn) -> dict[str, Any]:
    """A text's turn as plain JSON values."""
    return {
        "conversation_id": turn.conversation_id,
        "turn_id": turn.turn_id,
        "channel": turn.channel,
        "text": turn.text,
        "received_at": turn.received_at.isoformat(),
        "phone": turn.phone,
        "media": [[item.url, item.content_type] for item in turn.media],
    }


def turn_from_dict(data: dict[str, Any], place: int | None) -> Turn:
    """Read what `turn_to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    media = tuple(Media(url, kind) for url, kind in data["media"])
    turn = Turn(**{**data, "media": media, "place": place})
    return replace(turn, received_at=datetime.fromisoformat(data["received_at"]))
