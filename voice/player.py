"""What the caller hears of us: frames to the carrier at the pace of speech, and what of them was really heard.

The carrier plays what it is sent and returns a mark when it has come that far. Between marks the clock tells. Frames
are sent only a little ahead, so that little is lost by a stop and sound never piles up in the carrier.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from voice import media
from voice.protocols import SAMPLE_RATE, Pcm

LEAD_SECONDS = 0.6
"""How far ahead of the caller's ear we send; covers a busy moment of the event loop."""
MARK_PATIENCE = 1.5
"""Seconds after which a mark that does not come back is taken for come back."""
_FRAME_SECONDS = media.FRAME / SAMPLE_RATE

Clock = Callable[[], float]
Send = Callable[[str], Awaitable[None]]
Tag = TypeVar("Tag")


@dataclass(slots=True)
class _Piece(Generic[Tag]):
    """A piece of text as sound under way."""

    tag: Tag
    text: str
    mark: str
    begins: float
    seconds: float = 0.0
    whole: bool = False
    back: bool = False


class Player(Generic[Tag]):
    """Plays pieces one after the other; each carries a tag of whoever plays it.

    Args:
        send: to the carrier.
        stream_sid: of the stream.
        clock: seconds; the event loop's.
        lead: seconds ahead.
    """

    def __init__(self, send: Send, stream_sid: str, clock: Clock, lead: float = LEAD_SECONDS) -> None:
        self._send = send
        self._sid = stream_sid
        self._clock = clock
        self._lead = lead
        self._pieces: list[_Piece[Tag]] = []
        self._round = 0
        self._count = 0
        self._ends = 0.0
        self._late = 0.0
        self._moved = asyncio.Event()

    @property
    def is_sounding(self) -> bool:
        """Whether the caller hears something of ours now."""
        return bool(self._pieces) and not all(piece.back for piece in self._pieces) and self._clock() < self.ends

    @property
    def ends(self) -> float:
        """When what was sent so far will have been heard, by the clock."""
        return self._ends + self._late

    async def play(
        self, tag: Tag, text: str, audio: AsyncIterator[Pcm], begun: Callable[[], None] | None = None
    ) -> None:
        """Send one piece at the pace of speech; returns when all of it is sent, a little before it is heard.

        Args:
            tag: names the piece in `unheard`.
            text: what the sound says.
            audio: its sound, as it is made.
            begun: called with the first frame.
        """
        piece: _Piece[Tag] | None = None
        rest = np.zeros(0, np.int16)
        async for chunk in audio:
            rest = np.concatenate((rest, chunk)) if len(rest) else chunk
            whole = len(rest) // media.FRAME * media.FRAME
            for start in range(0, whole, media.FRAME):
                piece = await self._frame(rest[start : start + media.FRAME], piece, tag, text, begun)
            rest = rest[whole:]
        if len(rest):
            piece = await self._frame(np.pad(rest, (0, media.FRAME - len(rest))), piece, tag, text, begun)
        if piece is not None:
            piece.whole = True
            await self._send(media.mark(self._sid, piece.mark))

    async def _frame(
        self, frame: Pcm, piece: _Piece[Tag] | None, tag: Tag, text: str, begun: Callable[[], None] | None
    ) -> _Piece[Tag]:
        now = self._clock()
        # After an underrun the carrier begins again when the next frame comes.
        self._ends = max(self._ends, now)
        if piece is None:
            self._count += 1
            piece = _Piece(tag, text, f"{self._round}:{self._count}", self._ends)
            self._pieces.append(piece)
            if begun:
                begun()
        self._ends += _FRAME_SECONDS
        piece.seconds += _FRAME_SECONDS
        await self._send(media.media(self._sid, frame))
        ahead = self._ends - self._clock()
        if ahead > self._lead:
            # In steps of a few frames: fewer wake-ups, the same sound.
            await asyncio.sleep(ahead - self._lead + 4 * _FRAME_SECONDS)
        return piece

    def marked(self, name: str) -> None:
        """A mark came back. One of before a stop says nothing; unknown ones neither."""
        for piece in self._pieces:
            if piece.mark == name:
                piece.back = True
                # The carrier is behind our clock by this much: buffers and the way to it.
                self._late = min(max(self._late, self._clock() - (piece.begins + piece.seconds)), 2.0)
                self._moved.set()
                return

    async def drained(self) -> None:
        """Wait until everything that was sent has been heard: by its mark, or else by the clock and some patience."""
        while waiting := [piece for piece in self._pieces if not piece.back]:
            left = self.ends + MARK_PATIENCE - self._clock()
            if left <= 0:
                for piece in waiting:
                    piece.back = True
                return
            self._moved.clear()
            try:
                async with asyncio.timeout(left):
                    await self._moved.wait()
            except TimeoutError:
                pass

    def heard(self) -> str:
        """What of the pieces since `begin` the caller has heard by now, to the word."""
        now = self._clock() - self._late
        texts = []
        for piece in self._pieces:
            if piece.back or (piece.whole and now >= piece.begins + piece.seconds):
                texts.append(piece.text)
                continue
            words = piece.text.split()
            share = (now - piece.begins) / piece.seconds if piece.seconds else 0.0
            if not piece.whole:
                # Its length is not known yet; a person says about two and a half words a second.
                share = min(share, (now - piece.begins) * 2.5 / max(len(words), 1))
            texts.append(" ".join(words[: int(max(0.0, min(share, 1.0)) * len(words))]))
            break
        return " ".join(text for text in texts if text)

    def unheard(self) -> list[Tag]:
        """The pieces that were not heard to their end by now, the one that is being heard first."""
        now = self._clock() - self._late
        return [
            piece.tag
            for piece in self._pieces
            if not (piece.back or (piece.whole and now >= piece.begins + piece.seconds))
        ]

    def begin(self) -> None:
        """What was heard before does not matter any more."""
        self._pieces = [
            piece for piece in self._pieces if not piece.back and piece.begins + piece.seconds > self._clock()
        ]

    async def clear(self) -> None:
        """Silence, at once. Nothing may be playing in another task."""
        self._pieces.clear()
        self._round += 1
        self._ends = 0.0
        await self._send(media.clear(self._sid))
