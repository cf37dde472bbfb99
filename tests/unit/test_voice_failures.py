"""What can break in a call, and the honest way on: never a call that hangs."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator

import pytest

from bot.switchboard import Reply
from tests.fakes.carrier import CALL, STREAM, FakeDoor, LoudIsVoice, a_call, make_parts, start_message
from tests.fakes.speech import FakeSpeech
from tests.fakes.virtual_time import virtually
from voice.protocols import Pcm, SpeechUnavailable
from voice.records import CallRecord

pytestmark = pytest.mark.unit


class KeepingSpeech(FakeSpeech):
    """Keeps fixed sentences, as the real client does, and says them although it is dead."""

    def keeps(self, text: str, language: str) -> bool:
        return "trouble with this line" in text or "recorded and transcribed" in text

    async def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        if self.keeps(text, language):
            self.spoken.append(text)
            yield self.speech_of(text)
            self.finished_texts.append(text)
            return
        async for piece in super().speak(text, language):
            yield piece


def door() -> FakeDoor:
    return FakeDoor(
        {
            "/greet": "What is it about?",
            "status": "Yes, we know about an outage there. A crew is on the way. It should be back by nine.",
            "fails": Reply("Something on our side failed.", source="system", response="system_failed"),
            "raises": RuntimeError("broken"),
        }
    )


def next_of(record: CallRecord | None) -> str:
    assert record is not None
    return record.next


# -- speech


def test_speech_that_dies_while_we_speak_is_told_and_the_keypad_menu_says_the_rest() -> None:
    async def scene() -> None:
        speech = KeepingSpeech()
        async with a_call(door(), speech, kept=speech.keeps) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_heard("A crew")
            speech.die()
            await call.ended(60.0)
            assert any("trouble with this line" in text for text in speech.finished_texts)
            record = await call.parts.records.find(CALL)
            assert record is not None and record.next == "menu"
            assert "It should be back by nine." in record.say
            call.assert_nothing_left()

    virtually(scene())


def test_speech_that_dies_while_we_listen_leads_to_the_menu_when_the_caller_speaks() -> None:
    async def scene() -> None:
        speech = KeepingSpeech()
        async with a_call(door(), speech, kept=speech.keeps) as call:
            await call.until_silent()
            speech.die()
            await call.makes_sound(0.8)
            await call.ended(60.0)
            assert next_of(await call.parts.records.find(CALL)) == "menu"

    virtually(scene())


def test_speech_that_dies_without_kept_sentences_ends_the_stream_at_once_and_the_menu_goes_on() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.quiet(0.3)
            call.speech.die()
            await call.ended(60.0)
            record = await call.parts.records.find(CALL)
            assert next_of(record) == "menu"
            call.assert_nothing_left()

    virtually(scene())


def test_one_recognition_that_fails_is_asked_again_and_two_lead_to_the_menu() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says(SpeechUnavailable("slow"))
            await call.until_heard("did not catch that")
            await call.until_silent()
            await call.says(SpeechUnavailable("slow"))
            await call.ended(60.0)
            assert next_of(await call.parts.records.find(CALL)) == "menu"

    virtually(scene())


def test_a_detector_that_fails_is_done_without() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            call.speech.finishes.append(SpeechUnavailable("slow"))
            await call.says("status")
            await call.until_heard("Yes, we know", 2.0)

    virtually(scene())


# -- the dialogue


@pytest.mark.parametrize("broken", ["fails", "raises"])
def test_a_turn_that_fails_is_told_and_the_second_brings_a_person_in(broken: str) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says(broken)
            await call.until_heard("Something on our side failed")
            await call.until_silent()
            assert not call.api.documents
            await call.says(broken)
            await call.until(lambda: call.api.documents)

    virtually(scene())


def test_a_greeting_that_fails_is_no_reason_to_frighten_anybody() -> None:
    async def scene() -> None:
        failing = FakeDoor(
            {"/greet": Reply("Something on our side failed.", source="system", response="system_failed")}
        )
        async with a_call(failing) as call:
            await call.until_heard("How can I help you?")
            await call.until_silent()
            assert not any("failed" in text for text in call.spoken)

    virtually(scene())


def test_a_dead_redis_does_not_end_a_call() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            call.parts.records._redis.dead = True  # type: ignore[attr-defined]
            await call.says("status")
            await call.until_heard("back by nine")
            await call.until_silent()
            await call.presses("0")
            await call.until_heard("connecting you")

    virtually(scene())


# -- the carrier


def test_a_stream_of_another_format_is_refused_and_the_menu_goes_on() -> None:
    async def scene() -> None:
        async with a_call(door(), started=False) as call:
            call.line.put(start_message(encoding="audio/opus", rate=48_000))
            await call.ended()
            assert next_of(await call.parts.records.find(CALL)) == "menu"
            call.assert_nothing_left()

    virtually(scene())


def test_a_stream_of_another_call_is_refused() -> None:
    async def scene() -> None:
        async with a_call(door(), started=False) as call:
            call.line.put(start_message(call="CA" + "9" * 32))
            await call.ended()
            assert not call.door.turns
            call.assert_nothing_left()

    virtually(scene())


def test_a_socket_that_says_nothing_is_closed() -> None:
    async def scene() -> None:
        async with a_call(door(), started=False) as call:
            await call.ended(6.0)
            call.assert_nothing_left()

    virtually(scene())


@pytest.mark.parametrize(
    "message",
    [
        "{", "", "[]", "null", '"x"', "1e999", '{"event":"media"}', '{"event":"mark","mark":{}}', '{"event":"unheard"}',
        '{"event":"dtmf","dtmf":{"digit":"x"}}', '{"event":"media","media":{"payload":"***"}}', "[" * 60_000,
        '{"event":"connected"}', json.dumps(start_message()),
        '{"event":"media","media":{"track":"outbound","payload":"/w=="}}',
        '{"event":"mark","mark":{"name":"never sent"}}', '{"event":"media","media":{"payload":""}}',
    ],
)  # fmt: skip
def test_a_bad_unknown_or_untimely_message_changes_nothing(message: str) -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            call.line.put(message)
            await call.until_silent()
            call.line.put(message)
            await call.says("status")
            call.line.put(message)
            await call.until_heard("back by nine")
            assert call.door.said == ["status"]

    virtually(scene())


def test_nothing_but_garbage_ends_the_stream_and_the_menu_goes_on() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            for _ in range(1_000):
                call.line.put("{")
            await call.ended()
            assert next_of(await call.parts.records.find(CALL)) == "menu"
            call.assert_nothing_left()

    virtually(scene())


def test_sound_faster_than_time_is_dropped() -> None:
    async def scene() -> None:
        activity = LoudIsVoice()
        windows = 0

        def count(window: Pcm) -> float:
            nonlocal windows
            windows += 1
            return activity(window)

        count.reset = activity.reset  # type: ignore[attr-defined]
        parts = make_parts(door())
        object.__setattr__(parts, "activity", lambda: count)
        async with a_call(parts=parts) as call:
            await call.until_silent()
            before, began = windows, call.now
            payload = base64.b64encode(b"\xff" * 160).decode()
            for _ in range(50_000):
                call.line.put({"event": "media", "streamSid": STREAM, "media": {"payload": payload}})
            await call.quiet(2.0)
            assert (windows - before) * 0.032 < 2.0 + call.now - began + 0.1
            await call.quiet(3.0)

    virtually(scene())


def test_a_stream_without_sound_is_given_up_and_begun_again() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            assert call._sound is not None
            call._sound.cancel()
            await call.ended(12.0)
            assert next_of(await call.parts.records.find(CALL)) == "resume"

    virtually(scene())


def test_words_before_the_sound_breaks_off_are_answered() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            call.speech.hear("status")
            await call.makes_sound(0.5)
            assert call._sound is not None
            call._sound.cancel()
            await call.until_heard("Yes, we know", 4.0)

    virtually(scene())


def test_a_carrier_that_never_returns_marks_is_believed_by_the_clock() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            call.line.answers_marks = False
            await call.until_heard("Are you still there?", 40.0)

    virtually(scene())


# -- time


def test_a_caller_who_never_speaks_is_asked_offered_keys_and_a_person_and_hears_goodbye() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.ended(180.0)
            said = " ".join(call.speech.finished_texts)
            order = ["Are you still there?", "keys of your telephone", "press zero", "Goodbye."]
            places = [said.index(part) for part in order]
            assert places == sorted(places)
            assert said.count("What is it about?") == 2
            assert next_of(await call.parts.records.find(CALL)) == "hang_up"
            call.assert_nothing_left()

    virtually(scene())


def test_a_caller_who_speaks_during_the_goodbye_is_kept() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_heard("I cannot hear you")
            await call.quiet(0.5)
            await call.says("status")
            await call.until_heard("back by nine")
            await call.quiet(5.0)
            assert not call.task.done()

    virtually(scene())


@pytest.mark.parametrize("loud, pause", [(0.9, 1.0), (5.0, 2.0), (0.3, 0.9), (100.0, 0.0)])
def test_an_hour_of_noise_is_no_turn_and_the_call_ends_by_itself(loud: float, pause: float) -> None:
    async def scene() -> None:
        async with a_call(door(), frame=0.08) as call:
            while not call.task.done() and call.now < 3_600:
                await call.makes_sound(loud)
                await call.quiet(pause)
            assert call.now < 900, "it hung on"
            assert call.door.said == []
            assert next_of(await call.parts.records.find(CALL)) == "hang_up"

    virtually(scene())


def test_words_that_nobody_understands_end_with_a_person_offered_and_a_goodbye() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            for _ in range(4):
                await call.until_silent()
                await call.says("", 1.0)
            await call.ended(60.0)
            said = " ".join(call.speech.finished_texts)
            assert "did not catch that" in said and "press zero" in said and "Goodbye." in said

    virtually(scene())


def test_the_longest_call_is_announced_a_minute_before_and_ends_with_an_honest_goodbye() -> None:
    async def scene() -> None:
        async with a_call(door(), longest_seconds=180.0) as call:
            while not call.task.done():
                await call.says("status")
                await call.quiet(9.0)
            assert 180 < call.now < 205
            said = " ".join(call.speech.finished_texts)
            assert "only one more minute" in said and "longest time" in said
            assert next_of(await call.parts.records.find(CALL)) == "hang_up"
            call.assert_nothing_left()

    virtually(scene())
