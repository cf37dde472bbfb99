"""What happened in a call and when, and how both sides sounded."""

from __future__ import annotations

import asyncio
import json
import time
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .mulaw import Samples
from .sound import RATE


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes; tests hand in their own.

    Attributes:
        now: seconds, never going back.
        sleep: for so many seconds.
    """

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


def real_pace() -> Pace:
    """The machine's clock, and asyncio's waiting."""
    return Pace(time.monotonic, asyncio.sleep)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        at: seconds since the call was placed.
        what: a constant name.
        detail: names, codes, numbers.
    """

    at: float
    what: str
    detail: dict[str, object] = field(default_factory=dict)


class Timeline:
    """A call's events, in order."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._began = pace.now()
        self.events: list[Event] = []

    def now(self) -> float:
        """Seconds since the call was placed."""
        return self._pace.now() - self._began

    def add(self, what: str, **detail: object) -> Event:
        """Something happens now."""
        event = Event(self.now(), what, detail)
        self.events.append(event)
        return event

    def named(self, *names: str) -> list[Event]:
        """The events of these names."""
        return [event for event in self.events if event.what in names]

    def last(self, what: str) -> Event | None:
        """The latest of a name."""
        return next((event for event in reversed(self.events) if event.what == what), None)


class Recording:
    """Both sides of a call as one stereo sound, the caller left, the application right."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, Samples, Samples]] = []

    def add(self, at: float, caller: Samples, application: Samples) -> None:
        """20 ms of both sides; ``at`` seconds since the call was placed."""
        self._pieces.append((at, caller, application))

    def samples(self) -> Samples:
        """Shape (n, 2). Frames follow one another without gaps; a pause between two streams stays a pause."""
        place, placed = 0, []
        for at, caller, application in self._pieces:
            wanted = round(at * RATE)
            # A late tick is caught up by the next ones; only what cannot be a late tick is a pause.
            place = wanted if wanted - place > RATE // 2 else place
            placed.append((place, caller, application))
            place += len(caller)
        both = np.zeros((place, 2), np.int16)
        for start, caller, application in placed:
            both[start : start + len(caller), 0] = caller
            both[start : start + len(application), 1] = application
        return both

    def save(self, path: Path, timeline: Timeline | None = None) -> None:
        """Write a WAV file, and the timeline beside it as JSON lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self.samples().astype("<i2").tobytes())
        if timeline is not None:
            lines = [
                json.dumps({"at": round(event.at, 3), "what": event.what, **event.detail}) for event in timeline.events
            ]
            path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
