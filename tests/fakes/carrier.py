"""A carrier's end of one media socket, and a caller on the telephone, in whatever time the loop has.

    async with a_call(door) as call:
        await call.says("my power is out", 1.0)
        await call.quiet(3.0)
        assert "There is an outage" in call.speech.spoken

Sound goes to the application every 20 ms, as Twilio sends it, of silence too. What comes back is played: marks return
when they are reached, `clear` throws away what was not played.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.switchboard import Button, Reply, Turn
from integrations.base.utility import get_utility
from integrations.twilio.errors import TwilioError
from tests.fakes.speech import FakeSpeech, tone
from voice import mulaw
from voice.call import Call
from voice.design import Design, get_design
from voice.parts import CallParts
from voice.pieces import pieces
from voice.prompts import Prompts
from voice.protocols import Heard, Pcm
from voice.records import CallRecord, CallRecords
from voice.saying import Words
from voice.speakable import speakable

CALL, STREAM = "CA" + "1" * 32, "MZ" + "1" * 32
_STREAMS = itertools.count(1)


class LoudIsVoice:
    """Voice is what is loud."""

    def __init__(self) -> None:
        self.resets = 0

    def __call__(self, window: Pcm) -> float:
        return 0.95 if np.abs(window.astype(np.int32)).mean() > 300 else 0.02

    def reset(self) -> None:
        self.resets += 1


class MemoryRedis:
    """The two commands that call records need; `dead` refuses them."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.dead = False

    async def get(self, key: str) -> str | None:
        self._alive()
        return self.kept.get(key)

    async def set(self, key: str, value: str, ex: int = 0, nx: bool = False) -> bool | None:
        self._alive()
        if nx and key in self.kept:
            return None
        self.kept[key] = value
        return True

    def _alive(self) -> None:
        if self.dead:
            from redis.exceptions import ConnectionError as RedisConnectionError

            raise RedisConnectionError("dead")


@dataclass
class FakeDoor:
    """A conversation that answers by a table of words, and tells what it was asked.

    Attributes:
        answers: replies by a turn's text, digits or command; a function of the turn, or an exception, does as well.
        default: for everything else.
        seconds: before the first reply.
        between: before each later reply.
        turns: that came.
        open: turns whose replies are being listened to.
        ended: turn ids that were answered to their end.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    default: Any = "All right."
    seconds: float = 0.06
    between: float = 0.0
    turns: list[Turn] = field(default_factory=list)
    open: int = 0
    ended: list[str] = field(default_factory=list)

    async def handle(self, turn: Turn) -> AsyncIterator[Reply]:
        self.turns.append(turn)
        self.open += 1
        try:
            answer = self.answers.get(turn.text or turn.digits or turn.command, self.default)
            if callable(answer):
                answer = answer(turn)
            if isinstance(answer, Exception):
                raise answer
            await asyncio.sleep(self.seconds)
            replies = [answer] if isinstance(answer, str | Reply) else list(answer)
            for number, reply in enumerate(replies):
                if number and self.between:
                    await asyncio.sleep(self.between)
                reply = Reply(reply) if isinstance(reply, str) else reply
                final = number == len(replies) - 1
                yield Reply(
                    reply.text, reply.buttons, None, final, reply.source, reply.response, reply.asking if final else ""
                )
            self.ended.append(turn.turn_id)
        finally:
            self.open -= 1

    async def recall(self, turn: Turn) -> tuple[Reply, ...]:
        return ()

    async def title_of(self, turn: Turn) -> str:
        return ""

    async def give_up(self, turn: Turn) -> None:
        pass

    @property
    def said(self) -> list[str]:
        """What was said and keyed, without the greeting."""
        return [turn.text or turn.digits or turn.command for turn in self.turns if turn.command != "/greet"]


@dataclass
class FakeCarrierApi:
    """Twilio's REST API: what calls were told to follow; the next answers can be errors."""

    documents: list[tuple[str, str]] = field(default_factory=list)
    errors: list[TwilioError] = field(default_factory=list)
    hang: bool = False
    on_direct: Callable[[], None] | None = None

    async def direct(self, call_sid: str, twiml: str) -> None:
        if self.hang:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        self.documents.append((call_sid, twiml))
        if self.on_direct:
            self.on_direct()


