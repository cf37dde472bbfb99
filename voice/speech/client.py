"""The gateway's end of the speech process: `voice.protocols.Speech` over one socket.

    speech = SpeechClient.from_settings(get_settings())
    await speech.start()
    speech.prepare(["Thanks for calling."], "en")    # spoken even when the process is dead
    ...
    await speech.aclose()

When the process is dead every request fails at once with SpeechUnavailable while the client goes on trying to reach it.
When it is back, the calls that go on are admitted again. Giving up on a request (cancelling it, closing the generator,
running out of time) tells the process to stop working on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import structlog

from integrations.base.settings import Settings
from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm, SpeechFull, SpeechUnavailable
from voice.speech import wire
from voice.speech.connection import Connection

log = structlog.get_logger()

PIECE = SAMPLE_RATE // 2
"""Samples of a piece of a kept sentence."""

_call: ContextVar[str] = ContextVar("speech_call", default="")
"""Whose work a task does: set by `admit`, inherited by the tasks that a call starts. Only fairness depends on it."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Seconds after which a request is given up with SpeechUnavailable.

    Attributes:
        admit: the greeting waits for it.
        transcribe: of a recognition.
        finished: of a judgement; the dialogue's own rules decide without it.
        first_audio: from asking for speech to its first piece.
        next_audio: between pieces.
        connect: of one attempt to reach the process.
    """

    admit: float = 0.5
    transcribe: float = 6.0
    finished: float = 0.6
    first_audio: float = 4.0
    next_audio: float = 4.0
    connect: float = 2.0


class SpeechClient:
    """A gateway process's connection to the speech process.

    Args:
        url: "ws://127.0.0.1:5060".
        token: what the process checks.
        budgets: how long each kind of request may take.
        first_pause: seconds before the second attempt to connect; doubles up to `longest_pause`.
        longest_pause: seconds between attempts.
    """

    def __init__(
        self,
        url: str,
        token: str,
        budgets: Budgets | None = None,
        first_pause: float = 0.1,
        longest_pause: float = 2.0,
    ) -> None:
        self._budgets = budgets or Budgets()
        self._numbers = itertools.count(1)
        self._calls: set[str] = set()
        self._fixed: dict[tuple[str, str], Pcm | None] = {}
        self._something_to_fetch = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._connection = Connection(
            url,
            token,
            self._budgets.connect,
            first_pause,
            longest_pause,
            greeting=self._admit_again,
            on_connected=self._something_to_fetch.set,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> SpeechClient:
        """The process that the environment names."""
        return cls(settings.speech_address, settings.speech_token.get_secret_value())

    # -- its life

    async def start(self, wait: float = 0.0) -> None:
        """Begin to connect.

        Args:
            wait: seconds to wait for the connection; it goes on trying after that.
        """
        self._tasks = [
            asyncio.create_task(self._connection.run(), name="speech-connection"),
            asyncio.create_task(self._fetch_fixed(), name="speech-fixed-sentences"),
        ]
        if wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connection.wait_connected(), wait)

    async def aclose(self) -> None:
        """Disconnect; what is under way fails."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def connected(self) -> bool:
        """Whether the process can be reached now."""
        return self._connection.connected

    @property
    def open_requests(self) -> int:
        """Requests whose answer is not complete; 0 when nobody waits."""
        return self._connection.open_requests

    def prepare(self, texts: Iterable[str], language: str) -> None:
        """Declare sentences that are the same for every caller and hold nothing personal.

        They are fetched ahead of need and kept here, and the process keeps them on disk; speaking one needs no process.
        """
        for text in texts:
            self._fixed.setdefault((language, text), None)
        self._something_to_fetch.set()

    def is_prepared(self, text: str, language: str) -> bool:
        """Whether a fixed sentence can be spoken without the process."""
        return self._fixed.get((language, text)) is not None

    # -- the contract

    async def transcribe(self, audio: Pcm, expect: Expectation, language: str) -> Heard:
        """See `voice.protocols.SpeechToText`."""
        if len(audio) > wire.LONGEST_AUDIO:
            audio = audio[-wire.LONGEST_AUDIO :]
        request = wire.Transcribe(id=next(self._numbers), expect=wire.Expected.of(expect), language=language)
        answer = await self._one_answer(request, self._budgets.transcribe, audio)
        return answer.to_heard()

    async def finished(self, audio: Pcm) -> float:
        """See `voice.protocols.TurnDetector`."""
        request = wire.Finished(id=next(self._numbers))
        return (await self._one_answer(request, self._budgets.finished, audio[-8 * SAMPLE_RATE :])).score

    async def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """See `voice.protocols.TextToSpeech`."""
        key = (language, text)
        kept = self._fixed.get(key)
        if kept is not None:
            for start in range(0, len(kept), PIECE):
                yield kept[start : start + PIECE]
            return
        fixed = key in self._fixed
        whole: list[Pcm] = []
        async with contextlib.aclosing(self._speak(text, language, fixed=fixed)) as pieces:
            async for piece in pieces:
                if fixed:
                    whole.append(piece)
                yield piece
        if whole:
            self._fixed[key] = np.concatenate(whole)

    async def admit(self, call: str) -> None:
        """See `voice.protocols.Speech`; also marks this task, and those that it starts, as working for the call."""
        try:
            await self._one_answer(wire.Admit(id=next(self._numbers), call=call[:80]), self._budgets.admit)
        except SpeechFull:
            raise
        except BaseException:
            # It may have been admitted all the same, and a place that nobody gives back is lost to all callers.
            await self.release(call)
            raise
        self._calls.add(call)
        _call.set(call)

    async def release(self, call: str) -> None:
        """See `voice.protocols.Speech`; does not wait for the process."""
        self._calls.discard(call)
        self._connection.send(wire.pack(wire.Release(id=next(self._numbers), call=call[:80])))

    # -- requests

    async def _speak(
        self, text: str, language: str, fixed: bool = False, ahead: bool = False
    ) -> AsyncGenerator[Pcm, None]:
        call = "" if ahead else _call.get()[:80]
        if not 0 < len(text) <= wire.LONGEST_TEXT:
            raise SpeechUnavailable("a sentence is empty or too long to speak")
        request = wire.Speak(id=next(self._numbers), text=text, language=language, call=call, fixed=fixed, ahead=ahead)
        seconds = self._budgets.first_audio * (60 if ahead else 1)
        async with self._connection.ask(request) as exchange:
            while True:
                answer, audio = await exchange.next(seconds)
                if answer.kind == "end":
                    return
                yield audio
                seconds = self._budgets.next_audio * (60 if ahead else 1)

    async def _one_answer(self, request: wire.Request, seconds: float, audio: Pcm | None = None) -> wire.Answer:
        async with self._connection.ask(request, audio) as exchange:
            answer, _ = await exchange.next(seconds)
            return answer

    def _admit_again(self) -> Iterator[bytes]:
        for call in self._calls:
            yield wire.pack(wire.Admit(id=next(self._numbers), call=call[:80], again=True))

    # -- fixed sentences

    async def _fetch_fixed(self) -> None:
        while True:
            await self._something_to_fetch.wait()
            self._something_to_fetch.clear()
            for (language, text), kept in list(self._fixed.items()):
                if kept is None:
                    try:
                        await self._fetch(language, text)
                    except SpeechUnavailable:
                        if not self.connected:
                            break  # the next connection starts it again
                        log.warning("a fixed sentence could not be spoken", length=len(text))

    async def _fetch(self, language: str, text: str) -> None:
        pieces = [piece async for piece in self._speak(text, language, fixed=True, ahead=True)]
        self._fixed[language, text] = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
