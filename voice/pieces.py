"""A reply cut into what a voice speaks at once, so that the first sound need not wait for the last word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

LONG = 60
"""Characters (some ten words, four seconds of speech) of a first sentence from which its first clause goes ahead."""
_SHORTEST_CLAUSE = 10
_ABBREVIATIONS = frozenset(
    "st ave av rd ln dr ct pl blvd hwy ter cir sq apt ste mt ft mr mrs ms jr sr no nos inc co corp dept approx est vs "
    "etc e.g i.e u.s acct ref ext tel sra dra ud uds núm jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues "
    "wed thu thur thurs fri".split()
)
"""Words whose full stop ends no sentence, or not surely; a sentence too long is better than a name in two."""
_DAYS = re.compile(
    r"(?:today|tomorrow|yesterday|on|Mon|Tues|Wednes|Thurs|Fri|Satur|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|"
    r"Dec|E[SD]T|[CMP][SD]T)"
)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|\n+\s*")
_WORD_BEFORE = re.compile(r"([^\s(\"“]+?)[.!?…]+[\"'”’)\]]*\s*$")
_CLAUSE = re.compile(
    r"[,;:]\s+|\s+[–—-]\s+|\s+(?=(?:but|because|so that|pero|porque|sino)\s)"
    r"|\s+(?=and (?:I|we|you|it|they|the|that|there|then|please|this|he|she|a|an)\b)",
)
_NUMBER_WORD = re.compile(
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|"
    r"eigh|nine)ty\S*|hundred|thousand|cero|uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|\w+third|\w+th|first|"
    r"second|third|AM|PM|\d\S*)$",
    re.IGNORECASE,
)


def pieces(text: str) -> list[str]:
    """Cut a reply into sentences; a long first sentence gives its first clause ahead.

    Nothing is cut inside a number, an abbreviation or a name, and the pieces joined are the text.

    Args:
        text: as it came from the dialogue, or already speakable.
    """
    cuts = list(_sentence_ends(text))
    first_end = cuts[0] if cuts else len(text)
    ahead = _first_clause(text[:first_end])
    edges = [0, *([ahead] if ahead else []), *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(edges) if start < end]


def _sentence_ends(text: str) -> Iterator[int]:
    start = 0
    for found in _END.finditer(text):
        end = found.end()
        if end >= len(text) or not re.search(r"\w", text[start : found.start()]) or not re.search(r"\w", text[end:]):
            continue
        if "\n" in found.group() or _is_end(text[start : found.end()], text[end:]):
            yield end
            start = end


def _is_end(before: str, after: str) -> bool:
    following = after.lstrip("\"'“‘([¿¡*")[:12]
    if not following or following[0].islower():
        return False
    word = _WORD_BEFORE.search(before)
    last = word[1].lower() if word else ""
    if not before.rstrip("\"'”’)] \n").endswith("."):
        return True
    if last in ("a.m", "p.m"):
        return not _DAYS.match(following)
    # "J. Smith", "1. First"
    numbering = last.isdigit() and len(before.split()) == 1
    return not (last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()) or numbering)


def _first_clause(sentence: str) -> int:
    """Where the first clause of a long sentence ends; 0 to leave it whole."""
    if len(sentence) <= LONG:
        return 0
    for found in _CLAUSE.finditer(sentence, _SHORTEST_CLAUSE):
        if found.end() > LONG or len(sentence) - found.end() < _SHORTEST_CLAUSE:
            return 0
        before = sentence[: found.start()].rsplit(None, 1)
        after = sentence[found.end() :].split(None, 1)
        if not before or not after:
            return 0
        word, following = before[-1].strip('("“'), after[0].strip('.,;:?!)"”')
        numbers = _NUMBER_WORD.match(word) and _NUMBER_WORD.match(following)
        # A capital after a comma is mostly the rest of a name: a town, a unit, a month. "I" never is.
        name = following[:1].isupper() and following.split("'")[0] not in ("I", "If", "We", "You", "It", "The", "That")
        digits = word[-1:].isdigit() and following[:1].isdigit()
        if not (numbers or digits or (found.group().startswith(",") and name)):
            return found.end()
    return 0
