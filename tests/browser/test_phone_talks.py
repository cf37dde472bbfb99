"""The page's phone with everything behind it: a recorded sentence is spoken into the browser's microphone and answered.

With PORCHLIGHT_SCREENSHOTS=1 it writes docs/images/phone.png.
"""

from __future__ import annotations

import os
import re
import shutil
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.stack import Stack
from voice.engines.hibari import HibariEngine
from voice.protocols import SAMPLE_RATE
from voice.speech.engines import Voice
from voice.speech.models import Models

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
WORDS = "Hi, uh, my power's been out since like six, when's it coming back?"
NOTICE_SECONDS = 16.0
"""The page's microphone is open before the call is, and the notice of recording is longer than ten seconds. The caller
says the same again after as long a pause."""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def talking_stack() -> Iterator[Stack]:
    # Light engines, because the browser takes its share of the CPU too. The smaller recogniser is too weak for WORDS.
    light = {"SPEECH_VOICE_ENGINE": "hibari", "SPEECH_STT_BEAM": "1"}
    with Stack(speech=True, settings=light) as running:
        yield running


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    voice = Voice("caller", HibariEngine(Models.here().file("hibari-heart")), "en")
    said = np.concatenate([np.zeros(round(NOTICE_SECONDS * SAMPLE_RATE), np.int16), voice.say(WORDS)])
    path = tmp_path / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(said.astype("<i2").tobytes())
    flags = [
        "--no-sandbox",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    ]
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        await running.close()


async def test_a_caller_at_the_page_asks_when_the_power_comes_back_and_is_told(
    browser: Browser, talking_stack: Stack
) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await page.goto(talking_stack.url)
    await page.get_by_role("button", name=re.compile("Rosa Delgado")).click()
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(page.locator("#call-state")).to_have_text("Connected", timeout=30_000)
    log = page.get_by_role("log", name="What is said in the call")
    heard = log.locator(".in").filter(has_text=re.compile("power", re.IGNORECASE)).last
    await expect(heard).to_be_visible(timeout=90_000)
    answer = log.locator(".in ~ .out").filter(has_text="14 Lantern Lane").first
    await expect(answer).to_be_visible(timeout=30_000)
    if os.environ.get("PORCHLIGHT_SCREENSHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.wait_for_timeout(1500)
        await page.screenshot(path=PICTURES / "phone.png")
    await page.get_by_role("button", name="Mute").click()  # or the caller says it all again
    await page.get_by_role("button", name="Keypad").click()
    await page.get_by_role("button", name="0, a person").click()
    await expect(page.locator("#call-state")).to_have_text(re.compile("Transferred to"), timeout=60_000)
    await page.get_by_role("button", name="Hang up").click()
    await expect(page.locator("#call-state")).to_have_text(re.compile("Call ended"))
