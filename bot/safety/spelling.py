"""What a written or misheard word may have meant.

A word that the lexicon knows is taken as it is. Another is tried, in this order: without stretched letters
("gaaas"), without a plural or a dropped g ("sparkin"), as words run together ("smellgas"), and as a near spelling of
one long key word (optimal string alignment: insertions, deletions, substitutions, neighbours swapped). Ordinary words
that are near a key word ("spoke", "wives", "small") stand in ``ordinary_words.txt``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from bot.safety.lexicon import Lexicon

#: A token's reading: one or more words in a row, each with its possible spellings.
Reading = tuple[frozenset[str], ...]

_STRETCHED = re.compile(r"(.)\1{2,}")
_DOUBLED = re.compile(r"(.)\1+")
_LONGEST_RUN_TOGETHER = 32


class Speller:
    """Reads one token at a time; the same token always gives the same reading."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._known = lexicon.vocabulary | lexicon.glue | lexicon.ordinary
        self._vocabulary = lexicon.vocabulary
        self._glue = lexicon.glue
        self._targets: dict[tuple[str, int], list[str]] = {}
        for word in sorted(lexicon.keywords):
            self._targets.setdefault((word[0], len(word)), []).append(word)
        self._keywords = frozenset(word for word in lexicon.keywords if len(word) >= 3)
        self._parts = self._keywords | lexicon.glue
        #: Short key words with two neighbouring letters swapped ("wrie", "gsa"); longer ones are found by distance.
        self._swapped = {
            word[:at] + word[at + 1] + word[at] + word[at + 2 :]: word
            for word in sorted(lexicon.keywords)
            if len(word) == 4
            for at in range(len(word) - 1)
            if word[at] != word[at + 1]
        }
        self.read = lru_cache(maxsize=20_000)(self._read)

    def _read(self, token: str) -> Reading:
        if token.isdigit():
            return (frozenset((token, "#")),)
        if token in self._known:
            return (self._forms(token),)
        if token in self._swapped:
            return (frozenset((token, self._swapped[token])),)
        if _STRETCHED.search(token):
            for replacement in (r"\1\1", r"\1"):
                shorter = _STRETCHED.sub(replacement, token)
                if shorter in self._known or self._forms(shorter) & self._vocabulary:
                    return (self._forms(shorter) | {token},)
            shorter = _DOUBLED.sub(r"\1", token)
            if shorter in self._known:
                return (self._forms(shorter) | {token},)
            token = _STRETCHED.sub(r"\1\1", token)
        forms = self._forms(token)
        if forms & self._vocabulary:
            return (forms,)
        shorter = _DOUBLED.sub(r"\1", token)
        if shorter != token and shorter in self._keywords:
            return (forms | {shorter},)
        parts = self._run_together(token)
        if parts:
            return tuple(self._forms(part) for part in parts)
        return (forms | self._near(token),)

    def _forms(self, token: str) -> frozenset[str]:
        """The token, its singular, and with its dropped g."""
        forms = {token}
        if len(token) > 3 and token.endswith("s") and token[:-1] in self._vocabulary:
            forms.add(token[:-1])
        if len(token) > 4 and token.endswith("in") and token + "g" in self._vocabulary:
            forms.add(token + "g")
        return frozenset(forms)

    def _near(self, token: str) -> frozenset[str]:
        """Key words within one slip, or two for words of nine letters and more."""
        size = len(token)
        if size < 4:
            return frozenset()
        best: set[str] = set()
        least = 3
        starts = (token[0],) if size < 5 else (token[0], token[1])
        for length in range(max(5, size - 2), size + 3):
            allowed = 2 if length >= 9 and size >= 8 else 1
            if abs(length - size) > allowed:
                continue
            for start in starts:
                for target in self._targets.get((start, length), ()):
                    distance = OSA.distance(token, target, score_cutoff=allowed)
                    if distance > allowed or distance > least:
                        continue
                    if distance < least:
                        best, least = set(), distance
                    best.add(target)
        return frozenset(best)

    def _run_together(self, token: str) -> tuple[str, ...]:
        """The fewest known words that make up the token, at least one of them a word of the lexicon."""
        size = len(token)
        if not 5 <= size <= _LONGEST_RUN_TOGETHER:
            return ()
        ways: list[tuple[str, ...] | None] = [()] + [None] * size
        for end in range(1, size + 1):
            for start in range(max(0, end - 14), end):
                before = ways[start]
                if before is None or token[start:end] not in self._parts:
                    continue
                current = ways[end]
                if current is None or len(before) + 1 < len(current):
                    ways[end] = (*before, token[start:end])
        found = ways[size]
        if not found or size < 3 * len(found) - 1 or self._keywords.isdisjoint(found):
            return ()
        return found
