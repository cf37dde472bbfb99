"""What the speech bench listens to: telephone sound (8 kHz, mu-law) and what was said in it.

The synthetic set is made here by our own two voices; the digits are real people's (Free Spoken Digit Dataset), joined
into account numbers; the prompts are a real announcer's (Debian's asterisk-core-sounds-en-wav), where installed.
"""

from __future__ import annotations

import gzip
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from voice import mulaw
from voice.engines import audio as sound
from voice.engines.audio import Wave
from voice.protocols import SAMPLE_RATE, Expectation, Pcm

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"
ASTERISK = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TRANSCRIPTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
SENTENCES = (
    "Hi, my power has been out since about six, when is it coming back?",
    "I'd like to report an outage at my house.",
    "The lights are flickering on and off.",
    "Half of my house has no power.",
    "There's a tree leaning on the wire in front of my driveway.",
    "A power line is down and it's sparking in the street.",
    "I smell gas in the basement.",
    "My carbon monoxide alarm is going off.",
    "My mother is on an oxygen machine and the power is out.",
    "Do you have any idea when the crew will get here?",
    "You said it was fixed but my lights are still off.",
    "Can you text me when it's back on?",
    "How much do I owe on my account?",
    "When is my bill due?",
    "Why is my bill so high this month?",
    "I want to pay my bill with my bank account.",
    "I can't pay all of it, can I set up a payment plan?",
    "I got a shutoff notice in the mail.",
    "I'm moving out at the end of the month.",
    "I need to start service at a new address.",
    "The street light on the corner is burned out.",
    "I'd like to speak to a person, please.",
    "No, that is not the right address.",
    "Yes, that's correct.",
    "Could you say that again?",
    "Never mind, forget about it.",
    "It was on Tuesday, around half past nine.",
    "Is there a planned outage tomorrow?",
    "I think my meter is broken.",
    "Thank you very much, goodbye.",
)


class Voice(Protocol):
    """An engine of ours."""

    rate: int

    def synthesise(self, text: str) -> Iterator[Wave]:
        """Speech at `rate`."""
        ...


@dataclass(frozen=True)
class Clip:
    """One utterance."""

    set: str
    audio: Pcm
    said: str
    expect: Expectation = field(default_factory=Expectation)


