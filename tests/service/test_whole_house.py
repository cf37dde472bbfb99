"""The whole product when parts of it die, and what its logs hold. Real processes, the real Rasa, a real Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conversations.channels import WebLine
from tests.stack import Stack

pytestmark = pytest.mark.service
ROSA = "+12075550101"


@pytest.fixture
async def line(stack: Stack) -> AsyncIterator[WebLine]:
    stack.check()
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.post(f"{stack.sandbox_url}/sandbox/reset")).raise_for_status()
        opened = WebLine(stack, client, ROSA)
        await opened.begin()
        yield opened
        await opened.end()


async def test_redis_restarts_in_mid_conversation_and_the_conversation_goes_on(stack: Stack, line: WebLine) -> None:
    first = await line.say("my power is out")
    assert "utter_ask_outage_updates_wanted" in first.names
    await asyncio.to_thread(stack.restart, "redis")
    answer = await line.say("yes please")
    assert answer.names == ["utter_outage_updates_on"]


async def test_rasa_is_killed_in_mid_conversation_and_the_customer_hears_the_truth_and_goes_on(
    stack: Stack, line: WebLine
) -> None:
    await line.say("my power is out")
    await asyncio.to_thread(stack.kill, "rasa")
    try:
        answer = await line.say("yes please")
        assert "Something on our side failed" in answer.heard[-1].text
        assert re.search(r"\d{3}-\d{4}", answer.heard[-1].text)
        emergency = await line.say("now i smell gas in here")
        assert emergency.names[0] == "safety_gas_leak"
    finally:
        await asyncio.to_thread(stack.start, "rasa")
    await asyncio.to_thread(stack.wait_ready)
    again = await line.say("what is the status of my outage")
    assert any(name.startswith("utter_outage_known") for name in again.names)


async def test_rasa_is_killed_in_the_middle_of_a_turn_and_the_customer_is_not_left_in_silence(
    stack: Stack, line: WebLine
) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        slow = {"system": "cis", "mode": "slow", "seconds": 3}
        (await client.post(f"{stack.sandbox_url}/sandbox/faults", json=slow)).raise_for_status()
        turn = asyncio.create_task(line.say("the power is out at 3 kettle pond road"))
        await asyncio.sleep(0.7)
        await asyncio.to_thread(stack.kill, "rasa")
        try:
            answer = await turn
        finally:
            await asyncio.to_thread(stack.start, "rasa")
            (await client.post(f"{stack.sandbox_url}/sandbox/faults", json={**slow, "mode": "ok"})).raise_for_status()
    assert answer.heard and answer.heard[-1].text


async def test_the_action_server_is_killed_and_the_turn_fails_honestly(stack: Stack, line: WebLine) -> None:
    await asyncio.to_thread(stack.kill, "actions")
    try:
        answer = await line.say("is there an outage at my house")
        assert "Something on our side failed" in answer.heard[-1].text
    finally:
        await asyncio.to_thread(stack.start, "actions")
    again = await line.say("is there an outage at my house")
    assert any(name.startswith("utter_outage") for name in again.names)


async def test_no_log_of_any_process_holds_what_a_customer_said_or_who_they_are(stack: Stack, line: WebLine) -> None:
    said = [
        "my name is Zebulon Quackenbush and my power is out at 14 lantern lane",
        "zq.canary@example.com is my mail and 207-555-0177 my phone",
        "account 9876504321 please",
        "i smell gas near the marmalade shelf",
        "flibbertigibbet wobble",
    ]
    for text in said:
        await line.say(text)
    canaries = ["Quackenbush", "zq.canary", "5550177", "555-0177", "9876504321", "marmalade", "flibbertigibbet"]
    canaries += ["Rosa Delgado", ROSA, ROSA.removeprefix("+")]
    for process in stack.processes.values():
        if process.name == "sandbox" or not process.log.exists():
            continue  # the sandbox is the utility, outside the product
        log = process.log.read_text(encoding="utf-8", errors="replace").lower()
        assert [word for word in canaries if word.lower() in log] == [], process.name
