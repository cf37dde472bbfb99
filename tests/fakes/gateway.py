"""A whole gateway on a free port of loopback: real Redis, real database, real HTTP; a scripted dialogue behind it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import websockets

from bot.app import Parts, build, create_app
from integrations.base.settings import Settings
from tests.fakes.guard import WordGuard, word_script
from tests.fakes.rasa import FakeRasa
from tests.fakes.redis_server import RedisServer

TOKEN = "twilio-test-token"


@dataclass(frozen=True)
class FakePremise:
    service_point_id: str
    account_number: str
    address: str = "14 Lantern Lane"
    customer_id: str = "C1"


@dataclass
class FakePhoneBook:
    people: dict[str, Sequence[FakePremise]] = field(default_factory=dict)
    hang: bool = False
    asked: list[str] = field(default_factory=list)

    async def find_by_phone(self, e164: str) -> Sequence[FakePremise]:
        self.asked.append(e164)
        if self.hang:
            await asyncio.Event().wait()
        return self.people.get(e164, ())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_for(redis: RedisServer, rasa: FakeRasa, folder: Path, **more: Any) -> Settings:
    """No network but loopback: systems that no test runs are on a port where nobody listens."""
    nobody = f"http://127.0.0.1:{free_port()}"
    values: dict[str, Any] = {
        "port": free_port(),
        "redis_url": redis.url,
        "database_url": f"sqlite+aiosqlite:///{folder / 'test.db'}",
        "run_dir": folder,
        "rasa_urls": rasa.url,
        "rasa_token": rasa.token,
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_token": TOKEN,
        "twilio_phone_number": "+15555550100",
        "twilio_api_url": nobody,
        "oms_wsdl_url": f"{nobody}/oms?wsdl",
        "oms_user": "test",
        "oms_push_secret": "push-secret",
        "cis_url": nobody,
        "public_url": "https://chat.example.com",
        "webchat_secret": "test-secret",
        "turn_timeout_seconds": 10,
        "oms_budget_seconds": 0.2,
        "sandbox": False,
        **more,
    }
    return Settings(**values)


@dataclass
class Gateway:
    settings: Settings
    parts: Parts
    phone_book: FakePhoneBook
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def chat(self, session: str = "", after: int | None = None, **options: Any) -> Any:
        query = "&".join([f"session={session}"] * bool(session) + [f"after={after}"] * (after is not None))
        return websockets.connect(f"ws://127.0.0.1:{self.settings.port}/chat/ws?{query}", **options)


@contextlib.asynccontextmanager
async def running_gateway(settings: Settings, **other_parts: Any) -> AsyncIterator[Gateway]:
    phone_book = FakePhoneBook()

    def parts_of(given: Settings) -> Parts:
        return build(given, guard=WordGuard(), script=word_script, phone_book=phone_book, **other_parts)

    app = create_app(settings, parts_of)
    config = uvicorn.Config(
        app, port=settings.port, log_config=None, access_log=False, ws_max_size=1_000_000, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    try:
        while not server.started:
            if serving.done():
                await serving
            await asyncio.sleep(0.01)
        yield Gateway(settings, app.state.parts, phone_book, server)
    finally:
        server.should_exit = True
        await serving


async def receive(socket: Any, seconds: float = 10.0) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        return dict(json.loads(await socket.recv()))


async def receive_until(socket: Any, wanted: str, seconds: float = 10.0) -> dict[str, Any]:
    """The next message of a type; what is passing is passed over."""
    async with asyncio.timeout(seconds):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == wanted:
                return dict(message)


async def whole_turn(socket: Any, text: str, ident: str = "", seconds: float = 15.0) -> list[dict[str, Any]]:
    """Send a text; its replies up to the final one, without empty ones."""
    await socket.send(json.dumps({"type": "user", "text": text, **({"id": ident} if ident else {})}))
    return await replies(socket, seconds)


async def replies(socket: Any, seconds: float = 15.0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] in ("bot", "agent"):
                if message["text"] or message["buttons"]:
                    found.append(message)
                if message["final"]:
                    return found


async def until(holds: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for something that happens in another task or process; `holds` may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.01)


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=10)
