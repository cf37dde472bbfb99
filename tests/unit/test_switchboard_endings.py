from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.switchboard.endings import with_endings
from bot.switchboard.models import Reply

pytestmark = pytest.mark.unit


async def produced(*replies: Reply, gate: asyncio.Event | None = None) -> AsyncGenerator[Reply, None]:
    for reply in replies:
        yield reply
    if gate:
        await gate.wait()


async def test_the_last_reply_of_a_turn_says_so() -> None:
    told = [reply async for reply in with_endings(produced(Reply("one"), Reply("two")))]
    assert [(reply.text, reply.final) for reply in told] == [("one", False), ("two", True)]


async def test_a_reply_is_not_kept_back_for_long_and_an_empty_one_ends_the_turn() -> None:
    gate = asyncio.Event()
    replies = with_endings(produced(Reply("looking"), gate=gate), hold_back=0.01)
    first = await anext(replies)
    assert (first.text, first.final) == ("looking", False)
    gate.set()
    [last] = [reply async for reply in replies]
    assert last.is_empty and last.final


async def test_a_safety_script_is_never_kept_back() -> None:
    replies = with_endings(produced(Reply("leave now", source="safety"), gate=asyncio.Event()), hold_back=3600)
    assert (await anext(replies)).text == "leave now"
    await replies.aclose()


async def test_no_replies_are_no_replies() -> None:
    assert [reply async for reply in with_endings(produced())] == []


async def test_a_failure_reaches_the_listener_after_what_was_said() -> None:
    async def fails() -> AsyncGenerator[Reply, None]:
        yield Reply("one")
        raise ValueError

    told: list[Reply] = []
    with pytest.raises(ValueError):
        async for reply in with_endings(fails()):
            told.append(reply)
    assert all(not reply.final for reply in told)


async def test_a_listener_who_leaves_ends_the_turn() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[Reply, None]:
        try:
            yield Reply("one")
            await asyncio.Event().wait()
        finally:
            ended.set()

    replies = with_endings(endless(), hold_back=0.01)
    await anext(replies)
    await replies.aclose()
    assert ended.is_set()
