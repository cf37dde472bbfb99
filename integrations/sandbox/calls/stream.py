"""One media stream from Twilio's side: the caller's frames out at real pace, the application's sound in and played."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

import websockets
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from . import messages
from .messages import BadMessage, Clear, MarkAsked, Sound, StreamRequest
from .mouth import Mouth
from .mulaw import decode, encode
from .playout import Playout
from .timeline import Pace, Recording, Timeline

FRAME_SECONDS = 0.02
OPEN_SECONDS = 5.0
CLOSE_SECONDS = 1.0
HANDSHAKE_FAILED = 31920
PROTOCOL_BROKEN = 31951
AUDIBLE = 300
"""A sample above this is heard; engines begin with some milliseconds of nearly nothing."""

Ending = Literal["closed", "dropped", "refused", "broken"]


class Socket(Protocol):
    """A WebSocket's client end."""

    async def send(self, message: str) -> None:
        """Send a text message. Raises OSError or WebSocketException when the other end has gone."""

    async def recv(self) -> str | bytes:
        """The next message. Raises OSError or WebSocketException when the other end has gone."""

    async def close(self) -> None:
        """Say goodbye and close."""

    def abort(self) -> None:
        """Be gone without a goodbye."""


class NetworkSocket:
    """A real one."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: str) -> None:
        """See `Socket`."""
        await self._connection.send(message)

    async def recv(self) -> str | bytes:
        """See `Socket`."""
        return await self._connection.recv()

    async def close(self) -> None:
        """See `Socket`."""
        await self._connection.close()

    def abort(self) -> None:
        """See `Socket`."""
        self._connection.transport.abort()


Connector = Callable[[str, Mapping[str, str]], Awaitable[Socket]]


async def by_network(url: str, headers: Mapping[str, str]) -> Socket:
    """Open a real socket.

    Raises:
        OSError: nobody is there, or the handshake was refused.
    """
    try:
        connection = await websockets.connect(
            url, additional_headers=dict(headers), user_agent_header=None, compression=None, ping_interval=None,
            open_timeout=OPEN_SECONDS, close_timeout=CLOSE_SECONDS, max_size=1_000_000,
        )  # fmt: skip
    except (InvalidHandshake, InvalidURI, TimeoutError) as error:
        raise ConnectionRefusedError(type(error).__name__) from error
    return NetworkSocket(connection)


class MediaStream:
    """A stream and its socket.

    Args:
        request: what the document asked for.
        mouth: the caller's.
        timeline: of the call; what happens on the stream is added.
        recording: of the call; None keeps none.
        pace: real, or a test's.
        connect: opens the socket.
    """

    def __init__(
        self,
        request: StreamRequest,
        mouth: Mouth,
        timeline: Timeline,
        recording: Recording | None,
        pace: Pace,
        connect: Connector = by_network,
    ) -> None:
        self.request = request
        self.playout = Playout()
        self.arrivals: list[tuple[float, int]] = []
        """When sound came from the application, seconds since the call was placed, and bytes of it."""
        self.last_played = -1.0
        """When the last frame of the application's sound was played."""
        self._mouth = mouth
        self._timeline = timeline
        self._recording = recording
        self._pace = pace
        self._connect = connect
        self._keys: deque[str] = deque()
        self._socket: Socket | None = None
        self._writer = messages.Writer(request)
        self._ending: Ending | None = None
        self._audible = False
        self._speaking = False

    @property
    def is_open(self) -> bool:
        """Whether it has been started and not ended."""
        return self._socket is not None and self._ending is None

    def press(self, keys: str) -> None:
        """Press keys; each leaves with the next frame, so their order among the frames is kept."""
        self._keys.extend(keys)

    def drop(self) -> None:
        """Lose the connection, without a stop."""
        self._end("dropped")

    async def run(self, headers: Mapping[str, str]) -> Ending:
        """Open the socket and carry sound until the application or the connection ends it.

        Cancelled (hang-up, another document by REST) it says stop and closes the socket.
        """
        try:
            socket = await self._connect(self.request.url, headers)
        except (OSError, WebSocketException) as error:
            self._timeline.add("error", code=HANDSHAKE_FAILED, reason=type(error).__name__)
            return "refused"
        self._socket = socket
        reader = asyncio.create_task(self._read(socket))
        try:
            await self._carry(socket)
        except (OSError, WebSocketException):
            self._end("closed")
        finally:
            reader.cancel()
            await self._leave(socket)
            await asyncio.gather(reader, return_exceptions=True)
            self._timeline.add("stream_ended", why=self._ending or "stopped")
            self._socket = None
        return self._ending or "closed"

    async def _leave(self, socket: Socket) -> None:
        if self._ending == "dropped":
            socket.abort()
            return
        with contextlib.suppress(OSError, WebSocketException, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._ending is None:
                    await socket.send(self._writer.stop())
                await socket.close()

    async def _carry(self, socket: Socket) -> None:
        await socket.send(messages.connected())
        await socket.send(self._writer.start())
        began = self._pace.now()
        self._timeline.add("stream_started", stream=self.request.stream_sid)
        frames = 0
        while self._ending is None:
            frames += 1
            # A late frame is followed at once by the next, as a carrier's would be.
            await self._pace.sleep(max(0.0, began + frames * FRAME_SECONDS - self._pace.now()))
            now = self._timeline.now()
            caller = self._mouth.frame(now)
            for what, label in self._mouth.news:
                self._timeline.add(what, words=label)
            self._mouth.news.clear()
            while self._keys:
                key = self._keys.popleft()
                self._timeline.add("key", key=key)
                await socket.send(self._writer.dtmf(key))
            await socket.send(self._writer.media(encode(caller), frames * 20))
            played = self.playout.pull()
            if played.sound:
                self.last_played = now
            heard = decode(played.payload)
            self._note(now, played.sound, int(abs(heard.astype(int)).max()))
            if self._recording is not None:
                self._recording.add(now, caller, heard)
            await self._echo(socket, played.marks)

    def _note(self, now: float, sound: int, loudest: int) -> None:
        """Keep in the timeline when the application begins and ends to be heard."""
        if sound and not self._speaking:
            self._speaking, self._audible = True, False
            self._timeline.add("plays")
        elif not sound and self._speaking:
            self._speaking = False
            self._timeline.add("quiet")
        if self._speaking and not self._audible and loudest > AUDIBLE:
            self._audible = True
            self._timeline.add("audible")

    async def _echo(self, socket: Socket, names: tuple[str, ...]) -> None:
        for name in names:
            self._timeline.add("mark", name=name)
            await socket.send(self._writer.mark(name))

    async def _read(self, socket: Socket) -> None:
        try:
            while True:
                await self._take(socket, await socket.recv())
        except (OSError, WebSocketException):
            self._end("closed")

    async def _take(self, socket: Socket, raw: str | bytes) -> None:
        now = self._timeline.now()
        try:
            message = messages.read(raw, self.request.stream_sid)
        except BadMessage as error:
            self._timeline.add("error", code=PROTOCOL_BROKEN, reason=str(error))
            self._end("broken")
            return
        match message:
            case Sound(payload):
                self.arrivals.append((now, len(payload)))
                self.playout.put(payload)
            case MarkAsked(name):
                await self._echo(socket, self.playout.mark(name))
            case Clear():
                waiting = self.playout.seconds
                self._timeline.add("clear", seconds=round(waiting, 3))
                await self._echo(socket, self.playout.clear())

    def _end(self, why: Ending) -> None:
        if self._ending is None:
            self._ending = why
