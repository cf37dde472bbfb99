"""What the phone needs of speech engines, wherever they run.

Audio is mono 16-bit PCM at 8 kHz everywhere inside; mu-law exists only on the carrier's wire. An engine that works at
another rate resamples inside.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 8_000
"""Hertz."""
Pcm = NDArray[np.int16]
"""Mono samples at SAMPLE_RATE."""
Kind = Literal["open", "yes_no", "digits", "phone", "place", "choice", "amount", "date", "name"]


class SpeechUnavailable(RuntimeError):
    """The speech process is dead, slow, or refused; the caller gets fixed prompts and the keypad instead."""


class SpeechFull(SpeechUnavailable):
    """The speech process takes no more calls now."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the dialogue's open question lets us expect of the next words.

    Attributes:
        kind: "open" when there is no question.
        lengths: of digit strings that can be right; empty when any can.
        words: that are likely (titles of offered choices); a hint, never a limit.
    """

    kind: Kind = "open"
    lengths: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised in a piece of speech.

    Attributes:
        text: the likeliest; "" when there were no words in it.
        others: other readings, likeliest first.
        score: mean log probability of the words, at most 0.
        no_speech: probability that it was no speech at all.
    """

    text: str = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    score: float = 0.0
    no_speech: float = 0.0


class SpeechToText(Protocol):
    """Recognition of whole utterances."""

    async def transcribe(self, audio: Pcm, expect: Expectation, language: str) -> Heard:
        """What was said.

        Args:
            audio: one utterance, at most 30 s.
            expect: of the words.
            language: "en" or "es".

        Raises:
            SpeechUnavailable: no answer in time.
        """
        ...


class TextToSpeech(Protocol):
    """A voice."""

    def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """Speech for one sentence or clause, in pieces as they are made. Closing the generator ends the work.

        Args:
            text: already speakable (`voice.speakable`).
            language: "en" or "es".

        Raises:
            SpeechUnavailable: no answer in time.
        """
        ...


class TurnDetector(Protocol):
    """Judges a pause."""

    async def finished(self, audio: Pcm) -> float:
        """How likely the speaker has finished, 0 to 1, from the last 8 s before the pause.

        Raises:
            SpeechUnavailable: no answer in time.
        """
        ...


class VoiceActivity(Protocol):
    """Tells speech from the rest, a window at a time. One instance a call; cheap enough for the gateway's own loop."""

    def __call__(self, window: Pcm) -> float:
        """How likely the 256 samples (32 ms) are speech, 0 to 1."""
        ...

    def reset(self) -> None:
        """Forget what was heard before."""
        ...


class Speech(SpeechToText, TextToSpeech, TurnDetector, Protocol):
    """The speech process as a call sees it."""

    async def admit(self, call: str) -> None:
        """Ask for a call's share of the process, for as long as the call lasts.

        Raises:
            SpeechFull: it has as many calls as it can serve well.
            SpeechUnavailable: it does not answer.
        """
        ...

    async def release(self, call: str) -> None:
        """Give the share back. Safe to call twice, and when the process is dead."""
        ...
