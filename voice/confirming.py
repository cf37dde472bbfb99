"""Numbers by voice or keypad are read back and confirmed before the dialogue gets them.

Whole digit strings are recognised rightly only 0.6 to 0.75 of the time (measured on telephone speech), so no number
that was heard is used unasked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.cis.numbers import spoken_digits
from voice.ending import is_only_number
from voice.protocols import Expectation, Heard

Choose = Callable[[Heard, tuple[int, ...]], str]
"""The number that is possible among the readings; "" when there is none."""

_MANY = 6
"""Digits in a row that are no house number and no ZIP code."""


def first_possible(heard: Heard, lengths: tuple[int, ...]) -> str:
    """The first reading whose digits have a possible length."""
    for text in (heard.text, *heard.others):
        digits = spoken_digits(text)
        if digits and (not lengths or len(digits) in lengths):
            return digits
    return ""


def is_number(heard: Heard, expect: Expectation) -> bool:
    """Whether an answer is meant to be the number that was asked for, rightly recognised or not."""
    digits = len(spoken_digits(heard.text))
    if expect.kind in ("digits", "phone"):
        return digits >= 3
    return expect.kind == "place" and digits >= _MANY


def possible(heard: Heard, expect: Expectation, choose: Choose) -> str:
    """The number that is possible among the readings; "" when none is.

    Args:
        heard: the readings.
        expect: of the number.
        choose: for account numbers, which have check digits; telephone numbers have none.
    """
    return first_possible(heard, expect.lengths) if expect.kind == "phone" else choose(heard, expect.lengths)


def joined(part: Heard, rest: Heard) -> Heard:
    """What was said in two goes, as one: people read long numbers in groups and look at their bill between them."""
    return Heard(
        f"{part.text} {rest.text}",
        tuple(f"{part.text} {other}" for other in rest.others),
        min(part.score, rest.score),
        max(part.no_speech, rest.no_speech),
    )


def is_part(text: str, expect: Expectation) -> bool:
    """Whether it is the beginning of a number of which two digits or more are to come."""
    return bool(expect.lengths) and is_only_number(text) and 3 <= len(spoken_digits(text)) < min(expect.lengths) - 1


@dataclass(slots=True)
class Confirming:
    """The number that waits for a yes.

    Attributes:
        most_tries: at one number.
        pending: digits that were read back; "" when none wait.
        expect: of the question that the number answers.
        tries: so far at this question.
        part: the beginning of a number whose rest is to come.
    """

    most_tries: int
    pending: str = ""
    expect: Expectation = field(default_factory=Expectation)
    tries: int = 0
    part: Heard | None = field(default=None, repr=False)

    def begin(self, digits: str, expect: Expectation) -> None:
        """Wait for a yes to these digits."""
        self.pending, self.expect, self.part = digits, expect, None

    def wrong(self) -> bool:
        """They are not, or could not be made out; whether it is worth another try."""
        self.pending, self.part = "", None
        self.tries += 1
        return self.tries < self.most_tries

    def forget(self) -> None:
        """Something else is spoken of now."""
        self.pending, self.tries, self.part = "", 0, None
