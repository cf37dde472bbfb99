"""Turns at the switchboard's door, each in a task of its own: a newer one must never wait for an older one's words.

The switchboard keeps them in order, and looks for an emergency before anything else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.switchboard import Door, Reply, Turn, TurnInProgress
from bot.switchboard.metrics import failures
from voice.hearing import Post

log = structlog.get_logger()

GRACE_SECONDS = 5.0
"""A caller who says "yes, report it" and hangs up has reported it: a turn under way may end by itself for so long."""


class Answers:
    """The turns of one call that are being answered.

    Args:
        door: the switchboard.
        post: hands work to the call.
        replied: called with a turn's number and each of its replies.
        answered: called with a turn's number when nothing more comes, and whether it went well.
    """

    def __init__(
        self,
        door: Door,
        post: Post,
        replied: Callable[[int, Reply], Awaitable[None]],
        answered: Callable[[int, bool], Awaitable[None]],
    ) -> None:
        self._door = door
        self._post = post
        self._replied = replied
        self._answered = answered
        self._running: dict[int, asyncio.Task[None]] = {}

    def is_running(self, number: int) -> bool:
        """Whether replies to this turn may still come."""
        return number in self._running

    def start(self, number: int, turn: Turn) -> None:
        """Hand a turn in."""
        task = asyncio.create_task(self._answer(number, turn))
        self._running[number] = task
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def aclose(self, grace: float = GRACE_SECONDS) -> None:
        """Let what is under way end, for at most `grace` seconds; nobody hears it any more."""
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _answer(self, number: int, turn: Turn) -> None:
        well = True
        try:
            async with contextlib.aclosing(self._door.handle(turn)) as replies:
                async for reply in replies:
                    self._post(_bound(self._replied, number, reply))
        except TurnInProgress:
            # Only the same turn id twice does this, and numbers are given once; then the other one answers.
            log.warning("voice.turn_in_progress", conversation=turn.conversation_id)
        except Exception as error:  # the boundary of a turn: the caller hears of it, whatever broke
            well = False
            failures.labels("voice_turn").inc()
            log.error("voice.turn_failed", error=type(error).__name__, exc_info=error)
        self._post(lambda: self._answered(number, well))


def _bound(
    replied: Callable[[int, Reply], Awaitable[None]], number: int, reply: Reply
) -> Callable[[], Awaitable[None]]:
    return lambda: replied(number, reply)
