"""Works on queued texts: keywords, then the conversation, then the reply; each at least once, each text sent once.

A text leaves the stream when its reply has been handed to Twilio. What a dead worker left is claimed by another after
`IDLE_SECONDS`; what fails again and again goes to the dead letters, and the customer hears that it did.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.keywords import Keyword, keyword_of
from bot.channels.sms_queue import DEAD, GROUP, TEXTS, turn_from_dict
from bot.channels.sms_render import Outgoing, compose
from bot.switchboard.emergency import Guard, find_emergency
from bot.switchboard.journal import Journal
from bot.switchboard.metrics import failures, turns
from bot.switchboard.models import Door, Reply, Turn, TurnInProgress
from bot.switchboard.text import normalise
from bot.switchboard.wording import Wording
from integrations.base.tasks import told_to_stop
from integrations.twilio.errors import TwilioOptedOut, TwilioRejected, TwilioUnavailable

log = structlog.get_logger()

IDLE_SECONDS = 30.0
"""A text whose worker gives no sign of life for this long is taken by another."""
MOST_DELIVERIES = 5
READ_AHEAD = 4
_DEAD_KEPT = 10_000


class Messages(Protocol):
    """The part of Twilio that is needed here."""

    async def send(self, to: str, body: str, media_url: str | list[str] | None = None, *, idempotency: str) -> str:
        """Send a message once."""
        ...


class Consents(Protocol):
    """Who said STOP."""

    async def set(self, phone: str, stopped: bool, category: str = "all", source: str = "") -> bool:
        """Stop or start; whether it changed anything."""
        ...

    async def is_stopped(self, phone: str, category: str = "all") -> bool:
        """Whether nothing may be sent."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A text on the stream."""

    ident: str
    turn: Turn
    to: str = field(repr=False)
    again: bool = False


