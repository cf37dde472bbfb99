"""What comes in by a media socket, checked: the stream's start, its messages, and sound no faster than time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

import structlog

from voice import media, metrics
from voice.allowance import Allowance
from voice.player import Clock
from voice.protocols import SAMPLE_RATE, Pcm
from voice.records import Next

log = structlog.get_logger()

START_SECONDS = 5.0
"""Until the carrier has said what stream this is."""
LEAD_SECONDS = 2.0
"""Sound that comes so much faster than time is not a telephone's."""
MOST_BAD = 50


class Line(Protocol):
    """A media socket."""

    async def receive(self) -> str | None:
        """The next text message; None when the socket is closed."""
        ...

    async def send(self, text: str) -> None:
        """Send a text message; on a closed socket nothing happens."""
        ...

    async def close(self) -> None:
        """Close it. Safe to call twice."""
        ...


class StreamRefused(Exception):
    """The stream cannot be used.

    Attributes:
        outcome: a constant that says why.
        then: how the call goes on; None as it was.
    """

    def __init__(self, outcome: str, then: Next | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.then = then


class Inlet:
    """Reads a line.

    Args:
        line: the socket.
        call_sid: of the call that its token was made for.
        clock: seconds.
    """

    def __init__(self, line: Line, call_sid: str, clock: Clock) -> None:
        self._line = line
        self._call_sid = call_sid
        self._clock = clock
        self._bad = Allowance(MOST_BAD, 1.0)
        self._began = clock()
        self._seconds = 0.0
        self.sound_at = self._began
        """When sound came last."""

    async def start(self) -> media.StartBody:
        """The stream's beginning; what comes before it means nothing.

        Raises:
            StreamRefused: it does not come, is another call's, or is no sound that we know.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                async for message in self.messages():
                    if isinstance(message, media.Start):
                        break
                else:
                    raise StreamRefused("no_start")
        except TimeoutError:
            raise StreamRefused("no_start") from None
        start = message.start
        if start.call_sid != self._call_sid:
            raise StreamRefused("other_call")
        if not start.media_format.is_ours:
            log.error("voice.wrong_format", call=self._call_sid, encoding=start.media_format.encoding[:40])
            raise StreamRefused("wrong_format", "menu")
        self._began = self.sound_at = self._clock()
        return start

    async def messages(self) -> AsyncGenerator[media.Incoming, None]:
        """Each message, until the stream or the socket ends.

        Raises:
            StreamRefused: nearly nothing of it can be read.
        """
        while (text := await self._line.receive()) is not None:
            try:
                message = media.read(text)
            except media.BadMessage as error:
                metrics.dropped.labels("message").inc()
                if not self._bad.take(self._clock()):
                    raise StreamRefused("garbage", "menu") from None
                log.warning("voice.bad_message", call=self._call_sid, reason=str(error))
                continue
            if isinstance(message, media.Stop):
                return
            if message is not None:
                yield message

    def sound(self, body: media.MediaBody) -> Pcm | None:
        """The caller's sound; None for what is not theirs, no sound, or too fast."""
        now = self.sound_at = self._clock()
        if body.track != "inbound":
            return None
        try:
            samples = body.samples()
        except media.BadMessage:
            metrics.dropped.labels("message").inc()
            return None
        seconds = len(samples) / SAMPLE_RATE
        if self._seconds + seconds - (now - self._began) > LEAD_SECONDS:
            metrics.dropped.labels("too_fast").inc()
            return None
        self._seconds += seconds
        return samples
