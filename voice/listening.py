"""Telling the caller's speech from the rest of the sound: where it begins, pauses and goes on.

Sound comes in frames, is judged in windows of 32 ms, and leaves as events. Time is the sound's own, so a late frame
changes nothing. What a pause means is decided elsewhere (`voice.ending`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from voice.design import Turns
from voice.protocols import SAMPLE_RATE, Pcm, VoiceActivity

WINDOW = 256
WINDOW_MS = WINDOW * 1000 // SAMPLE_RATE
BEGINS_FROM = 0.5
GOES_ON_FROM = 0.35
"""Lower than to begin with: words fade."""
_BEFORE = 10
"""Windows kept before speech: a soft first sound is part of the word."""
_RESET_AFTER = 2_000 // WINDOW_MS
"""Silero forgets how speech sounds after seconds of none unless it is reset (measured: 0 of 617 clips missed)."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """Enough voice that it is no click."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Silence long enough to begin recognising.

    Attributes:
        audio: what was said so far.
    """

    audio: Pcm = field(repr=False)


@dataclass(frozen=True, slots=True)
class Silent:
    """A pause goes on.

    Attributes:
        ms: of silence so far.
    """

    ms: int


@dataclass(frozen=True, slots=True)
class WentOn:
    """The caller speaks again after a pause."""


@dataclass(frozen=True, slots=True)
class Full:
    """The longest utterance is reached.

    Attributes:
        audio: all of it.
    """

    audio: Pcm = field(repr=False)


Event = Spoke | Paused | Silent | WentOn | Full


class Listener:
    """One call's ear.

    Args:
        activity: of this call alone.
        turns: times and limits.
    """

    def __init__(self, activity: VoiceActivity, turns: Turns) -> None:
        self._activity = activity
        self._turns = turns
        self._most = int(turns.longest_utterance * SAMPLE_RATE) // WINDOW
        self._partial = np.zeros(0, np.int16)
        self._before: list[Pcm] = []
        self._said: list[Pcm] = []
        self._voiced = 0
        self._silence = 0
        self._quiet_for = 0
        self._energy = 0.0
        self._spoke = False
        self._paused = False

    @property
    def is_open(self) -> bool:
        """Whether an utterance is under way, pauses included."""
        return bool(self._said)

    @property
    def is_loud(self) -> bool:
        """Whether the utterance under way is more than a click."""
        return self._spoke

    @property
    def voiced_ms(self) -> int:
        """Of the utterance under way."""
        return self._voiced * WINDOW_MS

    @property
    def silence_ms(self) -> int:
        """Since the utterance's last voice."""
        return self._silence * WINDOW_MS

    @property
    def level(self) -> float:
        """Loudness of the utterance's voice, decibels under full scale."""
        if not self._voiced:
            return -100.0
        return float(10 * np.log10(self._energy / self._voiced / 32_768.0**2 + 1e-10))

    def feed(self, samples: Pcm) -> list[Event]:
        """Take sound in; what it means."""
        sound = np.concatenate((self._partial, samples)) if len(self._partial) else samples
        events: list[Event] = []
        whole = len(sound) // WINDOW * WINDOW
        for start in range(0, whole, WINDOW):
            self._window(sound[start : start + WINDOW], events)
        self._partial = sound[whole:]
        return events

    def audio(self) -> Pcm:
        """The utterance so far."""
        return np.concatenate(self._said) if self._said else np.zeros(0, np.int16)

    def take(self) -> None:
        """The utterance is over; listen for the next one."""
        self._before = self._said[-_BEFORE:] if self._said else self._before
        self._said = []
        self._voiced = self._silence = 0
        self._energy = 0.0
        self._spoke = self._paused = False

    def _window(self, window: Pcm, events: list[Event]) -> None:
        likely = self._activity(window)
        if not self._said:
            self._wait(window, likely, events)
            return
        self._said.append(window)
        if likely >= GOES_ON_FROM:
            if self._paused:
                self._paused = False
                events.append(WentOn())
            self._silence = 0
            self._voice(window, events)
        else:
            self._silence += 1
            self._fade(events)
        if len(self._said) >= self._most:
            events.append(Full(self.audio()))

    def _wait(self, window: Pcm, likely: float, events: list[Event]) -> None:
        if likely >= BEGINS_FROM:
            self._said = [*self._before, window]
            self._before = []
            self._quiet_for = 0
            self._voice(window, events)
            return
        self._before = [*self._before[-(_BEFORE - 1) :], window]
        self._quiet_for += 1
        if self._quiet_for >= _RESET_AFTER:
            self._activity.reset()
            self._quiet_for = 0

    def _voice(self, window: Pcm, events: list[Event]) -> None:
        self._voiced += 1
        self._energy += float(np.mean(window.astype(np.float64) ** 2))
        if not self._spoke and self.voiced_ms >= self._turns.barge_in:
            self._spoke = True
            events.append(Spoke())

    def _fade(self, events: list[Event]) -> None:
        if self._paused:
            events.append(Silent(self.silence_ms))
        elif self.silence_ms >= self._turns.recognise_after:
            if self.voiced_ms < self._turns.too_short:
                self.take()
                return
            self._paused = True
            events.append(Paused(self.audio()))
