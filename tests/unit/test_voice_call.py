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
