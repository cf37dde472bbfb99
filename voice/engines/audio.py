"""What every engine does to samples: another rate, another level."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from voice.protocols import SAMPLE_RATE, Pcm

Wave = NDArray[np.float32]
"""Mono samples between -1 and 1."""
MODEL_RATE = 16_000
"""Hertz; what Whisper and smart-turn listen at."""
FULL_SCALE = 32_768.0
LOUDEST = 0.89
"""Peak of what we say, -1 dB: mu-law codes it without clipping."""
LOUDNESS = 0.11
"""Root mean square of what we say where we say something, -19 dB: the usual level of announcements in telephone
networks (ITU-T P.56 measures it like this, over the active part), and clear in a noisy room."""


def to_wave(audio: Pcm) -> Wave:
    """As floats."""
    return (audio / FULL_SCALE).astype(np.float32)


def to_model_rate(audio: Pcm) -> Wave:
    """8 kHz to 16 kHz."""
    return np.asarray(soxr.resample(to_wave(audio), SAMPLE_RATE, MODEL_RATE, quality="MQ"), dtype=np.float32)


def to_telephone(wave: Wave, rate: int) -> Wave:
    """Any rate to 8 kHz; what lies above 4 kHz is filtered away."""
    return np.asarray(soxr.resample(wave, rate, SAMPLE_RATE, quality="HQ"), dtype=np.float32)


def active_level(wave: Wave) -> float:
    """Root mean square over the 20 ms windows that are within 25 dB of the loudest; 0 for silence."""
    window = SAMPLE_RATE // 50
    whole = len(wave) // window * window
    if not whole:
        return 0.0
    power = np.mean(np.square(wave[:whole].reshape(-1, window)), axis=1)
    loudest = float(power.max())
    if loudest <= 0.0:
        return 0.0
    return float(np.sqrt(power[power > loudest * 10**-2.5].mean()))


def gain_for(level: float) -> float:
    """What brings speech of a level to LOUDNESS; at most four times louder, so that noise stays noise."""
    return min(4.0, LOUDNESS / level) if level > 0.0 else 1.0


def to_pcm(wave: Wave, gain: float = 1.0) -> Pcm:
    """As 16-bit samples; peaks above LOUDEST are bent, not cut, so that they do not crackle."""
    loud = wave * gain
    over = np.abs(loud) > LOUDEST * 0.8
    if over.any():
        knee = LOUDEST * 0.8
        room = LOUDEST - knee
        loud = np.where(over, np.sign(loud) * (knee + room * np.tanh((np.abs(loud) - knee) / room)), loud)
    return (loud * (FULL_SCALE - 1)).astype(np.int16)
