"""Cutting a text into what is synthesised at once: short first, so that the caller hears something soon."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’)]*\s+(?=\S)")
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|Sr|Sra|Ud|Uds)|\b[A-Z])\.$")
FIRST = 60
"""Characters of the first piece, if it can be cut so: about a quarter of a second of Piper's time."""
LATER = 160
"""Characters of the later ones, which are made while the first is heard."""
LEAST = 12
"""Characters under which a clause is not worth a breath of its own."""


def pieces_of(text: str) -> Iterator[str]:
    """Sentences, and clauses of those that are long; joined by spaces they are the text again."""
    most = FIRST
    for sentence in _sentences(text):
        for piece in _cut(sentence, most):
            yield piece
            most = LATER


def _sentences(text: str) -> Iterator[str]:
    held = ""
    for part in _SENTENCE.split(text.strip()):
        held = f"{held} {part}" if held else part
        if not _ABBREVIATION.search(held):
            yield held
            held = ""
    if held:
        yield held


def _cut(sentence: str, most: int) -> Iterator[str]:
    piece = ""
    for clause in _CLAUSE.split(sentence) if len(sentence) > most else [sentence]:
        if piece and len(piece) + len(clause) + 1 > most and len(piece) >= LEAST:
            yield piece
            piece, most = clause, LATER
        else:
            piece = f"{piece} {clause}" if piece else clause
    if piece:
        yield piece
