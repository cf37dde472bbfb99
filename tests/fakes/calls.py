"""An application that answers calls, in the test's own process, by webhooks and a socket; and a carrier for it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from integrations.sandbox.calls.carrier import Carrier
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.phones import LocalPhone
from integrations.sandbox.calls.timeline import Pace
from integrations.sandbox.twilio_api import Account

ACCOUNT = Account("AC" + "5" * 32, "token-for-tests", "+15555550100")
PUBLIC = "https://porchlight.example.com"
ROSA = "+12075550101"
NUMBER = Number(f"{PUBLIC}/twilio/voice", public=PUBLIC, local="http://application.test")
STREAM = '<Response><Connect><Stream url="wss://porchlight.example.com/twilio/media/t"/></Connect></Response>'


def say(text: str) -> str:
    """A document that says something and ends."""
    return f"<Response><Say>{text}</Say></Response>"


class Line:
    """The application's end of a media socket, and the carrier's, with nothing between them."""

    def __init__(self) -> None:
        self.to_application: asyncio.Queue[str | None] = asyncio.Queue()
        self.to_carrier: asyncio.Queue[str | None] = asyncio.Queue()
        self.got: list[dict[str, Any]] = []
        self.aborted = False

    # -- the carrier's end (a `Socket`)

    async def send(self, message: str) -> None:
        self.to_application.put_nowait(message)

    async def recv(self) -> str:
        message = await self.to_carrier.get()
        if message is None:
            raise ConnectionError("closed by the application")
        return message

    async def close(self) -> None:
        self.to_application.put_nowait(None)

    def abort(self) -> None:
        self.aborted = True
        self.to_application.put_nowait(None)

    # -- the application's end

    async def next(self) -> dict[str, Any] | None:
        """The next message; None when the carrier has gone."""
        raw = await self.to_application.get()
        if raw is None:
            return None
        message: dict[str, Any] = json.loads(raw)
        self.got.append(message)
        return message

    async def until(self, event: str) -> dict[str, Any]:
        """Read on to the next message of a kind."""
        while (message := await self.next()) is not None:
            if message["event"] == event:
                return message
        raise AssertionError(f"the carrier went away before {event}")

    def put(self, **message: Any) -> None:
        self.to_carrier.put_nowait(json.dumps(message))

    def play(self, sid: str, seconds: float, byte: int = 0x10) -> None:
        payload = base64.b64encode(bytes([byte]) * round(seconds * 8000)).decode()
        self.put(event="media", streamSid=sid, media={"payload": payload})

    def mark(self, sid: str, name: str) -> None:
        self.put(event="mark", streamSid=sid, mark={"name": name})

    def clear(self, sid: str) -> None:
        self.put(event="clear", streamSid=sid)

    def hang_up(self) -> None:
        self.to_carrier.put_nowait(None)


Served = Callable[[Line], Awaitable[None]]


class Application:
    """Webhooks by path, each a document, a status, or a function of the form; and what is done on the media socket."""

    def __init__(self, pages: Mapping[str, Any], socket: Served | None = None) -> None:
        self.pages = dict(pages)
        self.socket = socket
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.headers: list[httpx.Headers] = []
        self.lines: list[Line] = []
        self.opened: list[tuple[str, Mapping[str, str]]] = []
        self._serving: set[asyncio.Task[None]] = set()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for asked, form, _ in self.asked if asked == path]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        raw = request.content.decode() or request.url.query.decode()
        form = dict(parse_qsl(raw, keep_blank_values=True))
        self.asked.append((path, form, request.headers.get("x-twilio-signature", "")))
        self.headers.append(request.headers)
        page = self.pages.get(path, 404)
        if callable(page):
            page = page(form)
        if isinstance(page, Exception):
            raise page
        if isinstance(page, int):
            return httpx.Response(page)
        if isinstance(page, httpx.Response):
            return page
        return httpx.Response(200, text=page, headers={"content-type": "text/xml"})

    async def connect(self, url: str, headers: Mapping[str, str]) -> Line:
        self.opened.append((url, headers))
        if self.socket is None:
            raise ConnectionRefusedError(urlsplit(url).path)
        line = Line()
        self.lines.append(line)
        task = asyncio.create_task(self._serve(line))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        return line

    async def _serve(self, line: Line) -> None:
        assert self.socket is not None
        await self.socket(line)

    async def close(self) -> None:
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self.http.aclose()


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something; fails when it does not become true."""
    for _ in range(round(seconds * 100)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not become true")


async def opened(phone: LocalPhone) -> None:
    """Wait until a stream is open."""
    await until(lambda: phone.media is not None and phone.media.is_open)


def own_pace() -> Pace:
    """The time of the loop that runs."""
    return Pace(asyncio.get_running_loop().time, asyncio.sleep)


@contextlib.asynccontextmanager
async def carrier_of(application: Application, number: Number = NUMBER) -> AsyncIterator[tuple[Carrier, LocalPhone]]:
    """A carrier whose number the application answers, and a caller's phone."""
    pace = own_pace()
    carrier = Carrier(ACCOUNT, number, application.http, pace)
    try:
        yield carrier, LocalPhone(pace, application.connect)
    finally:
        await carrier.stop()
        await application.close()
