"""An account number is found however it is said, repaired where only one repair is likely, and never invented."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from integrations.base.utility import AccountNumberFormat, get_utility
from integrations.cis.numbers import spoken_digits
from voice.account_numbers import LEAST_CONFIDENCE, chooser, grouped, propose
from voice.protocols import Heard

pytestmark = pytest.mark.unit

LUHN = AccountNumberFormat(digits=(10,), check="luhn")
FREE = AccountNumberFormat(digits=(8,))
WORDS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]


def valid(base: str) -> str:
    return next(base + last for last in "0123456789" if LUHN.fits(base + last))


numbers = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True).map(valid)


def found(*readings: str, form: AccountNumberFormat = LUHN) -> str:
    proposal = propose(readings, form)
    return proposal.number if proposal else ""


def said(number: str, seed: int) -> str:
    """One of the many ways in which people say a number."""
    rng = random.Random(seed)
    words: list[str] = []
    at = 0
    while at < len(number):
        digit, pair = int(number[at]), number[at : at + 2]
        way = rng.randrange(4)
        if way == 0 and len(pair) == 2 and pair[0] == pair[1]:
            words.append(f"double {WORDS[digit]}")
            at += 2
        elif way == 1 and len(pair) == 2 and pair[0] == "1":
            words.append(TEENS[int(pair[1])])
            at += 2
        elif way == 1 and len(pair) == 2 and pair[0] > "1" and pair[1] != "0":
            words.append(f"{TENS[int(pair[0])]} {WORDS[int(pair[1])]}")
            at += 2
        else:
            words.append(rng.choice(["oh", "zero"]) if digit == 0 else WORDS[digit])
            at += 1
        if rng.random() < 0.1:
            words.append(rng.choice(["uh", "um", ",", "-", "then", "dash"]))
    before, after = rng.choice(["", "it is", "my account number is", "sure,"]), rng.choice(["", ".", " thanks"])
    return f"{before} {' '.join(words)}{after}"


@settings(max_examples=200, deadline=None)
@given(numbers, st.integers(0, 10**6))
def test_any_number_said_in_any_way_is_found(number: str, seed: int) -> None:
    text = said(number, seed)
    assume(spoken_digits(text) == number)  # "forty one one" is two numbers to everybody
    assert found(text) == number


@given(numbers)
def test_figures_are_found_however_they_are_grouped(number: str) -> None:
    assert found(number) == number
    assert found(f"{number[:3]}-{number[3:6]}-{number[6:]}.") == number
    assert found(f"{int(number):,}") == number


@settings(max_examples=100, deadline=None)
@given(numbers, st.integers(0, 9), st.integers(0, 9))
def test_a_worse_reading_that_is_possible_beats_a_better_one_that_is_not(number: str, at: int, digit: int) -> None:
    wrong = number[:at] + str(digit) + number[at + 1 :]
    proposal = propose([wrong, number], LUHN)
    assert proposal is not None
    assert proposal.number == number


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="0123456789 abonetwforsi.-", max_size=60), max_size=7))
def test_what_is_proposed_has_the_length_and_the_check_digit(readings: list[str]) -> None:
    for form in (LUHN, FREE, AccountNumberFormat(digits=(8, 11), check="luhn")):
        proposal = propose(readings, form)
        if proposal is not None:
            assert form.fits(proposal.number)
            assert LEAST_CONFIDENCE <= proposal.confidence <= 1


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789", max_size=30).filter(lambda digits: abs(len(digits) - 10) > 2))
def test_with_nothing_possible_near_nothing_is_proposed(digits: str) -> None:
    assert propose([digits, " ".join(WORDS[int(digit)] for digit in digits)], LUHN) is None


@pytest.mark.parametrize(
    "text", ["", "my power is out", "one two three", "since seven or eight", "to be or not to be", "nine one one", "🎉"]
)
def test_words_without_a_number_propose_nothing(text: str) -> None:
    assert propose([text], LUHN) is None


@settings(max_examples=200, deadline=None)
@given(numbers, st.integers(0, 9), st.integers(0, 9))
def test_a_digit_that_is_simply_wrong_is_asked_for_again(number: str, at: int, digit: int) -> None:
    wrong = number[:at] + str(digit) + number[at + 1 :]
    assume(wrong != number)
    proposal = propose([wrong], LUHN)
    # Ten digits can each have been the wrong one; only the well-known confusions may be put right.
    assert proposal is None or proposal.repaired


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("six one nine four three four four oh eight eight", "6194344088"),
        ("six one nine four three double four oh eight eight", "6194344088"),
        ("sixty one ninety four thirty four forty eighty eight", "6194344088"),
        ("sixty one nineteen four thirty four forty eighty eight", "6194344088"),
        ("it's for six one nine four three four four oh eight eight", "6194344088"),
        ("six one nine um okay so four three four four oh eight eight", "6194344088"),
        ("six one nine four three five no four four oh eight eight", "6194344088"),
        ("one two three sorry six one nine four three four four oh eight eight", "6194344088"),
        ("six one nine for three for for o ate ate", "6194344088"),
        ("my house number is 12 and the account is 6194344088", "6194344088"),
        ("seis uno nueve cuatro tres cuatro cuatro cero ocho ocho", "6194344088"),
        ("six one nine niner four three four four zero eight eight", "6194344088"),
    ],
)
def test_what_callers_say_and_recognisers_write_is_understood(text: str, number: str) -> None:
    assert found(text) == number


def test_a_repair_is_less_sure_than_a_number_that_was_heard() -> None:
    heard, repaired = (
        propose(["6194344088"], LUHN),
        propose(["six one nineteen niner four three four four oh eight eight", "61994344088"], LUHN),
    )
    assert heard is not None
    assert not heard.repaired
    assert repaired is None or repaired.confidence < heard.confidence


def test_without_a_check_digit_the_length_decides_and_guesses_are_refused() -> None:
    assert found("one two three four five six seven eight", form=FREE) == "12345678"
    assert found("one two three four five six seven", form=FREE) == ""
    assert found("one two three four five six seven seven eight", form=FREE) == "12345678"


@given(st.text(alphabet="0123456789", max_size=24))
def test_a_number_read_back_is_every_digit_in_order(number: str) -> None:
    back = grouped(number)
    assert "".join(str(WORDS.index(word)) for word in back.replace(",", "").split()) == number
    assert all(2 <= len(group.split()) <= 4 for group in back.split(", ") if len(number) > 1)


def test_numbers_are_read_back_in_groups() -> None:
    assert grouped("1002345678") == "one zero zero two, three four five six, seven eight"
    assert grouped("123456789") == "one two three, four five six, seven eight nine"
    assert grouped("12345", "es") == "uno dos tres, cuatro cinco"


def test_where_another_kind_of_number_is_asked_for_it_is_taken_as_heard() -> None:
    choose = chooser(LUHN)
    assert choose(Heard("two oh seven five five five oh one"), (8,)) == "20755501"
    assert choose(Heard("6194344087", ("6194344088",)), (10,)) == "6194344088"
    assert choose(Heard("6194344088"), ()) == "6194344088"
    assert choose(Heard("two oh seven five five five oh one oh one"), (10, 11)) == "2075550101"
    assert choose(Heard("yes please"), (10,)) == ""


def test_the_format_is_the_utilitys_and_mistakes_in_it_are_told() -> None:
    assert get_utility().account_number.fits("6194344088")
    assert not get_utility().account_number.fits("6194344089")
    assert AccountNumberFormat.model_validate({"digits": [8, 10]}).lengths == (8, 10)
    with pytest.raises(ValidationError):
        AccountNumberFormat.model_validate({"digits": 10, "check": "mod11"})
    with pytest.raises(ValidationError):
        AccountNumberFormat.model_validate({"digits": [0]})


def test_a_number_of_other_scripts_fits_nothing() -> None:
    assert not LUHN.fits("٦١٩٤٣٤٤٠٨٨")
    assert propose(["٦١٩٤٣٤٤٠٨٨"], LUHN) is None
