"""The arithmetic of a text message: alphabets, segments, splitting.

GSM 03.38: the default alphabet holds 160 characters in one segment, 153 in each of several; characters of its
extension table count twice. One character outside turns the whole message into UCS-2: 70, or 67 in each of several,
counted in UTF-16 units, so an emoji counts twice.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
# What word processors and people's keyboards make of plain punctuation.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„″«»", '"'),
        **dict.fromkeys("–—‐‑−•", "-"),
        **dict.fromkeys("\t\u00a0\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u2060\ufeff", ""),
        "…": "...",
        "·": ".",
    }
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")

LONGEST_BODY = 1600
"""Twilio refuses a longer Body (error 21617)."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a message costs.

    Attributes:
        encoding: the alphabet that it needs.
        units: septets, or UTF-16 units.
        count: segments; 0 for an empty text.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int


def to_plain(text: str) -> str:
    """The text with typographic punctuation made plain, so that it fits the GSM alphabet where it can."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def is_gsm(text: str) -> bool:
    """Whether every character is in the GSM alphabet or its extension."""
    return all(character in _BASIC or character in _EXTENSION for character in text)


def _weights(text: str, gsm: bool) -> list[int]:
    if gsm:
        return [2 if character in _EXTENSION else 1 for character in text]
    return [2 if ord(character) > 0xFFFF else 1 for character in text]


def segments(text: str) -> Segments:
    """How a message is counted. A character that counts twice is never divided between two segments."""
    gsm = is_gsm(text)
    weights = _weights(text, gsm)
    units = sum(weights)
    single, each = (160, 153) if gsm else (70, 67)
    if units <= single:
        count = 1 if units else 0
    else:
        count, used = 1, 0
        for weight in weights:
            if used + weight > each:
                count, used = count + 1, 0
            used += weight
    return Segments("GSM-7" if gsm else "UCS-2", units, count)


def _joined(before: str, after: str) -> bool:
    """Whether two characters belong to one that people see: accents, emoji sequences, skin tones, flags."""
    return (
        unicodedata.combining(after) > 0
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= after <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")
        or (before == "\r" and after == "\n")
    )


def _fits(text: str, most_segments: int) -> bool:
    return len(text) <= LONGEST_BODY and segments(text).count <= most_segments


def _longest_fit(text: str, most_segments: int) -> int:
    """How many characters of the text's beginning fit; more characters never need fewer segments."""
    low, high = 1, min(len(text), LONGEST_BODY)
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(text[:middle], most_segments):
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, most_segments: int) -> int:
    """Where to cut: the last end of a sentence in the second half of what fits, else of a word, else anywhere."""
    limit = _longest_fit(text, most_segments)
    ends = [
        match.end() for match in _SENTENCE_END.finditer(text, 0, min(len(text), limit + 1)) if match.end() <= limit + 1
    ]
    if ends and ends[-1] >= limit // 2:
        return ends[-1]
    space = max(text.rfind(" ", 0, limit + 1), text.rfind("\n", 0, limit + 1))
    if space >= limit // 2:
        return space + 1
    start = limit
    while 1 < limit < len(text) and _joined(text[limit - 1], text[limit]):
        limit -= 1
    return limit if limit > 1 else start


def split(text: str, max_parts: int = 5, segments_each: int = 2) -> list[str]:
    """A long text as several messages, cut at the ends of sentences, else of words, never inside a character.

    Args:
        text: plain or not; `to_plain` first makes it cheaper.
        max_parts: messages at most; what does not fit is left out and the last one ends with "...".
        segments_each: segments of a message at most.

    Returns:
        Nothing for a blank text.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        if _fits(rest, segments_each):
            parts.append(rest)
            break
        if len(parts) == max_parts - 1:
            room = rest
            while not _fits(room + "...", segments_each):
                room = room[: min(_cut(room, segments_each), len(room) - 1)].rstrip()
            parts.append(room.rstrip(" .,;:") + "...")
            break
        at = _cut(rest, segments_each)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [part for part in parts if part]
