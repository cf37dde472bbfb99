"""One turn at a time in a conversation, in order of arrival, across processes.

In a process: a plain line, entered before the first await, so arrival decides. Across processes: a numbered line in
Redis whose head may take a lock; both end with their holder's signs of life. The lock's fence number grows with each
holder, so a write by one that was thought dead can be told and refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from integrations.base.tasks import told_to_stop

log = structlog.get_logger()

HOLD_SECONDS = 10.0
"""Life of a holder that gives no sign of it."""
RESERVED_SECONDS = 120.0
"""How long a place that was reserved with a queued turn keeps others waiting."""
_KEEP_SECONDS = 86_400

# KEYS: line, alive, count, lock, fence. ARGV: ticket or "", owner, life in ms, keep in s.
# Returns the ticket and the fence, which is 0 while others are before.
_ENTER = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ticket = ARGV[1]
if ticket == '' then ticket = tostring(redis.call('INCR', KEYS[3])) end
redis.call('ZADD', KEYS[1], ticket, ticket)
redis.call('HSET', KEYS[2], ticket, string.format('%.0f', now + ARGV[3]))
local head
while true do
  head = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if head == ticket or tonumber(redis.call('HGET', KEYS[2], head) or '0') >= now then break end
  redis.call('ZREM', KEYS[1], head)
  redis.call('HDEL', KEYS[2], head)
end
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[4]) end
if head ~= ticket or not redis.call('SET', KEYS[4], ARGV[2], 'NX', 'PX', ARGV[3]) then return {ticket, 0} end
local fence = redis.call('INCR', KEYS[5])
redis.call('EXPIRE', KEYS[5], ARGV[4])
return {ticket, fence}
"""
_RENEW = """
if redis.call('GET', KEYS[4]) ~= ARGV[2] then return 0 end
local t = redis.call('TIME')
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]))
return redis.call('PEXPIRE', KEYS[4], ARGV[3])
"""
_LEAVE = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[4]) == ARGV[2] then redis.call('DEL', KEYS[4]) end
return 1
"""


def order_keys(conversation_id: str) -> list[str]:
    """The keys of a conversation's line; they share a hash slot."""
    return [f"order:{{{conversation_id}}}:{name}" for name in ("line", "alive", "count", "lock", "fence")]


class TooLongInLine(TimeoutError):
    """The turns before did not end in time."""


@dataclass(slots=True)
class Hold:
    """The right to speak to the dialogue in a conversation.

    Attributes:
        fence: grows with each holder; 0 when there was no Redis to give one.
        lost: another process took over because this one was thought dead.
        answers: to what was asked along with entering; None when others were before, so that nothing was held yet.
        left: it was given back already.
    """

    fence: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    answers: list[Any] | None = None
    left: bool = False
    _leave: tuple[str, ...] = ()

    def leave_in(self, pipe: Any) -> None:
        """Give the conversation back by a command of ``pipe``; set `left` when it has run."""
        pipe.eval(*self._leave)


class Place:
    """A place in the process's own line, taken without awaiting anything."""

    def __init__(self, line: deque[Place], lines: dict[str, deque[Place]], conversation_id: str) -> None:
        self._line = line
        self._lines = lines
        self._conversation_id = conversation_id
        self._turn = asyncio.Event()
        line.append(self)
        if line[0] is self:
            self._turn.set()

    async def wait(self) -> None:
        """Until everybody before has left."""
        await self._turn.wait()

    def leave(self) -> None:
        """Make way for the next. Safe to call twice."""
        if self not in self._line:
            return
        self._line.remove(self)
        if self._line:
            self._line[0]._turn.set()
        elif self._lines.get(self._conversation_id) is self._line:
            del self._lines[self._conversation_id]