class FakeLine:
    """The socket between.

    Attributes:
        sent: every message of the application, with its time.
        closed: the application closed it.
    """

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self._clock = asyncio.get_running_loop().time
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.closed = False
        self.played_until = 0.0
        self.marks: list[tuple[float, str, asyncio.TimerHandle]] = []
        self.answers_marks = True

    # -- the application's end

    async def receive(self) -> str | None:
        return await self._incoming.get()

    async def send(self, text: str) -> None:
        if self.closed:
            return
        message = json.loads(text)
        now = self._clock()
        self.sent.append((now, message))
        if message["event"] == "media":
            seconds = len(base64.b64decode(message["media"]["payload"])) / 8_000
            self.played_until = max(self.played_until, now) + seconds
        elif message["event"] == "mark":
            at = max(self.played_until, now)
            name = message["mark"]["name"]
            handle = asyncio.get_running_loop().call_at(at, self._mark, name)
            self.marks.append((at, name, handle))
        elif message["event"] == "clear":
            self.played_until = now
            for at, name, handle in self.marks:
                if at > now:
                    handle.cancel()
                    self._mark(name)
            self.marks = []

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            for _, _, handle in self.marks:
                handle.cancel()
            self._incoming.put_nowait(None)

    # -- the carrier's end

    def put(self, message: dict[str, Any] | str) -> None:
        if not self.closed:
            self._incoming.put_nowait(message if isinstance(message, str) else json.dumps(message))

    def cut(self) -> None:
        """The network is gone."""
        self._incoming.put_nowait(None)

    def _mark(self, name: str) -> None:
        if self.answers_marks:
            self.put({"event": "mark", "streamSid": STREAM, "mark": {"name": name}})

    @property
    def clears(self) -> list[float]:
        return [at for at, message in self.sent if message["event"] == "clear"]

    @property
    def sounds(self) -> list[float]:
        return [at for at, message in self.sent if message["event"] == "media"]


