"""An address that was heard as words is written as everybody writes it, and as it is spoken it is heard again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.speakable import speakable
from voice.spoken_digits import as_written

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("it's fourteen lantern lane", "it's 14 lantern lane"),
        ("Fourteen twenty-three North Main Street, apartment three B", "1423 North Main Street, apartment 3B"),
        ("one oh five oak way", "105 oak way"),
        ("one hundred five oak way", "105 oak way"),
        ("one hundred and twenty three oak way", "123 oak way"),
        ("twelve hundred elm court unit four", "1200 elm court unit 4"),
        ("four two seven saint mary's road", "427 saint mary's road"),
        ("twenty two harbor view drive", "22 harbor view drive"),
        ("14 Lantern Lane", "14 Lantern Lane"),
        ("out for two hours on main street", "out for two hours on main street"),
        ("one of the poles in our street", "one of the poles in our street"),
        ("my power went out at seven", "my power went out at seven"),
        ("no one on my street", "no one on my street"),
        ("", ""),
    ],
)
def test_house_numbers_become_figures_and_nothing_else_does(heard: str, written: str) -> None:
    assert as_written(heard) == written


@given(st.integers(1, 9_999).filter(lambda number: number < 1_000 or number % 1_000))
def test_a_house_number_as_we_say_it_is_understood_when_it_comes_back(number: int) -> None:
    assert as_written(speakable(f"{number} Lantern Lane")) == f"{number} Lantern Lane"


@given(st.text(max_size=100))
def test_any_text_is_taken(text: str) -> None:
    as_written(text)
