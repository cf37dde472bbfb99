"""From sound to an utterance: recognising while the end of the turn is still being decided.

At the first 200 ms of silence recognition begins, beside the detector's judgement where that is worth asking for. When
the caller goes on, both are dropped and begun again at the next pause; when the turn is over, the words are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from voice.design import Design
from voice.ending import is_over, wants_verdict
from voice.listening import Full, Listener, Paused, Silent, Spoke, WentOn
from voice.player import Clock
from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm, Speech, SpeechUnavailable

log = structlog.get_logger()

NO_SPEECH_FROM = 0.6
LOWEST_SCORE = -1.0
"""Silence and noise decode as "you" and worse; below this, or above that, it was no speech (measured, spikes 2)."""
_JUDGED_SECONDS = 8
SLOW_SECONDS = 1.0
SLOW_FROM_MS = 500
"""Less voice than that may be noise, and a filler said to noise is odd."""
T = TypeVar("T")
Post = Callable[[Callable[[], Awaitable[None]]], None]


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the caller said.

    Attributes:
        heard: the words; None when recognition failed.
        voiced_ms: of voice in it.
        level: decibels under full scale.
        quiet_at: its last sound, seconds.
        over_at: it was decided to be over.
        heard_at: its words were there.
    """

    heard: Heard | None = field(repr=False)
    voiced_ms: int = 0
    level: float = 0.0
    quiet_at: float = 0.0
    over_at: float = 0.0
    heard_at: float = 0.0

    @property
    def text(self) -> str:
        """The words; "" for noise, and for words that the recogniser does not believe in itself."""
        heard = self.heard
        if heard is None or heard.no_speech > NO_SPEECH_FROM or heard.score < LOWEST_SCORE:
            return ""
        return heard.text.strip()


@dataclass(slots=True)
class _Attempt:
    """Recognition of what was said until a pause."""

    words: asyncio.Task[Heard]
    verdict: asyncio.Task[float] | None
    over_at: float = 0.0

    def cancel(self) -> None:
        self.words.cancel()
        if self.verdict:
            self.verdict.cancel()


class Hearing:
    """One call's understanding of where utterances end and what their words are.

    Args:
        speech: the engines.
        listener: the ear.
        design: times and words.
        post: hands work to the call, which does one thing after the other.
        voice: called when the caller is surely speaking.
        said: called with each utterance.
        slow: called when the words of one are long in coming.
        clock: seconds.
    """

    def __init__(
        self,
        speech: Speech,
        listener: Listener,
        design: Design,
        post: Post,
        voice: Callable[[], Awaitable[None]],
        said: Callable[[Utterance], Awaitable[None]],
        slow: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._speech = speech
        self._listener = listener
        self._design = design
        self._post = post
        self._voice = voice
        self._said = said
        self._slow = slow
        self._coming = 0
        self._clock = clock
        self._attempt: _Attempt | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.expect = Expectation()
        self.language = "en"

    @property
    def is_loud(self) -> bool:
        """Whether the caller is speaking, and more than a click."""
        return self._listener.is_loud

    @property
    def is_busy(self) -> bool:
        """Whether the caller is speaking, or what they said is still being recognised."""
        return self._listener.is_loud or self._coming > 0

    async def feed(self, samples: Pcm) -> None:
        """Take the caller's sound."""
        for event in self._listener.feed(samples):
            if isinstance(event, Spoke):
                await self._voice()
            elif isinstance(event, Paused):
                self._begin(event.audio)
            elif isinstance(event, WentOn):
                self._drop()
            elif isinstance(event, Silent):
                self._check()
            elif isinstance(event, Full):
                if self._attempt is None:
                    self._begin(event.audio)
                self._over()

    def no_more_sound(self) -> None:
        """The carrier sends nothing any more although the caller was speaking: what was said counts."""
        if self._listener.is_open:
            if self._attempt is None:
                self._begin(self._listener.audio())
            self._over()

    async def aclose(self) -> None:
        """Forget everything under way."""
        self._attempt = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- inside

    def _begin(self, audio: Pcm) -> None:
        self._drop()
        words = self._start(self._speech.transcribe(audio, self.expect, self.language))
        verdict = None
        if wants_verdict(self.expect):
            verdict = self._start(self._speech.finished(audio[-_JUDGED_SECONDS * SAMPLE_RATE :]))
        attempt = self._attempt = _Attempt(words, verdict)
        for task in (words, verdict):
            if task is not None:
                task.add_done_callback(lambda _: self._post(lambda: self._progress(attempt)))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a dropped attempt may fail unseen

    def _drop(self) -> None:
        if self._attempt:
            self._attempt.cancel()
            self._attempt = None

    async def _progress(self, attempt: _Attempt) -> None:
        if attempt is self._attempt:
            self._check()

    def _check(self) -> None:
        attempt = self._attempt
        if attempt is None or not self._listener.is_open:
            return
        heard = _result(attempt.words, Heard(""))
        verdict = _result(attempt.verdict, 1.0) if attempt.verdict else 1.0
        if is_over(self._design, self.expect, self._listener.silence_ms, heard, verdict, self.language):
            self._over()

    def _over(self) -> None:
        """The turn is over. Its words may still be on the way; what comes after is another utterance."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        now = self._clock()
        listener = self._listener
        facts = (listener.voiced_ms, listener.level, now - listener.silence_ms / 1000, now)
        listener.take()
        if attempt.verdict:
            attempt.verdict.cancel()
        self._coming += 1
        self._start(self._deliver(attempt.words, facts))

    async def _deliver(self, words: asyncio.Task[Heard], facts: tuple[int, float, float, float]) -> None:
        heard: Heard | None = None
        await asyncio.wait({words}, timeout=SLOW_SECONDS)
        if not words.done() and facts[0] >= SLOW_FROM_MS:
            self._post(self._slow)
        try:
            heard = await words
        except SpeechUnavailable as error:
            log.warning("voice.recognition_failed", error=type(error).__name__)
        except Exception as error:  # a broken engine is an absent one to the caller
            log.error("voice.recognition_broke", error=type(error).__name__, exc_info=error)
        utterance = Utterance(heard, *facts, heard_at=self._clock())
        self._post(lambda: self._hand_over(utterance))

    async def _hand_over(self, utterance: Utterance) -> None:
        self._coming -= 1
        await self._said(utterance)


def _result(task: asyncio.Task[T], failed: T) -> T | None:
    """What a task gave; None while it runs, and `failed` when it broke."""
    if not task.done():
        return None
    if task.cancelled() or task.exception() is not None:
        return failed
    return task.result()
