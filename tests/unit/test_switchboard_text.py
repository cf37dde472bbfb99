from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.switchboard.text import LONGEST_GUARDED, LONGEST_READ, normalise

pytestmark = pytest.mark.unit


@given(st.text(max_size=5_000))
def test_nothing_that_comes_out_is_a_command_or_hidden(raw: str) -> None:
    read = normalise(raw)
    for text in (read.text, read.whole):
        assert not text.lstrip().startswith("/")
        assert not any(unicodedata.category(char)[0] == "C" for char in text)
        assert text == " ".join(text.split())
    assert len(read.text) <= LONGEST_READ and len(read.whole) <= LONGEST_GUARDED


@given(st.text(max_size=300))
def test_reading_again_changes_nothing(raw: str) -> None:
    once = normalise(raw).text
    assert normalise(once).text == once


@pytest.mark.parametrize(
    "slash", ["/", "//", " / / ", "／", "\u200b/", "\u202e/\u2066/", "\ufeff /", "\u00ad/", "\u3164/"]
)
def test_a_slash_in_any_disguise_is_taken_away(slash: str) -> None:
    assert normalise(f"{slash}affirm").text == "affirm"


@pytest.mark.parametrize("raw", ["", " \n\t", "🔥🔥", "\u200b\u200d", "?!...", "\u3164\u2800", "\x00\x01\x02ab"])
def test_what_holds_no_words_is_not_readable(raw: str) -> None:
    assert not normalise(raw).readable


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("ｍｙ ｐｏｗｅｒ", "my power"),
        ("no\u200b  power\u00a0here\r\n\r\nplease", "no power here please"),
        ("se fue la luz ¿cuándo vuelve?", "se fue la luz ¿cuándo vuelve?"),
        ("אין חשמל", "אין חשמל"),
        ("and/or", "and/or"),
        ("1", "1"),
    ],
)
def test_words_stay_words(raw: str, text: str) -> None:
    assert normalise(raw).text == text


def test_every_sentence_of_a_long_text_is_whole_in_some_window() -> None:
    sentence = "and then I noticed that I smell gas in the basement"
    for at in range(1_900, 2_100, 7):
        read = normalise("x " * (at // 2) + sentence + " y" * 3_000)
        assert any(sentence in window for window in read.windows())
