"""The way of a turn: seen before? what does it say? an emergency? whose turn is it? and then the dialogue.

Every turn that is accepted ends with an answer: the dialogue's, or an honest sentence and a person's number.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.identity.by_phone import PhoneIdentity
from bot.identity.models import Identity
from bot.switchboard import metrics
from bot.switchboard.choices import ChoiceBook, meant_by_id, meant_by_text
from bot.switchboard.claims import LEASE_SECONDS, Claim, TurnClaims
from bot.switchboard.dialogue import Dialogue, DialogueFailed, Done, Said
from bot.switchboard.emergency import Emergency, EmergencyDesk, Guard, Recognised, Script, find_emergency
from bot.switchboard.endings import with_endings
from bot.switchboard.journal import Journal, age_ms
from bot.switchboard.models import Button, Reply, Turn, TurnInProgress
from bot.switchboard.order import ConversationOrder, Hold, Place, TooLongInLine
from bot.switchboard.text import LONGEST_READ, Normalised, normalise
from bot.switchboard.wording import Wording
from integrations.base.clock import utc_now
from integrations.base.tasks import told_to_stop

log = structlog.get_logger()

MOST_WAITING = 12
"""Turns of one conversation that may run and wait in one process; a person does not type faster than that."""
CLAIM_SECONDS = 5.0
"""How long a turn waits for Redis to say whether it was seen; a restart takes less."""
EMERGENCY_CLAIM_SECONDS = 0.5


@dataclass(slots=True)
class _Run:
    """What is known of a turn under way."""

    turn: Turn
    read: Normalised
    emergency: Emergency | None = None
    outcome: str = "answered"
    intent: str = ""
    asking: str = ""
    said: list[Reply] = field(default_factory=list)
    words: int = 0
    heard: bool = False
    held: bool = False


class Switchboard:
    """The one door to the conversation.

    Args:
        redis: with decoded responses; for what several of these do in one journey.
        claims: which turns were seen.
        order: whose turn it is.
        choices: offered buttons.
        journal: what was said, and what happened.
        dialogue: Rasa.
        identity: level 1 by phone.
        guard: the safety guard.
        script: its fixed words.
        desk: urgent reports.
        wording: our own sentences.
        patience: seconds that a turn waits for the conversation's earlier ones.
    """

    def __init__(
        self,
        *,
        redis: Redis,
        claims: TurnClaims,
        order: ConversationOrder,
        choices: ChoiceBook,
        journal: Journal,
        dialogue: Dialogue,
        identity: PhoneIdentity,
        guard: Guard,
        script: Script,
        desk: EmergencyDesk,
        wording: Wording,
        patience: float = 45.0,
    ) -> None:
        self._redis = redis
        self._claims = claims
        self._order = order
        self._choices = choices
        self._journal = journal
        self._dialogue = dialogue
        self._identity = identity
        self._guard = guard
        self._script = script
        self._desk = desk
        self._wording = wording
        self._patience = patience

    async def handle(self, turn: Turn) -> AsyncGenerator[Reply, None]:
        """Answer a turn: replies as they are produced, the last one marked as final.

        A turn that was answered before gets none (`recall` has them). Whoever stops listening early gives the turn
        back: it counts as unanswered.

        Raises:
            TurnInProgress: another task or process is answering this very turn.
        """
        # The place is taken before anything is awaited: arrival decides the order.
        place = self._order.enter(turn.conversation_id) if turn.place is None else None
        started = time.monotonic()
        run = _Run(turn, normalise(turn.text))
        claimed = False
        heartbeat: asyncio.Task[None] | None = None
        metrics.running.inc()
        try:
            # Before anything that can be slow: nothing at all is needed to know an emergency.
            run.emergency = find_emergency(self._guard, run.read.windows(), turn.language) if run.read.whole else None
            try:
                async with asyncio.timeout(EMERGENCY_CLAIM_SECONDS if run.emergency else CLAIM_SECONDS):
                    claim = await self._claims.take(turn.conversation_id, turn.turn_id)
            except (RedisError, TimeoutError) as error:
                log.error("switchboard.claim_failed", error=type(error).__name__)
                async with contextlib.aclosing(with_endings(self._without_redis(run))) as replies:
                    async for reply in replies:
                        yield reply
                return
            if claim is Claim.RUNNING:
                raise TurnInProgress
            if claim is Claim.ANSWERED:
                metrics.turns.labels(turn.channel, "repeated").inc()
                await self._free_place(run)
                return
            claimed = True
            heartbeat = asyncio.create_task(self._keep_claim(turn))
            async with contextlib.aclosing(with_endings(self._answer(run, place))) as replies:
                first = True
                async for reply in replies:
                    if first:
                        metrics.stages.labels("first_reply").observe(time.monotonic() - started)
                        first = False
                    if reply.final and run.asking:
                        reply = replace(reply, asking=run.asking)
                    run.said.append(reply)
                    yield reply
            await self._finish(run, started)
            claimed = False
            await self._free_place(run)
        finally:
            metrics.running.dec()
            if place is not None:
                place.leave()
            if heartbeat is not None:
                heartbeat.cancel()
                await asyncio.gather(heartbeat, return_exceptions=True)
            if claimed:
                with contextlib.suppress(RedisError):
                    await asyncio.shield(self._claims.release(turn.conversation_id, turn.turn_id))

    async def recall(self, turn: Turn) -> tuple[Reply, ...]:
        """The replies of a turn that was answered before; empty when it was not.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        return await self._claims.said(turn.conversation_id, turn.turn_id)

    async def title_of(self, turn: Turn) -> str:
        """The title of the button that a turn's choice means; "" when it is not open any more."""
        try:
            button = meant_by_id(await self._choices.open(turn.conversation_id), turn.choice)
        except RedisError:
            return ""
        return button.title if button else ""

    async def give_up(self, turn: Turn) -> None:
        """A queued turn will not come: its place is free."""
        if turn.place is not None:
            await self._order.forget(turn.conversation_id, turn.place)

    async def stop(self) -> None:
        """Wait for the urgent reports under way."""
        await self._desk.finish()

    # -- the way of a turn

    async def _answer(self, run: _Run, place: Place | None) -> AsyncGenerator[Reply, None]:
        turn, read = run.turn, run.read
        if run.emergency:
            reply = self._emergency_script(run)
            yield reply
            await self._journal.heard(turn, read.text)
            await self._journal.said(turn, reply)
            await self._event(run, "safety.script", kind=run.emergency.kind, confidence=run.emergency.confidence)
            run.heard = True
        if read.shortened and not run.emergency:
            await self._hear(run)
            yield await self._say(run, "shortened", longest=f"{LONGEST_READ:,}")
        if not (read.readable or turn.choice or turn.command or turn.digits or run.emergency):
            run.outcome = "unreadable"
            await self._hear(run)
            yield await self._say(run, "picture" if turn.media else "unreadable")
            return
        if place is not None and self._order.waiting(turn.conversation_id) > MOST_WAITING:
            run.outcome = "too_many"
            await self._hear(run)
            yield await self._say(run, "busy")
            return
        waited = time.monotonic()

        def along(pipe: Any) -> None:
            self._identity.store.get_in(pipe, turn.conversation_id)
            self._choices.open_in(pipe, turn.conversation_id)
            if not run.heard:
                self._journal.heard_in(pipe, turn, read.text)

        try:
            async with self._order.hold(turn.conversation_id, place, turn.place, self._patience, along) as hold:
                run.held = True
                run.heard = True
                metrics.stages.labels("wait").observe(time.monotonic() - waited)
                async with contextlib.aclosing(self._in_turn(run, hold)) as replies:
                    async for reply in replies:
                        yield reply
        except TooLongInLine:
            run.outcome = "waited_too_long"
            await self._hear(run)
            yield await self._failed(run, "busy")
        except RedisError as error:
            run.outcome = "redis_failed"
            log.error("switchboard.redis_failed", error=type(error).__name__)
            yield await self._failed(run, "failed")

    async def _in_turn(self, run: _Run, hold: Hold) -> AsyncGenerator[Reply, None]:
        turn = run.turn
        began = time.monotonic()
        known, offered = await self._read_along(run, hold)
        await self._identity.identify(turn.conversation_id, turn.phone, known)
        metrics.stages.labels("identity").observe(time.monotonic() - began)
        button = meant_by_id(offered, turn.choice) if turn.choice else None
        if turn.choice and button is None and not run.emergency:
            run.outcome = "choice_gone"
            yield await self._say(run, "choice_gone")
            return
        text, metadata = self._message(run, button or self._meant(run, offered))
        opened: list[Button] = []
        unnoted: list[Reply] = []
        began = time.monotonic()
        try:
            async with contextlib.aclosing(
                self._dialogue.turn(turn.conversation_id, turn.turn_id, text, metadata)
            ) as lines:
                async for line in lines:
                    if isinstance(line, Done):
                        run.intent, run.asking = line.intent, line.asking
                    elif line.emergency:
                        if run.emergency is None:
                            yield await self._late_emergency(run, line.emergency)
                    elif line.again:
                        # Nothing new has happened, so nothing is reported: the words only.
                        reply = self._script_of(run, line.again, turn.language)
                        await self._journal.said(turn, reply)
                        run.words += 1
                        yield reply
                    elif line.text or line.buttons or line.image:
                        reply = self._reply(line)
                        opened.extend(reply.buttons)
                        # The last one is noted along with what else ends a turn.
                        if unnoted:
                            await self._journal.said(turn, *unnoted)
                        unnoted = [reply]
                        run.words += 1
                        yield reply
        except DialogueFailed as failure:
            run.outcome = failure.code
            metrics.failures.labels(failure.code).inc()
            log.error("switchboard.dialogue_failed", code=failure.code, conversation=turn.conversation_id)
            if unnoted:
                await self._journal.said(turn, *unnoted)
            # What was open stays open: the customer may press it again. The half-told turn's own buttons too.
            if opened:
                await self._choices.offer(turn.conversation_id, tuple(opened), hold.fence)
            yield await self._failed(run, "failed")
            return
        metrics.stages.labels("dialogue").observe(time.monotonic() - began)
        await self._end_turn(run, hold, unnoted, opened)
        if not run.words:
            run.outcome = "no_reply"
            metrics.failures.labels("no_reply").inc()
            log.error("switchboard.no_reply", conversation=turn.conversation_id, intent=run.intent)
            yield await self._say(run, "emergency_person" if run.emergency else "no_reply")

    async def _read_along(self, run: _Run, hold: Hold) -> tuple[Identity | None, tuple[Button, ...]]:
        """The conversation's identity and open buttons: read while it was entered, or now."""
        conversation_id = run.turn.conversation_id
        if hold.answers is not None and not any(isinstance(one, Exception) for one in hold.answers[:3]):
            stored, _, buttons = hold.answers[:3]
            return self._identity.store.read(conversation_id, stored), self._choices.read(buttons)
        return None, await self._choices.open(conversation_id)

    async def _end_turn(self, run: _Run, hold: Hold, unnoted: list[Reply], opened: list[Button]) -> None:
        """Note the last words, open the new buttons, and make way for the next turn, in one journey."""
        turn = run.turn
        async with self._redis.pipeline(transaction=False) as pipe:
            if unnoted:
                self._journal.said_in(pipe, turn, *unnoted)
            before = len(pipe)
            self._choices.offer_in(pipe, turn.conversation_id, tuple(opened), hold.fence)
            hold.leave_in(pipe)
            answers = await pipe.execute(raise_on_error=False)
        for number, answer in enumerate(answers):
            if isinstance(answer, Exception):
                if number >= before:
                    raise answer
                metrics.failures.labels("journal").inc()
                log.error("switchboard.not_noted", error=type(answer).__name__)
        hold.left = True

    async def _hear(self, run: _Run) -> None:
        """Note what the customer said, unless that was done."""
        if not run.heard:
            run.heard = True
            await self._journal.heard(run.turn, run.read.text)

    async def _without_redis(self, run: _Run) -> AsyncGenerator[Reply, None]:
        """Nothing can be remembered or kept in order, so only an emergency is dealt with; the rest hears the truth."""
        turn = run.turn
        metrics.failures.labels("redis").inc()
        metrics.turns.labels(turn.channel, "redis_failed").inc()
        if run.emergency:
            yield self._emergency_script(run)
            yield self._sentence(run, "emergency_person")
        else:
            yield self._sentence(run, "failed_unkept")

    # -- its parts

    async def _late_emergency(self, run: _Run, kind: str) -> Reply:
        """The classifier knew an emergency that the guard did not: the same script, the same urgent report."""
        run.emergency = Recognised(kind)
        run.words += 1
        reply = self._emergency_script(run)
        await self._journal.said(run.turn, reply)
        await self._event(run, "safety.late", kind=kind)
        metrics.failures.labels("guard_missed").inc()
        return reply

    def _emergency_script(self, run: _Run) -> Reply:
        turn, emergency = run.turn, run.emergency
        assert emergency is not None
        self._desk.report(turn, emergency, run.read.text)
        return self._script_of(run, emergency.kind, str(getattr(emergency, "language", None) or turn.language))

    def _script_of(self, run: _Run, kind: str, language: str) -> Reply:
        try:
            words = self._script(kind, run.turn.channel, language)
        except Exception as error:  # a missing script is no reason for silence in an emergency
            metrics.failures.labels("safety_script").inc()
            log.critical("safety.script_failed", kind=kind, error=type(error).__name__)
            words = self._wording.say("emergency_person", language, run.turn.channel)
        return Reply(words, source="safety", response=f"safety_{kind}")

    @staticmethod
    def _meant(run: _Run, offered: tuple[Button, ...]) -> Button | None:
        if run.emergency or run.turn.command:
            return None
        return meant_by_text(offered, run.read.text or run.turn.digits) if offered else None

    @staticmethod
    def _message(run: _Run, button: Button | None) -> tuple[str, dict[str, Any]]:
        """What the dialogue is told: a command that we vouch for, or the customer's words."""
        turn = run.turn
        metadata: dict[str, Any] = {
            "channel": turn.channel,
            "language": turn.language,
            "phone": turn.phone,
            "trusted": True,
        }
        if turn.interrupted is not None:
            metadata["interrupted"] = turn.interrupted
        if run.emergency:
            return f"/{run.emergency.kind}", {**metadata, "guard": True}
        if turn.command:
            return turn.command, metadata
        if button is not None:
            return button.payload, metadata
        return run.read.text or turn.digits, {**metadata, "trusted": False}

    @staticmethod
    def _reply(line: Said) -> Reply:
        return Reply(line.text, ChoiceBook.marked(line.buttons), line.image, response=line.response)

    def _sentence(self, run: _Run, name: str, **values: object) -> Reply:
        text = self._wording.say(name, run.turn.language, run.turn.channel, **values)
        return Reply(text, source="system", response=f"system_{name}")

    async def _say(self, run: _Run, name: str, **values: object) -> Reply:
        reply = self._sentence(run, name, **values)
        await self._journal.said(run.turn, reply)
        return reply

    async def _failed(self, run: _Run, name: str) -> Reply:
        await self._event(run, "turn.failed", code=run.outcome)
        # After a script, what counts is where a person is, not what broke.
        return await self._say(run, "emergency_person" if run.emergency else name)

    async def _finish(self, run: _Run, started: float) -> None:
        turn = run.turn
        metrics.turns.labels(turn.channel, run.outcome).inc()
        metrics.stages.labels("turn").observe(time.monotonic() - started)
        fields: dict[str, str | int | float] = {
            "conversation": turn.conversation_id,
            "turn": turn.turn_id,
            "channel": turn.channel,
            "outcome": run.outcome,
            "intent": run.intent,
            "replies": sum(not reply.is_empty for reply in run.said),
            "ms": int((time.monotonic() - started) * 1000),
            "age_ms": age_ms(turn.received_at, utc_now()),
        }

        def along(pipe: Any) -> None:
            self._journal.event_in(pipe, "turn.answered", **fields)

        try:
            await self._claims.finish(turn.conversation_id, turn.turn_id, run.said, along)
        except RedisError as error:
            metrics.failures.labels("ledger").inc()
            log.error("switchboard.finish_failed", error=type(error).__name__)

    async def _free_place(self, run: _Run) -> None:
        """A reserved place of a turn that did not need it: nobody shall wait behind it."""
        if not run.held:
            await self.give_up(run.turn)

    async def _event(self, run: _Run, name: str, **fields: str | int | float) -> None:
        turn = run.turn
        await self._journal.event(
            name, conversation=turn.conversation_id, turn=turn.turn_id, channel=turn.channel, **fields
        )

    async def _keep_claim(self, turn: Turn) -> None:
        while not told_to_stop():
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(RedisError):  # it may come back before the lease ends
                await self._claims.renew(turn.conversation_id, turn.turn_id)
