"""A caller who spoke over us hears what they had not heard, from a whole sentence on, and never nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.smalltalk import unheard
from voice.speakable import speakable

pytestmark = pytest.mark.unit

STATUS = "We know about an outage at 14 Lantern Ln. It began at 4:05 PM today. About 240 customers are out."
QUESTION = "Would you like a text when there is news?"


@pytest.mark.parametrize(
    ("heard", "left"),
    [
        ("", [STATUS, QUESTION]),
        ("We know about an", [STATUS, QUESTION]),
        ("We know about an outage at fourteen Lantern Lane. It began", [STATUS[42:], QUESTION]),
        (
            "We know about an outage at fourteen Lantern Lane. It began at four oh five PM today.",
            [STATUS[69:], QUESTION],
        ),
        (f"One moment, I am looking. {speakable(STATUS)} Would you", ["", QUESTION]),
        (f"{speakable(STATUS)} {speakable(QUESTION)}", [STATUS, QUESTION]),
        ("something else altogether", [STATUS, QUESTION]),
    ],
)
def test_what_was_cut_off_is_said_from_its_sentence_on(heard: str, left: list[str]) -> None:
    assert unheard([STATUS, QUESTION], heard) == left


@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=80))
def test_any_words_leave_whole_ends_of_what_was_said(texts: list[str], heard: str) -> None:
    left = unheard(texts, heard)
    assert len(left) == len(texts)
    assert all(text.strip().endswith(one.strip()) for text, one in zip(texts, left, strict=True))


@given(st.integers(0, 40))
def test_the_more_was_heard_the_less_is_said_again(words: int) -> None:
    spoken = re.findall(r"\S+", f"{speakable(STATUS)} {speakable(QUESTION)}")
    heard = [" ".join(spoken[:count]) for count in (min(words, len(spoken) - 1), min(words + 1, len(spoken) - 1))]
    earlier, later = (len("".join(unheard([STATUS, QUESTION], one))) for one in heard)
    assert later <= earlier
