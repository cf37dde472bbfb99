"""A speech process in memory: it hears what a test says that it hears, and speaks in tones.

    speech = FakeSpeech(hears=["my power is out", SpeechUnavailable("slow"), "yes"])
    speech.first_audio_seconds = 0.3        # everything waits by asyncio.sleep only, so virtual time works
    ...
    assert speech.spoken == ["What is your account number?"]
    assert speech.is_idle                   # nobody left a request or a generator open

It keeps to the contract of `voice.protocols.Speech`, also where it hurts: a dead one refuses at once, a call can be
refused, what was under way when it died ends with SpeechUnavailable.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm, SpeechFull, SpeechUnavailable

SECONDS_A_LETTER = 0.06
"""About the pace of a person who reads aloud."""


@dataclass(frozen=True)
class Asked:
    """One recognition that was asked for."""

    audio: Pcm
    expect: Expectation
    language: str


def tone(hertz: float, seconds: float, level: float = 0.3) -> Pcm:
    """A sine at SAMPLE_RATE; ``level`` 1 is full scale."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sin(2 * np.pi * hertz * at) * level * 32_767).astype(np.int16)


def pitch_of(text: str) -> float:
    """The tone that stands for a text, 300 to 1,000 Hz: tests can tell which sentence they hear."""
    return 300.0 + zlib.crc32(text.encode()) % 700


@dataclass
class FakeSpeech:
    """Set any field at any time.

    Attributes:
        hears: what the next recognitions give, in the order in which they are asked for: a text, a whole Heard, or an
            exception to raise. When it is empty they hear nothing ("").
        finishes: what the turn detector says next; `finished_by_default` when it is empty.
        most_calls: how many are admitted; more get SpeechFull.
        transcribe_seconds: how long a recognition takes.
        finished_seconds: how long the turn detector takes.
        first_audio_seconds: from asking for speech to its first piece.
        piece_seconds: of audio in a piece.
        pace: seconds of waiting for each second of audio after the first piece; 0 is at once, 1 real time.
        fails_after_pieces: speech breaks with SpeechUnavailable after so many pieces; None never.
        dead: everything is refused at once; better set by `die` and `revive`.
        asked: the recognitions that were asked for.
        judged: the audio that the turn detector was given.
        spoken: texts that were begun.
        finished_texts: texts that were spoken to their end.
        stopped: texts whose generator was closed or cancelled before the end.
        prepared: language and text of the fixed sentences.
        prepares: whether those are spoken at once, and even when dead, as the real client does once it has them.
        calls: the calls that are admitted now.
        admitted: every call that was ever admitted.
    """

    hears: deque[str | Heard | Exception] = field(default_factory=deque)
    finishes: deque[float | Exception] = field(default_factory=deque)
    finished_by_default: float = 1.0
    most_calls: int = 100
    transcribe_seconds: float = 0.0
    finished_seconds: float = 0.0
    first_audio_seconds: float = 0.0
    piece_seconds: float = 0.2
    pace: float = 0.0
    fails_after_pieces: int | None = None
    dead: bool = False
    asked: list[Asked] = field(default_factory=list)
    judged: list[Pcm] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    finished_texts: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    prepared: set[tuple[str, str]] = field(default_factory=set)
    prepares: bool = False
    calls: set[str] = field(default_factory=set)
    admitted: list[str] = field(default_factory=list)
    _open: int = 0
    _death: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hears = deque(self.hears)
        self.finishes = deque(self.finishes)

    # -- the test's side

    def hear(self, *texts: str | Heard | Exception) -> None:
        """Add to what the next recognitions give."""
        self.hears.extend(texts)

    def die(self) -> None:
        """The process is gone: what is under way fails, what comes is refused, its calls are forgotten."""
        self.dead = True
        self.calls.clear()
        self._death.set()

    def revive(self) -> None:
        """It is back, and remembers nothing."""
        self.dead = False
        self._death = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether no recognition, judgement or speech is under way."""
        return self._open == 0

    def speech_of(self, text: str) -> Pcm:
        """The whole audio that a text is spoken as."""
        return tone(pitch_of(text), max(self.piece_seconds, len(text) * SECONDS_A_LETTER))

    # -- the contract

    async def transcribe(self, audio: Pcm, expect: Expectation, language: str) -> Heard:
        """The next of `hears`, taken when it is asked for, not when it is answered."""
        self._refuse_if_dead()
        self.asked.append(Asked(audio, expect, language))
        answer = self.hears.popleft() if self.hears else ""
        with self._work():
            await self._wait(self.transcribe_seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Heard) else Heard(answer, score=-0.2 if answer else 0.0)

    async def finished(self, audio: Pcm) -> float:
        """The next of `finishes`."""
        self._refuse_if_dead()
        self.judged.append(audio)
        answer = self.finishes.popleft() if self.finishes else self.finished_by_default
        with self._work():
            await self._wait(self.finished_seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """A tone of the text's own pitch, as long as it would take to say it; a prepared one needs no process."""
        if self.is_prepared(text, language):
            self.spoken.append(text)
            self.finished_texts.append(text)
            yield self.speech_of(text)
            return
        self._refuse_if_dead()
        self.spoken.append(text)
        audio = self.speech_of(text)
        length = round(self.piece_seconds * SAMPLE_RATE)
        ended = False
        try:
            with self._work():
                await self._wait(self.first_audio_seconds)
                for number, piece in enumerate(_pieces(audio, length)):
                    if number and self.pace:
                        await self._wait(self.pace * self.piece_seconds)
                    if self.dead or number == self.fails_after_pieces:
                        raise SpeechUnavailable("the fake broke as the test said")
                    yield piece
            ended = True
        finally:
            (self.finished_texts if ended else self.stopped).append(text)

    async def admit(self, call: str) -> None:
        """Takes the call, or refuses as the process would."""
        self._refuse_if_dead()
        if call not in self.calls and len(self.calls) >= self.most_calls:
            raise SpeechFull("as many calls as the test allows")
        self.calls.add(call)
        self.admitted.append(call)

    async def release(self, call: str) -> None:
        """Forgets the call; safe at any time."""
        self.calls.discard(call)

    # -- the client's life (voice.speech.client.SpeechClient)

    @property
    def connected(self) -> bool:
        """Whether it lives."""
        return not self.dead

    async def start(self, wait: float = 0.0) -> None:
        """Nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to disconnect from."""

    def prepare(self, texts: Iterable[str], language: str) -> None:
        """Fixed sentences are remembered; they count as fetched when `prepares` is set and it lives."""
        self.prepared.update((language, text) for text in texts)

    def is_prepared(self, text: str, language: str) -> bool:
        """Whether a fixed sentence can be spoken without the process."""
        return self.prepares and (language, text) in self.prepared

    # -- inside

    def _refuse_if_dead(self) -> None:
        if self.dead:
            raise SpeechUnavailable("the fake is dead")

    @contextmanager
    def _work(self) -> Iterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _wait(self, seconds: float) -> None:
        """Wait, or fail as soon as the process dies.

        Raises:
            SpeechUnavailable: it died meanwhile.
        """
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            try:
                async with asyncio.timeout(seconds):
                    await self._death.wait()
            except TimeoutError:
                pass
        self._refuse_if_dead()


def _pieces(audio: Pcm, length: int) -> Iterator[Pcm]:
    for start in range(0, len(audio), length):
        yield audio[start : start + length]
