"""Sounds with no words in them: what a telephone line carries while nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.speech_sets import pink, read_wav, telephone
from voice.engines.audio import Wave
from voice.protocols import SAMPLE_RATE, Pcm

MUSIC_ON_HOLD = Path("/usr/share/asterisk/moh")
"""Real recordings, where Debian's asterisk-moh-opsound-wav is installed."""
DTMF_LOW, DTMF_HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
SECONDS = (1.0, 2.5, 6.0)


def tones(frequencies: tuple[float, ...], seconds: float, level: float = 0.3) -> Wave:
    """Sines together."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (sum(np.sin(2 * np.pi * hertz * at) for hertz in frequencies) * level / len(frequencies)).astype(np.float32)


def dtmf(keys: str, seconds: float = 0.12, pause: float = 0.08) -> Wave:
    """Keys as they are pressed."""
    parts = []
    for key in keys:
        row, column = divmod(KEYS.index(key), 4)
        parts += [tones((DTMF_LOW[row], DTMF_HIGH[column]), seconds), np.zeros(int(pause * SAMPLE_RATE), np.float32)]
    return np.concatenate(parts)


def music(seconds: float, rng: np.random.Generator) -> Wave:
    """Chords with overtones and a beat: what waiting sounds like."""
    made = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    beat = SAMPLE_RATE // 2
    for start in range(0, len(made), beat):
        length = min(beat, len(made) - start)
        fade = np.exp(-np.arange(length) / (0.3 * SAMPLE_RATE))
        root = 220.0 * 2 ** (int(rng.integers(0, 12)) / 12)
        for step in (0, 4, 7, 12):
            for overtone in (1, 2, 3):
                hertz = root * 2 ** (step / 12) * overtone
                if hertz < 3_600:
                    note = np.sin(2 * np.pi * hertz * np.arange(length) / SAMPLE_RATE)
                    made[start : start + length] += (note * fade / overtone).astype(np.float32)
        drum = rng.normal(0.0, 1.0, min(length, 400)) * np.exp(-np.arange(min(length, 400)) / 80)
        made[start : start + len(drum)] += drum.astype(np.float32)
    return (made / np.abs(made).max() * 0.5).astype(np.float32)


def cadence(frequencies: tuple[float, ...], on: float, off: float, times: int) -> Wave:
    """A call-progress tone."""
    return np.tile(np.concatenate([tones(frequencies, on), np.zeros(int(off * SAMPLE_RATE), np.float32)]), times)


def not_speech(rng: np.random.Generator, quick: bool = False) -> Iterator[tuple[str, Pcm]]:
    """Kind and sound, through the carrier's coding."""
    for seconds in SECONDS[: 1 if quick else None]:
        length = round(seconds * SAMPLE_RATE)
        yield "silence", _coded(np.zeros(length, np.float32))
        for level in (0.001, 0.01, 0.1, 0.3):
            yield "white noise", _coded(rng.normal(0.0, level, length).astype(np.float32))
            yield "room noise", _coded(pink(length, rng) * level)
        yield "hum", _coded(tones((60.0, 120.0, 180.0, 300.0), seconds))
        clicks = np.zeros(length, np.float32)
        clicks[rng.integers(0, length, round(seconds * 4))] = 0.8
        yield "clicks", _coded(clicks)
        gusts = np.interp(np.arange(length), np.linspace(0, length, 12), rng.uniform(0.0, 0.25, 12))
        yield "wind and breath", _coded((pink(length, rng) * gusts).astype(np.float32))
        for _ in range(2):
            yield "chords", _coded(music(seconds, rng))
    yield "keys", _coded(dtmf("0123456789*#"))
    yield "keys", _coded(dtmf("5", 0.3))
    yield "keys", _coded(dtmf("1111"))
    yield "line tones", _coded(tones((350.0, 440.0), 3.0))
    yield "line tones", _coded(cadence((440.0, 480.0), 1.0, 1.0, 2))
    yield "line tones", _coded(cadence((480.0, 620.0), 0.25, 0.25, 6))
    yield "line tones", _coded(tones((1_400.0, 2_060.0), 1.5))
    yield "line tones", _coded(tones((2_100.0,), 2.0))
    for file in sorted(MUSIC_ON_HOLD.glob("*.wav")):
        song = read_wav(file)
        for start in np.linspace(0, max(0, len(song) - 7 * SAMPLE_RATE), 2 if quick else 12, dtype=int):
            seconds = SECONDS[int(rng.integers(len(SECONDS)))]
            yield "recorded hold music", telephone(song[start : start + round(seconds * SAMPLE_RATE)])


def _coded(sound: Wave) -> Pcm:
    return telephone((np.clip(sound, -1.0, 1.0) * 32_767).astype(np.int16))
