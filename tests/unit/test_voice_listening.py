"""Where speech begins, pauses and ends: windows, and what the dialogue expects."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.carrier import LoudIsVoice
from tests.fakes.speech import tone
from voice.design import get_design
from voice.ending import hangs, is_backchannel, is_over, meaning
from voice.listening import Full, Listener, Paused, Silent, Spoke, WentOn
from voice.protocols import Expectation, Heard, Pcm

pytestmark = pytest.mark.unit

DESIGN = get_design()
WORDS = DESIGN.turns.words


def loud(seconds: float) -> Pcm:
    return tone(440, seconds)


def quiet(seconds: float) -> Pcm:
    return np.zeros(round(seconds * 8_000), np.int16)


def events(*sounds: Pcm, frame: int = 160) -> list[str]:
    """The names of what a listener hears, fed frame by frame; only the first of a row of silences."""
    listener = Listener(LoudIsVoice(), DESIGN.turns)
    names: list[str] = []
    sound = np.concatenate(sounds)
    for start in range(0, len(sound), frame):
        for event in listener.feed(sound[start : start + frame]):
            name = type(event).__name__
            if isinstance(event, Full):
                listener.take()
            if name != "Silent" or names[-1] != "Silent":
                names.append(name)
    return names


def test_a_word_is_heard_to_begin_and_to_pause() -> None:
    assert events(quiet(1), loud(0.5), quiet(0.5)) == ["Spoke", "Paused", "Silent"]


def test_a_click_is_nothing() -> None:
    assert events(quiet(1), loud(0.06), quiet(1)) == []


def test_a_short_word_is_recognised_although_it_stops_nobody() -> None:
    assert events(quiet(1), loud(0.12), quiet(0.3)) == ["Paused", "Silent"]


def test_a_caller_who_goes_on_is_one_utterance() -> None:
    assert events(loud(0.5), quiet(0.3), loud(0.5), quiet(0.3)) == [
        "Spoke", "Paused", "Silent", "WentOn", "Paused", "Silent",
    ]  # fmt: skip


@pytest.mark.parametrize("frame", [1, 79, 160, 256, 1_000, 8_000])
def test_the_size_of_frames_changes_nothing(frame: int) -> None:
    assert events(quiet(1), loud(0.5), quiet(0.5), frame=frame) == ["Spoke", "Paused", "Silent"]


def test_the_sound_before_the_first_loud_window_is_kept() -> None:
    listener = Listener(LoudIsVoice(), DESIGN.turns)
    listener.feed(quiet(2.0))
    listener.feed(loud(0.5))
    assert 0.7 < len(listener.audio()) / 8_000 < 0.85


def test_no_utterance_is_longer_than_thirty_seconds() -> None:
    assert events(loud(31)).count("Full") == 1


def test_the_detector_is_reset_every_two_seconds_without_speech() -> None:
    activity = LoudIsVoice()
    listener = Listener(activity, DESIGN.turns)
    listener.feed(quiet(6.5))
    assert activity.resets == 3


def test_loudness_is_of_the_voice_and_not_of_the_silence() -> None:
    listener = Listener(LoudIsVoice(), DESIGN.turns)
    listener.feed(np.concatenate((quiet(1), loud(0.5), quiet(0.15))))
    expected = 20 * np.log10(0.3 / np.sqrt(2))
    assert abs(listener.level - expected) < 1.0


def test_names_of_all_events_are_used() -> None:
    assert {Spoke, Paused, Silent, WentOn, Full}


# -- the end of a turn


def over(kind: Expectation, silence: int, text: str | None, verdict: float | None = 1.0, language: str = "en") -> bool:
    return is_over(DESIGN, kind, silence, None if text is None else Heard(text), verdict, language)


OPEN, YES_NO = Expectation(), Expectation("yes_no")
PLACE, PHONE = Expectation("place", (10,)), Expectation("phone", (10, 11))


def test_without_the_words_a_turn_is_not_over_before_its_longest_pause() -> None:
    assert not over(OPEN, 1_100, None)
    assert over(OPEN, 1_200, None)


def test_a_yes_is_over_as_soon_as_it_is_recognised() -> None:
    assert over(YES_NO, 200, "Yes.")
    assert over(YES_NO, 200, "no thanks")
    assert not over(YES_NO, 200, "well I")
    assert over(YES_NO, 200, "sí, claro", language="es") is False
    assert over(YES_NO, 200, "Sí.", language="es")


def test_an_open_sentence_needs_the_detectors_word_or_time() -> None:
    assert not over(OPEN, 500, "my power is out", None)
    assert not over(OPEN, 500, "my power is out", 0.2)
    assert over(OPEN, 500, "my power is out", 0.8)
    assert over(OPEN, 1_200, "my power is out", 0.2)


@pytest.mark.parametrize("text", ["my power is out and", "it's at", "so um", "well,", "it went...", "y mi luz de"])
def test_a_sentence_that_hangs_goes_on(text: str) -> None:
    language = "es" if "luz" in text else "en"
    assert not over(OPEN, 1_100, text, 0.9, language)
    assert over(OPEN, 1_200, text, 0.9, language)


def test_digits_end_when_there_are_enough_of_them_and_not_before() -> None:
    assert not over(PLACE, 1_300, "one zero zero two three")
    assert over(PLACE, 1_400, "one zero zero two three")
    assert over(PLACE, 300, "1002345674")
    assert not over(PHONE, 500, "207 555 0142")
    assert over(PHONE, 600, "207 555 0142")
    assert over(PHONE, 300, "1 207 555 0142")


def test_a_house_number_in_an_address_is_no_unfinished_account_number() -> None:
    assert over(PLACE, 600, "14 Lantern Lane")


@pytest.mark.parametrize("text, expected", [
    ("Yes.", "affirm"), ("No, thanks.", "deny"), ("Hold on!", "wait"), ("mm-hm", "affirm"), ("my power is out", ""),
    ("uh", "backchannel"), ("", ""),
])  # fmt: skip
def test_short_utterances_have_meanings(text: str, expected: str) -> None:
    assert meaning(WORDS, text, "en") == expected


@pytest.mark.parametrize("text", ["mm-hm", "Okay, yeah.", "uh huh uh huh", "Right. I see.", "oh okay thanks"])
def test_several_backchannels_are_one(text: str) -> None:
    assert is_backchannel(WORDS, text, "en")


@pytest.mark.parametrize("text", ["okay stop", "no", "yeah but my power", "", "I smell gas"])
def test_words_with_content_are_none(text: str) -> None:
    assert not is_backchannel(WORDS, text, "en")


def test_a_whole_sentence_does_not_hang() -> None:
    assert not hangs(WORDS, "When is it coming back?", "en")
