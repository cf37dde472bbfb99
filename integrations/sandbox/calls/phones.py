"""The caller's end: a phone in this process, for tests and tools, and one that is elsewhere and asks what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from .call import Call
from .messages import StreamRequest
from .mouth import Mouth, Utterance
from .mulaw import Samples
from .sound import FRAME, RATE, key_tone, silence
from .stream import Connector, Ending, MediaStream, by_network
from .timeline import Pace, Recording, real_pace
from .verbs import Pause, Play, Say

_WORDS_A_SECOND = 2.7
_UNKNOWN_FILE_SECONDS = 5.0
Voice = Callable[[str], Awaitable[Samples]]
"""Words to 8 kHz sound."""


def length_of(prompt: Say | Play | Pause) -> float:
    """How long something of the carrier's own lasts, in seconds, when nobody speaks it."""
    match prompt:
        case Say(text):
            return max(1.0, len(text.split()) / _WORDS_A_SECOND)
        case Pause(seconds):
            return seconds
        case Play(_, digits):
            return 0.5 * len(digits) if digits else _UNKNOWN_FILE_SECONDS


class LocalPhone:
    """A caller in this process.

    Args:
        pace: the carrier's.
        connect: opens media sockets.
        voice: speaks the carrier's own Say; without one it is silence of about the right length.
    """

    def __init__(self, pace: Pace | None = None, connect: Connector = by_network, voice: Voice | None = None) -> None:
        self.mouth = Mouth()
        self.recording = Recording()
        self.media: MediaStream | None = None
        """The stream that is open now, or was last."""
        self.streams = 0
        self.call: Call | None = None
        self._pace = pace or real_pace()
        self._connect = connect
        self._voice = voice

    # -- for the carrier

    async def stream(self, call: Call, request: StreamRequest, headers: dict[str, str]) -> Ending:
        """See `Phone`."""
        self.call = call
        self.streams += 1
        self.media = MediaStream(request, self.mouth, call.timeline, self.recording, self._pace, self._connect)
        return await self.media.run(headers)

    async def hear(self, call: Call, prompt: Say | Play | Pause) -> None:
        """See `Phone`."""
        self.call = call
        match prompt:
            case Say(text) if self._voice is not None:
                heard = await self._voice(text)
            case Play(_, digits) if digits:
                heard = np.concatenate([silence(0.5) if key in "wW" else key_tone(key, 0.5) for key in digits])
            case _:
                heard = silence(length_of(prompt))
        at = call.timeline.now()
        for place in range(0, len(heard), FRAME):
            piece = heard[place : place + FRAME]
            self.recording.add(at + place / RATE, silence(len(piece) / RATE), piece)
        await self._pace.sleep(len(heard) / RATE)

    # -- for whoever plays the caller

    def say(self, samples: Samples, label: str = "") -> Utterance:
        """Begin to say something; `Utterance.done` tells when it is over."""
        return self.mouth.say(samples, label)

    def press(self, keys: str) -> None:
        """Press keys: into the stream while one is open, else to the carrier itself."""
        if self.media is not None and self.media.is_open:
            self.media.press(keys)
        elif self.call is not None:
            for key in keys:
                self.call.timeline.add("key", key=key)
                self.call.keys.put_nowait(key)

    async def until_quiet(self, after: float, quiet: float = 0.8, most: float = 20.0) -> bool:
        """Wait until the application has been heard and has then been silent.

        Args:
            after: only sound since then counts (`Timeline.now`).
            quiet: seconds of silence that end it.
            most: seconds to wait.

        Returns:
            Whether it was so; False when the time was up or the stream has ended.
        """
        return await until_quiet(self.media, self.call, self._pace, after, quiet, most)


async def until_quiet(
    media: MediaStream | None, call: Call | None, pace: Pace, after: float, quiet: float, most: float
) -> bool:
    """See `LocalPhone.until_quiet`."""
    if media is None or call is None:
        return False
    deadline = call.timeline.now() + most
    while media.is_open and call.timeline.now() < deadline:
        now = call.timeline.now()
        heard = media.last_played > after
        if heard and not media.playout.seconds and now - media.last_played >= quiet:
            return True
        await pace.sleep(0.02)
    return False


class RemotePhone:
    """A caller elsewhere, who is shown what the call does and reports the end of streams.

    Args:
        pace: the carrier's.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._stream_sid = ""
        self._ending: asyncio.Future[Ending] | None = None

    async def stream(self, call: Call, request: StreamRequest, headers: dict[str, str]) -> Ending:
        """See `Phone`. The other end sees it in `Call.doing`, with the address and the ids."""
        self._stream_sid = request.stream_sid
        self._ending = asyncio.get_running_loop().create_future()
        try:
            return await self._ending
        finally:
            self._ending = None

    def stream_ended(self, stream_sid: str, ending: Ending) -> bool:
        """The other end says that a stream is over.

        Returns:
            Whether it was the one that is open.
        """
        if self._ending is None or self._ending.done() or stream_sid != self._stream_sid:
            return False
        self._ending.set_result(ending)
        return True

    async def hear(self, call: Call, prompt: Say | Play | Pause) -> None:
        """See `Phone`. The other end speaks it in its own way; the time that it takes is estimated."""
        await self._pace.sleep(length_of(prompt))
