"""Account numbers, phones and addresses as people write and say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.base.phones import to_e164
from integrations.cis.addresses import likeness
from integrations.cis.numbers import account_number, spoken_digits

pytestmark = pytest.mark.unit

WORDS = "zero one two three four five six seven eight nine".split()


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("6194344088", "6194344088"),
        ("6194-3440 88", "6194344088"),
        ("my account number is 619 434 4088 thanks", "6194344088"),
        ("acct #6194344088.", "6194344088"),
        ("six one nine four three four four oh eight eight", "6194344088"),
        ("six one nine, four three double four, zero double eight", "6194344088"),
        ("six one nine dash four three four dash four zero eight eight", "6194344088"),
        ("sixty one ninety four thirty four forty eighty eight", "6194344088"),
        ("it's triple five oh one four two", "5550142"),
        ("seis uno nueve cuatro tres", "61943"),
        ("won too tree for five", "5"),
        ("one too tree for five", "12345"),
        ("nineteen forty two hundred", "194200"),
        ("I want to pay for my account", ""),
        ("my house number is 12 and the account is 6194344088", "6194344088"),
        ("", ""),
    ],
)
def test_digits_are_heard_as_they_were_meant(text: str, digits: str) -> None:
    assert spoken_digits(text) == digits


@given(st.text(alphabet="0123456789", min_size=5, max_size=15))
def test_any_number_survives_being_spelt_or_spaced(digits: str) -> None:
    assert account_number(" ".join(WORDS[int(digit)] for digit in digits)) == digits
    assert account_number("-".join(digits)) == digits


@given(st.text(max_size=200))
def test_no_text_crashes_it(text: str) -> None:
    spoken_digits(text)
    to_e164(text)
    likeness(text, "14 Lantern Lane, Juniper Bay")


def test_a_number_of_no_possible_length_is_none() -> None:
    assert account_number("one two") is None
    assert account_number("1" * 30) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(207) 555-0101", "+12075550101"),
        ("207.555.0101", "+12075550101"),
        ("1 207 555 0101", "+12075550101"),
        ("+1 (207) 555-0101", "+12075550101"),
        ("+15555550142", "+15555550142"),
        ("+442079460018", "+442079460018"),
        ("555-0101", None),
        ("+1207555010", None),
        ("anonymous", None),
        ("", None),
        ("9" * 60, None),
    ],
)
def test_phones_become_e164_and_reserved_ones_count(text: str, expected: str | None) -> None:
    assert to_e164(text) == expected


HERE = "14 Lantern Lane, Juniper Bay"


@pytest.mark.parametrize("text", ["14 Lantern Ln", "14 lantern lane juniper bay", "14 Lantren Ln.", "14 LANTERN LANE"])
def test_the_same_place_in_other_words_scores_high(text: str) -> None:
    assert likeness(text, HERE) >= 85


@pytest.mark.parametrize("text", ["16 Lantern Lane", "14 Harbor Street", "lantern", "14"])
def test_another_place_scores_lower(text: str) -> None:
    assert likeness(text, HERE) < 85


def test_the_right_unit_comes_before_the_wrong_one() -> None:
    right = likeness("14 Lantern Ln apt 3", HERE, "Apt 3")
    assert right > likeness("14 Lantern Ln apt 3", HERE, "Apt 2")
    assert right > likeness("14 Lantern Ln #3", HERE, None)
    assert likeness("14 Lantern Ln #3", HERE, "Apt 3") == right
