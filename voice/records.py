"""What is remembered of calls: between sockets of one call, and between a socket and the webhook after it.

In Redis, so that any gateway can go on with a call, and in this process, so that a call outlives Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Literal, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

KEEP_SECONDS = 6 * 3_600
BUDGET_SECONDS = 0.4
"""How long a caller waits for Redis here; after that the process's own memory counts."""
_MOST = 2_000

Next = Literal["resume", "menu", "person", "hang_up"]


@dataclass(slots=True)
class CallRecord:
    """A call.

    Attributes:
        call_sid: Twilio's.
        phone: E.164 of the caller; "" when withheld.
        state: that the carrier says the caller calls from.
        language: "en" or "es".
        began_at: seconds since the epoch.
        next: what the webhook after the stream answers.
        say: words that the caller has not heard yet and that the menu begins with.
        noticed: whether the recording notice was said.
        greeted: whether the dialogue greeted.
        reason: why the stream begins again ("nobody": no person took the call).
        asking: the slot that the dialogue waits for.
        question: its last words, to be said again.
        titles: of the offered choices.
        streams: that were lost.
        streaming: whether a socket has it now, in whatever process.
        by_keys: whether it was brought to a person by the keypad menu.
        step: of the keypad menu.
        tries: without a sensible key in the menu.
    """

    call_sid: str
    phone: str = field(default="", repr=False)
    state: str = ""
    language: str = "en"
    began_at: float = 0.0
    next: Next = "resume"
    say: str = field(default="", repr=False)
    noticed: bool = False
    greeted: bool = False
    reason: str = ""
    asking: str = ""
    question: str = field(default="", repr=False)
    titles: list[str] = field(default_factory=list, repr=False)
    streams: int = 0
    streaming: bool = False
    by_keys: bool = False
    step: int = 0
    tries: int = 0

    @property
    def conversation_id(self) -> str:
        """Ours: a call is one conversation, however many sockets and menus it goes through."""
        return f"call-{self.call_sid}"


class Ending(Protocol):
    """A call under way, as others of this process see it."""

    async def supersede(self) -> None:
        """Make way for a newer socket of the same call; returns when nothing is left."""
        ...


class CallRecords:
    """All calls.

    Args:
        redis: with decoded responses.
        now: seconds since the epoch.
    """

    def __init__(self, redis: Redis, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self._records: OrderedDict[str, CallRecord] = OrderedDict()
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self.live: dict[str, Ending] = {}
        """Calls with a socket in this process."""

    async def find(self, call_sid: str) -> CallRecord | None:
        """A call that is known."""
        stored: str | bytes | None = None
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                stored = await self._redis.get(_key(call_sid))
        except (RedisError, TimeoutError) as error:
            log.warning("voice.record_unread", error=type(error).__name__)
        if stored:
            with contextlib.suppress(ValueError, TypeError):
                record = CallRecord(**json.loads(stored))
                self._remember(record)
                return record
        return self._records.get(call_sid)

    async def open(self, call_sid: str, phone: str = "", state: str = "") -> CallRecord:
        """A call, known or new. The same webhook twice is the same call."""
        record = await self.find(call_sid)
        if record is None:
            record = CallRecord(call_sid, phone, state, began_at=self._now())
            await self.save(record)
        return record

    async def save(self, record: CallRecord) -> None:
        """Keep what changed. Never raises: this process remembers in any case."""
        self._remember(record)
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                await self._redis.set(_key(record.call_sid), json.dumps(asdict(record)), ex=KEEP_SECONDS)
        except (RedisError, TimeoutError) as error:
            log.warning("voice.record_unwritten", error=type(error).__name__)

    async def has_stream(self, call_sid: str) -> bool:
        """Whether a socket of some process has the call."""
        record = await self.find(call_sid)
        return record is not None and record.streaming

    async def first_use(self, nonce: str) -> bool:
        """Whether a token was not used before, by any process that shares this Redis, or by this one."""
        if nonce in self._nonces:
            return False
        self._nonces[nonce] = None
        while len(self._nonces) > _MOST:
            self._nonces.popitem(last=False)
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                return bool(await self._redis.set(f"voice:token:{nonce}", "1", nx=True, ex=600))
        except (RedisError, TimeoutError) as error:
            log.warning("voice.token_use_unknown", error=type(error).__name__)
            return True

    def seconds(self, record: CallRecord) -> float:
        """How long a call has lasted."""
        return max(0.0, self._now() - record.began_at)

    def _remember(self, record: CallRecord) -> None:
        self._records[record.call_sid] = record
        self._records.move_to_end(record.call_sid)
        while len(self._records) > _MOST:
            self._records.popitem(last=False)


def _key(call_sid: str) -> str:
    return f"voice:call:{call_sid}"
