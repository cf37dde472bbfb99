"""Whose turn it is: interruptions, coughs, "mm-hm", pauses in a sentence, fillers, and emergencies."""

from __future__ import annotations

import pytest

from bot.switchboard import Reply
from tests.fakes.carrier import FakeCall, FakeDoor, a_call, make_parts
from tests.fakes.speech import FakeSpeech
from tests.fakes.virtual_time import virtually
from voice.protocols import Heard

pytestmark = pytest.mark.unit

LONG = "Yes, we know about an outage there. A crew is on the way. It should be back by nine. Anything else?"
SCRIPT = "This may be a gas leak. If you are inside, leave now. Take everyone with you and leave the door open."


def door() -> FakeDoor:
    return FakeDoor(
        {
            "/greet": "What is it about?",
            "status": LONG,
            "gas": [Reply(SCRIPT, source="safety", response="safety_gas_leak"), "I have sent an urgent report."],
            "report": Reply("Shall I report it?", asking="outage_report_wanted"),
        }
    )


async def speaking(call: FakeCall) -> None:
    """We are in the middle of an answer: its first sentence has been heard, its second is being said."""
    await call.until_silent()
    await call.says("status")
    await call.until_heard("A crew")
    await call.quiet(2.6)


def test_a_caller_who_interrupts_hears_silence_within_300_ms_and_the_dialogue_knows_what_was_heard() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            began = call.now
            await call.says("no wait, another question", 1.0)
            assert 0 < call.line.clears[-1] - began <= 0.3
            await call.until(lambda: "no wait, another question" in call.door.said)
            heard = call.door.turns[-1].interrupted
            assert heard is not None and heard.startswith("Yes, we know about an outage there.")
            assert "Anything else" not in heard
            # No clause that was not heard is synthesised any more.
            assert not any("Anything else" in text for text in call.spoken)

    virtually(scene())


@pytest.mark.parametrize("words", ["mm-hm", "uh-huh", "okay", "Yeah, yeah.", "Okay, mm-hm."])
def test_a_backchannel_while_we_speak_is_no_turn_and_we_say_the_rest(words: str) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.says(words, 0.4)
            await call.until_heard("Anything else?")
            await call.until_silent()
            assert call.door.said == ["status"]

    virtually(scene())


@pytest.mark.parametrize("heard", ["", Heard("Thank you for watching", score=-1.6), Heard("you", no_speech=0.9)])
def test_noise_while_we_speak_is_no_turn_and_we_say_the_rest(heard: str | Heard) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.says(heard, 0.5)
            await call.until_heard("Anything else?")
            assert call.door.said == ["status"]

    virtually(scene())


def test_a_click_does_not_even_stop_us() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.makes_sound(0.07)
            await call.until_silent()
            assert not call.line.clears
            assert not call.speech.asked[1:]

    virtually(scene())


def test_after_two_coughs_in_an_answer_only_words_stop_us() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            for _ in range(3):
                await call.says("", 0.3)
                await call.quiet(1.5)
            assert len(call.line.clears) == 2
            await call.says("what about tomorrow", 1.0)
            await call.until(lambda: "what about tomorrow" in call.door.said)

    virtually(scene())


def test_somebody_else_in_the_room_is_not_the_caller_unless_it_is_an_emergency() -> None:
    async def scene() -> None:
        parts = make_parts(door(), urgent=lambda text, language: "gas" in text)
        async with a_call(parts=parts) as call:
            await speaking(call)
            await call.says("where are the candles", 1.0, level=0.03)
            await call.until_heard("Anything else?")
            assert call.door.said == ["status"]
            await call.until_silent()
            await call.says("status")
            await call.quiet(2.0)
            await call.says("I smell gas", 1.0, level=0.03)
            await call.until(lambda: "I smell gas" in call.door.said)

    virtually(scene())


def test_a_yes_over_the_last_words_of_a_question_is_an_answer() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("report")
            await call.until_heard("Shall I report it?")
            await call.quiet(0.5)
            await call.says("yeah", 0.35)
            await call.until(lambda: call.door.said == ["report", "yeah"])

    virtually(scene())


def test_a_sentence_with_a_pause_is_one_turn_when_the_words_hang() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("my power is out and", 1.0)
            await call.quiet(0.7)
            await call.says("my power is out and my oven is dead", 1.0)
            await call.until(lambda: bool(call.door.said))
            assert call.door.said == ["my power is out and my oven is dead"]
            # The whole sentence was recognised, not its second half.
            assert len(call.speech.asked[-1].audio) > 2.5 * 8_000

    virtually(scene())


def test_recognition_begins_at_the_first_200_ms_of_silence_and_is_dropped_when_the_caller_goes_on() -> None:
    async def scene() -> None:
        speech = FakeSpeech(transcribe_seconds=1.0)
        async with a_call(door(), speech) as call:
            await call.until_silent()
            await call.says("dropped", 0.8)
            quiet_from = call.now
            await call.until(lambda: len(speech.asked) == 1)
            assert 0.19 <= call.now - quiet_from <= 0.3
            await call.says("status", 0.8)
            await call.until_heard("Yes, we know")
            assert call.door.said == ["status"]
            assert speech.is_idle or len(speech.asked) == 2

    virtually(scene())


def test_a_yes_ends_faster_than_an_open_sentence_and_an_unfinished_one_waits_longest() -> None:
    async def took(asked: str, said: str, finished: float) -> float:
        async with a_call(door(), FakeSpeech(finished_by_default=finished)) as call:
            await call.until_silent()
            if asked:
                await call.says(asked)
                await call.until_silent()
            await call.says(said, 0.8)
            quiet_from, before = call.now, len(call.door.turns)
            await call.until(lambda: len(call.door.turns) > before)
            return call.now - quiet_from

    async def scene() -> None:
        yes = await took("report", "yes", 1.0)
        complete = await took("", "status", 1.0)
        unsure = await took("", "status", 0.1)
        assert yes < 0.35 < complete < 0.6 < 1.0 < unsure < 1.4

    virtually(scene())


