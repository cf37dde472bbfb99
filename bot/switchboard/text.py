"""What a customer wrote, made safe to read: no control characters, no disguises, no commands, no novels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_READ = 2_000
"""Characters that go to the dialogue."""
LONGEST_GUARDED = 40_000
"""Characters in which an emergency is looked for."""
_WINDOW_OVERLAP = 200

# Letters by category that show nothing: Hangul fillers and the empty Braille cell.
_INVISIBLE = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800))
_SPACES = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85"


@dataclass(frozen=True, slots=True)
class Normalised:
    """A customer's text as the rest of the house sees it.

    Attributes:
        text: at most `LONGEST_READ` characters, no command; "" when nothing can be read.
        whole: at most `LONGEST_GUARDED` characters, for the safety guard.
        shortened: whether `text` is only the beginning.
    """

    text: str = field(repr=False)
    whole: str = field(repr=False)
    shortened: bool = False

    @property
    def readable(self) -> bool:
        """Whether there are words or numbers in it."""
        return bool(self.text)

    def windows(self) -> Iterator[str]:
        """The whole text in pieces that overlap, so that no sentence is cut in all of them."""
        if len(self.whole) <= LONGEST_READ:
            yield self.whole
            return
        step = LONGEST_READ - _WINDOW_OVERLAP
        for start in range(0, len(self.whole), step):
            yield self.whole[start : start + LONGEST_READ]


def normalise(raw: str) -> Normalised:
    """Clean a text of unknown origin.

    NFKC (fullwidth letters, ligatures), then without control, zero-width, bidirectional and private characters, spaces
    collapsed, without a leading "/" (Rasa unpacks a message that begins with one as a command), cut to length.
    """
    head = raw[:LONGEST_GUARDED]
    if _is_binary(head):
        return Normalised("", "")
    composed = unicodedata.normalize("NFKC", head).translate(_INVISIBLE)
    kept = "".join(" " if char in _SPACES else char for char in composed if char in _SPACES or _is_visible(char))
    plain = " ".join(kept.split())[:LONGEST_GUARDED].lstrip("/ ").rstrip()
    if not any(unicodedata.category(char)[0] in "LN" for char in plain):
        return Normalised("", plain)
    return Normalised(plain[:LONGEST_READ].rstrip(), plain, len(plain) > LONGEST_READ or len(raw) > LONGEST_GUARDED)


def _is_visible(char: str) -> bool:
    """Not control (Cc), format (Cf: zero width, bidi), surrogate (Cs), private (Co) or unassigned (Cn)."""
    return unicodedata.category(char)[0] != "C"


def _is_binary(text: str) -> bool:
    """Whether a fifth or more is control or replacement characters: a file, not a message."""
    if not text:
        return False
    odd = sum(
        char == "�" or (char not in _SPACES and unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs")) for char in text
    )
    return odd * 5 >= len(text)
