"""The synthesis queue: calls take turns, a piece of a sentence each, so a long reply starves nobody."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from voice.protocols import SAMPLE_RATE, Pcm
from voice.speech.cache import SentenceCache
from voice.speech.metrics import Metrics
from voice.speech.pieces import pieces_of
from voice.speech.recognising import Overloaded

MOST_WAITING = 256
"""Sentences; those after them are refused at once."""


class NoVoice(ValueError):
    """No voice speaks that language."""


class Sayer(Protocol):
    """A voice at the telephone's rate."""

    name: str

    def say(self, text: str) -> Pcm:
        """A piece of a text; blocks."""
        ...


@dataclass(slots=True, eq=False)
class _Job:
    """A sentence on its way; `made` ends with None, or with what went wrong."""

    voice: Sayer
    pieces: deque[str]
    since: float
    made: asyncio.Queue[Pcm | Exception | None] = field(default_factory=asyncio.Queue)
    dropped: bool = False


class Speaker:
    """Makes speech in a few threads, a piece at a time.

    Args:
        voices: by language.
        cache: of whole sentences.
        workers: threads.
        metrics: where it counts.
    """

    def __init__(self, voices: Mapping[str, Sayer], cache: SentenceCache, workers: int, metrics: Metrics) -> None:
        self._voices = voices
        self._cache = cache
        self._workers = workers
        self._metrics = metrics
        self._lanes: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._ahead: deque[_Job] = deque()
        self._working_ahead = 0
        self._arrived = asyncio.Event()
        self._nobody = itertools.count()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="speak")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._work(), name=f"speaker-{n}") for n in range(self._workers)]

    async def aclose(self) -> None:
        """Stop; a piece that is being made is waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)

    @property
    def waiting(self) -> int:
        """Sentences in the queue that somebody waits for."""
        return sum(len(lane) for lane in self._lanes.values())

    @property
    def waiting_ahead(self) -> int:
        """Sentences in the queue that nobody waits for."""
        return len(self._ahead)

    async def speak(
        self, text: str, language: str, call: str = "", fixed: bool = False, ahead: bool = False
    ) -> AsyncGenerator[Pcm, None]:
        """Speech for a sentence, a piece at a time. Closing the generator drops the pieces that are not made yet.

        Args:
            text: speakable.
            language: one that there is a voice for.
            call: whose turn it takes; "" is a turn of its own.
            fixed: the same for every caller; kept on disk.
            ahead: nobody waits for it; it is made when nothing else is.

        Raises:
            NoVoice: nobody speaks that language.
            Overloaded: too many sentences wait.
        """
        voice = self._voices.get(language)
        if voice is None:
            raise NoVoice(f"no voice speaks {language}")
        key = self._cache.key(voice.name, language, text)
        kept = await self._cache.find(key, fixed)
        if kept is not None:
            self._metrics.cached.inc()
            yield kept
            return
        if self.waiting >= MOST_WAITING:
            raise Overloaded(f"{self.waiting} sentences wait")
        job = _Job(voice, deque(pieces_of(text)), time.monotonic())
        self._add(job, call, ahead)
        whole: list[Pcm] = []
        try:
            while (made := await job.made.get()) is not None:
                if isinstance(made, Exception):
                    raise made
                whole.append(made)
                yield made
        finally:
            job.dropped = True
        await self._cache.keep(key, np.concatenate(whole) if whole else np.zeros(0, np.int16), fixed)

    # -- the queue

    def _add(self, job: _Job, call: str, ahead: bool) -> None:
        if ahead:
            self._ahead.append(job)
        else:
            self._lanes.setdefault(call or f"\0{next(self._nobody)}", deque()).append(job)
        self._arrived.set()

    def _next(self) -> tuple[str | None, _Job] | None:
        """The job whose turn it is, taken out of its lane while a piece of it is made."""
        while self._lanes:
            lane, jobs = self._lanes.popitem(last=False)
            while jobs and jobs[0].dropped:
                jobs.popleft()
            if jobs:
                job = jobs.popleft()
                if jobs:
                    self._lanes[lane] = jobs  # its next sentence waits behind the other calls
                return lane, job
        # One thread stays free for callers, who would otherwise wait for two long sentences that nobody waits for.
        while self._ahead and self._working_ahead < max(1, self._workers - 1):
            job = self._ahead.popleft()
            if not job.dropped:
                return None, job
        return None

    def _put_back(self, lane: str | None, job: _Job) -> None:
        if lane is None:
            self._ahead.appendleft(job)
        else:
            self._lanes.setdefault(lane, deque()).appendleft(job)
            self._lanes.move_to_end(lane)
        self._arrived.set()

    async def _work(self) -> None:
        while True:
            turn = self._next()
            if turn is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            lane, job = turn
            self._working_ahead += lane is None
            try:
                await self._make_piece(job)
            finally:
                self._working_ahead -= lane is None
            if job.pieces and not job.dropped:
                self._put_back(lane, job)
            else:
                job.made.put_nowait(None)
                self._arrived.set()  # work ahead that had to wait may go on

    async def _make_piece(self, job: _Job) -> None:
        began = time.monotonic()
        metrics = self._metrics
        if job.pieces:
            metrics.waiting.labels("speak").observe(began - job.since)
            try:
                audio = await asyncio.get_running_loop().run_in_executor(
                    self._pool, job.voice.say, job.pieces.popleft()
                )
            except Exception as error:  # an engine's own errors have no common type, and the queue must go on
                job.pieces.clear()
                job.made.put_nowait(error)
                return
            metrics.working.labels("speak").observe(time.monotonic() - began)
            metrics.audio.labels("speak").inc(len(audio) / SAMPLE_RATE)
            if len(audio):
                job.made.put_nowait(audio)
            job.since = time.monotonic()
