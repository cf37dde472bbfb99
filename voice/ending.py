"""Whether a pause ends the caller's turn.

What the dialogue expects is the better judge, the sound of the voice the second: of cut-off human sentences smart-turn
called 45 % complete and of finished digit strings only 25 %, measured on telephone speech. So it is asked only about
open sentences; a yes ends fast, digits when there are enough of them.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from integrations.cis.numbers import spoken_digits
from voice.design import Design, Words
from voice.protocols import Expectation, Heard

_COUNTED = ("digits", "phone", "place")
_JUDGED = ("open", "name", "place")


def plain(text: str) -> str:
    """Words only, in small letters: how short utterances are compared."""
    return " ".join(re.sub(r"[^\w\s']", " ", text.casefold()).replace("’", "'").split())


def meaning(words: Words, text: str, language: str) -> str:
    """What a short utterance means by itself: "affirm", "deny", "wait", "backchannel", or ""."""
    said = plain(text)
    spoken = "es" if language == "es" else "en"
    for name in ("wait", "affirm", "deny", "backchannel"):
        if said in {plain(one) for one in getattr(words, name)[spoken]}:
            return name
    return ""


def is_backchannel(words: Words, text: str, language: str) -> bool:
    """Whether it only says "I am listening", once or several times ("yeah yeah", "okay, mm-hm")."""
    said = plain(text)
    known = sorted((plain(one) for one in words.backchannel["es" if language == "es" else "en"]), key=len, reverse=True)
    for one in known:
        said = re.sub(rf"(?<!\S){re.escape(one)}(?!\S)", " ", said)
    return bool(plain(text)) and not said.strip()


def hangs(words: Words, text: str, language: str) -> bool:
    """Whether a sentence breaks off at a word that something follows, or at three dots."""
    said = plain(text)
    if text.rstrip().endswith(("...", "…", ",", "-")):
        return True
    last = said.rpartition(" ")[2]
    return bool(last) and last in words.hanging["es" if language == "es" else "en"]


def is_only_number(text: str) -> bool:
    """Whether there is nothing but a number in it: half an account number, but no address."""
    return bool(spoken_digits(text)) and not re.search(r"[^\W\d_]{3,}", _NUMBER_WORDS.sub(" ", text))


def echoes(said: str, heard: str) -> bool:
    """Whether what was heard are our own words, come back by the caller's loudspeaker.

    Args:
        said: by us, of late.
        heard: from the caller.
    """
    ours, theirs = plain(said).split(), plain(heard).split()
    if len(theirs) < 3:
        return False
    same = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return sum(block.size for block in same if block.size > 1) >= 0.75 * len(theirs)


def wants_verdict(expect: Expectation) -> bool:
    """Whether the detector's judgement is worth its time for this kind of answer."""
    return expect.kind in _JUDGED


def is_over(
    design: Design,
    expect: Expectation,
    silence_ms: int,
    heard: Heard | None,
    verdict: float | None,
    language: str,
) -> bool:
    """Whether the caller has finished.

    Args:
        design: times and words.
        expect: of the answer.
        silence_ms: of the pause.
        heard: the words so far; None while they are being recognised.
        verdict: of the detector; None while it is being made. It is 1 where nobody was asked.
        language: of the call.
    """
    times = design.times(expect.kind)
    if silence_ms >= times.longest:
        return True
    if heard is None:
        return False
    words = design.turns.words
    if expect.kind == "yes_no" and meaning(words, heard.text, language) in ("affirm", "deny"):
        return True
    digits = len(spoken_digits(heard.text)) if expect.kind in _COUNTED else 0
    if digits and expect.lengths:
        if digits in expect.lengths:
            # Eleven may still come after ten; then the shortest pause decides.
            return digits == max(expect.lengths) or silence_ms >= times.shortest
        # A house number has few digits and words behind it; half of an account number has none.
        if expect.kind != "place" or is_only_number(heard.text):
            return False
    if silence_ms < times.shortest:
        return False
    if heard.text and hangs(words, heard.text, language):
        return False
    if not wants_verdict(expect):
        return True
    return verdict is not None and verdict >= design.turns.finished_from


_NUMBER_WORDS = re.compile(
    r"\b(zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|account|number|it'?s|is|the|my|cero|uno|dos|tres|cuatro|cinco"
    r"|seis|siete|ocho|nueve|número|cuenta|es)\b",
    re.IGNORECASE,
)