class TextWorker:
    """One worker of the group.

    Args:
        redis: with decoded responses.
        door: the switchboard.
        messages: sends texts.
        consents: who said STOP.
        guard: to let emergencies pass the line, and to answer them for those who stopped.
        journal: for the ledger's events.
        wording: our own sentences.
        concurrency: turns at once.
        idle: see `IDLE_SECONDS`.
        block: seconds that one read waits for news.
    """

    def __init__(
        self,
        redis: Redis,
        door: Door,
        messages: Messages,
        consents: Consents,
        guard: Guard,
        journal: Journal,
        wording: Wording,
        concurrency: int = 32,
        idle: float = IDLE_SECONDS,
        block: float = 1.0,
    ) -> None:
        self._redis = redis
        self._door = door
        self._messages = messages
        self._consents = consents
        self._guard = guard
        self._journal = journal
        self._wording = wording
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._idle_ms = int(idle * 1000)
        self._block_ms = int(block * 1000)
        self._name = f"worker-{secrets.token_hex(6)}"
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event, grace: float = 10.0) -> None:
        """Work until told to stop; then let the running turns end, for at most `grace` seconds."""
        loops = [
            asyncio.create_task(self._again_and_again(self._read)),
            asyncio.create_task(self._again_and_again(self._take_over)),
            asyncio.create_task(self._again_and_again(self._keep)),
        ]
        try:
            await stop.wait()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            if self._tasks:
                _, late = await asyncio.wait(self._tasks.values(), timeout=grace)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)

    # -- the stream

    async def _again_and_again(self, step: Callable[[], Awaitable[None]]) -> None:
        while not told_to_stop():
            try:
                await step()
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    log.error("texts.stream_failed", error=type(error).__name__)
                    await asyncio.sleep(1.0)
                    continue
                await self._make_group()
            except (RedisError, OSError) as error:
                log.warning("texts.redis_failed", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(TEXTS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        except RedisError as error:
            log.warning("texts.group_not_made", error=type(error).__name__)
            await asyncio.sleep(0.5)

    async def _read(self) -> None:
        room = self._concurrency * READ_AHEAD - len(self._tasks)
        if room <= 0:
            await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            return
        answer: Any = await self._redis.xreadgroup(
            GROUP, self._name, {TEXTS: ">"}, count=min(room, self._concurrency), block=self._block_ms
        )
        for _, entries in answer or ():
            for ident, fields in entries:
                await self._begin(ident, fields, False)

    async def _take_over(self) -> None:
        """Entries of workers that died, and those whose reply could not be sent."""
        answer: Any = await self._redis.xautoclaim(
            TEXTS, GROUP, self._name, min_idle_time=self._idle_ms, start_id="0-0", count=self._concurrency
        )
        for ident, fields in answer[1]:
            if ident in self._tasks or not fields:
                continue
            seen: Any = await self._redis.xpending_range(TEXTS, GROUP, min=ident, max=ident, count=1)
            if seen and int(seen[0]["times_delivered"]) > MOST_DELIVERIES:
                await self._bury(ident, fields, "tried_too_often")
            else:
                await self._begin(ident, fields, True)
        await asyncio.sleep(self._idle_ms / 3000)

    async def _keep(self) -> None:
        """Say of what is being worked on that it is."""
        await asyncio.sleep(self._idle_ms / 4000)
        if self._tasks:
            await self._redis.xclaim(TEXTS, GROUP, self._name, 0, list(self._tasks), justid=True)

    async def _begin(self, ident: str, fields: dict[str, str], again: bool) -> None:
        try:
            data = json.loads(fields["turn"])
            entry = Entry(ident, turn_from_dict(data["turn"], int(fields["place"]) or None), data["to"], again)
        except (ValueError, KeyError, TypeError):
            log.error("texts.entry_unreadable")
            await self._bury(ident, fields, "unreadable")
            return
        task = asyncio.create_task(self._work(entry))
        self._tasks[ident] = task
        task.add_done_callback(lambda _: self._tasks.pop(ident, None))

    async def _done(self, entry: Entry) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(TEXTS, GROUP, entry.ident)
            pipe.xdel(TEXTS, entry.ident)
            await pipe.execute()

    async def _bury(self, ident: str, fields: dict[str, str], reason: str) -> None:
        """Put a text among the dead letters, and tell the customer when it can be read whose it is."""
        failures.labels("text_dead_letter").inc()
        log.error("texts.dead_letter", reason=reason)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            data = json.loads(fields["turn"])
            entry = Entry(ident, turn_from_dict(data["turn"], int(fields["place"]) or None), data["to"])
            await self._door.give_up(entry.turn)
            await self._journal.event("sms.dead_letter", conversation=entry.turn.conversation_id, reason=reason)
            with contextlib.suppress(TwilioUnavailable, TwilioRejected):
                if not await self._stopped(entry.to):
                    await self._send(entry, [self._own("failed", entry)], "dead")
        async with self._redis.pipeline(transaction=True) as pipe:
            letter: dict[Any, Any] = {**fields, "reason": reason}
            pipe.xadd(DEAD, letter, maxlen=_DEAD_KEPT, approximate=True)
            pipe.xack(TEXTS, GROUP, ident)
            pipe.xdel(TEXTS, ident)
            await pipe.execute()

    # -- a text

    async def _work(self, entry: Entry) -> None:
        read = normalise(entry.turn.text)
        urgent = find_emergency(self._guard, read.windows(), entry.turn.language) is not None if read.whole else False
        try:
            # Emergencies do not wait for a free hand.
            async with contextlib.nullcontext() if urgent else self._slots:
                await self._answer(entry, read.text, urgent)
            await self._done(entry)
        except TurnInProgress:
            log.info("texts.in_progress_elsewhere")
        except TwilioUnavailable as error:
            failures.labels("sms_send").inc()
            log.error("texts.reply_not_sent", reason=str(error))
        except RedisError as error:
            log.error("texts.turn_not_finished", error=type(error).__name__)
        except Exception as error:  # the boundary of a text: it stays on the stream and is tried again
            failures.labels("text_turn").inc()
            log.error("texts.turn_failed", error=type(error).__name__, exc_info=error)

    async def _answer(self, entry: Entry, text: str, urgent: bool) -> None:
        stopped = await self._stopped(entry.to)
        keyword = keyword_of(text, stopped) if text and not entry.turn.media else None
        if keyword is not None and keyword.kind != "command":
            await self._consent(entry, keyword, stopped)
            await self._door.give_up(entry.turn)
            return
        if stopped and not urgent:
            turns.labels(entry.turn.channel, "stopped").inc()
            await self._door.give_up(entry.turn)
            await self._journal.event("sms.unanswered_after_stop", conversation=entry.turn.conversation_id)
            return
        turn = replace(entry.turn, command=keyword.command) if keyword else entry.turn
        await self._converse(replace(entry, turn=turn), stopped)

    async def _converse(self, entry: Entry, stopped: bool) -> None:
        replies: list[Reply] = []
        language = entry.turn.language
        sent = 0
        async with contextlib.aclosing(self._door.handle(entry.turn)) as coming:
            async for reply in coming:
                replies.append(reply)
                if reply.source == "safety":
                    ready = [one for one in compose(replies, language) if one.urgent]
                    await self._send(entry, ready[sent:], "", sent)
                    sent = len(ready)
        if not replies:
            # Answered by a worker that may have died before it sent the answer. What was sent is known to the sender.
            replies = list(await self._door.recall(entry.turn))
            sent = 0
        texts = compose(replies, language)
        await self._send(entry, [one for one in texts if one.urgent or not stopped][sent:], "", sent)

    async def _consent(self, entry: Entry, keyword: Keyword, stopped: bool) -> None:
        turn = replace(entry.turn, language=keyword.language)
        entry = replace(entry, turn=turn)
        if keyword.kind == "help":
            if not stopped:
                await self._send(entry, [self._own("help", entry)], "help")
            return
        stop = keyword.kind == "stop"
        changed = await self._consents.set(entry.to, stop, source=f"{turn.channel} keyword")
        if changed:
            await self._journal.event(
                "consent.stopped" if stop else "consent.started", conversation=turn.conversation_id, turn=turn.turn_id
            )
        # One confirmation of a STOP; one that may not have gone out is sent again and known by its key.
        if changed or entry.again or not stop:
            await self._send(entry, [self._own("stopped" if stop else "started", entry)], keyword.kind)

    async def _stopped(self, phone: str) -> bool:
        try:
            return await self._consents.is_stopped(phone)
        except (SQLAlchemyError, OSError) as error:
            # They have just written to us, and Twilio has a list of its own: an answer is better than silence.
            log.error("texts.consents_unknown", error=type(error).__name__)
            return False

    def _own(self, name: str, entry: Entry) -> Outgoing:
        return Outgoing(self._wording.say(name, entry.turn.language, entry.turn.channel))

    async def _send(self, entry: Entry, texts: list[Outgoing], kind: str, first: int = 0) -> None:
        """Send the texts of a turn in their order; each has a key that stays the same when the turn comes again."""
        to = f"whatsapp:{entry.to}" if entry.turn.channel == "whatsapp" else entry.to
        for number, text in enumerate(texts, first):
            key = f"{entry.turn.turn_id}:{kind}{number}"
            try:
                await self._messages.send(to, text.body, text.media_url, idempotency=key)
            except TwilioOptedOut:
                log.info("texts.opted_out_at_carrier")
                await self._consents.set(entry.to, True, source="twilio 21610")
                return
            except TwilioRejected as error:
                failures.labels("sms_rejected").inc()
                log.error("texts.reply_rejected", status=error.status, code=error.code)
                return
