"""A second opinion for the guard: a small linear model over letters and words.

The rules are precise about what they know; people find other words. The model has read the project's own examples of
emergencies and of harmless messages that sound like them, and says how like either a message is. It decides nothing by
itself: `guard.py` weighs it against the rules. No network, no library but numpy, a fifth of a millisecond.

`python -m models.guard.train` (in the dialogue core's environment) makes the weights; `models/guard/weights.npz`.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

SIZE = 1 << 16
"""Buckets that grams are hashed to."""
KINDS = ("none", "gas_leak", "downed_wire", "carbon_monoxide", "fire_shock", "medical_equipment")
WINDOW_WORDS, STRIDE_WORDS, MOST_WINDOWS = 24, 12, 12
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "guard" / "weights.npz"

_WORD = re.compile(r"[a-z0']+")
_SENTENCES = re.compile(r"[.!?;\n]+|\b(?:but also|also|and also|pero)\b", re.IGNORECASE)
MOST_SENTENCES = 24
_LONG = re.compile(r"([a-z])\1{2,}")


def words_of(text: str) -> list[str]:
    """Lower-case words without accents, digits as 0, no letter more than twice in a row."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("\u2019", "'").replace("\U0001f525", " fire "))
    kept = "".join("0" if c.isdigit() else c for c in plain if not unicodedata.combining(c))
    return _WORD.findall(_LONG.sub(r"\1\1", kept))


def grams(words: list[str]) -> list[int]:
    """The distinct hashed features of some words: words, pairs, and runs of three to five letters."""
    found: set[int] = set()
    for word in words:
        found.update(_of_word(word))
    found.update(_bucket(f"p {first} {second}") for first, second in pairwise(words))
    found.update(_bucket(f"s {first} {third}") for first, third in zip(words, words[2:], strict=False))
    return sorted(found)


def _bucket(gram: str) -> int:
    return zlib.crc32(gram.encode()) % SIZE


@lru_cache(maxsize=50_000)
def _of_word(word: str) -> tuple[int, ...]:
    padded = f"<{word[:24]}>"
    letters = {padded[at : at + length] for length in (3, 4, 5) for at in range(len(padded) - length + 1)}
    return tuple(_bucket(gram) for gram in (f"w {word}", *letters))


def windows(words: list[str]) -> list[list[str]]:
    """A long message in overlapping pieces, so that a danger told in passing is not drowned."""
    if len(words) <= WINDOW_WORDS + STRIDE_WORDS:
        return [words]
    starts = list(range(0, len(words) - STRIDE_WORDS, STRIDE_WORDS))
    if len(starts) > MOST_WINDOWS:
        half = MOST_WINDOWS // 2
        starts = starts[:half] + starts[-half:]
    return [words[start : start + WINDOW_WORDS] for start in starts]


class SecondOpinion:
    """The model."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        """Load the weights.

        Raises:
            FileNotFoundError: they are missing; they are part of the repository.
        """
        with np.load(weights) as stored:
            self._coefficients = stored["coefficients"].astype(np.float32)
            self._intercepts = stored["intercepts"].astype(np.float32)

    def probabilities(self, text: str) -> tuple[np.ndarray, list[str]]:
        """How likely each of `KINDS` is, of the piece that sounds most like an emergency; and that piece's words."""
        return self._loudest(windows(words_of(text)))

    def of_sentences(self, text: str) -> tuple[np.ndarray, list[str]]:
        """The same, of the sentence that sounds most like one: what else was said must not drown it."""
        sentences = [words for sentence in _SENTENCES.split(text) if (words := words_of(sentence))]
        if len(sentences) > MOST_SENTENCES:
            sentences = sentences[: MOST_SENTENCES // 2] + sentences[-MOST_SENTENCES // 2 :]
        pieces = [piece for words in sentences for piece in windows(words)]
        return self._loudest([*windows(words_of(text)), *pieces])

    def _loudest(self, pieces: list[list[str]]) -> tuple[np.ndarray, list[str]]:
        best: tuple[np.ndarray, list[str]] | None = None
        for piece in pieces:
            found = grams(piece)
            if not found:
                continue
            scores = self._coefficients[:, found].sum(axis=1) / np.sqrt(len(found)) + self._intercepts
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            if best is None or shares[0] < best[0][0]:
                best = shares, piece
        return best if best is not None else (np.eye(len(KINDS), dtype=np.float32)[0], [])


@lru_cache(maxsize=1)
def second_opinion() -> SecondOpinion:
    """The process's model."""
    return SecondOpinion()
