"""Account numbers as people write and say them."""

from __future__ import annotations

import re

_DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "owe": "0", "nought": "0",
    "one": "1", "won": "1", "two": "2", "to": "2", "too": "2", "three": "3", "tree": "3", "four": "4", "for": "4",
    "fore": "4", "five": "5", "fife": "5", "six": "6", "sicks": "6", "seven": "7", "eight": "8", "ate": "8",
    "nine": "9", "niner": "9",
    "cero": "0", "uno": "1", "una": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6",
    "siete": "7", "ocho": "8", "nueve": "9",
}  # fmt: skip
# These are numbers only among other digits: "I want to pay for my account" has none.
_AMBIGUOUS = frozenset(("o", "owe", "oh", "won", "to", "too", "tree", "for", "fore", "sicks", "ate", "una"))
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5",
    "sixty": "6", "seventy": "7", "eighty": "8", "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3, "doble": 2}
_BETWEEN = frozenset(("dash", "hyphen", "space", "and", "then", "um", "uh", "er", "guion"))


def _say(words: list[str]) -> list[tuple[str, bool]]:
    """Each word's digits, and whether the word is surely a number; an empty text is a break."""
    said: list[tuple[str, bool]] = []
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else ""
        if word.isascii() and word.isdigit():
            said.append((word, True))
        elif word in _TIMES and (following in _DIGITS or (following.isascii() and following.isdigit())):
            said.append((_DIGITS.get(following, following) * _TIMES[word], True))
            position += 1
        elif word in _TENS:
            unit = _DIGITS.get(following, "") if following not in _AMBIGUOUS else ""
            # "forty two" is 42, "forty" alone 40, and "forty zero" two numbers, 40 and 0.
            said.append((_TENS[word] + (unit if unit not in ("", "0") else "0"), True))
            position += unit not in ("", "0")
        elif word in _TEENS:
            said.append((_TEENS[word], True))
        elif word == "hundred" and said and said[-1][1]:
            said.append(("00", True))
        elif word == "thousand" and said and said[-1][1]:
            said.append(("000", True))
        elif word in _DIGITS:
            said.append((_DIGITS[word], word not in _AMBIGUOUS))
        elif word not in _BETWEEN:
            said.append(("", False))
        position += 1
    return said


def spoken_digits(text: str) -> str:
    """The longest run of digits in what somebody wrote or said.

    Args:
        text: "1002 3456-78", "one zero zero two, three four five six", "it's double seven oh five", "uno dos tres".

    Returns:
        Digits only; empty when there are none.
    """
    words = re.findall(r"[a-z]+|\d+", text.lower()[:400].translate(str.maketrans("áéíóú", "aeiou")))
    runs: list[list[tuple[str, bool]]] = [[]]
    for digits, sure in _say(words):
        if digits:
            runs[-1].append((digits, sure))
        elif runs[-1]:
            runs.append([])
    best = ""
    for run in runs:
        while run and not run[0][1]:
            run.pop(0)
        while run and not run[-1][1] and len(run) < 4:
            run.pop()
        joined = "".join(digits for digits, _ in run)
        best = joined if len(joined) > len(best) else best
    return best


def account_number(text: str, lengths: range = range(5, 21)) -> str | None:
    """An account number from what somebody wrote or said; None when there is none of a possible length.

    Args:
        text: as `spoken_digits`.
        lengths: how many digits an account number of this utility may have.
    """
    digits = spoken_digits(text)
    return digits if len(digits) in lengths else None
