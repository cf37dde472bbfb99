"""Telling which reply is a turn's last, without keeping the others back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from bot.switchboard.models import Reply

HOLD_BACK_SECONDS = 0.1
"""How long a reply waits for the end of its turn, so that it can say that it is the last; nobody notices a tenth."""


async def with_endings(
    replies: AsyncGenerator[Reply, None], hold_back: float = HOLD_BACK_SECONDS
) -> AsyncGenerator[Reply, None]:
    """The same replies, the last one marked; an empty one follows when the last had left before that was known.

    The producer runs in a task of its own, so that its time limits live in one task; it is ended with the consumer.
    A safety script is never held back.
    """
    queue: asyncio.Queue[Reply | None] = asyncio.Queue()

    async def produce() -> None:
        try:
            async with contextlib.aclosing(replies):
                async for reply in replies:
                    queue.put_nowait(reply)
        finally:
            queue.put_nowait(None)

    producer = asyncio.create_task(produce())
    held: Reply | None = None
    anything = False
    try:
        while True:
            try:
                async with asyncio.timeout(hold_back if held else None):
                    reply = await queue.get()
            except TimeoutError:
                assert held is not None
                yield held
                held = None
                continue
            if reply is None:
                break
            if held is not None:
                yield held
                held = None
            anything = True
            if reply.source == "safety":
                yield reply
            else:
                held = reply
        await producer
        if held is not None:
            yield replace(held, final=True)
        elif anything:
            yield Reply("", final=True, source="system")
    finally:
        if not producer.done():
            producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)
