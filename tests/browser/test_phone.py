"""The phone on the demo page, with a recorded file as its microphone, against an application of the test's own.

The page, its proxy, the simulated carrier and Redis are real; what answers calls is written here, so that each message
of the media socket can be looked at. test_phone_talks.py has the real application behind the same phone.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import shutil
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from playwright.async_api import Browser, Page, async_playwright, expect
from redis.asyncio import Redis

from bot.channels import demo, site
from bot.identity.tokens import Tokens
from integrations.base.utility import get_utility
from integrations.sandbox.calls import mulaw, sound
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.twilio_api import Account
from integrations.twilio.calls import TwilioCalls
from tests.fakes.redis_server import RedisServer
from tests.fakes.sandbox import free_port, sandbox, serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""None: the one that Playwright installed."""
pytestmark = pytest.mark.browser
ACCOUNT = Account("AC" + "5" * 32, "token-for-tests", "+15555550100")
STREAM = '<Response><Connect><Stream url="{ws}/twilio/media/t"/></Connect></Response>'
TRANSFER = "<Response><Dial>555-555-0100</Dial></Response>"
WHISTLE = 440.0


class Application:
    """Answers calls: greets with a second of sound and a mark, and keeps all that it hears."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.base = ""
        self.document = STREAM
        self.events: list[dict[str, Any]] = []
        self.forms: list[dict[str, str]] = []
        self.socket: WebSocket | None = None
        self.sid = self.call = ""
        self.app = FastAPI()

        @self.app.post("/twilio/{name}")
        async def hook(name: str, request: Request) -> Response:
            self.forms.append(dict(await request.form()))  # type: ignore[arg-type]
            text = self.document.format(ws=self.base.replace("http", "ws"))
            return Response(text if name == "voice" else "<Response/>", media_type="text/xml")

        @self.app.websocket("/twilio/media/t")
        async def media(socket: WebSocket) -> None:
            await socket.accept()
            self.socket = socket
            with contextlib.suppress(WebSocketDisconnect):
                while True:
                    await self.take(json.loads(await socket.receive_text()))

        @self.app.get("/readyz")
        async def ready() -> dict[str, Any]:
            return {"ready": True}

    async def take(self, message: dict[str, Any]) -> None:
        self.events.append(message)
        if message["event"] == "start":
            self.sid, self.call = message["streamSid"], message["start"]["callSid"]
            await self.play(1.0, "greeting")
            await self.write("out", "Thanks for calling. How can I help?")

    async def play(self, seconds: float, mark: str) -> None:
        assert self.socket is not None
        payload = base64.b64encode(mulaw.encode(sound.tone(300, seconds))).decode()
        await self.socket.send_json({"event": "media", "streamSid": self.sid, "media": {"payload": payload}})
        await self.socket.send_json({"event": "mark", "streamSid": self.sid, "mark": {"name": mark}})

    async def clear(self) -> None:
        assert self.socket is not None
        await self.socket.send_json({"event": "clear", "streamSid": self.sid})

    async def write(self, direction: str, text: str, **more: str) -> None:
        await self.redis.xadd(f"conv:call-{self.call}", {"dir": direction, "text": text, **more})

    def named(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.events if message["event"] == event]

    def heard(self) -> np.ndarray[Any, Any]:
        frames = [base64.b64decode(message["media"]["payload"]) for message in self.named("media")]
        return mulaw.decode(b"".join(frames))


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def application(redis_server: RedisServer) -> AsyncIterator[Application]:
    redis = Redis.from_url(redis_server.url, decode_responses=True)
    running = Application(redis)
    port = free_port()
    running.base = f"http://127.0.0.1:{port}"
    number = Number(f"{running.base}/twilio/voice", public=running.base, local=running.base)
    async with (
        sandbox(size=500, account=ACCOUNT, number=number) as (sandbox_url, _),
        httpx.AsyncClient() as http,
    ):
        running.api = TwilioCalls(ACCOUNT.sid, ACCOUNT.token, api_url=f"{sandbox_url}/twilio")  # type: ignore[attr-defined]
        running.app.include_router(demo.router(sandbox_url, http, Tokens("secret-of-the-tests"), redis))
        running.app.include_router(site.router(True, get_utility()))
        async with serve(running.app, port):
            yield running
    await running.api.aclose()  # type: ignore[attr-defined]
    await redis.aclose()


def microphone(folder: Path) -> Path:
    """A whistle of two seconds, as a file that Chromium takes for its microphone."""
    path = folder / "microphone.wav"
    at = np.arange(2 * 48_000) / 48_000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes((12_000 * np.sin(2 * np.pi * WHISTLE * at)).astype("<i2").tobytes())
    return path


@contextlib.asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", *more]
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        await running.close()


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone(tmp_path)}",
    ) as running:
        yield running


async def visit(browser: Browser, application: Application, width: int = 1280, height: int = 900) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": height})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.problems = problems  # type: ignore[attr-defined]
    await page.goto(application.base)
    await page.get_by_role("button", name=re.compile("Rosa Delgado")).click()
    await expect(page.locator("#call-who")).to_have_text("Rosa Delgado, 207-555-0101.")
    return page


async def dial(page: Page) -> None:
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(page.locator("#call-state")).to_have_text("Connected", timeout=15_000)


async def until(true: Any) -> None:
    for _ in range(400):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not become true")


async def test_the_page_calls_as_the_customer_and_the_microphone_is_heard(
    browser: Browser, application: Application
) -> None:
    page = await visit(browser, application)
    await dial(page)
    await until(lambda: len(application.named("media")) > 150)
    assert application.forms[0]["From"] == "+12075550101"
    first, start = application.events[0], application.events[1]
    assert first["event"] == "connected" and start["event"] == "start"
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    frames = application.named("media")
    assert {len(base64.b64decode(frame["media"]["payload"])) for frame in frames} == {160}
    heard = application.heard()[-8_000:].astype(float)
    assert np.abs(heard).max() > 300  # the browser takes a steady whistle for noise and softens it
    assert abs(float(np.argmax(np.abs(np.fft.rfft(heard)))) - WHISTLE) <= 3
    await page.get_by_role("button", name="Hang up").click()
    await until(lambda: bool(application.named("stop")))
    await expect(page.locator("#call-state")).to_have_text(re.compile(r"Call ended, 0:\d\d"))
    assert page.problems == []  # type: ignore[attr-defined]


async def test_marks_come_back_when_the_sound_has_been_played_and_at_once_when_it_is_cleared(
    browser: Browser, application: Application
) -> None:
    page = await visit(browser, application)
    await dial(page)
    await until(lambda: bool(application.named("mark")))
    frames_before = application.events.index(application.named("mark")[0])
    assert frames_before > 25, "a second of sound was not played in less than half a second of frames"
    await application.play(60.0, "long")
    await application.clear()
    await until(lambda: len(application.named("mark")) == 2)
    assert [message["mark"]["name"] for message in application.named("mark")] == ["greeting", "long"]
    await page.get_by_role("button", name="Hang up").click()


async def test_both_sides_are_written_along_and_emergencies_stand_out(
    browser: Browser, application: Application
) -> None:
    page = await visit(browser, application)
    await dial(page)
    log = page.get_by_role("log", name="What is said in the call")
    await expect(log).to_contain_text("Thanks for calling. How can I help?")
    await application.write("in", "I smell <b>gas</b>", interrupted="Thanks for")
    await application.write("out", "Leave now.", source="safety")
    await expect(log.locator(".in")).to_contain_text("I smell <b>gas</b>")
    await expect(log.locator(".in small")).to_have_text("interrupting")
    await expect(log.locator(".safety")).to_contain_text("Leave now.")
    await page.get_by_role("button", name="Hang up").click()
    await expect(log).to_be_visible()


async def test_keys_reach_the_stream_by_mouse_and_by_keyboard(browser: Browser, application: Application) -> None:
    page = await visit(browser, application)
    await dial(page)
    await page.get_by_role("button", name="Keypad").click()
    await page.get_by_role("button", name="4", exact=True).click()
    await page.keyboard.press("2")
    await page.keyboard.press("#")
    await until(lambda: len(application.named("dtmf")) == 3)
    assert [message["dtmf"]["digit"] for message in application.named("dtmf")] == ["4", "2", "#"]
    await expect(page.get_by_label("Keys pressed")).to_have_text("42#")
    await page.get_by_role("button", name="Hang up").click()


async def test_a_muted_phone_sends_silence(browser: Browser, application: Application) -> None:
    page = await visit(browser, application)
    await dial(page)
    await page.get_by_role("button", name="Mute").click()
    await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
    before = len(application.named("media"))
    await until(lambda: len(application.named("media")) > before + 75)
    assert not application.heard()[-50 * 160 :].any()
    await page.get_by_role("button", name="Hang up").click()


async def test_a_transfer_by_the_carriers_api_shows_on_the_page_and_ends_the_stream(
    browser: Browser, application: Application
) -> None:
    page = await visit(browser, application)
    await dial(page)
    await until(lambda: bool(application.call))
    await application.api.direct(application.call, TRANSFER)  # type: ignore[attr-defined]
    await expect(page.locator("#call-state")).to_have_text("Transferred to 555-555-0100", timeout=15_000)
    await until(lambda: bool(application.named("stop")))
    await application.api.hang_up(application.call)  # type: ignore[attr-defined]
    await expect(page.locator("#call-state")).to_have_text(re.compile("Call ended"))
    await expect(page.get_by_role("button", name="Call", exact=True)).to_be_visible()


async def test_the_keypad_menu_works_when_the_conversation_cannot_be_had(
    browser: Browser, application: Application
) -> None:
    application.document = (
        '<Response><Gather action="/twilio/menu" numDigits="1" timeout="30"><Say>Press 1 for outages</Say></Gather>'
        "</Response>"
    )
    page = await visit(browser, application)
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(page.locator("#call-log")).to_contain_text("Press 1 for outages", timeout=15_000)
    await page.get_by_role("button", name="1", exact=True).click()
    await until(lambda: any(form.get("Digits") == "1" for form in application.forms))
    await expect(page.locator("#call-state")).to_have_text(re.compile("Call ended"))


async def test_without_a_microphone_the_keypad_still_works(application: Application) -> None:
    async with chromium("--deny-permission-prompts") as browser:
        page = await visit(browser, application)
        await dial(page)
        await expect(page.locator("#call-note")).to_contain_text("keypad")
        await page.get_by_role("button", name="7", exact=True).click()
        await until(lambda: bool(application.named("dtmf")))
        await until(lambda: bool(application.named("media")))
        assert not application.heard().any()
        await page.get_by_role("button", name="Hang up").click()
        await until(lambda: bool(application.named("stop")))


async def test_leaving_the_page_ends_the_call(browser: Browser, application: Application) -> None:
    page = await visit(browser, application)
    await dial(page)
    await until(lambda: bool(application.call))
    await page.close(run_before_unload=False)
    async with httpx.AsyncClient() as http:
        for _ in range(200):
            state = (await http.get(f"{application.base}/sandbox/calls/{application.call}")).json()
            if state["status"] == "completed":
                break
            await asyncio.sleep(0.1)
    assert state["status"] == "completed"


async def test_the_phone_fits_a_small_screen(browser: Browser, application: Application) -> None:
    page = await visit(browser, application, width=390, height=844)
    await dial(page)
    await page.get_by_role("button", name="Keypad").click()
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    for name in ("Mute", "Keypad", "Hang up"):
        box = await page.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    await page.get_by_role("button", name="Hang up").click()
