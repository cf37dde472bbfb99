"""House and apartment numbers that a recogniser wrote as words, in figures, as everybody else reads addresses."""

from __future__ import annotations

import re

from integrations.cis.numbers import spoken_digits

_NUMBER = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
)
_RUN = rf"{_NUMBER}(?:(?:[ -]| and ){_NUMBER})*"
_KIND = (
    r"(?:street|road|avenue|lane|drive|court|way|place|boulevard|terrace|circle|square|highway|walk|"
    r"row|trail|path|alley)"
)
# Words that stand between a quantity and a street: "two hours on Main Street".
_NO_NAME = (
    r"(?!(?:hours?|minutes?|days?|weeks?|times?|people|houses|poles|trees|wires|of|on|at|in|the|to|for|and|or|is|are|a|my|"
    r"or|more|am|pm|p|a)\b)"
)
_HOUSE = re.compile(rf"\b({_RUN})(?=\s+(?:{_NO_NAME}[a-z'’.]+\s+){{1,4}}?{_KIND}\b)", re.IGNORECASE)
_UNIT = re.compile(rf"\b(apartment|apt|unit|suite)\s+(?:number\s+)?({_RUN})(\s+[a-z]\b)?", re.IGNORECASE)
_HUNDREDS = re.compile(r"^(\w+(?: \w+)?) hundred(?: and)? (.+)$")


def as_written(text: str) -> str:
    """What a caller said, with the numbers of addresses in figures: "fourteen twenty-three Main Street" is "1423 ...".

    Args:
        text: as it was recognised, English; everything that is no address stays as it is.
    """
    text = _HOUSE.sub(lambda found: _figures(found[1]), text)
    return _UNIT.sub(lambda found: f"{found[1]} {_figures(found[2])}{(found[3] or '').strip()}", text)


def _figures(words: str) -> str:
    plain = re.sub(r"\s+", " ", words.lower().replace("-", " "))
    hundreds = _HUNDREDS.match(plain)
    if hundreds:
        # "one hundred five" is 105; digit by digit it would be 1005.
        head, rest = spoken_digits(hundreds[1]), spoken_digits(hundreds[2].removeprefix("oh "))
        if head and rest and len(rest) <= 2:
            return str(int(head) * 100 + int(rest))
    # "oh" alone is no number, so that it is read between others.
    return spoken_digits(plain) or words
