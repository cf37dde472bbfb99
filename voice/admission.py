"""Whether a call can be talked with now: speech has room for it and everything behind it answers.

Better a keypad menu that works than a conversation that does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from voice.player import Clock
from voice.protocols import Speech, SpeechFull, SpeechUnavailable
from voice.records import CallRecords

log = structlog.get_logger()

CHECK_SECONDS = 0.8
"""For each thing behind us; a caller hears it ring meanwhile."""
KNOWN_SECONDS = 3.0
"""How long an answer to a check counts: in a storm, thousands of callers ask."""
RESERVED_SECONDS = 20.0
"""A share of speech that was asked for, and whose socket does not come."""

Check = Callable[[], Awaitable[bool]]


class Admission:
    """Decides.

    Args:
        speech: whose share is taken.
        records: knows which calls have sockets here.
        checks: what has to answer, by name.
        most: calls with sockets in this process.
        reserved: seconds that a share waits for its socket.
    """

    def __init__(
        self,
        speech: Speech,
        records: CallRecords,
        checks: Mapping[str, Check],
        most: int,
        reserved: float = RESERVED_SECONDS,
    ) -> None:
        self._speech = speech
        self._records = records
        self._checks = checks
        self._most = most
        self._reserved = reserved
        self._known: dict[str, tuple[float, bool]] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def ask(self, call_sid: str) -> str:
        """Take a share of speech for a call; "" when it has it, else what is wrong.

        The share is given back when no socket comes. Asking twice for a call is asking once.
        """
        if self._most <= len((self._records.live.keys() | self._waiting.keys()) - {call_sid}):
            return "too_many"
        names = list(self._checks)
        healthy = await asyncio.gather(*(self._holds(name) for name in names))
        for name, good in zip(names, healthy, strict=True):
            if not good:
                return f"{name}_down"
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._speech.admit(call_sid)
        except SpeechFull:
            return "speech_full"
        except (SpeechUnavailable, TimeoutError):
            await self._speech.release(call_sid)
            return "speech_down"
        self._reserve(call_sid)
        return ""

    async def over(self, call_sid: str) -> None:
        """The carrier says that a call has ended."""
        task = self._waiting.pop(call_sid, None)
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if call_sid not in self._records.live:
            await self._speech.release(call_sid)

    async def stop(self) -> None:
        """Wait for nobody any more."""
        waiting = list(self._waiting.values())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._waiting.clear()

    def _reserve(self, call_sid: str) -> None:
        older = self._waiting.pop(call_sid, None)
        if older:
            older.cancel()
        task = asyncio.create_task(self._wait(call_sid))
        self._waiting[call_sid] = task
        task.add_done_callback(
            lambda done: self._waiting.pop(call_sid) if self._waiting.get(call_sid) is done else None
        )

    async def _wait(self, call_sid: str) -> None:
        await asyncio.sleep(self._reserved)
        # A call that has begun gives its share back itself. Where another process has its socket, that process does:
        # the share is named after the call, not after who asked for it.
        if call_sid not in self._records.live and not await self._records.has_stream(call_sid):
            log.info("voice.share_unused", call=call_sid)
            await self._speech.release(call_sid)

    async def _holds(self, name: str) -> bool:
        clock: Clock = asyncio.get_running_loop().time
        known = self._known.get(name)
        if known and clock() - known[0] < KNOWN_SECONDS:
            return known[1]
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                good = bool(await self._checks[name]())
        except Exception as error:  # whatever a check can raise, it means no
            log.warning("voice.check_failed", check=name, error=type(error).__name__)
            good = False
        self._known[name] = (clock(), good)
        return good
