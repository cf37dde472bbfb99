"""Counting and splitting text messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.twilio.sms import Segments, is_gsm, segments, split, to_plain

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 0)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        # An escape pair is not divided: 76 euro signs fill a segment, and one septet stays empty.
        ("€" * 152, Segments("GSM-7", 304, 2)),
        ("€" * 153, Segments("GSM-7", 306, 3)),
        ("ñandú ú", Segments("UCS-2", 7, 1)),
        ("ñÑ¿¡éà", Segments("GSM-7", 6, 1)),
        ("ж" * 70, Segments("UCS-2", 70, 1)),
        ("ж" * 71, Segments("UCS-2", 71, 2)),
        ("ж" * 134, Segments("UCS-2", 134, 2)),
        ("ж" * 135, Segments("UCS-2", 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        ("😀" * 36, Segments("UCS-2", 72, 2)),
        # 33 emoji fill 66 of 67 units.
        ("😀" * 66, Segments("UCS-2", 132, 2)),
        ("😀" * 67, Segments("UCS-2", 134, 3)),
    ],
)
def test_messages_are_counted_as_carriers_do(text: str, expected: Segments) -> None:
    assert segments(text) == expected


def test_the_alphabet_has_its_127_characters_and_10_more() -> None:
    every = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    assert sum(1 for one in every if is_gsm(one)) == 127 + 10


def test_typographic_punctuation_is_made_plain_and_then_costs_less() -> None:
    text = "It’s “out” — crews are there…\u00a0Thanks\u200b"
    assert not is_gsm(text)
    assert to_plain(text) == 'It\'s "out" - crews are there... Thanks'
    assert is_gsm(to_plain(text))


SENTENCES = "Power is out at Gull Way. Crews are on site. " * 12


def test_long_texts_are_cut_at_the_ends_of_sentences() -> None:
    parts = split(SENTENCES, segments_each=1)
    assert len(parts) > 2
    assert all(part.endswith(".") and segments(part).count == 1 for part in parts)
    assert " ".join(parts) == SENTENCES.strip()


def test_a_text_without_sentences_is_cut_between_words() -> None:
    text = "word " * 100
    parts = split(text, segments_each=1)
    assert all(set(part.split()) == {"word"} for part in parts)
    assert " ".join(parts).split() == text.split()


def test_what_does_not_fit_is_left_out_visibly() -> None:
    parts = split(SENTENCES * 5, max_parts=2, segments_each=1)
    assert len(parts) == 2
    assert parts[-1].endswith("...")
    assert all(segments(part).count == 1 for part in parts)


def test_a_family_of_emoji_is_not_taken_apart() -> None:
    family = "👨‍👩‍👧‍👦"
    assert all(part.replace(family, "") == "" for part in split(family * 40, max_parts=40, segments_each=1))


@given(st.text(max_size=700), st.integers(1, 4), st.integers(1, 3))
def test_no_text_breaks_the_rules(text: str, max_parts: int, segments_each: int) -> None:
    parts = split(text, max_parts, segments_each)
    assert len(parts) <= max_parts
    for part in parts:
        assert part.strip()
        assert segments(part).count <= segments_each
        assert len(part) <= 1600


@given(st.text(max_size=400))
def test_nothing_is_lost_but_space_between_parts(text: str) -> None:
    parts = split(text, max_parts=1000, segments_each=1)
    assert "".join("".join(parts).split()) == "".join(text.split())
