"""The account number that a caller can have meant, among all that was understood.

Recognisers drop one of two equal digits, double one, take five for nine, fourteen for forty, and "for" for a number. A
number is proposed only when its length and check digit fit and nothing else is nearly as likely (a noisy channel with
Bayes' rule, the recogniser's readings as evidence). A proposal is read back and confirmed, never used unasked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, product

from integrations.base.utility import AccountNumberFormat
from integrations.cis.numbers import spoken_digits
from voice.protocols import Heard
from voice.spoken_numbers import digit_by_digit

LEAST_CONFIDENCE = 0.6
"""Share of the likelihood from which a number is proposed; `bench.account_numbers` shows what other limits give."""
_READING_WEIGHTS = (1.0, 0.45, 0.3, 0.2, 0.15)
"""The recogniser's own order of its readings, as evidence; more than five readings add nothing."""
_ELSE = 0.004
"""Likelihood that the words were no account number of ours at all: two or more errors that no rule knows."""
_NEGLIGIBLE = 0.01
_MOST_WORDS = 60
_MOST_VARIANTS = 24

# Likelihoods of single errors. Their ranks matter, not their last digits: measured orders of recognisers' digit errors
# on telephone speech (spikes), rounded.
_DROPPED_TWIN = 0.06
_DOUBLED = 0.05
_FILLER = 0.08
_TEEN_FOR_TEN = 0.12
_APART = 0.10
_RESTART = 0.30
_JUNK_BETWEEN = 0.50
_CONFUSED = {
    ("5", "9"): 0.04,
    ("1", "9"): 0.012,
    ("4", "5"): 0.008,
    ("6", "8"): 0.006,
    ("2", "3"): 0.006,
    ("0", "4"): 0.004,
}
_LIKENESS = {pair: chance for (left, right), chance in _CONFUSED.items() for pair in ((left, right), (right, left))}
_CONFUSABLE = {digit: "".join(to for one, to in _LIKENESS if one == digit) for digit in "0123456789"}
_ANY = "0123456789"
_OTHER_SWAP = 0.0015
_OTHER_INSERTED = 0.003
_OTHER_DROPPED = 0.004
"""A check digit leaves one such number at each place, so that together they outweigh a common error."""

