"""What must not become words: Whisper answers silence with "you", music with "Thank you.", noise with a loop.

A reading is believed only when there was a voice in the sound (Silero's judgement, not Whisper's own), when it can have
been said in that time, and when it is not what Whisper says when it hears nothing. The limits were set on the bench's
noise, tones and music, and on real digits, of which Whisper thinks badly although it reads them right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.engines.digits import digits_of, distinct
from voice.engines.whisper import NUMBERS, Reading, Utterance
from voice.protocols import Heard

LEAST_VOICED = 0.1
"""Seconds of voice; the shortest "no" on the telephone has twice that."""
LETTERS_A_SECOND = 32.0
"""Of voice. A quick speaker says 17 (ITU-T P.50's phrases); voiced windows miss some of the consonants."""
LEAST_SCORE = -1.0
"""Mean log probability; Whisper's own limit (Radford et al. 2022, section 4.5)."""
NO_SPEECH = 0.6
NO_SPEECH_SCORE = -0.5
"""Whisper's own limit for silence, held together with the score, because real digits pass 0.6 too."""
DIGITS, DIGITS_VOICED = 3, 0.5
"""Digits that were asked for, and seconds of voice, that go for more than Whisper's opinion of them."""
DOUBTFUL_VOICED = 0.25
DOUBTFUL_NO_SPEECH = 0.5
DOUBTFUL_SCORE = -0.7
"""What a reading that is Whisper's answer to nothing has to show: callers do say "thank you"."""
INVENTED = frozenset({
    "you", "thank you", "thank you very much", "thank you so much", "thanks", "thanks for watching",
    "thank you for watching", "thank you for listening", "please subscribe", "bye", "bye bye", "goodbye", "the end",
    "so", "oh", "i", "uh", "um", "hmm", "mm", "mhm", "okay", "ok", "a", "the", "and", "silence", "music", "applause",
    "gracias", "gracias por ver", "gracias por ver el video", "subtitulos", "subtitulos realizados por la comunidad de",
    "adios", "musica", "beep",
})  # fmt: skip
"""What it says to silence, noise, music and tones, here and in others' reports."""
_NOT_WORDS = re.compile(r"[^\w' ]+|_")
_LOOP = re.compile(r"\b(\w+(?: \w+){1,6})(?: \1\b){2,}")
"""The same two to seven words three times in a row."""
_STUTTER = re.compile(r"\b([^\W\d]+)(?: \1\b){4,}")
"""The same word five times in a row; a digit may be."""
NOTHING = Heard("")


def plain(text: str) -> str:
    """Lower case, words and single spaces only."""
    return " ".join(_NOT_WORDS.sub(" ", text.lower()).split())


def believe(reading: Reading, utterance: Utterance, voiced: float) -> Heard:
    """What of a reading may become a caller's words.

    Args:
        reading: the model's.
        utterance: what it was made of.
        voiced: seconds of voice in it.

    Returns:
        An empty text, with the figures, when it cannot be believed.
    """
    nothing = Heard("", (), reading.score, max(reading.no_speech, 1.0 if voiced < LEAST_VOICED else 0.0))
    expect = utterance.expect
    numbers = expect.kind in NUMBERS
    texts: Sequence[str] = [text for text in reading.texts if any(letter.isalnum() for letter in text)]
    if numbers:
        texts = distinct(texts, utterance.language, expect.lengths)
    texts = [text for text in texts if _possible(text, voiced, numbers)]
    if not texts or voiced < LEAST_VOICED or reading.score < LEAST_SCORE:
        return nothing
    clear_digits = numbers and voiced >= DIGITS_VOICED and len(digits_of(texts[0], utterance.language)) >= DIGITS
    if reading.no_speech > NO_SPEECH and reading.score < NO_SPEECH_SCORE and not clear_digits:
        return nothing
    best = plain(texts[0])
    if (best in INVENTED or _echoes(best, expect.words)) and (
        voiced < DOUBTFUL_VOICED or reading.no_speech > DOUBTFUL_NO_SPEECH or reading.score < DOUBTFUL_SCORE
    ):
        return nothing
    return Heard(texts[0], tuple(texts[1:]), reading.score, reading.no_speech)


def _possible(text: str, voiced: float, numbers: bool) -> bool:
    """Whether anybody can have said it in that time, and would."""
    words = plain(text)
    if _LOOP.search(words) and not numbers:
        return False
    if _STUTTER.search(words):
        return False
    # A digit is one character and four letters of sound.
    length = sum(4 if letter.isdigit() else 1 for letter in words if letter != " ")
    return length <= LETTERS_A_SECOND * max(voiced, LEAST_VOICED) + 6


def _echoes(text: str, hint: Sequence[str]) -> bool:
    """Whether it is nothing but what the model was told to expect."""
    words = text.split()
    return bool(hint) and f" {' '.join(words)} " in f" {plain(', '.join(hint))} "
