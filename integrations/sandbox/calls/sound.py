"""What a caller's phone can send: sound files, tones, keys, noise, silence. 8 kHz mono throughout."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from .mulaw import Samples

RATE = 8_000
"""Samples a second."""
FRAME = 160
"""Samples of 20 ms."""
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_KEYS = "123A456B789C*0#D"


class BadSound(ValueError):
    """A file that cannot be played; the text says why."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where in a piece of sound the speech is, in samples."""

    start: int
    end: int


def from_wav(path: Path) -> Samples:
    """A WAV file of 8 or 16 bits at any rate, mixed to mono.

    Raises:
        BadSound: it is no such file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise BadSound(f"{path.name} is no WAV file with PCM in it ({type(error).__name__})") from error
    if width == 2:
        samples = np.frombuffer(data, "<i2").astype(np.float32)
    elif width == 1:
        samples = (np.frombuffer(data, np.uint8).astype(np.float32) - 128) * 256
    else:
        raise BadSound(f"{path.name} has {8 * width} bits a sample; 8 or 16 can be read")
    return resampled(samples.reshape(-1, channels).mean(axis=1), rate)


def resampled(samples: NDArray[np.float32] | Samples, rate: int) -> Samples:
    """Samples of another rate at ours, limited to 16 bits."""
    made = samples if rate == RATE else soxr.resample(samples.astype(np.float32), rate, RATE)
    return np.asarray(np.clip(np.round(made), -32768, 32767), dtype=np.int16)


def silence(seconds: float) -> Samples:
    """Nothing."""
    return np.zeros(round(seconds * RATE), np.int16)


def tone(hertz: float, seconds: float, level: float = 0.25) -> Samples:
    """A sine.

    Args:
        hertz: below 4,000.
        seconds: how long.
        level: of full scale.
    """
    at = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(level * 32767 * np.sin(2 * np.pi * hertz * at), dtype=np.int16)


def key_tone(key: str, seconds: float = 0.1) -> Samples:
    """The two tones of a key (ITU-T Q.23).

    Raises:
        KeyError: there is no such key.
    """
    place = _KEYS.find(key) if len(key) == 1 else -1
    if place < 0:
        raise KeyError(key)
    return tone(_ROWS[place // 4], seconds) + tone(_COLUMNS[place % 4], seconds)


def noise(seconds: float, level: float = 0.02, seed: int = 1) -> Samples:
    """Hiss, always the same for a seed.

    Args:
        seconds: how long.
        level: standard deviation, of full scale.
        seed: of the generator.
    """
    made = np.random.default_rng(seed).normal(0, level * 32767, round(seconds * RATE))
    return np.asarray(np.clip(made, -32768, 32767), dtype=np.int16)


def speech_in(samples: Samples, below_peak_db: float = 35.0) -> Bounds:
    """Where the speech begins and ends: the first and the last 10 ms that are not much softer than the loudest.

    Args:
        samples: one utterance, possibly with silence around it.
        below_peak_db: a piece that is softer than the loudest by more than this is silence.
    """
    piece = RATE // 100
    count = len(samples) // piece
    if not count:
        return Bounds(0, len(samples))
    levels = np.sqrt((samples[: count * piece].astype(np.float64).reshape(count, piece) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > max(1.0, levels.max() * 10 ** (-below_peak_db / 20)))
    if not len(loud):
        return Bounds(0, len(samples))
    return Bounds(int(loud[0]) * piece, int(loud[-1] + 1) * piece)
