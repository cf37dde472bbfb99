"""Turns of the web chat: they run apart from sockets, so one goes on when its tab is closed.

A turn is accepted by being written among the open turns; one whose process died is found there and taken up again.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot.channels.rooms import Rooms
from bot.identity.tokens import Session
from bot.switchboard import Door, Reply, Turn, TurnInProgress
from bot.switchboard.metrics import failures
from bot.switchboard.wording import Wording
from integrations.base.clock import Now, utc_now
from integrations.base.tasks import told_to_stop

log = structlog.get_logger()

LONGEST_ECHO = 2_000
SWEEP_SECONDS = 10.0
TYPING_AFTER_SECONDS = 0.15
"""An answer that comes sooner needs no sign that it is being written; one that flickers up only unsettles."""
ORPHANED_AFTER = timedelta(seconds=30)
"""An open turn of this age whose claim has ended has lost its process."""
HOPELESS_AFTER = timedelta(minutes=15)


class WebTurns:
    """Accepts turns and answers them into the rooms.

    Args:
        door: the switchboard.
        rooms: where messages go.
        wording: for when even the switchboard breaks.
        now: the clock.
        sweep: seconds between two looks for orphaned turns.
        orphaned_after: age of an orphan.
    """

    def __init__(
        self,
        door: Door,
        rooms: Rooms,
        wording: Wording,
        now: Now = utc_now,
        sweep: float = SWEEP_SECONDS,
        orphaned_after: timedelta = ORPHANED_AFTER,
    ) -> None:
        self._door = door
        self._rooms = rooms
        self._wording = wording
        self._now = now
        self._sweep = sweep
        self._orphaned_after = orphaned_after
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for orphaned turns."""
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def stop(self, grace: float) -> None:
        """Let the running turns end, for at most `grace` seconds; what is left is taken up by another process."""
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def accept(self, session: Session, *, text: str, turn_id: str, choice: str, language: str) -> None:
        """Take a customer's message in; its answer comes by the room. One that was accepted before is passed over."""
        turn = Turn(
            conversation_id=session.conversation_id,
            turn_id=turn_id,
            channel="web",
            text=text,
            received_at=self._now(),
            language=language,
            phone=session.phone,
            choice=choice,
        )
        shown = text
        if choice and not text:
            shown = await self._door.title_of(turn)
        echo = {"type": "user", "text": shown[:LONGEST_ECHO], "id": turn_id}
        try:
            accepted = await self._rooms.accept(session.conversation_id, turn_id, echo, _to_dict(turn))
        except RedisError as error:
            log.error("web.turn_not_kept", error=type(error).__name__)
            accepted = True  # an emergency is answered without Redis too; the switchboard says what cannot be done
        if accepted:
            self._run(turn)

    def _run(self, turn: Turn) -> None:
        key = (turn.conversation_id, turn.turn_id)
        if key in self._running:
            return
        task = asyncio.create_task(self._answer(turn))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _answer(self, turn: Turn) -> None:
        conversation_id = turn.conversation_id
        typing = asyncio.create_task(self._show_typing(conversation_id))
        try:
            async with contextlib.aclosing(self._door.handle(turn)) as replies:
                async for reply in replies:
                    await self._rooms.say(conversation_id, wire(reply, turn.turn_id))
        except TurnInProgress:
            return
        except Exception as error:  # the boundary of a turn: the customer hears of it, whatever broke
            failures.labels("web_turn").inc()
            log.error("web.turn_failed", error=type(error).__name__, exc_info=error)
            sorry = Reply(
                self._wording.say("failed", turn.language, "web"),
                final=True,
                source="system",
                response="system_failed",
            )
            await self._rooms.say(conversation_id, wire(sorry, turn.turn_id))
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)
        try:
            await self._rooms.answered(conversation_id, turn.turn_id)
        except RedisError as error:
            log.warning("web.turn_left_open", error=type(error).__name__)

    async def _show_typing(self, conversation_id: str) -> None:
        await asyncio.sleep(TYPING_AFTER_SECONDS)
        await self._rooms.hint(conversation_id, {"type": "typing", "on": True})

    async def _sweep_for_ever(self) -> None:
        while not told_to_stop():
            await asyncio.sleep(self._sweep)
            try:
                await self.take_up_orphans()
            except RedisError as error:
                log.warning("web.sweep_failed", error=type(error).__name__)

    async def take_up_orphans(self) -> int:
        """Answer turns whose process died.

        Returns:
            How many were taken up.
        """
        taken = 0
        now = self._now()
        for data in await self._rooms.open_turns():
            turn = _from_dict(data)
            age = now - turn.received_at
            if age > HOPELESS_AFTER:
                log.error("web.turn_given_up", conversation=turn.conversation_id)
                failures.labels("web_turn_given_up").inc()
                sorry = Reply(self._wording.say("failed", turn.language), final=True, source="system")
                await self._rooms.say(turn.conversation_id, wire(sorry, turn.turn_id))
                await self._rooms.answered(turn.conversation_id, turn.turn_id)
            elif age > self._orphaned_after and (turn.conversation_id, turn.turn_id) not in self._running:
                log.warning("web.turn_taken_up", conversation=turn.conversation_id)
                taken += 1
                self._run(turn)
        return taken


def wire(reply: Reply, turn_id: str) -> dict[str, Any]:
    """A reply as the client sees it."""
    return {
        "type": "agent" if reply.source == "agent" else "bot",
        "text": reply.text,
        "buttons": [{"id": button.id, "title": button.title} for button in reply.buttons],
        "image": reply.image,
        "final": reply.final,
        "source": reply.source,
        "turn": turn_id,
    }


def _to_dict(turn: Turn) -> dict[str, Any]:
    return {
        "conversation_id": turn.conversation_id,
        "turn_id": turn.turn_id,
        "text": turn.text,
        "received_at": turn.received_at.isoformat(),
        "language": turn.language,
        "phone": turn.phone,
        "choice": turn.choice,
    }


def _from_dict(data: dict[str, Any]) -> Turn:
    turn = Turn(**{**data, "channel": "web"})
    return replace(turn, received_at=datetime.fromisoformat(data["received_at"]))
