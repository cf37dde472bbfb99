from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.fakes import rasa as behave
from tests.fakes.gateway import Gateway, free_port, running_gateway, settings_for
from tests.fakes.rasa import FakeRasa, fake_rasa
from tests.fakes.redis_server import RedisServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""None: the one that Playwright installed."""
pytestmark = pytest.mark.browser

EMBEDDER_PORT = free_port()
EMBEDDER = f"http://127.0.0.1:{EMBEDDER_PORT}"
"""Another origin, and really on loopback: from anywhere else browsers guard the way there."""


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    async with fake_rasa() as server:
        yield server


@pytest.fixture
async def gateway(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(settings_for(redis_server, rasa, tmp_path, webchat_origins=EMBEDDER)) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        await running.close()


async def visit(browser: Browser, gateway: Gateway, width: int = 1280, **options: Any) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 800}, **options)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.problems = problems  # type: ignore[attr-defined]
    await page.goto(gateway.url)
    await expect(page.get_by_text("automated assistant. Tell me")).to_be_visible()
    return page


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def test_a_conversation_by_keyboard_with_choices(browser: Browser, gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.script.append(behave.says("Which one?", buttons=[("House", "/house"), ("Barn", "/barn")]))
    page = await visit(browser, gateway)
    await say(page, "its pitch dark at my place")
    await expect(page.get_by_role("group", name="Choices").get_by_role("button")).to_have_text(["House", "Barn"])
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Barn")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("echo: /barn")).to_be_visible()
    await expect(page.get_by_role("group", name="Choices")).to_have_count(0)
    await expect(page.get_by_label("Your message")).to_be_focused()
    assert page.problems == []  # type: ignore[attr-defined]


async def test_what_a_screen_reader_needs_is_there(browser: Browser, gateway: Gateway) -> None:
    page = await visit(browser, gateway)
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_attribute("aria-live", "polite")
    await say(page, "hello")
    await expect(log).to_contain_text("You said: hello")
    await expect(log).to_contain_text("Assistant: echo: hello")
    await expect(page.get_by_role("button", name="Send message")).to_be_visible()


async def test_a_safety_script_stands_out_and_its_numbers_can_be_dialled(browser: Browser, gateway: Gateway) -> None:
    page = await visit(browser, gateway)
    await say(page, "I smell gas")
    await expect(page.locator(".safety")).to_contain_text("SCRIPT gas_leak")


async def test_words_are_never_markup(browser: Browser, gateway: Gateway) -> None:
    page = await visit(browser, gateway)
    await say(page, "<img src=x onerror=alert(1)><b>bold</b>")
    await expect(page.locator(".user")).to_contain_text("<b>bold</b>")
    await expect(page.locator(".bot").last).to_contain_text("echo: <img src=x")
    assert await page.locator(".log b, .log img").count() == 0


async def test_a_reload_shows_the_conversation_again(browser: Browser, gateway: Gateway) -> None:
    page = await visit(browser, gateway)
    await say(page, "hello")
    await expect(page.get_by_text("echo: hello")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("echo: hello")).to_be_visible()
    await expect(page.locator(".user")).to_have_count(1)


async def test_nothing_is_lost_while_the_gateway_is_away(
    browser: Browser, redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    settings = settings_for(redis_server, rasa, tmp_path)
    async with running_gateway(settings) as gateway:
        page = await visit(browser, gateway)
        await say(page, "before")
        await expect(page.get_by_text("echo: before")).to_be_visible()
    await say(page, "while you were away")
    await expect(page.locator(".user.waiting")).to_have_count(1)
    await expect(page.get_by_role("status")).to_contain_text("Your messages are kept")
    async with running_gateway(settings):
        await expect(page.get_by_text("echo: while you were away")).to_be_visible(timeout=20_000)
        await expect(page.locator(".user")).to_have_count(2)
        await expect(page.locator(".user.waiting")).to_have_count(0)
    assert rasa.texts == ["before", "while you were away"]


async def test_it_fits_a_narrow_phone(browser: Browser, gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.script.append(behave.says("word " * 40 + "x" * 120, buttons=[("A rather long choice that wraps", "/a")] * 3))
    page = await visit(browser, gateway, width=360)
    await say(page, "hello")
    await expect(page.get_by_role("group", name="Choices")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    sizes = await page.locator(".choice, .send").evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
    assert min(sizes) >= 44


async def test_another_site_may_embed_it_with_one_script(browser: Browser, gateway: Gateway) -> None:
    hostile = "<style>button { display: none !important }</style>"
    site = f'<!doctype html>{hostile}<script src="{gateway.url}/widget.js"></script>'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(site)}\r\nConnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}{site}".encode())
        await writer.drain()
        writer.close()

    page = await browser.new_page()
    async with await asyncio.start_server(answer, "127.0.0.1", EMBEDDER_PORT):
        await page.goto(f"{EMBEDDER}/")
    launcher = page.get_by_role("button", name="Chat with us")
    await launcher.click()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await say(page, "hello")
    await expect(page.get_by_text("echo: hello")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(launcher).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_enough_contrast_in_both_schemes(browser: Browser, gateway: Gateway, scheme: str) -> None:
    page = await visit(browser, gateway, color_scheme=scheme)
    await say(page, "I smell gas")
    await expect(page.locator(".safety")).to_be_visible()
    ratios = await page.locator(".message, header p, .send").evaluate_all(CONTRAST)
    assert min(ratios) >= 4.5


CONTRAST = """all => all.map(element => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  let behind = element, paint;
  do {
    paint = rgb(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  } while (paint[3] === 0 && behind);
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(paint)].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
})"""
