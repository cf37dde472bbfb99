"""What a caller says, as the carrier takes it: 20 ms at a time, silence between the words."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from .mulaw import Samples
from .sound import FRAME, Bounds, speech_in


@dataclass(slots=True)
class Utterance:
    """Something said.

    Attributes:
        label: what it is, for the timeline.
        samples: 8 kHz.
        speech: where in it the speech is.
        began: seconds since the call was placed, when the first frame with speech in it left; None before.
        ended: the same of the last one.
        done: everything has left, or never will.
    """

    label: str
    samples: Samples = field(repr=False)
    speech: Bounds
    began: float | None = None
    ended: float | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class Mouth:
    """A queue of utterances over a background."""

    def __init__(self) -> None:
        self.background: Samples | None = None
        """Heard all the time, over and over; None for a silent line."""
        self.muted = False
        self.news: list[tuple[str, str]] = []
        """What the last frame began or ended: speaks or spoke, and the label; whoever keeps a timeline takes it."""
        self._queue: deque[Utterance] = deque()
        self._place = 0
        self._background_place = 0

    @property
    def is_busy(self) -> bool:
        """Whether something is being said, or waits to be."""
        return bool(self._queue)

    def say(self, samples: Samples, label: str = "") -> Utterance:
        """Say something after what is already waiting."""
        utterance = Utterance(label, samples, speech_in(samples))
        self._queue.append(utterance)
        return utterance

    def hush(self) -> None:
        """Say no more; what waited is done."""
        for utterance in self._queue:
            utterance.done.set()
        self._queue.clear()
        self._place = 0

    def frame(self, now: float) -> Samples:
        """The next 20 ms, which leave now."""
        frame = np.zeros(FRAME, np.int16)
        if self._queue:
            utterance = self._queue[0]
            piece = utterance.samples[self._place : self._place + FRAME]
            frame[: len(piece)] = piece
            self._place += FRAME
            if utterance.began is None and self._place > utterance.speech.start:
                utterance.began = now
                self.news.append(("speaks", utterance.label))
            if utterance.ended is None and self._place >= min(utterance.speech.end, len(utterance.samples)):
                utterance.ended = now
                self.news.append(("spoke", utterance.label))
            if self._place >= len(utterance.samples):
                self._queue.popleft()
                self._place = 0
                utterance.done.set()
        if self.background is not None and len(self.background):
            at = (self._background_place + np.arange(FRAME)) % len(self.background)
            self._background_place = int(at[-1]) + 1
            mixed = frame.astype(np.int32) + self.background[at]
            frame = np.asarray(np.clip(mixed, -32768, 32767), dtype=np.int16)
        return np.zeros(FRAME, np.int16) if self.muted else frame