class ConversationOrder:
    """The lines of all conversations.

    Args:
        redis: with decoded responses.
        life: seconds after which a silent holder is thought dead.
        poll: seconds between two looks while another process holds a conversation.
    """

    def __init__(self, redis: Redis, life: float = HOLD_SECONDS, poll: float = 0.015) -> None:
        self._redis = redis
        self._life = life
        self._poll = poll
        self._lines: dict[str, deque[Place]] = {}

    def enter(self, conversation_id: str) -> Place:
        """Take the next place of this process, at once."""
        return Place(self._lines.setdefault(conversation_id, deque()), self._lines, conversation_id)

    def waiting(self, conversation_id: str) -> int:
        """Turns of this process that run or wait in a conversation."""
        return len(self._lines.get(conversation_id, ()))

    @contextlib.asynccontextmanager
    async def hold(
        self,
        conversation_id: str,
        place: Place | None,
        ticket: int | None,
        patience: float,
        along: Callable[[Any], None] | None = None,
    ) -> AsyncIterator[Hold]:
        """Wait for the conversation's earlier turns, then hold it.

        Args:
            conversation_id: whose.
            place: of `enter`; None for a turn with a reserved ticket, whose order is Redis's alone.
            ticket: reserved when the turn was accepted (`reserve`).
            patience: seconds to wait at most.
            along: adds commands to the one that enters, for one journey instead of many. They run whether the
                conversation is free or not; `Hold.answers` has what they gave if it was.

        Raises:
            TooLongInLine: the turns before did not end in time.
            redis.exceptions.RedisError: Redis does not answer.
        """
        owner = secrets.token_hex(8)
        state = _Ticket(str(ticket) if ticket else "")
        hold: Hold | None = None
        try:
            try:
                async with asyncio.timeout(patience):
                    if place is not None:
                        await place.wait()
                    fence, answers = await self._acquire(conversation_id, owner, state, along)
            except TimeoutError:
                raise TooLongInLine from None
            leave = (_LEAVE, "5", *order_keys(conversation_id), state.number, owner)
            hold = Hold(fence, answers=answers, _leave=leave)
            renewal = asyncio.create_task(self._renew(conversation_id, owner, state, hold))
            try:
                yield hold
            finally:
                renewal.cancel()
                await asyncio.gather(renewal, return_exceptions=True)
        finally:
            if place is not None:
                place.leave()
            if state.number and not (hold and hold.left):
                await self._leave(conversation_id, owner, state.number)

    async def forget(self, conversation_id: str, ticket: int) -> None:
        """Give up a reserved place whose turn will not come."""
        await self._leave(conversation_id, "", str(ticket))

    async def _acquire(
        self, conversation_id: str, owner: str, state: _Ticket, along: Callable[[Any], None] | None
    ) -> tuple[int, list[Any] | None]:
        wait = self._poll
        keys, life = order_keys(conversation_id), str(int(self._life * 1000))
        answers: list[Any] | None = None
        while True:
            # redis-py can turn the end of our patience into an answer; then this would wait for ever.
            if told_to_stop():
                raise asyncio.CancelledError
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.eval(_ENTER, 5, *keys, state.number, owner, life, str(_KEEP_SECONDS))
                if along is not None:
                    along(pipe)
                answer, *answers = await pipe.execute(raise_on_error=False)
            if isinstance(answer, Exception):
                raise answer
            state.number = str(answer[0])
            if int(answer[1]):
                return int(answer[1]), answers if along is not None else None
            along = None
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))
            wait = min(wait * 1.1, 0.05)

    async def _renew(self, conversation_id: str, owner: str, state: _Ticket, hold: Hold) -> None:
        life_ms = str(int(self._life * 1000))
        while not told_to_stop():
            await asyncio.sleep(self._life / 3)
            try:
                if not await self._redis.eval(_RENEW, 5, *order_keys(conversation_id), state.number, owner, life_ms):
                    hold.lost.set()
                    log.warning("order.hold_lost", conversation=conversation_id)
                    return
            except RedisError as error:  # it may come back before the hold ends
                log.warning("order.renewal_failed", error=type(error).__name__)

    async def _leave(self, conversation_id: str, owner: str, number: str) -> None:
        try:
            await asyncio.shield(self._redis.eval(_LEAVE, 5, *order_keys(conversation_id), number, owner))
        except RedisError as error:  # it ends by itself after `life`
            log.warning("order.leave_failed", error=type(error).__name__)


@dataclass(slots=True)
class _Ticket:
    number: str
