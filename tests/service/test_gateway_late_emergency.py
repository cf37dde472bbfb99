"""What the guard lets pass and the classifier knows is treated as the emergency that it is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.fakes.gateway import Gateway, whole_turn
from tests.fakes.rasa import FakeRasa, Stream

pytestmark = pytest.mark.service


async def knows_a_leak(stream: Stream, _: dict[str, Any]) -> None:
    await stream.start()
    custom = {"emergency": "gas_leak"}
    await stream.line(type="message", text=None, buttons=[], image=None, response="", custom=custom)
    await stream.say("I have sent an urgent report to our dispatchers.")
    await stream.done("gas_leak")
    await stream.end()


async def test_the_script_comes_first_and_an_urgent_report_is_made(gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.script.append(knows_a_leak)
    async with gateway.chat() as socket:
        answer = await whole_turn(socket, "something stinks like a bad omelette by the meter")
    assert [one["text"] for one in answer] == [
        "SCRIPT gas_leak web en",
        "I have sent an urgent report to our dispatchers.",
    ]
    assert answer[0]["source"] == "safety"

    async def kept() -> list[tuple[str, str]]:
        async with gateway.parts.database.read() as connection:
            rows = await connection.execute(text("SELECT kind, priority FROM trouble_reports"))
            return [(row.kind, row.priority) for row in rows]

    await gateway.parts.switchboard.stop()  # waits for the urgent reports under way
    assert await kept() == [("gas_leak", "Urgent")]


async def asks_for_it_again(stream: Stream, _: dict[str, Any]) -> None:
    await stream.start()
    custom = {"emergency_again": "gas_leak"}
    await stream.line(type="message", text=None, buttons=[], image=None, response="", custom=custom)
    await stream.done("repeat")
    await stream.end()


async def test_a_script_that_is_asked_for_again_is_said_again_and_nothing_new_is_reported(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    rasa.script.append(asks_for_it_again)
    async with gateway.chat() as socket:
        answer = await whole_turn(socket, "what did you say")
    assert [one["text"] for one in answer if one["text"]] == ["SCRIPT gas_leak web en"]
    assert answer[0]["source"] == "safety"
    await gateway.parts.switchboard.stop()
    async with gateway.parts.database.read() as connection:
        assert not list(await connection.execute(text("SELECT kind FROM trouble_reports")))