_FILLERS = frozenset("oh o to too for fore won ate tree una a uno".split())
_TEENS_AND_TENS = {
    "thirteen": "thirty", "fourteen": "forty", "fifteen": "fifty", "sixteen": "sixty", "seventeen": "seventy",
    "eighteen": "eighty", "nineteen": "ninety",
}  # fmt: skip
_SWAPS = _TEENS_AND_TENS | {ten: teen for teen, ten in _TEENS_AND_TENS.items()}
_FIGURE_SWAPS = {f"1{digit}": f"{digit}0" for digit in "3456789"} | {f"{digit}0": f"1{digit}" for digit in "3456789"}
_AGAIN = re.compile(
    r"\b(?:no wait|no sorry|sorry|no|i mean|i meant|wait|actually|scratch that|correction|rather|perdón|digo)\b"
)
_TENS = frozenset((*_TEENS_AND_TENS.values(), "twenty"))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A number to read back.

    Attributes:
        number: digits.
        confidence: 0 to 1, that it is the one that was said.
        repaired: it is none of the readings as they were.
    """

    number: str = field(repr=False)
    confidence: float
    repaired: bool = False


def propose(readings: Sequence[str], form: AccountNumberFormat) -> Proposal | None:
    """The account number that was most likely said.

    Args:
        readings: what was recognised, likeliest first; untrusted.
        form: what account numbers look like.

    Returns:
        None when nothing possible is near, or several numbers are about as near: then it has to be said or keyed again.
    """
    chances: dict[str, float] = {}
    exact: set[str] = set()
    for weight, reading in zip(_READING_WEIGHTS, dict.fromkeys(readings), strict=False):
        best: dict[str, float] = {}
        # The likeliest meaning first: what can hardly weigh against what is found already is not looked at.
        for digits, chance in sorted(_variants(reading), key=lambda one: -one[1]):
            if form.fits(digits):
                exact.add(digits)
            least = max(best.values(), default=0.0) * _NEGLIGIBLE
            for number, edited in _near(digits, form, least / chance):
                best[number] = max(best.get(number, 0.0), chance * edited)
        for number, chance in best.items():
            chances[number] = chances.get(number, 0.0) + weight * chance
    if not chances:
        return None
    number = max(chances, key=lambda one: (chances[one], one))
    confidence = chances[number] / (sum(chances.values()) + _ELSE)
    return Proposal(number, round(confidence, 4), number not in exact) if confidence >= LEAST_CONFIDENCE else None


def chooser(form: AccountNumberFormat) -> Callable[[Heard, tuple[int, ...]], str]:
    """A function that picks the possible number out of what was heard; "" when there is none.

    Where another kind of number is asked for (it may have lengths that no account number has: a phone number's 10 or
    11), the first reading of a possible length is taken as it is.
    """

    def choose(heard: Heard, lengths: tuple[int, ...]) -> str:
        readings = (heard.text, *heard.others)
        if set(lengths) <= set(form.lengths):
            proposal = propose(readings, form)
            return proposal.number if proposal else ""
        return next((digits for digits in map(spoken_digits, readings) if len(digits) in lengths), "")

    return choose


def grouped(number: str, language: str = "en") -> str:
    """A number for reading back: "one zero zero two, three four five six, seven eight"."""
    return digit_by_digit(number, language)


# -- what the words can mean


@lru_cache(maxsize=1_024)
def _digits_of(word: str) -> str:
    """The digits that one word stands for among other digits; "" for a word that is no number."""
    said = spoken_digits(f"five {word} zero")
    return said[1:-1] if len(said) > 2 and said.startswith("5") and said.endswith("0") else ""


def _variants(reading: str) -> Iterator[tuple[str, float]]:
    """Digit strings that the words can stand for, with the likelihood that they were meant so."""
    text = " ".join(re.findall(r"[a-záéíóúñ]+|\d+", reading.lower()[:400])[:_MOST_WORDS])
    found: dict[str, float] = {}

    def add(words: str, chance: float) -> None:
        digits = spoken_digits(words)
        if digits and chance > found.get(digits, 0.0):
            found[digits] = chance

    for base, chance in _restarts(text):
        add(base, chance)
        words = base.split()
        kept = [
            word for word in words if _digits_of(word) or word in ("double", "triple", "treble", "doble", "hundred")
        ]
        if kept != words:
            add(" ".join(kept), chance * _JUNK_BETWEEN)
        for changed, likelihood in _word_changes(kept):
            add(" ".join(changed), chance * likelihood)
            if len(found) >= _MOST_VARIANTS:
                break
    yield from found.items()


def _restarts(text: str) -> Iterator[tuple[str, float]]:
    """The words as they are; and without what a caller took back ("four, no, five")."""
    yield text, 1.0
    found = list(_AGAIN.finditer(text))
    if found:
        before, after = text[: found[-1].start()].split(), text[found[-1].end() :]
        if after.strip():
            yield after, _RESTART
            yield " ".join([*before[:-1], after]), _RESTART


def _word_changes(words: list[str]) -> Iterator[tuple[list[str], float]]:
    """One or two words understood otherwise: a filler, thirteen for thirty, "forty four" as 40 and 4."""
    single: list[tuple[int, list[str], float]] = []
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        if word in _FILLERS:
            single.append((at, [], _FILLER))
        if word in _SWAPS:
            single.append((at, [_SWAPS[word]], _TEEN_FOR_TEN))
        if word in _FIGURE_SWAPS:
            single.append((at, [_FIGURE_SWAPS[word]], _TEEN_FOR_TEN))
        if word in _TENS and len(_digits_of(following)) == 1:
            single.append((at, [_digits_of(word)[0], "zero"], _APART))
        if len(word) == 2 and word.isdigit() and word[1] != "0" and word[0] not in "01":
            single.append((at, [word[0], "zero", word[1]], _APART))
    for at, by, chance in single:
        yield [*words[:at], *by, *words[at + 1 :]], chance
    for (at, by, chance), (later, then, other) in product(single, single):
        if at < later:
            yield [*words[:at], *by, *words[at + 1 : later], *then, *words[later + 1 :]], chance * other


# -- what digits can have been


def _near(digits: str, form: AccountNumberFormat, least: float = 0.0) -> Iterable[tuple[str, float]]:
    """Possible numbers that these digits can be a mishearing of, each with its likelihood, if that is `least`."""
    missing = {length - len(digits) for length in form.lengths}
    if min(map(abs, missing)) > 2 or least > 1.0:
        return ()
    found: dict[str, float] = {}
    if form.fits(digits):
        found[digits] = 1.0
        least = max(least, _NEGLIGIBLE)
    if least <= _DROPPED_TWIN:
        for change in missing:
            for once, chance in _edits(digits, change, rare=least <= _OTHER_INSERTED):
                if form.fits(once):
                    found[once] = max(found.get(once, 0.0), chance)
    if least > _DROPPED_TWIN * _DROPPED_TWIN:
        return found.items()
    # Two errors only of the common kinds: with rare ones something valid is always near, and would be an invention.
    for first in (-1, 0, 1):
        second = {change - first for change in missing}
        for once, chance in _edits(digits, first, rare=False):
            for change in second:
                for twice, again in _edits(once, change, rare=False):
                    if form.fits(twice):
                        found[twice] = max(found.get(twice, 0.0), chance * again)
    return found.items()


def _edits(digits: str, change: int, rare: bool) -> Iterator[tuple[str, float]]:
    """What was said, if one error made these digits of it, with the error's likelihood.

    Args:
        digits: as understood.
        change: how many more digits were said: 1, 0 or -1; there is no single error that makes more.
        rare: errors of any digit too, and not only the common kinds.
    """
    if change == 1:
        for at, digit in enumerate(digits):
            yield digits[:at] + digit + digits[at:], _DROPPED_TWIN
        if rare:
            for at in range(len(digits) + 1):
                yield from ((digits[:at] + other + digits[at:], _OTHER_DROPPED) for other in _ANY)
    elif change == 0:
        for at, digit in enumerate(digits):
            others = _ANY if rare else _CONFUSABLE.get(digit, "")
            for other in others:
                if other != digit:
                    yield digits[:at] + other + digits[at + 1 :], _LIKENESS.get((digit, other), _OTHER_SWAP)
    elif change == -1:
        for at, (digit, following) in enumerate(pairwise(digits)):
            if digit == following:
                yield digits[:at] + digits[at + 1 :], _DOUBLED
        if rare:
            yield from ((digits[:at] + digits[at + 1 :], _OTHER_INSERTED) for at in range(len(digits)))
