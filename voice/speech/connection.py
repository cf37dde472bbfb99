"""One connection to the speech process that is made again whenever it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

import structlog
import websockets
from websockets.asyncio.client import ClientConnection, connect

from voice.protocols import Pcm, SpeechFull, SpeechUnavailable
from voice.speech import wire

log = structlog.get_logger()

MOST_WAITING = 2_000
"""Messages that wait for the socket; more means that the process does not read."""


class Exchange:
    """The answers to one request as they come; None when the connection is lost."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[tuple[wire.Answer, Pcm] | None] = asyncio.Queue()

    async def next(self, seconds: float) -> tuple[wire.Answer, Pcm]:
        """The next answer.

        Raises:
            SpeechFull: the process takes no more calls.
            SpeechUnavailable: it refused, was lost, or did not answer in time.
        """
        try:
            async with asyncio.timeout(seconds):
                received = await self.answers.get()
        except TimeoutError:
            log.warning("speech did not answer in time", seconds=seconds)
            raise SpeechUnavailable("the speech process did not answer in time") from None
        if received is None:
            raise SpeechUnavailable("the speech process was lost")
        answer, audio = received
        if answer.kind == "failed":
            refusal = SpeechFull if answer.why == "full" else SpeechUnavailable
            raise refusal(f"the speech process refused: {answer.why}")
        return answer, audio


class _Link:
    """One socket: what waits to be sent, and who waits for answers."""

    def __init__(self) -> None:
        self.outgoing: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self.open: dict[int, Exchange] = {}

    def send(self, message: bytes) -> None:
        try:
            self.outgoing.put_nowait(message)
        except asyncio.QueueFull:
            raise SpeechUnavailable("the speech process does not read") from None

    def lose(self) -> None:
        for exchange in self.open.values():
            exchange.answers.put_nowait(None)
        self.open.clear()


class Connection:
    """Keeps a socket open and matches answers with requests.

    Args:
        url: "ws://127.0.0.1:5060".
        token: what the process checks.
        connect_seconds: for one attempt.
        first_pause: seconds before the second attempt; doubles up to `longest_pause`.
        longest_pause: seconds between attempts.
        greeting: gives the messages that every new socket begins with.
        on_connected: is called when requests can be made again.
    """

    def __init__(
        self,
        url: str,
        token: str,
        connect_seconds: float,
        first_pause: float,
        longest_pause: float,
        greeting: Callable[[], Iterable[bytes]],
        on_connected: Callable[[], None],
    ) -> None:
        self._url = url
        self._token = token
        self._connect_seconds = connect_seconds
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._greeting = greeting
        self._on_connected = on_connected
        self._link: _Link | None = None
        self._connected = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether requests can be made now."""
        return self._link is not None

    @property
    def open_requests(self) -> int:
        """Requests whose answer is not complete."""
        return len(self._link.open) if self._link is not None else 0

    async def wait_connected(self) -> None:
        """Wait until it is."""
        await self._connected.wait()

    def send(self, message: bytes) -> None:
        """Send what needs no answer; nothing happens while there is no connection."""
        if self._link is not None:
            with contextlib.suppress(SpeechUnavailable):
                self._link.send(message)

    @contextlib.asynccontextmanager
    async def ask(self, request: wire.Request, audio: Pcm | None = None) -> AsyncIterator[Exchange]:
        """Make a request. Leaving before its last answer tells the process to give it up.

        Raises:
            SpeechUnavailable: there is no connection.
        """
        link = self._link
        if link is None:
            raise SpeechUnavailable("the speech process cannot be reached")
        exchange = link.open[request.id] = Exchange()
        try:
            link.send(wire.pack(request, audio))
            yield exchange
        finally:
            if link.open.pop(request.id, None) is not None:
                with contextlib.suppress(SpeechUnavailable):
                    link.send(wire.pack(wire.Cancel(id=request.id)))

    async def run(self) -> None:
        """Connect, and again whenever it is lost; runs until it is cancelled."""
        pause = self._first_pause
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {self._token}"},
                    compression=None,
                    max_size=wire.LONGEST_MESSAGE,
                    open_timeout=self._connect_seconds,
                    close_timeout=1.0,
                    ping_interval=2.0,
                    ping_timeout=8.0,
                    proxy=None,
                ) as socket:
                    pause = self._first_pause
                    await self._use(socket)
            except (OSError, TimeoutError, websockets.WebSocketException, wire.WireError) as error:
                if pause == self._first_pause:  # once for each time that it is lost, not for each attempt
                    log.warning("speech cannot be reached", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._longest_pause)

    async def _use(self, socket: ClientConnection) -> None:
        link = _Link()
        for greeting in self._greeting():
            link.send(greeting)
        writer = asyncio.create_task(self._write(socket, link), name="speech-writer")
        self._link = link
        self._connected.set()
        self._on_connected()
        log.info("speech is connected")
        try:
            async for message in socket:
                answer, audio = wire.read_answer(message)
                ends = answer.kind != "audio"
                exchange = link.open.pop(answer.id, None) if ends else link.open.get(answer.id)
                if exchange is not None:
                    exchange.answers.put_nowait((answer, audio))
        finally:
            self._link = None
            self._connected.clear()
            link.lose()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self, socket: ClientConnection, link: _Link) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await socket.send(await link.outgoing.get())
