"""A call's media stream, from its first message to its last: reading, doing one thing after the other, and tidying up.

How it ends is written down before the socket is closed (`CallRecord.next`): Twilio then asks the webhook what comes
next, so a call never ends in nothing, whatever broke here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from voice import media, metrics
from voice.caller import Caller
from voice.hearing import Hearing
from voice.inlet import Inlet, Line, StreamRefused
from voice.listening import Listener
from voice.parts import CallParts
from voice.player import Player
from voice.protocols import SpeechUnavailable
from voice.records import CallRecord, Next
from voice.speaking import Piece, Speaker
from voice.talk import Talk
from voice.timers import Timers
from voice.transfer import hand_over

log = structlog.get_logger()

NO_SOUND_SECONDS = 10.0
"""Twilio sends sound all the time, also of silence; without any the stream is dead although its socket is not."""
CUT_SOUND_SECONDS = 1.0
WARNING_SECONDS = 60.0
LAST_WORDS_SECONDS = 20.0
STOP_SECONDS = 5.0
"""After a transfer the carrier ends the stream; if it does not, we do."""
ADMIT_SECONDS = 1.5
MOST_WAITING = 400
"""Messages that may wait; then the socket is read no faster than they are done."""


class Call:
    """One socket of one call.

    Args:
        line: the socket.
        record: of the call, as its token says.
        parts: what all calls share.
    """

    def __init__(self, line: Line, record: CallRecord, parts: CallParts) -> None:
        self._line = line
        self._record = record
        self._parts = parts
        self._clock = asyncio.get_running_loop().time
        self._work: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(MOST_WAITING)
        self._timers = Timers(self._post)
        self._gone = asyncio.Event()
        self._inlet = Inlet(line, record.call_sid, self._clock)
        self._outcome = "hung_up"
        self._transfer: asyncio.Task[None] | None = None
        self._talk: Talk
        self._caller: Caller
        self._hearing: Hearing
        self._speaker: Speaker
        self._player: Player[Piece]

    async def run(self) -> None:
        """Serve the stream until it ends; afterwards nothing of it is left."""
        metrics.running.inc()
        records, sid = self._parts.records, self._record.call_sid
        older = records.live.get(sid)
        records.live[sid] = self
        try:
            if older is not None:
                log.warning("voice.second_socket", call=sid)
                await older.supersede()
            start = await self._inlet.start()
            if await self._admitted():
                await self._serve(start)
        except StreamRefused as refused:
            log.warning("voice.stream_refused", call=sid, reason=refused.outcome)
            await self._refused(refused)
        finally:
            if records.live.get(sid) is self:
                del records.live[sid]
            metrics.running.dec()
            metrics.calls.labels(self._outcome).inc()
            log.info("voice.stream_ended", call=sid, outcome=self._outcome, next=self._record.next)
            try:
                await self._line.close()
            finally:
                self._gone.set()

    async def supersede(self) -> None:
        """Make way for a newer socket of the same call; returns when the caller and speech are free."""
        self._outcome = "superseded"
        self._work.put_nowait(None)
        await self._line.close()
        await self._gone.wait()

    # -- the beginning

    async def _admitted(self) -> bool:
        try:
            async with asyncio.timeout(ADMIT_SECONDS):
                await self._parts.speech.admit(self._record.call_sid)
            return True
        except (SpeechUnavailable, TimeoutError) as error:
            log.warning("voice.not_admitted", call=self._record.call_sid, error=type(error).__name__)
            self._outcome = "not_admitted"
            await self._next("menu")
            await self._parts.speech.release(self._record.call_sid)
            return False

    def _build(self, start: media.StartBody) -> None:
        parts = self._parts
        self._player = Player(self._line.send, start.stream_sid, self._clock)
        self._talk = Talk(
            record=self._record,
            records=parts.records,
            stream=start.stream_sid,
            design=parts.design,
            words=parts.words,
            door=parts.door,
            timings=parts.timings,
            timers=self._timers,
            post=self._post,
            leave=self._leave,
            clock=self._clock,
        )
        self._speaker = Speaker(
            parts.speech,
            self._player,
            self._talk.begun,
            lambda: self._post(self._talk.idle),
            self._speech_lost,
        )
        self._caller = Caller(
            self._talk,
            self._speaker,
            parts.choose,
            parts.urgent,
            self._timers,
            self._clock,
            lambda: self._speech_lost(()),
        )
        self._hearing = Hearing(
            parts.speech,
            Listener(parts.activity(), parts.design.turns),
            parts.design,
            self._post,
            self._caller.voice,
            self._caller.utterance,
            self._talk.slow,
            self._clock,
        )
        self._hearing.language = self._record.language
        self._talk.attach(self._speaker, self._hearing)

    # -- while it lasts

    async def _serve(self, start: media.StartBody) -> None:
        record, spoken = self._record, self._parts.words.prompts.languages
        record.next, record.by_keys, record.streaming = "resume", False, True
        if record.language not in spoken:
            record.language = spoken[0]
        self._build(start)
        reader = asyncio.create_task(self._receive())
        try:
            left = self._parts.longest_seconds - self._parts.records.seconds(self._record)
            self._timers.set("warning", left - WARNING_SECONDS, self._warn)
            self._timers.set("longest", left, self._too_long)
            self._timers.set("tick", 1.0, self._tick)
            await self._talk.begin(start.custom_parameters.get("resume", ""))
            while (work := await self._work.get()) is not None:
                await work()
        finally:
            self._timers.cancel_all()
            reader.cancel()
            tasks = [reader] + ([self._transfer] if self._transfer else [])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._speaker.aclose()
            await self._hearing.aclose()
            # The share is free for the next caller before the last turn has ended.
            await self._parts.speech.release(self._record.call_sid)
            await self._line.close()
            self._gone.set()
            if self._outcome != "superseded":
                self._record.streaming = False
                await self._parts.records.save(self._record)
            await self._talk.aclose()

    def _post(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work.put_nowait(work)

    async def _receive(self) -> None:
        try:
            async with contextlib.aclosing(self._inlet.messages()) as messages:
                async for message in messages:
                    await self._room.acquire()
                    self._post(self._bound(message))
        except StreamRefused as refused:
            await self._refused(refused)
        finally:
            self._work.put_nowait(None)

    async def _refused(self, refused: StreamRefused) -> None:
        self._outcome = refused.outcome
        if refused.then:
            await self._next(refused.then)

    def _bound(self, message: media.Incoming) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            try:
                await self._done(message)
            finally:
                self._room.release()

        return work

    async def _done(self, message: media.Incoming) -> None:
        if isinstance(message, media.MediaIn):
            samples = self._inlet.sound(message.media)
            if samples is not None:
                await self._hearing.feed(samples)
        elif isinstance(message, media.MarkIn):
            self._player.marked(message.mark.name)
        elif isinstance(message, media.Dtmf):
            await self._caller.key(message.dtmf.digit)
        else:
            metrics.dropped.labels("out_of_order").inc()

    async def _tick(self) -> None:
        silent_for = self._clock() - self._inlet.sound_at
        if silent_for > NO_SOUND_SECONDS:
            log.warning("voice.no_sound", call=self._record.call_sid)
            self._outcome = "no_sound"
            self._work.put_nowait(None)
            return
        if silent_for > CUT_SOUND_SECONDS:
            self._hearing.no_more_sound()
        self._timers.set("tick", 1.0, self._tick)

    # -- the end

    async def _warn(self) -> None:
        if not self._talk.leaving:
            self._talk.say("one_minute_left")

    async def _too_long(self) -> None:
        log.info("voice.too_long", call=self._record.call_sid)
        if self._talk.leaving != "person":
            await self._speaker.stop()
            self._talk.final = True
            self._talk.say("goodbye_long", hold="always")
            self._talk.end("hang_up")
        # Whatever happens to the last words.
        self._timers.set("last", LAST_WORDS_SECONDS, lambda: self._finish(self._talk.leaving or "hang_up"))

    def _leave(self, then: Next) -> None:
        """Everything has been said; go."""
        if then == "person":
            if self._transfer is None:
                self._transfer = asyncio.create_task(self._to_person())
        else:
            self._post(lambda: self._finish(then))

    async def _finish(self, then: Next) -> None:
        await self._next(then)
        self._outcome = self._outcome if self._outcome != "hung_up" else then
        self._work.put_nowait(None)

    async def _next(self, then: Next) -> None:
        """Write down what the webhook answers when the stream is over."""
        self._record.next = then
        await self._parts.records.save(self._record)

    async def _to_person(self) -> None:
        self._outcome = "person"
        await self._next("person")
        if await hand_over(self._parts.carrier, self._record.call_sid, self._parts.person(self._record)):
            self._timers.set("stop", STOP_SECONDS, self._stop_waiting)
        else:
            self._work.put_nowait(None)

    async def _stop_waiting(self) -> None:
        self._work.put_nowait(None)

    def _speech_lost(self, rest: tuple[Piece, ...]) -> None:
        self._post(lambda: self._without_speech(rest))

    async def _without_speech(self, rest: tuple[Piece, ...]) -> None:
        """The engines are gone: what was not said yet is said by the carrier's own voice, and the keypad takes over."""
        talk = self._talk
        if talk.leaving or self._outcome == "speech_lost":
            await self._finish(talk.leaving or "menu")
            return
        log.warning("voice.speech_lost", call=self._record.call_sid)
        self._outcome = "speech_lost"
        self._record.say = " ".join(piece.text for piece in rest if piece.turn or piece.hold == "always")
        await self._next("menu")
        talk.final = True
        talk.say("speech_lost", hold="always")
        talk.end("menu")
