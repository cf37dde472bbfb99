"""Saying things: pieces of text become sound one ahead of what is being heard, and stop when the caller speaks.

While one clause is heard, the next is made. What a stop leaves unsaid can be said after all, when it was no
interruption but a cough.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from voice.player import Player
from voice.protocols import Pcm, SpeechUnavailable, TextToSpeech

log = structlog.get_logger()

Hold = Literal["", "words", "always"]
"""What it takes to stop a piece: any voice, words that mean something, or nothing but an emergency."""
AHEAD = 1
"""Pieces that are made while one is heard."""
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause to say.

    Attributes:
        text: as a voice reads it.
        language: of the voice.
        hold: what it takes to stop it.
        turn: whose answer it is; 0 for our own sentences.
    """

    text: str
    language: str
    hold: Hold = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop did.

    Attributes:
        heard: of our words since the answer began.
        rest: what was not heard to its end.
    """

    heard: str
    rest: tuple[Piece, ...]


class Speaker:
    """A call's mouth.

    Args:
        voice: the speech process.
        player: to the carrier.
        begun: called with a piece when its first sound leaves.
        idle: called when everything that was to be said has been heard.
        lost: called with the pieces that could not be said, when speech is gone.
    """

    def __init__(
        self,
        voice: TextToSpeech,
        player: Player[Piece],
        begun: Callable[[Piece], None],
        idle: Callable[[], None],
        lost: Callable[[tuple[Piece, ...]], None],
    ) -> None:
        self._voice = voice
        self._player = player
        self._begun = begun
        self._idle = idle
        self._lost = lost
        self._todo: deque[Piece] = deque()
        self._more = asyncio.Event()
        self._current: Piece | None = None  # until its first sound leaves; then the player knows it
        self._made: list[_Sound] = []
        self._heard = ""
        self._lately: list[str] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is being said or waits to be."""
        return self._task is not None and not self._task.done()

    @property
    def hold(self) -> Hold:
        """Of the piece that is being heard, or is about to be; "" when none is."""
        unheard = self._player.unheard()
        return unheard[0].hold if unheard else self._current.hold if self._current else ""

    @property
    def lately(self) -> str:
        """What was said since the answer began."""
        return " ".join(self._lately)

    def begin(self) -> None:
        """A new answer: what was heard before is not part of it."""
        self._heard = ""
        self._lately = self._lately[-2:]
        self._player.begin()

    def say(self, *pieces: Piece) -> None:
        """Say these after what is being said."""
        self._todo.extend(piece for piece in pieces if piece.text.strip())
        if not self._todo:
            return
        self._more.set()
        if not self.is_busy:
            self._task = asyncio.create_task(self._speak())
        elif self._current is None:
            self._make_ahead()

    def drop(self) -> None:
        """Say the piece that is being heard to its end, and nothing of what waits but what has to be heard."""
        keep = [sound for sound in self._made if sound.piece.hold == "always"]
        for sound in self._made:
            if sound not in keep:
                sound.cancel()
        self._made = keep
        self._todo = deque(piece for piece in self._todo if piece.hold == "always")

    async def stop(self) -> Stopped:
        """Be silent now."""
        # What was heard before a cough, and what after it.
        self._heard = f"{self._heard} {self._player.heard()}".strip()
        coming = (self._current, *(sound.piece for sound in self._made), *self._todo)
        rest = (*self._player.unheard(), *(piece for piece in coming if piece))
        self._todo.clear()
        was_busy = self.is_busy
        await self._end()
        if was_busy:
            await self._player.clear()
        return Stopped(self._heard, rest)

    async def aclose(self) -> None:
        """End everything without a word to the carrier."""
        self._todo.clear()
        await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._discard()
        self._current = None

    async def _discard(self) -> None:
        made, self._made = self._made, []
        for sound in made:
            sound.cancel()
        await asyncio.gather(*(sound.task for sound in made), return_exceptions=True)

    async def _speak(self) -> None:
        while True:
            self._make_ahead()
            while self._made:
                sound = self._made.pop(0)
                try:
                    await self._play(sound)
                except SpeechUnavailable:
                    coming = (sound.piece, *(one.piece for one in self._made), *self._todo)
                    self._todo.clear()
                    await self._discard()
                    self._current = self._task = None
                    self._lost(coming)
                    return
                self._make_ahead()
            self._more.clear()
            if await self._heard_out():
                break
        # From here on `is_busy` has to say no, or a piece that is said in `idle` would wait for ever.
        self._task = None
        self._idle()

    async def _play(self, sound: _Sound) -> None:
        def begun() -> None:
            self._current = None
            self._lately = [*self._lately[-20:], sound.piece.text]
            # Not before: the next piece's synthesis would take the processor from this one's.
            self._make_ahead()
            self._begun(sound.piece)

        self._current = sound.piece
        try:
            async with contextlib.aclosing(sound.chunks()) as chunks:
                await self._player.play(sound.piece, sound.piece.text, chunks, begun)
        finally:
            sound.cancel()
            # A cancelled speaker must not leave before its synthesis has.
            await asyncio.gather(sound.task, return_exceptions=True)
        self._current = None

    async def _heard_out(self) -> bool:
        """Wait until the caller has heard all, or there is more to say; whether it was the former."""
        drained = asyncio.create_task(self._player.drained())
        more = asyncio.create_task(self._more.wait())
        try:
            await asyncio.wait((drained, more), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (drained, more):
                task.cancel()
            await asyncio.gather(drained, more, return_exceptions=True)
        return not self._todo and not self._made

    def _make_ahead(self) -> None:
        while self._todo and len(self._made) < AHEAD:
            piece = self._todo.popleft()
            self._made.append(_Sound(piece, self._sound(piece)))

    async def _sound(self, piece: Piece) -> AsyncGenerator[Pcm, None]:
        for attempt in range(1, ATTEMPTS + 1):
            anything = False
            try:
                async with contextlib.aclosing(self._voice.speak(piece.text, piece.language)) as sound:
                    async for chunk in sound:
                        anything = True
                        yield chunk
                return
            except SpeechUnavailable:
                # Half a clause and then the whole again would be worse than the menu.
                if anything or attempt == ATTEMPTS:
                    raise
                log.info("voice.synthesis_repeated")


class _Sound:
    """A piece whose sound is being made in a task of its own."""

    def __init__(self, piece: Piece, source: AsyncGenerator[Pcm, None]) -> None:
        self.piece = piece
        self._queue: asyncio.Queue[Pcm | SpeechUnavailable | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(source))

    def cancel(self) -> None:
        self.task.cancel()

    async def _run(self, source: AsyncGenerator[Pcm, None]) -> None:
        try:
            async with contextlib.aclosing(source):
                async for chunk in source:
                    self._queue.put_nowait(chunk)
            self._queue.put_nowait(None)
        except SpeechUnavailable as error:
            self._queue.put_nowait(error)
        except Exception as error:  # a broken engine is an absent one to the caller
            log.error("voice.synthesis_failed", error=type(error).__name__, exc_info=error)
            self._queue.put_nowait(SpeechUnavailable("synthesis failed"))

    async def chunks(self) -> AsyncGenerator[Pcm, None]:
        while (item := await self._queue.get()) is not None:
            if isinstance(item, SpeechUnavailable):
                raise item
            yield item
