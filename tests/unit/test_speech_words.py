"""What is believed of a reading, the digits in it, and how a text is cut for speaking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines.audio import LOUDEST, active_level, gain_for, to_pcm
from voice.engines.digits import digits_of, distinct
from voice.engines.inventions import INVENTED, believe, plain
from voice.engines.whisper import Reading, Utterance
from voice.protocols import Expectation
from voice.speech.pieces import pieces_of

pytestmark = pytest.mark.unit


def reading(*texts: str, score: float = -0.2, no_speech: float = 0.05) -> Reading:
    return Reading(texts, score, no_speech, 5)


def heard(read: Reading, voiced: float, expect: Expectation | None = None) -> str:
    utterance = Utterance(np.zeros(16_000, np.int16), expect or Expectation(), "en")
    return believe(read, utterance, voiced).text


def test_a_clear_sentence_is_believed_with_its_figures() -> None:
    result = believe(reading("My power is out."), Utterance(np.zeros(8_000, np.int16), Expectation(), "en"), 1.2)
    assert (result.text, result.score, result.no_speech) == ("My power is out.", -0.2, 0.05)


@pytest.mark.parametrize("text", ["My power is out.", "you", "4071922583"])
def test_without_a_voice_there_are_no_words(text: str) -> None:
    assert heard(reading(text), 0.0) == ""


@pytest.mark.parametrize("text", sorted(INVENTED))
def test_what_whisper_says_to_nothing_needs_better_evidence_than_other_words(text: str) -> None:
    assert heard(reading(text, no_speech=0.55), 0.5) == ""
    assert heard(reading(text), 0.2) == ""


@pytest.mark.parametrize("text", ["Thank you.", "Bye.", "Okay."])
def test_a_caller_may_really_say_thank_you(text: str) -> None:
    assert heard(reading(text), 0.6) == text


def test_an_unlikely_reading_and_a_doubtful_one_of_silence_are_dropped() -> None:
    assert heard(reading("My power is out.", score=-1.1), 1.2) == ""
    assert heard(reading("My power is out.", score=-0.6, no_speech=0.7), 1.2) == ""


def test_real_digits_are_kept_although_whisper_takes_them_for_no_speech() -> None:
    assert heard(reading("407-192-2583.", no_speech=0.68), 2.8, Expectation("digits", (10,))) == "407-192-2583."
    assert heard(reading("8060605948", score=-0.52, no_speech=0.74), 5.4, Expectation("digits")) == "8060605948"
    assert heard(reading("80", score=-0.52, no_speech=0.74), 0.4, Expectation("digits")) == ""


def test_loops_are_dropped_and_repeated_digits_are_not() -> None:
    loop = "I am going to go. I am going to go. I am going to go."
    assert heard(reading(loop), 6.0) == ""
    assert heard(reading("no no no no no no"), 6.0) == ""
    assert heard(reading("555-555-5555"), 3.0, Expectation("digits", (10,))) == "555-555-5555"


def test_more_words_than_can_be_said_in_the_time_are_dropped() -> None:
    assert heard(reading("The outage in your area was caused by a tree on the line."), 0.4) == ""


def test_an_echo_of_the_hint_needs_evidence() -> None:
    choice = Expectation("choice", words=("pay the whole amount", "set up a plan"))
    assert heard(reading("set up a plan", no_speech=0.55), 0.9, choice) == ""
    assert heard(reading("set up a plan"), 0.9, choice) == "set up a plan"


def test_of_digits_the_reading_with_a_possible_length_comes_first() -> None:
    texts = ("407-192-583.", "407-192-2583.", "407 192 2583", "407-192-2553.")
    assert distinct(texts, "en", (10,)) == ("407-192-2583.", "407-192-2553.", "407-192-583.")
    assert distinct(texts, "en", ()) == ("407-192-583.", "407-192-2583.", "407-192-2553.")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("407-192-2583.", "4071922583"),
        ("For 07, one nine two.", "407192"),
        ("oh two double five", "0255"),
        ("twenty-two fourteen", "2214"),
        ("one hundred", "1"),
        ("I don't have it.", ""),
        ("to be or not", ""),
        ("it's for my house", ""),
    ],
)
def test_digits_are_found_in_words_and_figures(text: str, digits: str) -> None:
    assert digits_of(text) == digits


def test_spanish_digits() -> None:
    assert digits_of("cuatro cero siete, uno nueve dos", "es") == "407192"
    assert digits_of("veinte y dos", "es") == "22"


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    digits_of(text)
    plain(text)
    heard(reading(text), 1.0)
    "".join(pieces_of(text))


def test_the_first_piece_is_short_and_nothing_is_lost() -> None:
    text = (
        "We know about an outage near you, and a crew is on its way, so the utility expects to have your power back by "
        "six thirty. Would you like a text message when that changes? St. Mary Street is next."
    )
    pieces = list(pieces_of(text))
    assert " ".join(pieces) == text
    assert len(pieces[0]) <= 60 and pieces[-1] == "St. Mary Street is next."


def test_nothing_is_said_louder_than_the_line_can_carry() -> None:
    loud = np.sin(np.linspace(0, 500, 8_000)).astype(np.float32) * 3
    assert np.abs(to_pcm(loud)).max() <= LOUDEST * 32_768
    assert gain_for(active_level(np.zeros(8_000, np.float32))) == 1.0
    assert gain_for(0.001) == 4.0
