"""The way that the engines' documentation shows, beside ours: the same words, models and dialogue, part after part.

faster-whisper's `transcribe` with its defaults (30 s of padding, beam 5), a fixed pause that ends the turn, the whole
reply made into speech before any of it is heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import httpx
import numpy as np
import soxr
from faster_whisper import WhisperModel
from piper import PiperVoice

from bench.talks import OurTalk
from tests.stack import Stack
from voice.protocols import Pcm
from voice.speech.models import Models

PAUSE_SECONDS = 0.8
"""Silence that ends a turn: `stop_secs` of Pipecat's voice activity detector as its documentation has it."""


async def documented(stack: Stack, sounds: dict[str, Pcm], words: Sequence[str]) -> list[dict[str, float]]:
    """Seconds of each turn, by part.

    Args:
        stack: for the dialogue, over its web chat; nobody else talks to it meanwhile.
        sounds: of the words.
        words: what to say, in one conversation.
    """
    models = Models.here()
    ears = WhisperModel(str(models.open("whisper-base")), device="cpu", compute_type="int8")
    voice = PiperVoice.load(models.file("en_US-joe-medium"))
    found = []
    async with httpx.AsyncClient(timeout=30.0) as client:
        talk = await OurTalk.begin(stack, client)
        try:
            for text in words:
                began = time.perf_counter()
                heard = await asyncio.to_thread(_recognised, ears, sounds[text])
                recognised = time.perf_counter()
                reply = await talk.say(heard or text)
                answered = time.perf_counter()
                await asyncio.to_thread(_spoken, voice, reply)
                spoken = time.perf_counter()
                parts = {
                    "end_of_turn": PAUSE_SECONDS,
                    "speech_to_text": recognised - began,
                    "dialogue": answered - recognised,
                    "text_to_speech": spoken - answered,
                }
                found.append({**parts, "total": sum(parts.values())})
        finally:
            await talk.close()
    return found


def _recognised(ears: WhisperModel, sound: Pcm) -> str:
    wave = soxr.resample(sound.astype(np.float32) / 32768, 8_000, 16_000)
    segments, _ = ears.transcribe(wave, language="en")
    return " ".join(segment.text.strip() for segment in segments)


def _spoken(voice: PiperVoice, text: str) -> int:
    return sum(len(chunk.audio_int16_array) for chunk in voice.synthesize(text or "Sorry."))
