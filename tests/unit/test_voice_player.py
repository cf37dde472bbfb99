"""What the caller really heard: pace, marks, stops, and the words of what was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.fakes.carrier import STREAM, FakeLine
from tests.fakes.virtual_time import virtually
from voice.player import LEAD_SECONDS, Player
from voice.protocols import Pcm

pytestmark = pytest.mark.unit

TEXT = "one two three four five six seven eight nine ten"


async def sound(seconds: float, piece: float = 0.2, wait: float = 0.0) -> AsyncIterator[Pcm]:
    for _ in range(round(seconds / piece)):
        if wait:
            await asyncio.sleep(wait)
        yield np.ones(round(piece * 8_000), np.int16)


def a_player() -> tuple[Player[str], FakeLine]:
    line = FakeLine()
    return Player(line.send, STREAM, asyncio.get_running_loop().time), line


async def marks(line: FakeLine, player: Player[str]) -> None:
    """Hand the carrier's marks on."""
    while (text := await line.receive()) is not None:
        import json

        player.marked(json.loads(text)["mark"]["name"])


def test_frames_of_20_ms_are_sent_little_more_than_the_lead_before_they_are_heard() -> None:
    async def scene() -> None:
        player, line = a_player()
        await player.play("a", TEXT, sound(5.0))
        assert len(line.sounds) == 250
        for number, at in enumerate(line.sounds):
            assert number * 0.02 - at <= LEAD_SECONDS + 0.04
        assert player.ends == pytest.approx(5.0)
        await line.close()

    virtually(scene())


def test_what_was_heard_is_known_to_the_word() -> None:
    async def scene() -> None:
        player, line = a_player()
        playing = asyncio.create_task(player.play("a", TEXT, sound(5.0)))
        await asyncio.sleep(2.6)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        heard = player.heard()
        assert TEXT.startswith(heard) and 3 <= len(heard.split()) <= 7
        assert player.unheard() == ["a"]
        await player.clear()
        assert player.heard() == "" and player.unheard() == []
        await line.close()

    virtually(scene())


def test_of_several_pieces_the_first_are_whole_and_the_last_is_a_part() -> None:
    async def scene() -> None:
        player, line = a_player()
        await player.play("a", "First sentence.", sound(1.0))
        await player.play("b", TEXT, sound(2.0))
        await asyncio.sleep(2.0 - asyncio.get_running_loop().time())
        assert player.heard().startswith("First sentence. one two three")
        assert not player.heard().endswith("ten")
        assert player.unheard() == ["b"]
        await line.close()

    virtually(scene())


def test_marks_that_come_back_late_tell_that_less_was_heard() -> None:
    async def scene() -> None:
        player, line = a_player()
        line.answers_marks = False
        await player.play("a", "First.", sound(1.0))
        await player.play("b", TEXT, sound(4.0))
        await asyncio.sleep(max(0.0, 2.0 - asyncio.get_running_loop().time()))
        by_clock = player.heard()
        player.marked("0:1")  # a second later than the clock thought
        assert len(player.heard()) < len(by_clock)
        await line.close()

    virtually(scene())


def test_waiting_for_the_end_is_ended_by_the_mark_or_by_the_clock() -> None:
    async def scene() -> None:
        player, line = a_player()
        reader = asyncio.create_task(marks(line, player))
        await player.play("a", TEXT, sound(2.0))
        await player.drained()
        assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)
        line.answers_marks = False
        await player.play("b", TEXT, sound(2.0))
        await player.drained()
        assert 4.0 < asyncio.get_running_loop().time() < 6.0
        await line.close()
        await reader

    virtually(scene())


def test_a_mark_from_before_a_stop_says_nothing_of_what_comes_after() -> None:
    async def scene() -> None:
        player, line = a_player()
        await player.play("a", TEXT, sound(1.0))
        await player.clear()
        await player.play("b", TEXT, sound(1.0))
        player.marked("0:1")
        player.marked("nothing of ours")
        assert player.unheard() == ["b"]
        await line.close()

    virtually(scene())


def test_a_voice_slower_than_speech_leaves_a_gap_and_the_reckoning_stays_right() -> None:
    async def scene() -> None:
        player, line = a_player()
        await player.play("a", TEXT, sound(1.0, piece=0.2, wait=0.4))
        assert player.ends == pytest.approx(2.2, abs=0.05)
        await line.close()

    virtually(scene())


def test_a_piece_without_sound_is_nothing() -> None:
    async def scene() -> None:
        player, line = a_player()
        await player.play("a", TEXT, sound(0.0))
        await player.drained()
        assert line.sent == [] and player.heard() == ""
        await line.close()

    virtually(scene())