def telephone(audio: Pcm) -> Pcm:
    """Through the carrier's coding, with the pauses that the turn detection leaves around speech."""
    quiet = np.zeros(SAMPLE_RATE * 3 // 10, np.int16)
    return mulaw.decode(mulaw.encode(np.concatenate([quiet, audio, quiet])))


def spoken(voice: Voice, text: str) -> Pcm:
    """A text in a voice at telephone level."""
    speech = sound.to_telephone(np.concatenate(list(voice.synthesise(text))), voice.rate)
    return sound.to_pcm(speech, sound.gain_for(sound.active_level(speech)))


def pink(length: int, rng: np.random.Generator) -> Wave:
    """Noise of streets and rooms: every octave is equally loud."""
    spectrum = np.fft.rfft(rng.normal(0.0, 1.0, length))
    spectrum /= np.sqrt(np.maximum(1.0, np.arange(len(spectrum)) * SAMPLE_RATE / length / 50.0))
    made = np.fft.irfft(spectrum, length)
    return (made / np.sqrt(np.mean(np.square(made)))).astype(np.float32)


def noisy(audio: Pcm, noise: Wave, decibels: float) -> Pcm:
    """Speech in noise, so many decibels below the active part of the speech."""
    speech = sound.to_wave(audio)
    level = sound.active_level(speech) / 10 ** (decibels / 20)
    mixed = speech + np.resize(noise, len(speech)) * level
    return (np.clip(mixed, -1.0, 1.0) * 32_767).astype(np.int16)


def synthetic(voices: dict[str, Voice], sentences: int, rng: np.random.Generator) -> list[Clip]:
    """Each sentence clean, and in noise at 20, 10 and 5 dB; the voices take turns."""
    clips = []
    names = list(voices)
    for number, sentence in enumerate(SENTENCES[:sentences]):
        audio = spoken(voices[names[number % len(names)]], sentence)
        padded = np.concatenate([np.zeros(2_000, np.int16), audio, np.zeros(2_000, np.int16)])
        clips.append(Clip("synthetic, clean", telephone(audio), sentence))
        for decibels in (20, 10, 5):
            mixed = noisy(padded, pink(len(padded), rng), decibels)
            clips.append(Clip(f"synthetic, {decibels} dB", telephone(mixed), sentence))
    return clips


def account_numbers(voices: dict[str, Voice], count: int, rng: np.random.Generator) -> list[Clip]:
    """Ten digits read in groups by our voices."""
    clips = []
    names = list(voices)
    for number in range(count):
        digits = "".join(str(digit) for digit in rng.integers(0, 10, 10))
        text = ", ".join(" ".join(group) for group in (digits[:3], digits[3:6], digits[6:])) + "."
        audio = spoken(voices[names[number % len(names)]], text)
        clips.append(Clip("account numbers, synthetic", telephone(audio), digits, Expectation("digits", (10,))))
    return clips


def read_wav(path: Path) -> Pcm:
    """A WAV file at 8 kHz."""
    with wave.open(str(path)) as file:
        if file.getframerate() != SAMPLE_RATE or file.getsampwidth() != 2:
            raise ValueError(f"{path.name} is not 16 bits at 8 kHz")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def real_digits(count: int, rng: np.random.Generator) -> list[Clip]:
    """Real spoken digits, ten of one speaker's to a number; none where the recordings are absent."""
    files = sorted((SHARED / "fsdd_8k").glob("*.wav"))
    if not files:
        return []
    by_speaker: dict[str, dict[str, list[Path]]] = {}
    for file in files:
        digit, speaker, _ = file.stem.split("_")
        by_speaker.setdefault(speaker, {}).setdefault(digit, []).append(file)
    clips = []
    for number in range(count):
        takes = by_speaker[sorted(by_speaker)[number % len(by_speaker)]]
        digits = "".join(str(digit) for digit in rng.integers(0, 10, 10))
        parts = []
        for place, digit in enumerate(digits):
            parts.append(_levelled(read_wav(takes[digit][int(rng.integers(len(takes[digit])))])))
            parts.append(_pause(place))
        clips.append(
            Clip("account numbers, real", telephone(np.concatenate(parts)), digits, Expectation("digits", (10,)))
        )
    return clips


def _levelled(audio: Pcm) -> Pcm:
    speech = sound.to_wave(audio)
    return sound.to_pcm(speech, sound.gain_for(sound.active_level(speech)))


def jfk() -> list[Clip]:
    """The well-known eleven seconds, at 8 kHz; none where the recording is absent."""
    path = SHARED / "jfk.flac"
    if not path.exists():
        return []
    from faster_whisper.audio import decode_audio

    said = (
        "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
    )
    return [Clip("jfk", telephone(sound.to_pcm(decode_audio(str(path), sampling_rate=SAMPLE_RATE))), said)]


def prompts(most: int) -> list[Clip]:
    """A real announcer's telephone prompts of 3 to 20 words; none where Debian's packages are not installed."""
    if not TRANSCRIPTS.exists():
        return []
    found = []
    with gzip.open(TRANSCRIPTS, "rt", encoding="utf-8") as lines:
        for line in lines:
            name, _, said = line.partition(":")
            path = ASTERISK / f"{name.strip()}.wav"
            if 3 <= len(said.split()) <= 20 and not set("[;(") & set(line) and path.exists():
                found.append((path, said.strip()))
    step = max(1, len(found) // most)
    return [Clip("prompts, real", telephone(read_wav(path)), said) for path, said in found[::step][:most]]


def announced_numbers(count: int, rng: np.random.Generator) -> list[Clip]:
    """Account numbers in the same announcer's digits."""
    if not (ASTERISK / "digits" / "0.wav").exists():
        return []
    takes = [read_wav(ASTERISK / "digits" / f"{digit}.wav") for digit in range(10)]
    clips = []
    for _ in range(count):
        digits = [int(digit) for digit in rng.integers(0, 10, 10)]
        parts = [part for place, digit in enumerate(digits) for part in (takes[digit], _pause(place))]
        said = "".join(str(digit) for digit in digits)
        clips.append(
            Clip("account numbers, announcer", telephone(np.concatenate(parts)), said, Expectation("digits", (10,)))
        )
    return clips


def _pause(place: int) -> Pcm:
    """People pause after a group of a number and hardly within it."""
    return np.zeros(int((0.28 if place in (2, 5) else 0.06) * SAMPLE_RATE), np.int16)


_NOT_WORDS = re.compile(r"[^\w' ]+")
_SAME = {
    "i'm": "i am", "i'd": "i would", "it's": "it is", "that's": "that is", "can't": "cannot", "there's": "there is",
    "o'clock": "oclock", "6": "six", "9": "nine", "30": "thirty", "5": "five", "okay": "ok",
    "streetlight": "street light",
}  # fmt: skip


def words_of(text: str) -> list[str]:
    """Words for comparing, in one spelling."""
    plain = _NOT_WORDS.sub(" ", text.lower().replace("’", "'")).split()
    return " ".join(_SAME.get(word, word) for word in plain).split()


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Substitutions, insertions and deletions (Levenshtein), and how many words were said."""
    want, have = words_of(said), words_of(heard)
    row = list(range(len(have) + 1))
    for number, word in enumerate(want, start=1):
        last, row[0] = row[0], number
        for place, other in enumerate(have, start=1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (word != other))
    return row[-1], len(want)
