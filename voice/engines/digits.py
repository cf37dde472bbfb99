"""The digits that a recognised text means, when digits were asked for.

Whisper writes the same spoken number in many ways ("407-192", "four oh seven 1 92", "for 07"). Two readings that mean
the same digits are one reading, and a reading is worth more when its digits have a length that can be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = {
    "en": {
        "zero": "0", "oh": "0", "o": "0", "ow": "0", "nought": "0", "one": "1", "won": "1", "two": "2", "to": "2",
        "too": "2", "three": "3", "tree": "3", "four": "4", "for": "4", "fore": "4", "five": "5", "six": "6",
        "seven": "7", "eight": "8", "ate": "8", "nine": "9", "niner": "9",
    },
    "es": {
        "cero": "0", "uno": "1", "una": "1", "un": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5",
        "seis": "6", "siete": "7", "ocho": "8", "nueve": "9",
    },
}  # fmt: skip
_TEENS = {
    "en": {
        "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
        "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    },
    "es": {"diez": "10", "once": "11", "doce": "12", "trece": "13", "catorce": "14", "quince": "15"},
}  # fmt: skip
_TENS = {
    "en": {
        "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    },
    "es": {"veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80,
           "noventa": 90},
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "doble": 2}
_UNSURE = frozenset({"to", "too", "for", "fore", "o", "won", "ate", "tree", "un", "una", "ow"})
"""Words that are digits only among digits."""
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


def digits_of(text: str, language: str = "en") -> str:
    """The digits in a text, in order; "" when there are none."""
    units, teens, tens = _WORDS.get(language, {}), _TEENS.get(language, {}), _TENS.get(language, {})
    found: list[str] = []
    sure = False
    times = 1
    open_ten = 0
    for token in _TOKEN.findall(text.lower()):
        if token in _TIMES:
            times = _TIMES[token]
            continue
        if open_ten:
            ten, open_ten = open_ten, 0
            if token in units and units[token] != "0" and token not in _UNSURE:
                found.append(str(ten + int(units[token])))
                continue
            if token == "y":
                open_ten = ten
                continue
            found.append(str(ten))
        if token.isdigit():
            found.append(token[0] * (times - 1) + token)
            sure = True
        elif token in teens:
            found.append(teens[token])
            sure = True
        elif token in tens:
            open_ten = tens[token]
            sure = True
        elif token in units:
            found.append(units[token] * times)
            sure = sure or token not in _UNSURE
        times = 1
    if open_ten:
        found.append(str(open_ten))
    return "".join(found) if sure else ""


def distinct(texts: Iterable[str], language: str, lengths: tuple[int, ...]) -> tuple[str, ...]:
    """Readings that mean different digits, likeliest first, those of a possible length before the others.

    Args:
        texts: likeliest first.
        language: of the texts.
        lengths: that can be right; empty when any can.
    """
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(digits_of(text, language) or text.strip(" .").lower(), text)
    return tuple(sorted(seen.values(), key=lambda text: _misfit(text, language, lengths)))


def _misfit(text: str, language: str, lengths: tuple[int, ...]) -> int:
    """0 when its digits have a possible length, or it has none at all (the caller says something else)."""
    digits = digits_of(text, language)
    return int(bool(lengths) and bool(digits) and len(digits) not in lengths)
