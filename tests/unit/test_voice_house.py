"""A call from first webhook to end, through the simulated carrier: stream, transfer, resume, and keypad menu."""

from __future__ import annotations

import asyncio

import pytest

from bot.switchboard import Reply
from integrations.sandbox.calls.follow import Answered
from tests.fakes.calls import ROSA
from tests.fakes.carrier import FakeDoor, choice
from tests.fakes.speech import tone
from tests.fakes.telephone import HouseSpeech, a_house
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit

ACCOUNT = "1002345674"


def door() -> FakeDoor:
    return FakeDoor(
        {
            "/greet": "What is it about?",
            "status": "Yes, we know about an outage there. It should be back by nine.",
            "/speak_to_human": Reply("I have noted it.", response="utter_people_how"),
            "/outage_status": Reply("Which address is it about?", asking="outage_premise"),
            "/report_outage": choice("Shall I report it?", "Yes, report it", "No", asking="outage_report_wanted"),
            ACCOUNT: "There is no outage there.",
            "1": "Done.",
            "report": choice("Shall I report it?", "Yes, report it", "No", asking="outage_report_wanted"),
            "I smell gas": [
                Reply("Leave the house now.", source="safety", response="safety_gas_leak"),
                "It is reported.",
            ],
        }
    )


def test_a_call_is_answered_by_a_stream_and_a_hang_up_leaves_nothing() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial()
            await house.hears(call, "What is it about?")
            await phone.until_quiet(0.0)
            await house.says(phone, "status")
            await house.hears(call, "back by nine")
            await house.carrier.hang_up(call)
            await house.until(lambda: not house.serving)
            assert not house.speech.calls and house.speech.is_idle
            assert call.status == "completed"
            assert house.door.turns[0].phone == ROSA

    virtually(scene())


def test_a_person_is_dialled_by_rest_and_when_they_hang_up_the_call_ends() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial(dialled=Answered(talk_seconds=30.0))
            await house.hears(call, "What is it about?")
            phone.press("0")
            await house.until(lambda: house.happened(call, "joined"))
            assert house.happened(call, "dial") == [{"number": "+15555550100"}]
            assert house.happened(call, "redirected")
            await house.carrier.ended(call)
            assert not house.speech.calls and not house.serving

    virtually(scene())


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed"])
def test_a_caller_whom_no_person_answers_comes_back_and_is_told(status: str) -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial(dialled=Answered(status=status))  # type: ignore[arg-type]
            await house.hears(call, "What is it about?")
            phone.press("0")
            await house.hears(call, "Nobody could take the call just now")
            await house.until(lambda: phone.streams == 2)
            await phone.until_quiet(call.timeline.now())
            await house.says(phone, "status")
            await house.hears(call, "back by nine")
            assert sum("recorded" in text for text in house.speech.spoken) == 1
            assert len({turn.conversation_id for turn in house.door.turns}) == 1
            assert len({turn.turn_id for turn in house.door.turns}) == len(house.door.turns)

    virtually(scene())


def test_a_stream_that_breaks_in_mid_call_begins_again_where_it_was() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial()
            await house.hears(call, "What is it about?")
            await phone.until_quiet(0.0)
            for task in list(house.serving):
                task.cancel()  # the gateway process dies
            await house.hears(call, "We were cut off for a moment")
            await phone.until_quiet(call.timeline.now())
            await house.says(phone, "status")
            await house.hears(call, "back by nine")

    virtually(scene())


def test_streams_that_break_again_and_again_give_way_to_the_keypad_menu() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, _ = house.dial()
            for _ in range(10):
                await asyncio.sleep(3.0)
                for task in list(house.serving):
                    task.cancel()
            await house.hears(call, "To report a power outage, press one.")

    virtually(scene())


@pytest.mark.parametrize("broken", ["redis", "rasa", "speech", "full", "too_many"])
def test_a_call_that_cannot_be_talked_with_gets_the_menu_and_its_keys_reach_the_conversation(broken: str) -> None:
    async def scene() -> None:
        speech = HouseSpeech(most_calls=0 if broken == "full" else 8)
        async with a_house(door(), speech, voice_most_calls=0 if broken == "too_many" else 8) as house:
            if broken in house.healthy:
                house.healthy[broken] = False
            if broken == "redis":
                house.redis.dead = True
            if broken == "speech":
                speech.die()
            call, phone = house.dial()
            await house.hears(call, "This call is recorded and transcribed.")
            await house.hears(call, "To report a power outage, press one.")
            phone.press("2")
            await house.hears(call, "Which address is it about?")
            await house.until(lambda: call.doing.verb == "gather")
            phone.press(ACCOUNT + "#")
            await house.hears(call, "There is no outage there.")
            assert house.door.said == ["/outage_status", ACCOUNT]
            assert house.door.turns[-1].digits == ACCOUNT
            assert not house.speech.calls and phone.streams == 0

    virtually(scene())


def test_the_menus_questions_are_answered_by_offered_keys() -> None:
    async def scene() -> None:
        async with a_house(door(), voice_most_calls=0) as house:
            call, phone = house.dial()
            await house.until(lambda: call.doing.verb == "gather")
            phone.press("1")
            await house.hears(call, "For Yes, report it, press 1.")
            phone.press("1")
            await house.hears(call, "Done.")
            await house.hears(call, "Is there anything else?")

    virtually(scene())


