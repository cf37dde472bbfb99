"""A whole call in virtual time: what the caller says and hears, in order and in time."""

from __future__ import annotations

import pytest

from tests.fakes.carrier import FakeDoor, a_call
from tests.fakes.speech import FakeSpeech
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit


def test_the_first_words_are_the_notice_and_the_dialogues_greeting_follows() -> None:
    async def scene() -> None:
        door = FakeDoor({"/greet": ["Hello there.", "Your power is out since six."]}, seconds=2.0)
        async with a_call(door, FakeSpeech(first_audio_seconds=0.2)) as call:
            await call.until_silent()
            assert "recorded and transcribed" in " ".join(call.spoken[:2])
            assert call.spoken[-2:] == ["Hello there.", "Your power is out since six."]
            assert call.line.sounds[0] < 0.6

    virtually(scene())


def test_what_the_caller_says_is_answered() -> None:
    async def scene() -> None:
        door = FakeDoor({"my power is out": "We know about it."})
        async with a_call(door) as call:
            await call.until_silent()
            await call.says("my power is out", 1.2)
            await call.until_heard("We know about it.")
            assert door.said == ["my power is out"]
            assert door.turns[-1].interrupted is None
            assert door.turns[-1].phone == "+12075550101"

    virtually(scene())


def test_the_notice_is_timed_from_the_streams_start_and_each_turn_by_its_parts() -> None:
    async def scene() -> None:
        speech = FakeSpeech(first_audio_seconds=0.2, transcribe_seconds=0.4)
        async with a_call(FakeDoor({"my power is out": "We know about it."}), speech) as call:
            await call.until_silent()
            await call.says("my power is out", 1.2)
            await call.until_heard("We know about it.")
            await call.quiet(1.0)
            notice, turn = call.parts.timings.of(call.record.call_sid)
            assert notice["by"] == "notice" and notice["parts"]["total"] < 0.6  # type: ignore[index]
            parts: dict[str, float] = turn["parts"]  # type: ignore[assignment]
            assert 0.55 < parts["end_of_turn"] < 0.75  # recognition took its 0.4 s from 0.2 s of silence on
            assert parts["speech_to_text"] < 0.05
            assert abs(parts["dialogue"] - 0.06) < 0.02
            assert abs(parts["text_to_speech"] - 0.2) < 0.02
            assert abs(sum(list(parts.values())[:4]) - parts["total"]) < 0.05

    virtually(scene())


def test_a_caller_who_presses_nine_goes_on_in_the_other_language() -> None:
    async def scene() -> None:
        door = FakeDoor({"no hay luz": "Ya lo sabemos."})
        async with a_call(door, languages=("en", "es")) as call:
            await call.until_heard("Para español, oprima nueve.")
            await call.until_silent()
            await call.presses("9")
            await call.until_heard("De acuerdo, en español.")
            await call.until_silent()
            await call.says("no hay luz", 0.9)
            await call.until_heard("Ya lo sabemos.")
            assert door.turns[-1].language == "es"
            assert call.speech.asked[-1].language == "es"

    virtually(scene())


def test_a_house_that_speaks_only_spanish_begins_in_it() -> None:
    async def scene() -> None:
        async with a_call(FakeDoor(), languages=("es",)) as call:
            await call.until_heard("Soy un asistente automático")
            assert not any("automated" in text for text in call.spoken)

    virtually(scene())