def test_a_filler_is_heard_after_a_second_and_another_later() -> None:
    async def scene() -> None:
        slow = door()
        async with a_call(slow) as call:
            await call.until_silent()
            slow.seconds = 9.5
            await call.says("status")
            asked = call.now
            await call.until(lambda: any(len(text) < 30 and "moment" in text for text in call.spoken))
            assert 0.9 < call.now - asked < 2.2
            await call.until_heard("I am still here")
            await call.until_heard("Anything else?")
            assert [one["filler"] for one in call.parts.timings.of(call.record.call_sid)][-1] is True

    virtually(scene())


def test_the_utterance_is_cut_at_thirty_seconds_and_answered() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            call.speech.hear("status")
            await call.makes_sound(33.0)
            assert call.door.said == ["status"]
            assert len(call.speech.asked[0].audio) <= 30 * 8_000

    virtually(scene())


def test_the_first_sentence_of_a_safety_script_outlasts_noise_and_backchannels() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("gas")
            await call.until_heard("This may be a gas leak.")
            await call.says("okay", 0.4)
            await call.quiet(0.3)
            assert not call.line.clears
            await call.until_heard("leave the door open")

    virtually(scene())


def test_a_caller_can_speak_even_over_a_safety_script() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("gas")
            await call.until_heard("This may be a gas leak.")
            await call.says("we are outside already", 0.8)
            await call.until(lambda: "we are outside already" in call.door.said)
            assert call.line.clears

    virtually(scene())


def test_an_emergency_in_the_middle_stops_everything_else_we_say() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.says("gas", 0.7)
            await call.until_heard("This may be a gas leak.")
            after = call.spoken[call.spoken.index("This may be a gas leak.") :]
            assert not any("nine" in text or "crew" in text for text in after)

    virtually(scene())


def test_a_safety_script_is_said_even_when_the_caller_has_gone_on_to_something_else() -> None:
    async def scene() -> None:
        slow = door()
        async with a_call(slow) as call:
            await call.until_silent()
            slow.seconds = 2.0
            await call.says("gas")
            await call.until(lambda: "gas" in slow.said)
            await call.says("status")
            await call.until_heard("This may be a gas leak.")

    virtually(scene())


def test_the_notice_is_heard_to_its_end_although_the_caller_speaks_and_they_are_answered_after_it() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.quiet(2.0)
            await call.says("status")
            await call.until_heard("Anything else?")
            assert any("recorded and transcribed" in text for text in call.speech.finished_texts)
            assert not call.line.clears
            assert call.door.said == ["status"]

    virtually(scene())


def test_a_caller_who_asks_to_wait_gets_time() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("hold on", 0.5)
            await call.until_heard("Take your time.")
            await call.quiet(30.0)
            assert not any("still there" in text for text in call.spoken)
            assert call.door.said == []

    virtually(scene())


def test_a_reply_waits_for_a_caller_who_is_speaking_but_not_for_ever() -> None:
    async def scene() -> None:
        slow = door()
        async with a_call(slow) as call:
            await call.until_silent()
            slow.seconds = 0.8
            await call.says("status")
            await call.until(lambda: "status" in slow.said)
            call.speech.hear("")
            await call.makes_sound(1.5)
            assert not any("Yes, we know" in text for text in call.spoken)
            await call.makes_sound(3.0)
            assert any("Yes, we know" in text for text in call.spoken)

    virtually(scene())


def test_our_own_voice_out_of_the_callers_loudspeaker_is_no_turn() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.says("we know about an outage there", 0.8)
            await call.until_heard("Anything else?")
            assert call.door.said == ["status"]

    virtually(scene())


def test_what_was_heard_before_a_cough_counts_as_heard() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await speaking(call)
            await call.says("", 0.4)
            await call.quiet(2.4)
            await call.says("what about tomorrow", 0.8)
            await call.until(lambda: "what about tomorrow" in call.door.said)
            heard = call.door.turns[-1].interrupted
            assert heard is not None
            assert heard.startswith("Yes, we know about an outage there.") and "crew" in heard

    virtually(scene())


def test_a_caller_whose_words_are_long_in_being_recognised_hears_a_filler() -> None:
    async def scene() -> None:
        speech = FakeSpeech()
        async with a_call(door(), speech) as call:
            await call.until_silent()
            speech.transcribe_seconds = 4.0
            await call.quiet(5.0)
            await call.says("status", 1.0)
            await call.until_heard("Yes, we know")
            said = " ".join(call.spoken)
            assert "still there" not in said
            assert any(text in said for text in ("One moment", "Let me check", "Just a second"))

    virtually(scene())


def test_an_emergency_is_heard_however_many_turns_hang() -> None:
    async def scene() -> None:
        slow = door()
        async with a_call(slow) as call:
            await call.until_silent()
            slow.seconds = 40.0
            for _ in range(10):
                await call.says("status", 0.6)
                await call.quiet(1.2)
            slow.seconds = 0.05
            await call.says("gas", 0.6)
            await call.until_heard("This may be a gas leak.", 5.0)

    virtually(scene())


def test_a_house_number_that_was_heard_as_words_reaches_the_dialogue_in_figures() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("it's at fourteen twenty-three Lantern Lane", 1.5)
            await call.until(lambda: bool(call.door.said))
            assert call.door.said == ["it's at 1423 Lantern Lane"]

    virtually(scene())