class FakeCall:
    """A caller with a telephone, and the call that answers."""

    def __init__(self, parts: CallParts, record: CallRecord, frame: float = 0.02) -> None:
        self.parts = parts
        self.record = record
        self.line = FakeLine()
        self.speech: FakeSpeech = parts.speech  # type: ignore[assignment]
        self.door: FakeDoor = parts.door  # type: ignore[assignment]
        self.api: FakeCarrierApi = parts.carrier  # type: ignore[assignment]
        self.call = Call(self.line, record, parts)
        self._frame = frame
        self._loud_until = 0.0
        self._level = 0.3
        self._loop = asyncio.get_running_loop()
        self.task = asyncio.create_task(self.call.run())
        self._sound: asyncio.Task[None] | None = None

    @property
    def now(self) -> float:
        return self._loop.time()

    @property
    def spoken(self) -> list[str]:
        """What our voice was given to say, in order."""
        return self.speech.spoken

    def start(self, **more: Any) -> None:
        """Connected and start, as Twilio sends them; then sound, all the time."""
        self.line.put({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self.line.put(start_message(**{"stream": f"MZ{next(_STREAMS):032x}", **more}))
        self._sound = asyncio.create_task(self._stream())

    async def _stream(self) -> None:
        samples = round(self._frame * 8_000)
        quiet = base64.b64encode(bytes([mulaw.SILENCE]) * samples).decode()
        while True:
            loud = self._loop.time() < self._loud_until - 1e-9
            payload = quiet
            if loud:
                payload = base64.b64encode(mulaw.encode(tone(440, self._frame, self._level))).decode()
            self.line.put({"event": "media", "streamSid": STREAM, "media": {"track": "inbound", "payload": payload}})
            await asyncio.sleep(self._frame)

    async def makes_sound(self, seconds: float, level: float = 0.3) -> None:
        self._loud_until, self._level = self.now + seconds, level
        await asyncio.sleep(seconds)

    async def says(self, text: str | Heard | Exception, seconds: float = 0.8, level: float = 0.3) -> None:
        """Speak; when the application asks what was said, it is this."""
        self.speech.hear(text)
        await self.makes_sound(seconds, level)

    async def presses(self, keys: str, pause: float = 0.25) -> None:
        for key in keys:
            self.line.put({"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": key}})
            await asyncio.sleep(pause)

    async def quiet(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, holds: Callable[[], Any], seconds: float = 60.0) -> None:
        for _ in range(round(seconds * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not become true")

    async def until_heard(self, part: str, seconds: float = 60.0) -> None:
        """Until our voice has been given something with these words in it."""
        await self.until(lambda: any(part in text for text in self.spoken), seconds)

    async def until_silent(self, seconds: float = 90.0) -> None:
        """Until we have said everything and it is the caller's turn."""
        await asyncio.sleep(0.5)
        await self.until(lambda: self.now > self.line.played_until + 0.2 and not self.door.open, seconds)

    def hangs_up(self) -> None:
        self.line.put({"event": "stop", "streamSid": STREAM, "stop": {"callSid": CALL}})
        self.line.cut()

    async def ended(self, seconds: float = 30.0) -> None:
        """Until nothing of the call is left."""
        async with asyncio.timeout(seconds):
            await asyncio.shield(self.task)

    async def aclose(self) -> None:
        if self._sound:
            self._sound.cancel()
            await asyncio.gather(self._sound, return_exceptions=True)
        if not self.task.done():
            self.line.cut()
            await self.task

    def assert_nothing_left(self) -> None:
        """No share of speech, no work in it, no turn, no socket, no call; tasks are the loop's to check."""
        assert self.task.done()
        assert not self.speech.calls
        assert self.speech.is_idle
        assert self.door.open == 0
        assert self.line.closed
        assert not self.parts.records.live


def start_message(
    call: str = CALL, encoding: str = "audio/x-mulaw", rate: int = 8_000, stream: str = STREAM, **parameters: str
) -> dict[str, Any]:
    return {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": stream,
        "start": {
            "streamSid": stream,
            "accountSid": "AC" + "5" * 32,
            "callSid": call,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": encoding, "sampleRate": rate, "channels": 1},
            "customParameters": parameters,
        },
    }


def make_parts(
    door: FakeDoor | None = None,
    speech: FakeSpeech | None = None,
    design: Design | None = None,
    languages: tuple[str, ...] = ("en",),
    kept: Callable[[str, str], bool] = lambda text, language: False,
    **more: Any,
) -> CallParts:
    design = design or get_design()
    prompts = Prompts(design, get_utility(), speakable, languages, "ME")
    return CallParts(
        door=door or FakeDoor(),
        speech=speech or FakeSpeech(),
        activity=LoudIsVoice,
        design=design,
        words=Words(prompts, speakable, pieces, kept),
        records=CallRecords(MemoryRedis(), more.pop("now", lambda: 0.0)),  # type: ignore[arg-type]
        carrier=more.pop("carrier", FakeCarrierApi()),
        person=lambda record: "<Response><Dial>+15555550100</Dial></Response>",
        **more,
    )


@contextlib.asynccontextmanager
async def a_call(
    door: FakeDoor | None = None,
    speech: FakeSpeech | None = None,
    *,
    parts: CallParts | None = None,
    record: CallRecord | None = None,
    frame: float = 0.02,
    started: bool = True,
    **more: Any,
) -> AsyncIterator[FakeCall]:
    """A call whose socket is open; a call that is still there at the end is cut off."""
    parts = parts or make_parts(door, speech, **more)
    known = record or await parts.records.open(CALL, "+12075550101", "ME")
    call = FakeCall(parts, known, frame)
    if started:
        call.start()
    try:
        yield call
    finally:
        await call.aclose()


def choice(text: str, *titles: str, asking: str = "") -> Reply:
    return Reply(text, tuple(Button(title, f"/{title}") for title in titles), asking=asking)


def texts(replies: Sequence[Reply]) -> list[str]:
    return [reply.text for reply in replies]
