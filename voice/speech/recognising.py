"""The recognition queue: utterances of different calls that wait together are recognised together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from voice.engines.whisper import Utterance
from voice.protocols import Heard
from voice.speech.metrics import Metrics

WINDOW_SECONDS = 0.008
"""That the first of a batch waits for others; more would be heard, and under load they are there anyway."""
MOST_TOGETHER = 4
"""Utterances; more save nothing and make the first one wait for the last."""
QUICK_FROM = 6
"""Utterances waiting from which the shorter window is used."""
MOST_WAITING = 64
"""Utterances; those after them are refused at once instead of being answered too late."""
LONG_SECONDS = 10.0
"""Longer ones are recognised alone, or short ones would wait for them."""

Recognise = Callable[[Sequence[Utterance], bool], list[Heard]]


class Overloaded(RuntimeError):
    """More waits than can be answered in time."""


@dataclass(slots=True, eq=False)
class _Waiting:
    utterance: Utterance
    answer: asyncio.Future[Heard]
    since: float


class Recogniser:
    """Batches what waits and hands it to a few threads.

    Args:
        recognise: blocks; is called in `workers` threads at once.
        workers: threads.
        metrics: where it counts.
    """

    def __init__(self, recognise: Recognise, workers: int, metrics: Metrics) -> None:
        self._recognise = recognise
        self._workers = workers
        self._metrics = metrics
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="recognise")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._work(), name=f"recogniser-{n}") for n in range(self._workers)]

    async def aclose(self) -> None:
        """Stop; what waits is cancelled, what is being recognised is waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._queue:
            waiting.answer.cancel()
        self._queue.clear()
        await asyncio.to_thread(self._pool.shutdown)

    @property
    def waiting(self) -> int:
        """Utterances in the queue."""
        return len(self._queue)

    async def transcribe(self, utterance: Utterance) -> Heard:
        """Recognise one, with others if others wait. Cancelling takes it out of the queue.

        Raises:
            Overloaded: too many wait.
        """
        if len(self._queue) >= MOST_WAITING:
            raise Overloaded(f"{len(self._queue)} utterances wait")
        waiting = _Waiting(utterance, asyncio.get_running_loop().create_future(), time.monotonic())
        self._queue.append(waiting)
        self._arrived.set()
        try:
            return await waiting.answer
        finally:
            if waiting in self._queue:
                self._queue.remove(waiting)

    async def _work(self) -> None:
        while True:
            while not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            if len(self._queue) < MOST_TOGETHER:
                await asyncio.sleep(WINDOW_SECONDS)
            depth = len(self._queue)
            batch = self._take()
            if batch:
                await self._recognise_batch(batch, quick=depth >= QUICK_FROM)

    def _take(self) -> list[_Waiting]:
        """The oldest, and others that go well with it."""
        if not self._queue:
            return []
        batch = [self._queue.popleft()]
        if batch[0].utterance.seconds <= LONG_SECONDS:
            for other in list(self._queue):
                if len(batch) == MOST_TOGETHER:
                    break
                if other.utterance.seconds <= LONG_SECONDS:
                    self._queue.remove(other)
                    batch.append(other)
        return batch

    async def _recognise_batch(self, batch: list[_Waiting], quick: bool) -> None:
        began = time.monotonic()
        metrics = self._metrics
        metrics.batch.observe(len(batch))
        metrics.quick.inc(int(quick))
        for waiting in batch:
            metrics.waiting.labels("transcribe").observe(began - waiting.since)
            metrics.audio.labels("transcribe").inc(waiting.utterance.seconds)
        utterances = [waiting.utterance for waiting in batch]
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._pool, self._recognise, utterances, quick)
        except Exception as error:  # an engine's own errors have no common type, and the queue must go on
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.answer.cancel()
            raise
        else:
            for waiting, heard in zip(batch, answers, strict=True):
                metrics.nothing.inc(int(not heard.text))
                if not waiting.answer.done():
                    waiting.answer.set_result(heard)
        metrics.working.labels("transcribe").observe(time.monotonic() - began)
