"""A web conversation's messages, numbered and kept, so that every tab sees each of them exactly once.

Messages live in a Redis stream whose ids are their numbers. A publish/subscribe channel only says that there is
something new; what it is, each socket reads from the stream after its own last number. So a wake-up that is lost,
doubled or late changes nothing, and any gateway process can serve any tab.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from integrations.base.tasks import told_to_stop

log = structlog.get_logger()

WAKE = "web:wake"
OPEN_TURNS = "web:open"
"""Hash of turns that were accepted and are not answered yet."""
_MOST_UNNUMBERED = 50

# KEYS: count, messages, accepted mark, open turns. ARGV: message, keep in s, wake channel, conversation, turn id or "",
# turn. Returns the message's number, 0 for a turn that was accepted before.
_SAY = """
if ARGV[5] ~= '' then
  if not redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[2]) then return 0 end
  redis.call('HSET', KEYS[4], ARGV[4] .. '|' .. ARGV[5], ARGV[6])
end
local n = redis.call('INCR', KEYS[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '1000', n .. '-0', 'm', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], string.format('%.0f', n) .. ':' .. ARGV[4])
return n
"""


class Listener:
    """One open socket's ear.

    Attributes:
        number: of the newest message that the socket has written.
        known: of the newest message that there is, as far as this process has heard.
        look: whether to look into Redis whatever is known.
        numbered: messages of this process, which need not be read from Redis if they follow on that number.
        unnumbered: what is not kept.
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.number = 0
        self.known = 0
        self.look = True
        self.numbered: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_MOST_UNNUMBERED)
        self.unnumbered: deque[dict[str, Any]] = deque(maxlen=_MOST_UNNUMBERED)

    def following(self) -> list[tuple[int, dict[str, Any]]]:
        """The messages at hand that follow on the last one without a gap; older ones and repetitions go."""
        found: list[tuple[int, dict[str, Any]]] = []
        last = self.number
        while self.numbered and self.numbered[0][0] <= last + 1:
            item = self.numbered.popleft()
            if item[0] == last + 1:
                found.append(item)
                last = item[0]
        self.numbered.clear()
        return found

    def hint(self, message: dict[str, Any]) -> None:
        """Something that is not kept: typing, or words while Redis is away."""
        self.unnumbered.append(message)
        self.news.set()


class Rooms:
    """All web conversations, as this process sees them.

    Args:
        redis: with decoded responses.
        keep: seconds of silence after which a conversation's messages go.
    """

    def __init__(self, redis: Redis, keep: int = 3_600) -> None:
        self._redis = redis
        self._keep = keep
        self._listeners: dict[str, set[Listener]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> int:
        """Open sockets in this process."""
        return sum(len(group) for group in self._listeners.values())

    def join(self, conversation_id: str) -> Listener:
        """Begin to listen; `leave` ends it."""
        listener = Listener()
        self._listeners.setdefault(conversation_id, set()).add(listener)
        return listener

    def leave(self, conversation_id: str, listener: Listener) -> None:
        """End listening."""
        group = self._listeners.get(conversation_id, set())
        group.discard(listener)
        if not group:
            self._listeners.pop(conversation_id, None)

    def listeners(self, conversation_id: str) -> int:
        """Sockets of a conversation in this process."""
        return len(self._listeners.get(conversation_id, ()))

    async def accept(self, conversation_id: str, turn_id: str, message: dict[str, Any], turn: dict[str, Any]) -> bool:
        """Show a customer's message in all tabs and put its turn among the open ones, both or neither.

        Returns:
            False when this turn id was accepted before.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        return await self._say(conversation_id, message, turn_id, json.dumps(turn)) > 0

    async def answered(self, conversation_id: str, turn_id: str) -> None:
        """A turn is not open any more."""
        await self._redis.hdel(OPEN_TURNS, f"{conversation_id}|{turn_id}")

    async def open_turns(self) -> list[dict[str, Any]]:
        """Turns that were accepted and not answered, by any process."""
        return [json.loads(value) for value in (await self._redis.hgetall(OPEN_TURNS)).values()]

    async def say(self, conversation_id: str, message: dict[str, Any]) -> None:
        """A message to every tab. While Redis is away it goes, without a number, to the tabs that are here."""
        try:
            await self._say(conversation_id, message)
        except RedisError as error:
            log.error("rooms.say_failed", error=type(error).__name__)
            self._tell(conversation_id, message)

    async def hint(self, conversation_id: str, message: dict[str, Any]) -> None:
        """Something passing, to every tab."""
        self._tell(conversation_id, message)
        try:
            await self._redis.publish(WAKE, json.dumps([conversation_id, message, id(self)]))
        except RedisError:
            log.info("rooms.hint_not_published")

    async def last(self, conversation_id: str) -> int:
        """The number of the newest message; 0 when there is none."""
        return int(await self._redis.get(self._keys(conversation_id)[0]) or 0)

    async def after(self, conversation_id: str, number: int) -> list[tuple[int, dict[str, Any]]]:
        """The messages after a number, in order."""
        entries: Any = await self._redis.xrange(self._keys(conversation_id)[1], min=f"({number}-0")
        return [(int(ident.partition("-")[0]), json.loads(fields["m"])) for ident, fields in entries]

    def start(self) -> None:
        """Listen to what other processes say."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @staticmethod
    def _keys(conversation_id: str) -> tuple[str, str]:
        return f"web:{conversation_id}:count", f"web:{conversation_id}:messages"

    async def _say(self, conversation_id: str, message: dict[str, Any], turn_id: str = "", turn: str = "") -> int:
        count, messages = self._keys(conversation_id)
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        number = int(
            await self._redis.eval(
                _SAY,
                4,
                *(count, messages, f"web:{conversation_id}:turn:{turn_id}", OPEN_TURNS),
                *(text, str(self._keep), WAKE, conversation_id, turn_id, turn),
            )
        )
        if number:
            for listener in self._listeners.get(conversation_id, ()):
                listener.numbered.append((number, message))
                listener.known = max(listener.known, number)
                listener.news.set()
        return number

    def _wake(self, conversation_id: str, number: int = 0) -> None:
        for listener in self._listeners.get(conversation_id, ()):
            listener.known = max(listener.known, number)
            listener.look = listener.look or not number
            if listener.look or listener.number < number:
                listener.news.set()

    def _tell(self, conversation_id: str, message: dict[str, Any]) -> None:
        for listener in self._listeners.get(conversation_id, ()):
            listener.hint(message)

    async def _follow(self) -> None:
        while not told_to_stop():
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(WAKE)
                    # Whatever was said while nobody listened is in the streams.
                    for conversation_id in list(self._listeners):
                        self._wake(conversation_id)
                    while not told_to_stop():
                        news = await channel.get_message(timeout=10.0)
                        if news is not None:
                            self._heard(str(news["data"]))
            except (RedisError, OSError) as error:
                log.warning("rooms.following_failed", error=type(error).__name__)
                await asyncio.sleep(0.5)

    def _heard(self, data: str) -> None:
        if not data.startswith("["):
            number, _, conversation_id = data.partition(":")
            self._wake(conversation_id, int(number))
            return
        conversation_id, message, origin = json.loads(data)
        if origin != id(self):
            self._tell(conversation_id, message)
