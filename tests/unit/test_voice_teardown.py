"""Hanging up at any moment leaves nothing behind: no task, socket, share of speech, turn, or sound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.switchboard import Reply
from integrations.twilio.errors import CallOver, TwilioUnavailable
from tests.fakes.carrier import CALL, FakeCall, FakeDoor, a_call, make_parts
from tests.fakes.speech import FakeSpeech
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit

ACCOUNT = "1002345674"
Moment = Callable[[FakeCall], Awaitable[None]]


def door() -> FakeDoor:
    return FakeDoor(
        {
            "/greet": "What is it about?",
            "status": "Yes, we know about an outage there. A crew is on the way. It should be back by nine.",
            "where": Reply("Which address is it about?", asking="outage_premise"),
            "/speak_to_human": Reply("I have noted it.", response="utter_people_how"),
        }
    )


async def before_start(call: FakeCall) -> None:
    pass


async def greeting(call: FakeCall) -> None:
    await call.quiet(1.0)


async def listening(call: FakeCall) -> None:
    await call.until_silent()


async def while_the_caller_speaks(call: FakeCall) -> None:
    await call.until_silent()
    await call.makes_sound(0.6)


async def recognition(call: FakeCall) -> None:
    call.speech.transcribe_seconds = 3.0
    await call.until_silent()
    await call.says("status")
    await call.quiet(0.6)
    assert not call.speech.is_idle


async def dialogue(call: FakeCall) -> None:
    await call.until_silent()
    call.door.seconds = 3.0
    await call.says("status")
    await call.until(lambda: call.door.open)


async def dialogue_that_hangs(call: FakeCall) -> None:
    await call.until_silent()
    call.door.seconds = 1_000.0
    await call.says("status")
    await call.until(lambda: call.door.open)


async def filler(call: FakeCall) -> None:
    await dialogue(call)
    await call.quiet(1.3)


async def synthesis(call: FakeCall) -> None:
    await call.until_silent()
    call.speech.first_audio_seconds = 3.0
    await call.says("status")
    await call.until_heard("Yes, we know")


async def playing(call: FakeCall) -> None:
    await call.until_silent()
    await call.says("status")
    await call.until_heard("A crew")
    await call.quiet(0.5)


async def keys(call: FakeCall) -> None:
    await call.until_silent()
    await call.presses("123")


async def confirming(call: FakeCall) -> None:
    await call.until_silent()
    await call.says("where")
    await call.until_silent()
    await call.presses(ACCOUNT)
    await call.quiet(0.5)


async def ladder(call: FakeCall) -> None:
    await call.until_heard("Are you still there?")


async def hold(call: FakeCall) -> None:
    await call.until_silent()
    await call.says("hold on", 0.5)
    await call.quiet(10.0)


async def transfer_line(call: FakeCall) -> None:
    await call.until_silent()
    await call.presses("0")
    await call.until_heard("connecting you")


async def transfer(call: FakeCall) -> None:
    call.api.hang = True
    await transfer_line(call)
    await call.quiet(8.0)


async def after_transfer(call: FakeCall) -> None:
    await transfer_line(call)
    await call.until(lambda: call.api.documents)


MOMENTS = [
    before_start, greeting, listening, while_the_caller_speaks, recognition, dialogue, dialogue_that_hangs, filler,
    synthesis, playing, keys, confirming, ladder, hold, transfer_line, transfer, after_transfer,
]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("how", ["hangs_up", "cut"])
def test_nothing_is_left_after_a_hang_up_or_a_cut_line(moment: Moment, how: str) -> None:
    async def scene() -> None:
        async with a_call(door(), started=moment is not before_start) as call:
            await moment(call)
            call.hangs_up() if how == "hangs_up" else call.line.cut()
            await call.ended(10.0)
            call.assert_nothing_left()
            count = len(call.line.sent)
            await call.quiet(60.0)
            assert len(call.line.sent) == count, "sound after the end"

    virtually(scene())


@pytest.mark.parametrize("moment", [listening, playing, dialogue, recognition], ids=lambda moment: moment.__name__)
def test_a_server_that_stops_leaves_nothing_either(moment: Moment) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await moment(call)
            call.task.cancel()
            await asyncio.gather(call.task, return_exceptions=True)
            assert not call.speech.calls and call.speech.is_idle and call.line.closed
            assert not call.parts.records.live
            assert call.door.open == 0

    virtually(scene())


def test_the_share_of_speech_is_free_at_once_and_the_turn_under_way_may_end() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await dialogue(call)
            call.hangs_up()
            await call.quiet(0.05)
            assert not call.speech.calls
            await call.ended()
            # "Yes, report it", and the line was cut: it was reported.
            assert len(call.door.ended) == 2

    virtually(scene())


def test_a_second_socket_of_a_call_takes_it_over_and_goes_on_in_the_same_conversation() -> None:
    async def scene() -> None:
        parts = make_parts(door())
        async with a_call(parts=parts) as first:
            await listening(first)
            await first.says("status")
            await first.until_silent()
            record = await parts.records.find(CALL)
            assert record is not None
            async with a_call(parts=parts, record=record) as second:
                await first.ended()
                assert first.line.closed
                await second.until_heard("We were cut off for a moment")
                await second.until_silent()
                assert sum("recorded" in text for text in second.spoken) == 1, "the notice is not said twice"
                await second.says("where")
                await second.until_heard("Which address")
                assert {turn.conversation_id for turn in second.door.turns} == {f"call-{CALL}"}
                assert len({turn.turn_id for turn in second.door.turns}) == len(second.door.turns)
            assert not parts.speech.calls  # type: ignore[attr-defined]

    virtually(scene())


def test_an_older_turn_under_way_does_not_keep_the_second_socket_waiting() -> None:
    async def scene() -> None:
        parts = make_parts(door())
        async with a_call(parts=parts) as first:
            await dialogue_that_hangs(first)
            record = await parts.records.find(CALL)
            assert record is not None
            began = first.now
            async with a_call(parts=parts, record=record) as second:
                await second.until(lambda: second.line.sounds)
                assert second.now - began < 0.6
                second.hangs_up()
                await second.ended()
            await first.ended()

    virtually(scene())


@pytest.mark.parametrize("error", [TwilioUnavailable("dead"), CallOver(404, 20404)], ids=["unavailable", "over"])
def test_a_transfer_that_twilio_does_not_take_ends_the_stream_and_the_webhook_after_it_transfers(
    error: Exception,
) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            call.api.errors.append(error)  # type: ignore[arg-type]
            await transfer_line(call)
            await call.ended()
            call.assert_nothing_left()
            record = await call.parts.records.find(CALL)
            assert record is not None and record.next == "person"

    virtually(scene())


def test_a_transfer_after_which_the_carrier_does_not_end_the_stream_ends_it_here() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await after_transfer(call)
            await call.ended(10.0)
            call.assert_nothing_left()

    virtually(scene())


def test_a_call_that_speech_has_no_room_for_goes_to_the_keypad_menu() -> None:
    async def scene() -> None:
        speech = FakeSpeech(most_calls=0)
        async with a_call(door(), speech) as call:
            await call.ended()
            call.assert_nothing_left()
            record = await call.parts.records.find(CALL)
            assert record is not None and record.next == "menu"

    virtually(scene())
