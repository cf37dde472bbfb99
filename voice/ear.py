"""The detector of voice that calls use in the gateway: Silero, one model for all of them, one memory for each."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

import structlog

from voice.engines import silero
from voice.protocols import VoiceActivity
from voice.speech.models import ModelError, Models

log = structlog.get_logger()


@lru_cache(maxsize=1)
def model() -> Any:
    """The model, loaded once a process.

    Raises:
        voice.speech.models.ModelError: it is missing or not whole; says what to do.
    """
    return silero.load(Models.here().file("silero-vad"))


def activity_of_call() -> VoiceActivity:
    """A detector for one call."""
    return silero.SileroActivity(model())


async def ready() -> bool:
    """Whether calls can be heard: the model is there. Loads it the first time, beside the event loop."""
    try:
        await asyncio.to_thread(model)
    except (ModelError, OSError) as error:
        log.error("voice.no_ear", error=type(error).__name__, hint="make models")
        return False
    return True