def test_dangers_are_one_key_away_and_their_script_needs_no_speech() -> None:
    async def scene() -> None:
        async with a_house(door(), voice_most_calls=0) as house:
            call, phone = house.dial()
            await house.until(lambda: call.doing.verb == "gather")
            phone.press("3")
            await house.hears(call, "For a smell of gas, press one.")
            phone.press("1")
            await house.hears(call, "Leave the house now.")
            assert house.door.said == ["I smell gas"]

    virtually(scene())


def test_a_menu_is_no_dead_end_without_keys_a_person_is_brought_in() -> None:
    async def scene() -> None:
        async with a_house(door(), voice_most_calls=0) as house:
            call, _ = house.dial(dialled=Answered(status="no-answer"))
            await house.until(lambda: house.happened(call, "dial"))
            assert house.said(call).count("I did not get a key.") == 3
            await house.hears(call, "Nobody could take the call just now.")
            await house.until(lambda: call.doing.verb == "gather")

    virtually(scene())


def test_a_dialogue_that_fails_in_the_menu_is_told_and_a_person_is_brought_in() -> None:
    async def scene() -> None:
        failing = FakeDoor(default=Reply("Something failed.", source="system", response="system_failed"))
        async with a_house(failing, voice_most_calls=0) as house:
            call, phone = house.dial()
            await house.until(lambda: call.doing.verb == "gather")
            phone.press("1")
            await house.hears(call, "Something on our side failed")
            await house.until(lambda: house.happened(call, "joined"))

    virtually(scene())


def test_the_menu_speaks_spanish_when_nine_is_pressed() -> None:
    async def scene() -> None:
        async with a_house(door(), voice_most_calls=0) as house:
            call, phone = house.dial()
            await house.hears(call, "Para español, oprima nueve.")
            await house.until(lambda: call.doing.verb == "gather")
            phone.press("9")
            await house.hears(call, "Para reportar un apagón, oprima uno.")
            phone.press("3")
            await house.hears(call, "Por olor a gas")
            phone.press("1")
            await house.until(lambda: bool(house.door.turns))
            assert house.door.turns[-1].text == "huele a gas" and house.door.turns[-1].language == "es"

    virtually(scene())


def test_speech_that_dies_in_mid_call_leads_to_the_menu_which_says_what_was_not_said() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial()
            await house.hears(call, "What is it about?")
            await phone.until_quiet(0.0)
            house.speech.fails_after_pieces = 0
            await house.says(phone, "status")
            await house.hears(call, "To report a power outage")
            assert "Yes, we know about an outage there." in house.said(call)
            assert not house.speech.calls

    virtually(scene())


def test_a_silent_caller_hears_goodbye_and_the_call_ends() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, _ = house.dial()
            await asyncio.wait_for(call.over.wait(), 300.0)
            assert call.status == "completed" and not house.speech.calls

    virtually(scene())


def test_a_share_of_speech_whose_socket_never_comes_is_given_back() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:

            async def refuse(url: str, headers: object) -> None:
                raise ConnectionRefusedError

            house.connect = refuse  # type: ignore[assignment, method-assign]
            house.healthy["rasa"] = True
            assert await house.telephone.admission.ask("CA1") == ""
            assert house.speech.calls == {"CA1"}
            await asyncio.sleep(25.0)
            assert not house.speech.calls

    virtually(scene())


def test_speech_that_dies_in_a_question_leaves_the_question_to_keys() -> None:
    async def scene() -> None:
        async with a_house(door()) as house:
            call, phone = house.dial()
            await house.hears(call, "What is it about?")
            await phone.until_quiet(0.0)
            await house.says(phone, "report")
            await house.hears(call, "Shall I report it?")
            await phone.until_quiet(call.timeline.now())
            house.speech.die()
            phone.say(tone(440, 0.8))
            await asyncio.sleep(2.0)
            phone.say(tone(440, 0.8))
            await house.hears(call, "For Yes, report it, press 1.")
            phone.press("1")
            await house.hears(call, "Done.")
            assert len({turn.conversation_id for turn in house.door.turns}) == 1

    virtually(scene())


@pytest.mark.parametrize("at", ["greeting", "gather", "turn", "dial"])
def test_hanging_up_in_the_menu_leaves_nothing(at: str) -> None:
    async def scene() -> None:
        async with a_house(door(), voice_most_calls=0) as house:
            call, phone = house.dial(dialled=Answered(ring_seconds=20.0))
            if at != "greeting":
                await house.until(lambda: call.doing.verb == "gather")
            if at == "turn":
                house.door.seconds = 2.0
                phone.press("2")
                await house.until(lambda: house.door.open)
            if at == "dial":
                phone.press("0")
                await house.until(lambda: house.happened(call, "dial"))
            await house.carrier.hang_up(call)
            await asyncio.sleep(5.0)
            assert house.door.open == 0 and not house.speech.calls and not house.serving

    virtually(scene())
