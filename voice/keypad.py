"""Keys become answers: a choice, a number, back, a person. Time is handed in, so that tests need none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voice.design import Keys
from voice.protocols import Expectation

LONE_DIGIT_SECONDS = 1.5
"""After one digit that may be a choice or the first of a number."""
_NUMBERS = ("digits", "phone", "place", "amount", "date")

What = Literal["digits", "choice", "affirm", "deny", "person", "back", "cleared", "too_many", "no_meaning", "language"]


@dataclass(frozen=True, slots=True)
class Keyed:
    """What keys meant.

    Attributes:
        what: the kind of answer.
        digits: the number, or the chosen button's own number.
    """

    what: What
    digits: str = field(default="", repr=False)


class Keypad:
    """Gathers keys into answers.

    Args:
        keys: what they mean.
        other_language: whether another language is offered.
    """

    def __init__(self, keys: Keys, other_language: bool = False) -> None:
        self._keys = keys
        self._other_language = other_language
        self._digits = ""
        self._overflow = False
        self.deadline: float | None = None
        """When `idle` has to be called; None while nothing waits."""

    def forget(self) -> None:
        """Nothing was keyed."""
        self._digits = ""
        self._overflow = False
        self.deadline = None

    def press(self, key: str, expect: Expectation, choices: int, now: float) -> Keyed | None:
        """Take a key.

        Args:
            key: one of 0 to 9, * and #; others have no meaning.
            expect: of the answer.
            choices: how many buttons are offered.
            now: seconds.

        Returns:
            An answer, or None while more may come.
        """
        if key == self._keys.star:
            keyed = bool(self._digits or self._overflow)
            self.forget()
            return Keyed("cleared" if keyed else "back")
        if key == self._keys.ends:
            return self._flush(expect, choices) if self._digits or self._overflow else None
        if not key.isdigit():
            return Keyed("no_meaning")
        if not self._digits and not self._overflow:
            single = self._single(key, expect, choices)
            if single:
                return single
        self._digits += key
        if len(self._digits) > self._keys.most_digits:
            # One answer for all of them, when they stop.
            self._digits, self._overflow = "", True
        if not self._overflow and self._is_complete(expect):
            return self._flush(expect, choices)
        lone = len(self._digits) == 1 and (choices > 0 or key == self._keys.person)
        self.deadline = now + (LONE_DIGIT_SECONDS if lone else self._keys.idle_seconds)
        return None

    def idle(self, expect: Expectation, choices: int) -> Keyed | None:
        """No further key came until the deadline."""
        return self._flush(expect, choices) if self._digits or self._overflow else None

    def _single(self, key: str, expect: Expectation, choices: int) -> Keyed | None:
        """A key that means something by itself, at once, because no number can begin with it here."""
        if expect.kind in _NUMBERS or choices > 9:
            return None
        if key == self._keys.person:
            return Keyed("person")
        if 1 <= int(key) <= choices:
            return Keyed("choice", key)
        if expect.kind == "yes_no" and key in "12":
            return Keyed("affirm" if key == "1" else "deny")
        if expect.kind == "open" and not choices:
            return None  # perhaps an account number that nobody asked for
        return self._other(key)

    def _other(self, key: str) -> Keyed:
        return Keyed("language" if key == self._keys.language and self._other_language else "no_meaning")

    def _is_complete(self, expect: Expectation) -> bool:
        if not expect.lengths:
            return False
        if expect.kind == "phone" and len(self._digits) == 10 and not self._digits.startswith("1"):
            return True
        return len(self._digits) >= max(expect.lengths)

    def _flush(self, expect: Expectation, choices: int) -> Keyed:
        digits, overflow = self._digits, self._overflow
        self.forget()
        if overflow:
            return Keyed("too_many")
        if digits == self._keys.person:
            return Keyed("person")
        if choices and len(digits) <= 2 and 1 <= int(digits) <= choices:
            return Keyed("choice", digits)
        if len(digits) == 1 and expect.kind in ("open", "yes_no", "choice"):
            return self._other(digits)
        return Keyed("digits", digits)
