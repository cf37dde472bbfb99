"""Text to tokens: the same words come out whatever the case, accents, punctuation and spacing were.

Punctuation never joins evidence or keeps it apart; sentence ends are only remembered so that a harmless sentence
cannot excuse the next one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: A longer message is read at both ends; 320 SMS characters are usual, web chat is capped below this.
MAX_CHARACTERS = 6_000
#: A longer "word" is not one; it is cut so that no word costs more than another.
MAX_WORD = 40

_APOSTROPHES = re.compile("[\u0027\u2018\u2019\u02bc\u00b4\u0060]")
_INITIALS = re.compile(r"\b(?:[a-z]\.){1,6}[a-z]\b\.?")
_LEET = re.compile(r"(?<=[a-z])[013457$@](?=[a-z])")
_WORD = re.compile(r"[a-z]+|[0-9]+|[.!?;\n\u2026]+|[,:\u2013\u2014-]+")
_PAUSES = ",:-\u2013\u2014"
_SOFT = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0f]")
# Cyrillic and Greek letters that look Latin: a pasted or disguised word must still be read.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁɡοανικτ", "aeopcyxijsdgoavikt")
_DIGIT_LETTERS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "@": "a"}
# Pictures that people send instead of words.
_PICTURES = {"🔥": " fire ", "💨": " smoke ", "⚡": " electric ", "🚒": " firetruck "}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a message, before which of them a new sentence begins, and before which stands a comma or dash."""

    words: tuple[str, ...]
    breaks: frozenset[int]
    pauses: frozenset[int]


def plain(text: str) -> str:
    """Fold a text to lower-case ASCII letters where that is possible.

    Args:
        text: any text; beyond `MAX_CHARACTERS` the middle is left out.
    """
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} \n {text[-half:]}"
    if text.isascii():
        return _join(_APOSTROPHES.sub("", text.lower()))
    for picture, word in _PICTURES.items():
        text = text.replace(picture, word)
    text = unicodedata.normalize("NFKC", _SOFT.sub("", _APOSTROPHES.sub("", text))).casefold().translate(_LOOKALIKES)
    text = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return _join(_APOSTROPHES.sub("", text))


def _join(text: str) -> str:
    """Read "c.o." as one word and "g4s" as letters."""
    text = _INITIALS.sub(lambda match: match.group().replace(".", "") + " ", text)
    return _LEET.sub(lambda match: _DIGIT_LETTERS[match.group()], text)


def tokenise(text: str) -> Tokens:
    """Split a text into words of letters or digits."""
    words: list[str] = []
    breaks: set[int] = set()
    pauses: set[int] = set()
    for piece in _WORD.findall(plain(text)):
        if piece[0].isalnum():
            words.append(piece[:MAX_WORD])
        elif piece[0] in _PAUSES:
            pauses.add(len(words))
        else:
            breaks.add(len(words))
    if _spelled(words):
        words = _join_spelled(words, breaks)
        pauses.clear()  # they stand at places that are no more
    return Tokens(tuple(words), frozenset(breaks), frozenset(pauses))


def _spelled(words: list[str]) -> bool:
    """Whether four or more single letters follow one another, as in "g a s l e a k"."""
    run = 0
    for word in words:
        run = run + 1 if len(word) == 1 and word.isalpha() else 0
        if run >= 4:
            return True
    return False


def _join_spelled(words: list[str], breaks: set[int]) -> list[str]:
    joined: list[str] = []
    index = 0
    moved: set[int] = set()
    while index < len(words):
        end = index
        while end < len(words) and len(words[end]) == 1 and words[end].isalpha():
            end += 1
        if index in breaks:
            moved.add(len(joined))
        if end - index >= 4:
            joined.append("".join(words[index:end])[:MAX_WORD])
            index = end
        else:
            joined.append(words[index])
            index += 1
    breaks.clear()
    breaks.update(moved)
    return joined
