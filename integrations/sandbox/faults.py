"""Breaking the simulated systems on purpose, one at a time, at the wire where real ones break."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

System = Literal["oms", "cis", "gis", "twilio"]
Mode = Literal["ok", "slow", "dead", "hang", "half", "lost", "garbage", "error", "busy"]
SYSTEMS: tuple[str, ...] = get_args(System)
_PREFIXES = {"/multispeak": "oms", "/cis": "cis", "/arcgis": "gis", "/twilio": "twilio"}
_GARBAGE = b"\x00\xff<html><body>It works!</body>\xfe<Envelope><Body><unclosed"


@dataclass(slots=True)
class Fault:
    """How a system misbehaves.

    ``mode``: slow (answers after ``seconds``), dead (the connection breaks at once), hang (never answers), half (does
    the work, then breaks off in mid-answer), lost (does the work, then breaks the connection before answering),
    garbage (200 and nonsense), error (500), busy (429 with Retry-After). ``times``: how many requests still; None: all.
    """

    mode: Mode = "ok"
    seconds: float = 5.0
    times: int | None = None


class Faults:
    """The state of each system."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def set(self, system: str, fault: Fault) -> None:
        """Break a system, or mend it with mode ok."""
        if fault.mode == "ok":
            self._faults.pop(system, None)
        else:
            self._faults[system] = fault

    def clear(self) -> None:
        """Mend everything."""
        self._faults.clear()

    def current(self, system: str) -> Fault:
        """How a system misbehaves now."""
        return self._faults.get(system, Fault())

    def take(self, system: str) -> Fault:
        """The fault for one request, counted."""
        fault = self._faults.get(system)
        if fault is None:
            return Fault()
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[system]
        return fault

    def down(self, system: str) -> bool:
        """Whether a system is out of order altogether."""
        return self.current(system).mode in ("dead", "hang", "error")


class FaultMiddleware:
    """Stands before the application and lets requests of broken systems fail as their fault says."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        system = None
        if scope["type"] == "http":
            system = next((name for prefix, name in _PREFIXES.items() if scope["path"].startswith(prefix)), None)
        fault = self.faults.take(system) if system else Fault()
        if fault.mode == "ok":
            await self.app(scope, receive, send)
        elif fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send)
        elif fault.mode == "hang":
            await _hang(receive)
        elif fault.mode == "dead":
            await _break(send)
        elif fault.mode in ("half", "lost"):
            await self._cut(scope, receive, send, half=fault.mode == "half")
        else:
            await _answer(send, fault.mode, system or "")

    async def _cut(self, scope: Scope, receive: Receive, send: Send, half: bool) -> None:
        """Let the application do its work, then break off."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        if half and kept:
            body = b"".join(message.get("body", b"") for message in kept[1:])
            await send(kept[0])
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await asyncio.sleep(0)
        await _break(send)


async def _hang(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break(send: Send) -> None:
    """Drop the connection without an answer; where the server does not let us, answer 503."""
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0.01)  # until the server has noticed
        return
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, mode: str, system: str) -> None:
    status, headers, body = 500, [(b"content-type", b"text/plain")], b"Internal Server Error"
    if mode == "garbage":
        status, headers, body = 200, [(b"content-type", b"text/html")], _GARBAGE
    elif mode == "busy":
        status, body = 429, b"Too Many Requests"
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
    if system == "twilio" and mode in ("error", "busy"):
        code, message = (20429, "Too Many Requests") if mode == "busy" else (20500, "Internal Server Error")
        headers[0] = (b"content-type", b"application/json")
        body = (
            f'{{"code":{code},"message":"{message}","more_info":"https://www.twilio.com/docs/errors/{code}",'
            f'"status":{status}}}'
        ).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
