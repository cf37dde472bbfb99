"""Conversations in Redis: with time limits, an expiry, and a cost per turn that does not grow.

Stock RedisTrackerStore blocks the event loop, waits for ever on a hung Redis, keeps conversations for ever, and reads,
merges and writes the whole history at each turn (19 CPU-ms at the first turn, 230 at the two hundredth). Here a
conversation keeps its newest turns; what is cut off leaves behind what it amounted to: the slots and the active form.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Optional

import redis.asyncio
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

KEEP_TURNS = 4
"""User turns that a cut leaves. No rule of ours looks back further than two."""
SLACK_TURNS = 2
"""A cut is made when there are this many more, so that most turns cut nothing."""


def capped(tracker: DialogueStateTracker, domain: Domain) -> list[Event]:
    """The events to keep: all of a short conversation; of a long one a summary of its past and its newest turns.

    Args:
        tracker: a conversation between two turns.
        domain: gives the slots' initial values.

    Returns:
        Events that replay to the same slots, active form, latest action and newest turns as ``tracker``.
    """
    events = list(tracker.events)
    turns = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(turns) <= KEEP_TURNS + SLACK_TURNS:
        return events
    cut = turns[-KEEP_TURNS]
    # Only between two turns is a conversation summed up by its slots and its form.
    while cut > 0 and not (
        isinstance(events[cut - 1], ActionExecuted) and events[cut - 1].action_name == ACTION_LISTEN_NAME
    ):
        earlier = [index for index in turns if index < cut]
        if not earlier:
            return events
        cut = earlier[-1]
    return [*_summary(tracker.sender_id, events[:cut], domain), *events[cut:]]


def _summary(sender_id: str, past: list[Event], domain: Domain) -> list[Event]:
    before = DialogueStateTracker.from_events(sender_id, past, domain.slots)
    fresh = DialogueStateTracker.from_events(sender_id, [], domain.slots)
    at = past[-1].timestamp
    summary: list[Event] = [SessionStarted(timestamp=at)]
    loop = before.active_loop
    if loop and loop.name:
        summary.append(ActiveLoop(loop.name, timestamp=at))
        if loop.rejected:
            summary.append(ActionExecutionRejected(loop.name, timestamp=at))
    summary += [
        SlotSet(name, slot.value, timestamp=at)
        for name, slot in before.slots.items()
        if slot.value != fresh.slots[name].value
    ]
    return [*summary, ActionExecuted(ACTION_LISTEN_NAME, timestamp=at)]


class CappedRedisTrackerStore(TrackerStore, SerializedTrackerAsText):
    """A conversation is one key, ``porchlight:tracker:<conversation id>``, that expires after silence."""

    def __init__(
        self,
        domain: Domain,
        host: str = "redis://127.0.0.1:6379/0",
        event_broker: Optional[EventBroker] = None,
        expire_minutes: Any = 120,
        timeout_seconds: Any = 1.0,
        **kwargs: Any,
    ) -> None:
        """Set up the connection; nothing is sent until the first turn.

        Args:
            domain: the assistant's domain.
            host: a Redis URL (Rasa calls what endpoints.yml names ``url`` so).
            event_broker: where events are published, if anywhere.
            expire_minutes: silence after which a conversation is forgotten.
            timeout_seconds: how long one command may take.
            kwargs: ignored; Rasa passes what else endpoints.yml says.
        """
        seconds = float(timeout_seconds)
        self._redis = redis.asyncio.Redis.from_url(
            host,
            decode_responses=True,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 4),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
        )
        self._expire = int(float(expire_minutes) * 60)
        super().__init__(domain, event_broker)

    @staticmethod
    def _key(sender_id: str) -> str:
        return f"porchlight:tracker:{sender_id}"

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write the conversation. The gateway keeps its turns in order, so there is nothing to merge."""
        if self.event_broker is not None:
            await self.stream_events(tracker)
        body = {
            "name": tracker.sender_id,
            "events": [event.as_dict() for event in capped(tracker, self.domain)],
        }
        await self._redis.set(self._key(tracker.sender_id), json.dumps(body, separators=(",", ":")), ex=self._expire)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """Read a conversation, or None where there is none or it has expired."""
        stored = await self._redis.get(self._key(sender_id))
        return self.deserialise_tracker(sender_id, stored) if stored else None

    async def keys(self) -> Iterable[str]:
        """All conversations' ids."""
        prefix = self._key("")
        return [key[len(prefix) :] async for key in self._redis.scan_iter(match=prefix + "*", count=1000)]
