"""The OMS's events as a Redis stream: the gateway publishes what was pushed, every board reads all of it.

A stream and not publish/subscribe, because a board that was away for a moment has to catch up.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from integrations.oms.models import Event

STREAM = "oms:events"
SNAPSHOT = "oms:snapshot"
_KEPT = 50_000


class EventStream:
    """Publishing to and reading from `oms:events`.

    Args:
        redis: any client; bytes or text answers both do.
        name: of the stream.
    """

    def __init__(self, redis: Redis, name: str = STREAM) -> None:
        self._redis = redis
        self._name = name

    async def publish(self, events: Iterable[Event]) -> int:
        """Add events in their order.

        Returns:
            How many.

        Raises:
            redis.RedisError: nothing or a part was added; publishing again does no harm.
        """
        pipe = self._redis.pipeline(transaction=False)
        count = 0
        for event in events:
            pipe.xadd(self._name, {"event": event.to_json()}, maxlen=_KEPT, approximate=True)
            count += 1
        if count:
            await pipe.execute()
        return count

    async def last_id(self) -> str:
        """Where reading begins for somebody who wants only what comes from now on."""
        entries = await self._redis.xrevrange(self._name, count=1)
        return _text(entries[0][0]) if entries else "0-0"

    async def read(
        self, after: str, wait_ms: int = 2000, count: int = 2000
    ) -> tuple[str, list[tuple[Event, datetime]]]:
        """What came after an id, waiting a while when there is nothing.

        Returns:
            The id to go on from, and the events with when they reached us; an entry that cannot be read is passed over.
        """
        answer: Any = await self._redis.xread({self._name: after}, count=count, block=wait_ms or None)
        if isinstance(answer, dict):
            answer = [(name, entries[0] if entries else []) for name, entries in answer.items()]
        events: list[tuple[Event, datetime]] = []
        last = after
        for _, entries in answer or []:
            for entry_id, fields in entries:
                last = _text(entry_id)
                raw = fields.get(b"event", fields.get("event"))
                try:
                    events.append((Event.from_json(raw), _entry_time(last)))
                except ValueError:
                    continue
        return last, events

    async def save_snapshot(self, data: dict[str, Any]) -> None:
        """Keep a board's content, so that one that starts while the OMS is down knows something."""
        packed = await asyncio.to_thread(_pack, data)
        await self._redis.set(SNAPSHOT, packed, ex=86_400)

    async def load_snapshot(self) -> dict[str, Any] | None:
        """The content that was kept last; None when there is none that can be read."""
        raw = await self._redis.get(SNAPSHOT)
        return await asyncio.to_thread(_unpack, raw) if raw else None


def _pack(data: dict[str, Any]) -> str:
    # Text, because a client may be set to decode every answer.
    return base64.b64encode(gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 3)).decode()


def _unpack(raw: Any) -> dict[str, Any] | None:
    try:
        data = json.loads(gzip.decompress(base64.b64decode(raw)))
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    return data if isinstance(data, dict) else None


def _entry_time(entry_id: str) -> datetime:
    """A stream's id begins with Redis's clock in milliseconds: when the event reached us."""
    return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
