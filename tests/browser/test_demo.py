"""The demo page with everything behind it: what a newcomer does in the first minute.

With PORCHLIGHT_SCREENSHOTS=1 it writes the pictures that the README shows (docs/images).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.stack import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        await running.close()


@pytest.fixture
def fresh(stack: Stack) -> Stack:
    stack.check()
    httpx.post(f"{stack.sandbox_url}/sandbox/reset", timeout=30).raise_for_status()
    return stack


async def as_customer(browser: Browser, stack: Stack, name: str, **options: object) -> Page:
    page = await browser.new_page(**options)  # type: ignore[arg-type]
    await page.goto(stack.url)
    await page.get_by_role("button", name=re.compile(name)).click()
    await expect(page.get_by_text(f"{name}, signed in.")).to_be_visible()
    return page


async def write(page: Page, text: str) -> None:
    box = page.get_by_placeholder("Type your message")
    await box.fill(text)
    await box.press("Enter")


async def picture(page: Page, name: str) -> None:
    if os.environ.get("PORCHLIGHT_SCREENSHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURES / f"{name}.png")


async def test_a_newcomer_asks_about_an_outage_and_smells_gas_in_the_middle_of_it(
    browser: Browser, fresh: Stack
) -> None:
    page = await as_customer(browser, fresh, "Rosa Delgado", viewport={"width": 1280, "height": 860})
    await write(page, "its pitch dark at my place")
    await expect(page.get_by_text(re.compile("we know about an outage at 14 Lantern Lane"))).to_be_visible()
    await expect(page.get_by_text(re.compile("The crew on this job expects to have it back on by"))).to_be_visible()
    await expect(page.get_by_role("button", name="Yes, text me")).to_be_visible()
    await picture(page, "outage")
    await write(page, "I smell gas")
    script = page.get_by_text(re.compile("This may be a gas leak. If you are inside, leave now"))
    await expect(script).to_be_visible()
    await expect(page.get_by_text(re.compile("sent an urgent report to our dispatchers"))).to_be_visible()
    await picture(page, "demo")

    async def urgent() -> list[str]:
        async with httpx.AsyncClient() as client:
            tickets = (await client.get(f"{fresh.sandbox_url}/sandbox/tickets")).json()
        return [call["priority"] for call in tickets if "gas" in call["problem_code"].lower()]

    await expect(page.get_by_placeholder("Type your message")).to_be_enabled()
    for _ in range(100):
        if await urgent():
            break
        await page.wait_for_timeout(100)
    assert await urgent() == ["Urgent"]


async def test_the_phone_on_the_page_texts_and_is_answered(browser: Browser, fresh: Stack) -> None:
    page = await as_customer(browser, fresh, "Mei Tanaka", viewport={"width": 1280, "height": 1100})
    box = page.get_by_placeholder("Text message")
    await box.fill("STAT")
    await box.press("Enter")
    await expect(page.get_by_text(re.compile("We missed the time we gave"))).to_be_visible(timeout=15_000)
    await picture(page, "texting")


async def test_on_a_phone_the_chat_fits_the_screen(browser: Browser, fresh: Stack) -> None:
    page = await as_customer(browser, fresh, "Hank Boudreau", viewport={"width": 390, "height": 844})
    await write(page, "is there an outage at my house")
    await expect(page.get_by_text(re.compile("I do not see an outage at 3 Kettle Pond Road"))).to_be_visible()
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    await picture(page, "small")
