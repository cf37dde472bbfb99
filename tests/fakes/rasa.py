"""A small dialogue server that speaks the gateway channel's contract over real HTTP, and can misbehave.

Not Rasa: it answers by a script. A test says what the next turns do; what came in is in `turns`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Behave = Callable[["Stream", dict[str, Any]], Awaitable[None]]


class Died(Exception):
    """The process is killed here."""


@dataclass(slots=True)
class Stream:
    """The answer under way."""

    writer: asyncio.StreamWriter

    async def start(self, status: str = "200 OK", kind: str = "application/x-ndjson") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        self.writer.write(head.encode())
        await self.writer.drain()

    async def raw(self, data: bytes) -> None:
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def line(self, **fields: Any) -> None:
        await self.raw(json.dumps(fields).encode() + b"\n")

    async def say(self, text: str, buttons: list[tuple[str, str]] | None = None, response: str = "utter_test") -> None:
        await self.line(
            type="message",
            text=text,
            buttons=[{"title": title, "payload": payload} for title, payload in buttons or []],
            image=None,
            response=response,
            custom=None,
        )

    async def done(self, intent: str = "test") -> None:
        await self.line(type="done", intent=intent, confidence=0.99, active_form=None)

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()


async def echo(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start()
    await stream.say(f"echo: {body['text']}")
    await stream.done()
    await stream.end()


def says(*texts: str, buttons: list[tuple[str, str]] | None = None) -> Behave:
    async def behave(stream: Stream, body: dict[str, Any]) -> None:
        await stream.start()
        for index, text in enumerate(texts):
            await stream.say(text, buttons if index == len(texts) - 1 else None)
        await stream.done()
        await stream.end()

    return behave


async def silent(stream: Stream, body: dict[str, Any]) -> None:
    """A turn that ends well and says nothing, as stock Rasa does after a crash."""
    await stream.start()
    await stream.done()
    await stream.end()


async def dies_after_a_line(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start()
    await stream.say("one moment")
    raise Died


async def ends_without_done(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start()
    await stream.say("half")
    await stream.end()


async def garbage(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start()
    await stream.raw(b"\x00\xff<html>not ndjson</html>\n")
    await stream.end()


async def server_error(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start("500 Internal Server Error", "text/plain")
    await stream.raw(b"boom")
    await stream.end()


def errors(code: str) -> Behave:
    async def behave(stream: Stream, body: dict[str, Any]) -> None:
        await stream.start()
        await stream.line(type="error", error=code)
        await stream.end()

    return behave


def waits_for(event: asyncio.Event, then: Behave = echo, before: str = "") -> Behave:
    """Slow for as long as a test wants."""

    async def behave(stream: Stream, body: dict[str, Any]) -> None:
        if before:
            await stream.start()
            await stream.say(before)
            await event.wait()
            await stream.say("after")
            await stream.done()
            await stream.end()
        else:
            await event.wait()
            await then(stream, body)

    return behave


@dataclass
class FakeRasa:
    """Serves on a free port of loopback.

    Attributes:
        script: what the next turns do, in order; after that `default`.
        turns: the bodies that came in.
        running: the most turns of one conversation that ran at once.
    """

    token: str = "test-token"
    default: Behave = echo
    script: list[Behave] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: dict[str, int] = field(default_factory=dict)
    _now: dict[str, int] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [turn["text"] for turn in self.turns]

    async def start(self) -> None:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            with contextlib.suppress(asyncio.CancelledError):
                await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request, *header_lines = head.decode().split("\r\n")
            headers = dict(
                (name.strip().lower(), value.strip())
                for name, _, value in (line.partition(":") for line in header_lines if line)
            )
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            if request.startswith("GET"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            elif headers.get("authorization") != f"Bearer {self.token}":
                writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                await self._turn(json.loads(raw), writer)
            await writer.drain()
        except Died:
            writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _turn(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        text, metadata = body["text"], body.get("metadata") or {}
        if text.lstrip().startswith("/") and not metadata.get("trusted"):
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        conversation = body["conversation_id"]
        self.turns.append(body)
        self._now[conversation] = self._now.get(conversation, 0) + 1
        self.most_at_once[conversation] = max(self.most_at_once.get(conversation, 0), self._now[conversation])
        try:
            await (self.script.pop(0) if self.script else self.default)(Stream(writer), body)
        finally:
            self._now[conversation] -= 1


@contextlib.asynccontextmanager
async def fake_rasa(**options: Any) -> AsyncIterator[FakeRasa]:
    server = FakeRasa(**options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
