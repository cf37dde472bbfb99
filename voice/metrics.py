"""How fast a turn was, part by part: for `/metrics`, for one line of the log, and for a bench that reads them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass

import structlog
from prometheus_client import Counter, Gauge, Histogram

log = structlog.get_logger()

_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.1, 1.3, 1.6, 2, 3, 5, 10)

stages = Histogram(
    "porchlight_voice_stage_seconds",
    "From the end of the caller's speech to our first sound, by part",
    ("stage",),
    buckets=_SECONDS,
)
calls = Counter("porchlight_voice_calls_total", "Calls, by how they ended", ("outcome",))
running = Gauge("porchlight_voice_calls_running", "Calls with a media socket now")
dropped = Counter("porchlight_voice_dropped_total", "What came by the media socket and was not used", ("what",))
heard_as = Counter("porchlight_voice_utterances_total", "Utterances, by what became of them", ("what",))
_KEPT_CALLS = 200


@dataclass(slots=True)
class Timing:
    """The moments of a turn, in seconds of the event loop's clock; 0 where there was none.

    Attributes:
        call: its sid.
        turn: number in the call.
        by: "voice" or "keys" or "greeting".
        quiet_at: the caller's last sound, or key.
        over_at: the turn was decided to be over.
        heard_at: the words were there.
        asked_at: the dialogue was asked.
        reply_at: its first reply.
        sound_at: our first sound.
        filler: whether that was a filler.
    """

    call: str
    turn: int
    by: str
    quiet_at: float = 0.0
    over_at: float = 0.0
    heard_at: float = 0.0
    asked_at: float = 0.0
    reply_at: float = 0.0
    sound_at: float = 0.0
    filler: bool = False

    @property
    def total(self) -> float:
        """Seconds from the caller's last sound to our first."""
        return max(0.0, self.sound_at - self.quiet_at)

    def parts(self) -> dict[str, float]:
        """Seconds by part. Recognition runs while the end is being decided; only what it adds counts."""
        return {
            "end_of_turn": max(0.0, self.over_at - self.quiet_at),
            "speech_to_text": max(0.0, self.heard_at - self.over_at) if self.heard_at else 0.0,
            "dialogue": max(0.0, self.reply_at - self.asked_at) if self.reply_at else 0.0,
            "text_to_speech": max(0.0, self.sound_at - (self.reply_at or self.asked_at)),
            "total": self.total,
        }


class Timings:
    """The last calls' turns, for a bench or a demo to read; no words are in it."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, list[Timing]] = OrderedDict()

    def done(self, timing: Timing) -> None:
        """A turn's first sound has left."""
        parts = timing.parts()
        for name, seconds in parts.items():
            stages.labels(name if timing.by == "voice" else f"{timing.by}_{name}").observe(seconds)
        log.info(
            "voice.turn",
            call=timing.call,
            turn=timing.turn,
            by=timing.by,
            filler=timing.filler,
            **{f"{name}_ms": round(seconds * 1000) for name, seconds in parts.items()},
        )
        self._calls.setdefault(timing.call, []).append(timing)
        self._calls.move_to_end(timing.call)
        while len(self._calls) > _KEPT_CALLS:
            self._calls.popitem(last=False)

    def of(self, call: str) -> list[dict[str, object]]:
        """A call's turns, moments and parts."""
        return [{**asdict(one), "parts": one.parts()} for one in self._calls.get(call, ())]
